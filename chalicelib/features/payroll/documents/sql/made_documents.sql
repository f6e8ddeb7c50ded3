-- Records the files of a message; returns one row per file that is new.
update payslip_documents f
set sha256 = m.sha256, size_bytes = m.size_bytes, made_at = :now
from jsonb_to_recordset(cast(:made as jsonb)) m(payslip_id uuid, sha256 text, size_bytes integer)
where f.tenant_id = :tenant_id and f.payslip_id = m.payslip_id and f.sha256 is null
returning f.payslip_id
