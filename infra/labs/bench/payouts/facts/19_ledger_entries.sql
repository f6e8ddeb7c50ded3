-- the numbers that the database gives are those of the plan, as they are given in its order
select tenant_id, user_id, subject_id, event, line::smallint as line, debit, credit, 'BDT' as currency, amount, at as booked_at
from bench.lines order by number
