-- The least that reading registers and salaries can cost.
select count(*) from (select user_id, sum(length(halves)), sum(present_days) from pay_registers
                      where {employees} and month = '2026-01' group by user_id) r
union all
select count(*) from (select user_id, max(effective_from), sum(amount) from salaries where {employees} group by user_id) s
