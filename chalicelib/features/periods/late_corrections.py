"""Late corrections: facts that changed after their pay period was locked.

The register keeps what was paid; the next payroll run pays the difference as arrears.
"""

from collections.abc import Collection
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import delete, text

from chalicelib.backing.database import statement
from chalicelib.features.periods.models import late_corrections
from chalicelib.features.periods.queries import PeriodRow
from chalicelib.identity.scope import Scope

Change = tuple[UUID | None, date]  # an employee (None: everybody) and the first day that changed
LateChange = tuple[str, UUID | None, date]  # the locked month, the employee (None: everybody), the day

WEEK_EDGE = timedelta(days=6)  # a pay week may begin in one period and end in the next, so a day can matter in both

_NOTE = text(statement(__file__, "note_late_corrections"))


def find_late(periods: Collection[PeriodRow], changes: Collection[Change]) -> list[LateChange]:
    """List the changes that come too late for a locked period: its month, the employee, and the day."""
    return [
        (period.month, user_id, day)
        for period in periods
        for user_id, day in changes
        if not period.is_open and period.start_on - WEEK_EDGE <= day <= period.end_on + WEEK_EDGE
    ]


def note(scope: Scope, late: Collection[LateChange], *, what: str) -> list[str]:
    """Note late corrections of locked periods, and return their months."""
    if late:
        scope.session.execute(
            _NOTE,
            {
                "tenant_id": scope.tenant_id,
                "what": what,
                "months": [month for month, _, _ in late],
                "user_ids": [user_id for _, user_id, _ in late],
                "days": [day for _, _, day in late],
            },
        )
    return sorted({month for month, _, _ in late})


def forget(scope: Scope, month: str) -> None:
    """Delete the late corrections of a period that is opened again: its next computation sees them as plain facts."""
    scope.session.execute(
        delete(late_corrections).where(
            late_corrections.c.tenant_id == scope.tenant_id, late_corrections.c.month == month
        )
    )
