"""Earmarks: the part of people's payable that only the pay of a payroll run pays out.

Payroll reserves the net of a payslip in the transaction that books it, so that no run of payouts ever sees it as owed
by itself. `actions.request_payroll` pays it; a payout that failed or came back makes it wait again (`moving`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from chalicelib.identity.scope import Scope

_RESERVE = text("""
    insert into payable_earmarks (tenant_id, run_id, user_id, payslip_id, currency, amount)
    select :tenant_id, :payroll_run_id, r.user_id, r.payslip_id, r.currency, r.amount
    from unnest(cast(:user_ids as uuid[]), cast(:payslip_ids as uuid[]), cast(:currencies as text[]),
        cast(:amounts as numeric[])) r (user_id, payslip_id, currency, amount)
    where r.amount > 0
    order by r.user_id
    on conflict (tenant_id, run_id, user_id) do nothing""")

_IS_OPEN = text("""
    select exists (select from payable_earmarks
            where tenant_id = :tenant_id and run_id = :payroll_run_id and waits)
        or exists (select from payouts
            where tenant_id = :tenant_id and payroll_run_id = :payroll_run_id
              and status in ('held', 'queued', 'sending', 'unknown', 'review'))""")


@dataclass(frozen=True, slots=True)
class Earmark:
    """A payslip's net that waits for the pay of its run; nothing is reserved where it is not above 0."""

    user_id: UUID
    payslip_id: UUID
    currency: str
    amount: Decimal


def reserve(scope: Scope, *, payroll_run_id: UUID, earmarks: Sequence[Earmark]) -> None:
    """Earmark the nets of payslips that this transaction books; again changes nothing. The accounts are locked."""
    scope.session.execute(
        _RESERVE,
        {
            "tenant_id": scope.tenant_id,
            "payroll_run_id": payroll_run_id,
            "user_ids": [one.user_id for one in earmarks],
            "payslip_ids": [one.payslip_id for one in earmarks],
            "currencies": [one.currency for one in earmarks],
            "amounts": [one.amount for one in earmarks],
        },
    )


def is_open(scope: Scope, *, payroll_run_id: UUID) -> bool:
    """Return whether a payslip of a run waits to be paid, or its payout is on its way."""
    found: bool = scope.session.execute(
        _IS_OPEN, {"tenant_id": scope.tenant_id, "payroll_run_id": payroll_run_id}
    ).scalar_one()
    return found
