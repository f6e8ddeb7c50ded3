"""Reads of the payment of a run's payslips: paid, in flight, or not paid and why."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.entry.paging import RowPage, decode_cursor, encode_cursor
from chalicelib.features.payouts.payables import queries as payable_queries
from chalicelib.features.payouts.payables.schemas import Payee
from chalicelib.features.payouts.runs.queries import BLOCKED_BY
from chalicelib.features.payroll.payments.schemas import PaidRun, Payment, PaymentQuery, PaymentStatus, RunPayment
from chalicelib.features.payroll.runs import queries as run_queries
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import FIXED_PAYROLL

MOST_NAMED = 100  # people whom a run names itself; the list has all of them

_PAYMENTS = statement(__file__, "payments").replace("{blocked_by}", BLOCKED_BY)
_COUNT = text(f"select status, count(*) as payslips from ({_PAYMENTS}) p group by status")
_PAGE = text(f"""
    select p.*, u.name, e.employee_no from ({_PAYMENTS}) p
    join users u on u.tenant_id = :tenant_id and u.id = p.user_id
    left join employments e on e.tenant_id = :tenant_id and e.user_id = p.user_id
    where (cast(:status as text) is null or p.status = :status)
      and (cast(:because as text) is null or p.because = :because)
      and (cast(:after as uuid) is null or p.user_id > cast(:after as uuid))
    order by p.user_id limit :limit""")


@dataclass(frozen=True, slots=True)
class PaymentCountRow:
    """How many payslips of a run have a payment status."""

    status: PaymentStatus
    payslips: int


@dataclass(frozen=True, slots=True)
class PayslipPaymentRow:
    """The payment of one payslip, with its employee."""

    user_id: UUID
    payslip_id: UUID
    currency: str
    net: Decimal
    status: PaymentStatus
    because: str | None
    detail: str | None
    paid: Decimal
    netted: Decimal
    payout_id: UUID | None
    name: str
    employee_no: str | None


def get_run(scope: Scope, run_id: UUID) -> PaidRun:
    """Return one run with the payment of its payslips."""
    run = run_queries.show_run(scope, run_id)
    return PaidRun(**dict(run), payment=sum_payment(scope, run_id) if run.status in FIXED_PAYROLL else None)


def sum_payment(scope: Scope, run_id: UUID) -> RunPayment:
    """Count an approved run's payslips by payment status, and list the first that are not paid."""
    counted = rows.every(PaymentCountRow, scope.session.execute(_COUNT, _values(scope, run_id)))
    by_status = {row.status: row.payslips for row in counted}
    counts = {status.value: by_status.get(status, 0) for status in PaymentStatus}
    unpaid: list[Payment] = []
    for status in (PaymentStatus.NOT_PAID, PaymentStatus.IN_FLIGHT):
        if counts[status] and len(unpaid) < MOST_NAMED:
            unpaid += _read(scope, run_id, status=status, limit=MOST_NAMED - len(unpaid))
    return RunPayment(**counts, unpaid=unpaid)


def page_of_payments(scope: Scope, run_id: UUID, query: PaymentQuery) -> RowPage[Payment]:
    """Return a page of the payments of a run's payslips, in the order of employees' ids."""
    if run_queries.get_run(scope, run_id).status not in FIXED_PAYROLL:
        return RowPage([], None)
    after = decode_cursor(query.cursor, UUID) if query.cursor else None
    with_next = _read(scope, run_id, status=query.status, because=query.because, after=after, limit=query.limit + 1)
    items = with_next[: query.limit]
    return RowPage(items, encode_cursor(items[-1].user.id) if len(with_next) > query.limit else None)


def _read(
    scope: Scope,
    run_id: UUID,
    *,
    status: PaymentStatus | None,
    limit: int,
    because: str | None = None,
    after: UUID | None = None,
) -> list[Payment]:
    values = {**_values(scope, run_id), "status": status and status.value, "because": because, "after": after}
    return [
        Payment(
            payslip_id=row.payslip_id,
            user=Payee(id=row.user_id, name=row.name, employee_no=row.employee_no),
            currency=row.currency,
            net=row.net,
            status=row.status,
            because=row.because,
            detail=row.detail,
            paid=row.paid,
            netted=row.netted,
            payout_id=row.payout_id,
        )
        for row in rows.every(PayslipPaymentRow, scope.session.execute(_PAGE, {**values, "limit": limit}))
    ]


def _values(scope: Scope, run_id: UUID) -> dict[str, Any]:
    return {"tenant_id": scope.tenant_id, "run_id": run_id, **payable_queries.payment_values(scope)}
