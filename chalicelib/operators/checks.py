"""Invariants, checked in the database: one statement per check and tenant, as the application's own role.

A check is a file `sql/<name>.sql` that returns one row per subject, with its problem or null.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import Connection, text

from chalicelib.backing import clock, rows
from chalicelib.backing.database import CrossTenantRole, statement, transaction
from chalicelib.backing.settings import settings
from chalicelib.features.payouts.delivery.providers import registry, simulated
from chalicelib.operators.scopes import ListedTenant

SHOWN = 10  # problems listed per check and tenant; all are counted

# The policy that migrations.helpers.protect creates, as PostgreSQL prints it.
CANONICAL = "(%I = ( SELECT (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid AS \"nullif\"))"

_COUNTED = """
    select count(*) as seen, count(problem) as wrong,
        coalesce((array_agg(problem) filter (where problem is not null))[1:{shown}], '{{}}') as problems
    from ({check}) checked"""

OF_A_TENANT = {
    "conservation": "every half of every day has one code, and they count up to the period",
    "totals": "the register's totals are those of its codes",
    "balances": "balances are the sum of their lines, from the register beside them",
    "people": "register and balances hold only people of the period",
    "audit": "the audit chain is whole, from its first row to its head",
    "outbox": "no message has waited for more than 10 minutes",
    "ledger": "accounts are the sum of their lines, and each currency comes to zero",
    "advances": "every advance is at most its rate of the sale, and the only one",
    "sales": "every sale is pending or decided, and booked accordingly",
    "payslips": "payslips are the sum of their lines: gross less deductions and taxes is net",
    "payroll": "every payslip approved is booked once, and what is carried is what was left below 0",
    "runs": "of each run and category, the register, the payslips, their lines and the ledger come to the same",
    "owed": "payable, in flight and paid is what each person's sales and payslips come to",
    "payouts": "every payout took its money once, and gave it back only if it did not arrive",
    "payments": "what a payroll run booked is what its payouts paid, have in flight and were netted, and what waits",
    "cash": "cash is what was paid and is in flight, and that is the open payouts",
    "movements": "the provider moved what is paid, once, and nothing else",
    "histories": "every payout's history follows the state graph to where it is",
    "leave": "days of leave are the sum of their entries, and requests hold what the register shows",
    "leave_register": "the leave ledger took the days that the register shows as leave, and no others",
    "kpis": "scores are what value, target and weight come to, and no day is scored twice",
    "documents": "every payslip that was booked an hour ago has its file",
    "waiting": "no payout waits for a person, and nothing longer than it should",
}
WARNINGS = frozenset({"documents", "waiting"})  # something to do; the books are right
OF_THE_DATABASE = {
    "tables": "every table of tenants' rows is under the one forced policy",
    "role": "the application's role owns nothing and bypasses nothing",
}
ISOLATION = ("isolation", "a transaction sees one tenant's rows, and without a tenant none")


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """The result of one statement: subjects seen, subjects wrong, and the first of their problems."""

    seen: int
    wrong: int
    problems: list[str]


@dataclass(frozen=True, slots=True)
class TenantTable:
    """A table of tenants' rows, and its column with the tenant's id."""

    name: str
    key: str


@dataclass(slots=True)
class CheckResult:
    """The result of a check over all tenants: subjects seen, subjects wrong, and the first of their problems.

    A warning is something for a person to act on; the books are right all the same.
    """

    check: str
    invariant: str
    is_warning: bool = False
    seen: int = 0
    wrong: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return self.wrong > 0 and not self.is_warning

    @property
    def result(self) -> str:
        """Return the verdict in one word, as it is printed."""
        return "ok" if not self.wrong else "look" if self.is_warning else "FAILED"

    def add(self, finding: CheckFinding, *, where: str = "") -> None:
        """Add the finding of one statement; `where` goes before each of its problems."""
        self.seen += finding.seen
        self.wrong += finding.wrong
        self.problems += [where + problem for problem in finding.problems]


def check_all(tenants: Iterable[ListedTenant]) -> list[CheckResult]:
    """Run every check, of the database once and of each tenant, and return one result per check."""
    results = {
        name: CheckResult(name, invariant, name in WARNINGS)
        for name, invariant in [*OF_A_TENANT.items(), *OF_THE_DATABASE.items(), ISOLATION]
    }
    with transaction() as session:
        tables = load_tenant_tables(session)
        for name in OF_THE_DATABASE:
            results[name].add(check_database(session, name))
        results["isolation"].add(check_isolation(session, None, tables), where="without tenant: ")
    for tenant in tenants:
        with transaction(tenant_id=tenant.id) as session:
            for name in OF_A_TENANT:
                results[name].add(check_tenant(session, name, tenant.id), where=f"{tenant.slug}: ")
            results["isolation"].add(check_isolation(session, tenant.id, tables), where=f"{tenant.slug}: ")
    return list(results.values())


def check_tenant(session: Connection, name: str, tenant_id: UUID) -> CheckFinding:
    """Run one check in a transaction of the tenant."""
    values = {"tenant_id": tenant_id, "now": clock.now(), "payouts_enabled": settings().payouts_enabled}
    values |= _provider_values()
    return _run(session, statement(__file__, name), values)


def _provider_values() -> dict[str, Any]:
    """Return the providers by their abilities, and the one whose list of movements is a table of ours."""
    providers = registry().items()
    return {
        "called_providers": [name for name, provider in providers if provider.is_called],
        "manual_providers": [name for name, provider in providers if provider.abilities.is_manual],
        "file_providers": [name for name, provider in providers if provider.abilities.sends_files],
        "listing_provider": simulated.NAME,
    }


def check_database(session: Connection, name: str) -> CheckFinding:
    """Run one check of the catalog."""
    return _run(session, statement(__file__, name), {"canonical": CANONICAL, "narrow": list(get_args(CrossTenantRole))})


def check_isolation(session: Connection, tenant_id: UUID | None, tables: Sequence[TenantTable]) -> CheckFinding:
    """Check tenant isolation: this transaction sees no other tenant's row in any table."""
    query = " union all ".join(
        f"select case when exists ("
        f"select from {table.name} where {table.key} is distinct from cast(:tenant_id as uuid))"
        f" then '{table.name}: rows of others are seen' end as problem"
        for table in tables
    )
    return _run(session, query, {"tenant_id": tenant_id})


def load_tenant_tables(session: Connection) -> list[TenantTable]:
    """Return every table of tenants' rows that this role may read."""
    return rows.every(
        TenantTable,
        session.execute(
            text("""
                select c.oid::regclass::text as name, a.attname as key
                from pg_class c
                join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
                    and a.attname = case c.relname when 'tenants' then 'id' else 'tenant_id' end
                where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
                  and has_table_privilege(c.oid, 'select')
                order by c.relname""")
        ),
    )


def _run(session: Connection, check: str, values: dict[str, Any]) -> CheckFinding:
    counted = text(_COUNTED.format(check=check, shown=SHOWN))
    return rows.one(CheckFinding, session.execute(counted, {name: values[name] for name in counted.compile().params}))
