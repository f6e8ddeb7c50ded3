"""Earmarks: the part of employees' payable that only the pay of a payroll run pays out.

Payroll earmarks the net of a payslip in the transaction that books it, so that no run of payouts takes it for a debt to
pay. `actions.request_payroll` pays it; a payout that failed or came back lets it wait again (delivery.payout_states).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import statement
from chalicelib.identity.scope import Scope

_RESERVE = text(statement(__file__, "reserve"))
_HAS_OPEN_PAYMENTS = text(statement(__file__, "has_open_payments"))


@dataclass(frozen=True, slots=True)
class Earmark:
    """A payslip's net that waits for the pay of its run."""

    user_id: UUID
    payslip_id: UUID
    currency: str
    amount: Decimal


def reserve(scope: Scope, *, payroll_run_id: UUID, earmarks: Sequence[Earmark]) -> None:
    """Earmark the nets above 0 of payslips that this transaction books; again changes nothing.

    The caller has locked the employees' accounts.
    """
    scope.session.execute(
        _RESERVE,
        {
            "tenant_id": scope.tenant_id,
            "payroll_run_id": payroll_run_id,
            "user_ids": [earmark.user_id for earmark in earmarks],
            "payslip_ids": [earmark.payslip_id for earmark in earmarks],
            "currencies": [earmark.currency for earmark in earmarks],
            "amounts": [earmark.amount for earmark in earmarks],
        },
    )


def has_open_payments(scope: Scope, *, payroll_run_id: UUID) -> bool:
    """Return whether a payslip of a run waits to be paid, or its payout is on its way."""
    is_open: bool = scope.session.execute(
        _HAS_OPEN_PAYMENTS, {"tenant_id": scope.tenant_id, "payroll_run_id": payroll_run_id}
    ).scalar_one()
    return is_open
