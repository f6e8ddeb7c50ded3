-- The memberships of an OIDC identity. Once a subject is bound, only the subject counts: an e-mail address may get
-- another owner.
select m.tenant_id, m.id, m.subject, t.slug
from members m join tenants t on t.id = m.tenant_id
where m.status = 'active' and (
    (m.subject = :subject and m.issuer = :issuer) or (m.subject is null and m.email = :email))
order by t.slug
