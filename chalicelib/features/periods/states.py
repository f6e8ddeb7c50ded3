r"""The states of a pay period, and the only statements that move one.

         lock                record_payments
    OPEN ----> LOCKED ----------------------> PAID
         <----   |  ^ \__ lock_for_run           |
        unlock   +--+                            |
                    ^----------------------------+
                        record_payments: money came back

`lock` and `unlock` are people's; an approved payroll run locks the period for good, whether somebody locked it before
or not (`lock_for_run`), and moves it on when its payslips are paid.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, update

from chalicelib.features.periods.models import pay_periods
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict
from chalicelib.kernel.states import PeriodStatus, check_move

PERIOD_MOVES: Mapping[PeriodStatus, frozenset[PeriodStatus]] = {
    PeriodStatus.OPEN: frozenset({PeriodStatus.LOCKED}),
    PeriodStatus.LOCKED: frozenset(
        {
            PeriodStatus.OPEN,  # as long as no payroll run was approved
            PeriodStatus.LOCKED,  # a run was approved of a period that somebody had locked
            PeriodStatus.PAID,
        }
    ),
    PeriodStatus.PAID: frozenset({PeriodStatus.LOCKED}),  # where money came back
}


def lock(scope: Scope, month: str) -> None:
    """Lock an open period, which the caller has locked for update: from now on its register keeps what it says."""
    _move_by_hand(scope, month, since=PeriodStatus.OPEN, to=PeriodStatus.LOCKED, locked_at=scope.now)


def unlock(scope: Scope, month: str) -> None:
    """Open a locked period again, which the caller has locked for update and whose payroll was not approved."""
    _move_by_hand(scope, month, since=PeriodStatus.LOCKED, to=PeriodStatus.OPEN, locked_at=None)


def lock_for_run(scope: Scope, month: str, *, payroll_run_id: UUID) -> bool:
    """Lock a period for good with the approval of its payroll run; False where another run did so before."""
    moved = _move(
        scope,
        pay_periods.c.month == month,
        pay_periods.c.payroll_run_id.is_(None),
        since=(PeriodStatus.OPEN, PeriodStatus.LOCKED),
        to=PeriodStatus.LOCKED,
        locked_at=func.coalesce(pay_periods.c.locked_at, scope.now),
        payroll_run_id=payroll_run_id,
    )
    return moved == 1


def record_payments(scope: Scope, *, payroll_run_id: UUID, is_paid: bool) -> None:
    """Move a run's period to paid when all of its payslips are, and back where money came back.

    Off-cycle runs have no period.
    """
    to, since = (PeriodStatus.PAID, PeriodStatus.LOCKED) if is_paid else (PeriodStatus.LOCKED, PeriodStatus.PAID)
    _move(scope, pay_periods.c.payroll_run_id == payroll_run_id, since=[since], to=to)


def _move_by_hand(
    scope: Scope, month: str, *, since: PeriodStatus, to: PeriodStatus, locked_at: datetime | None
) -> None:
    """Move one period that no approved run has locked, or raise Conflict."""
    moved = _move(
        scope,
        pay_periods.c.month == month,
        pay_periods.c.payroll_run_id.is_(None),
        since=[since],
        to=to,
        locked_at=locked_at,
    )
    if moved != 1:
        raise Conflict(f"Somebody else just changed the state of {month}; look again.")


def _move(
    scope: Scope,
    *conditions: ColumnElement[bool],
    since: Collection[PeriodStatus],
    to: PeriodStatus,
    **values: object,
) -> int:
    """Move periods from some states to another, as PERIOD_MOVES allows, by compare-and-set; count those moved."""
    for status in since:
        check_move(PERIOD_MOVES, now=status, to=to, what="pay period")
    result = scope.session.execute(
        update(pay_periods)
        .where(pay_periods.c.tenant_id == scope.tenant_id, pay_periods.c.status.in_(since), *conditions)
        .values(status=to, **values)
    )
    return result.rowcount
