"""Amounts of dynamic components, given per employee and run."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing import rows
from chalicelib.entry.rows import ImportRow, RowError, validate_rows
from chalicelib.features.payroll.components.rules import Calculation
from chalicelib.features.payroll.runs import queries
from chalicelib.features.payroll.runs.schemas import AmountRow, AmountsReport
from chalicelib.features.people.users.actions import too_fine
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict
from chalicelib.kernel.money import fits, rounded
from chalicelib.kernel.states import PayrollStatus

MOST_ROWS = 20_000
_OPEN = (PayrollStatus.DRAFT, PayrollStatus.CALCULATED)

# The employees of the rows, with the currency of their pay.
_EMPLOYEES = text("""
    select u.id as user_id, e.employee_no, coalesce((
        select s.currency from salaries s where s.tenant_id = :tenant_id and s.user_id = u.id
        order by s.effective_from desc limit 1), :currency) as currency
    from users u left join employments e on e.tenant_id = :tenant_id and e.user_id = u.id
    where u.tenant_id = :tenant_id and (u.id = any(:user_ids) or u.id in (
        select user_id from employments where tenant_id = :tenant_id and employee_no = any(:employee_nos)))""")

_COMPONENTS = text("""
    select id, code, calculation from payment_types where tenant_id = :tenant_id and is_active""")

_STORED = text("select user_id, type_id, amount from payroll_amounts where tenant_id = :tenant_id and run_id = :run_id")

_WRITE = text("""
    insert into payroll_amounts as a (tenant_id, run_id, user_id, type_id, amount, given_by, given_by_ids, given_at)
    select :tenant_id, :run_id, new.user_id, new.type_id, new.amount, :actor, cast(:actor_ids as uuid[]), :now
    from unnest(cast(:user_ids as uuid[]), cast(:type_ids as uuid[]), cast(:amounts as numeric[]))
        new (user_id, type_id, amount)
    order by 3, 4
    on conflict (tenant_id, run_id, user_id, type_id) do update
        set amount = excluded.amount, given_by = excluded.given_by, given_at = excluded.given_at,
            given_by_ids = array(select unnest(a.given_by_ids) union select unnest(excluded.given_by_ids))""")


@dataclass(frozen=True, slots=True)
class AmountEmployee:
    """An employee whom a row may name, with the currency of their pay."""

    user_id: UUID
    employee_no: str | None
    currency: str


@dataclass(frozen=True, slots=True)
class AmountComponent:
    """An active component."""

    id: UUID
    code: str
    calculation: str


AmountsByPair = dict[tuple[UUID, UUID], Decimal]


def set_amounts(scope: Scope, *, run_id: UUID, rows: Sequence[ImportRow], dry_run: bool) -> AmountsReport:
    """Store the valid rows and report the others; of two rows for one amount the later counts."""
    run = queries.get_run(scope, run_id, lock=True)
    if run.status not in _OPEN:
        raise Conflict(f"This run is {run.status}; amounts can be given until it is approved.")
    typed, invalid_rows = validate_rows(AmountRow, rows)
    amounts, unmatched_rows = _match_rows(scope, typed)
    key = {"tenant_id": scope.tenant_id, "run_id": run_id}
    stored = {(row.user_id, row.type_id): row.amount for row in scope.session.execute(_STORED, key)}
    changed = {pair: amount for pair, amount in amounts.items() if stored.get(pair, Decimal(0)) != amount}
    if changed and not dry_run:
        four_eyes.note_own(scope, four_eyes.Subject.AMOUNT, (user_id for user_id, _ in changed))
        scope.session.execute(
            _WRITE,
            {
                **key,
                "user_ids": [user_id for user_id, _ in changed],
                "type_ids": [type_id for _, type_id in changed],
                "amounts": list(changed.values()),
                "actor": scope.actor.name,
                "actor_ids": sorted(scope.actor.all_ids),
                "now": scope.now,
            },
        )
        audit.record(
            scope,
            action="payroll_run.amounts_given",
            entity_type="payroll_run",
            entity_id=run_id,
            after={"rows": len(rows), "written": len(changed)},
        )
    return AmountsReport(
        dry_run=dry_run,
        rows=len(rows),
        written=len(changed),
        unchanged=len(amounts) - len(changed),
        errors=sorted([*invalid_rows, *unmatched_rows], key=lambda error: error.line),
    )


def _match_rows(scope: Scope, amount_rows: Sequence[tuple[int, AmountRow]]) -> tuple[AmountsByPair, list[RowError]]:
    values = {
        "tenant_id": scope.tenant_id,
        "currency": scope.tenant.currency,
        "user_ids": [row.user_id for _, row in amount_rows if row.user_id],
        "employee_nos": [row.employee_no for _, row in amount_rows if row.employee_no],
    }
    employees = rows.every(AmountEmployee, scope.session.execute(_EMPLOYEES, values))
    known: dict[UUID | str | None, AmountEmployee] = {employee.user_id: employee for employee in employees}
    known |= {employee.employee_no: employee for employee in employees if employee.employee_no is not None}
    active = rows.every(AmountComponent, scope.session.execute(_COMPONENTS, {"tenant_id": scope.tenant_id}))
    components = {component.code: component for component in active}
    amounts: AmountsByPair = {}
    errors = []
    for line, row in amount_rows:
        employee, component = known.get(row.user_id or row.employee_no), components.get(row.payment_type)
        if (error := _find_error(row, employee, component)) is not None:
            errors.append(RowError(line=line, column=error[0], detail=error[1]))
        elif four_eyes.is_own(scope, employee.user_id):  # type: ignore[union-attr]  # there: _find_error
            errors.append(RowError(line=line, column=None, detail=four_eyes.refusal(four_eyes.Subject.AMOUNT)))
        else:
            amounts[employee.user_id, component.id] = rounded(row.amount, employee.currency)  # type: ignore[union-attr]  # both are there
    return amounts, errors


def _find_error(
    row: AmountRow, employee: AmountEmployee | None, component: AmountComponent | None
) -> tuple[str | None, str] | None:
    if row.user_id is not None and row.employee_no is not None and employee and employee.employee_no != row.employee_no:
        return "employee_no", "is not the number of the person that user_id names"
    if row.user_id is None and row.employee_no is None:
        return None, "names nobody: give employee_no or user_id"
    if employee is None:
        return "employee_no" if row.user_id is None else "user_id", "is nobody here"
    if component is None:
        return "payment_type", f"there is no active payment type with the code {row.payment_type}"
    if component.calculation != Calculation.DYNAMIC:
        return (
            "payment_type",
            f"{row.payment_type} is {component.calculation}: only dynamic ones are given an amount here",
        )
    if not fits(row.amount, employee.currency):
        return "amount", too_fine(employee.currency)
    return None
