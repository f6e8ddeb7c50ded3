"""Load the demo: each company's rows in one transaction, then what the product computes, then fresh keys. Idempotent.

Ids are made of names, so that a second load finds its own rows and leaves them alone, also those changed since.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit
from chalicelib.features.pay_register import nightly_job as pay_register
from chalicelib.features.tenants import actions as tenants
from chalicelib.features.tenants.schemas import NewTenant
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.operators import scopes, work
from chalicelib.operators.demo import away, facts, keys, market, paying, selling, staff
from chalicelib.operators.demo.companies import ACME, COMPANIES, Company
from chalicelib.operators.demo.rows import id_of


def load() -> dict[str, Any]:
    """Load what is missing of the demo up to yesterday, and return its summary with fresh keys."""
    loaded = {company.settings["slug"]: _load(company) for company in COMPANIES}
    return {"tenant": "acme", "api_keys": keys.replace(scopes.get_tenant_id("acme")), "tenants": loaded}


def _load(company: Company) -> dict[str, Any]:
    tenant_id = _get_or_create_tenant(company)
    with scopes.operating(tenant_id) as scope:
        # two loads at once run one after the other
        scope.advisory_lock("demo load")
        _refuse_other_databases(scope, company)
        written = staff.write(scope, company) + facts.write(scope, company)
        if written:
            audit.record(
                scope, action="demo.loaded", entity_type="tenant", entity_id=tenant_id, after={"rows": written}
            )
    leave_requests = away.load_leave(tenant_id) if company is ACME else 0
    with scopes.operating(tenant_id, sends=False) as scope:
        if _is_due(scope):
            pay_register.JOB.request(scope, as_of=None)
    work.process_here(scope.outgoing)
    runs = paying.load_payroll(tenant_id) if company is ACME else 0
    marketplace = selling.load_marketplace(tenant_id, market.OF[company.settings["slug"]], mail=company.mail)
    with scopes.operating(tenant_id) as scope:
        months = scope.session.execute(
            text("select month from pay_periods where tenant_id = :tenant_id and computed_at is not null order by 1"),
            {"tenant_id": tenant_id},
        )
        return {
            "employees": len(company.people),
            "months": list(months.scalars()),
            "leave_requests": leave_requests,
            "payroll_runs": runs,
            **marketplace,
        }


def _get_or_create_tenant(company: Company) -> UUID:
    try:
        return scopes.get_tenant_id(company.settings["slug"])
    except NotFound:
        with scopes.platform() as platform:
            created = tenants.make_tenant(platform, new=NewTenant(**company.settings))
        with scopes.operating(created.id) as scope:
            tenants.change_settings(scope, patch={"policy": company.policy}, if_match=None)
        return created.id


def _refuse_other_databases(scope: Scope, company: Company) -> None:
    ours = [id_of(scope, "user", person.number) for person in company.people]
    users = scope.session.execute(
        text(
            "select count(*) as all, count(*) filter (where id = any(:ours)) as ours from users"
            " where tenant_id = :tenant_id"
        ),
        {"tenant_id": scope.tenant_id, "ours": ours},
    ).one()
    if users.all and not users.ours:
        raise Conflict(f"There is a tenant {scope.tenant.slug} which the demo did not make; it is left alone.")


def _is_due(scope: Scope) -> bool:
    return bool(
        scope.session.execute(
            text(
                "select exists (select from pay_periods where tenant_id = :tenant_id and status = 'open'"
                " and is_stale and start_on <= :yesterday)"
            ),
            {"tenant_id": scope.tenant_id, "yesterday": scope.yesterday()},
        ).scalar_one()
    )
