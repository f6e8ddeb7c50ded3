select tenant_id, subject_id as payout_id, at, what, status, fence, 'queue' as actor
from bench.lines, (values ('made', 'queued', 0), ('sent', 'sending', 1), ('answered', 'paid', 1)) e (what, status, fence)
where event = 'payout' order by number, fence, what desc
