"""Reminding people of KPI values that are entered by hand, due soon, and missing.

The person is told of the KPI. So is their manager, unless an appraisal form would enter it: then the manager is
reminded of the form, once for all of their people. After missed nights only the nearest step is told.
"""

from datetime import date

from sqlalchemy import text

from chalicelib import notifications
from chalicelib.backing.database import statement
from chalicelib.features.kpis import rules
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.notifications import NotificationKind, UserNotification

_REMINDERS = statement(__file__, "reminders")


def remind(scope: Scope, *, today: date, employee_filter: EmployeeFilter) -> int:
    """Remind of what is due within the steps before a day, each step once, and count the notices."""
    rows = scope.session.execute(
        text(employee_filter.put_into(_REMINDERS)),
        {**employee_filter.values, "tenant_id": scope.tenant_id, "today": today, "steps": list(rules.REMINDER_DAYS)},
    ).all()
    due: list[UserNotification] = []
    forms: dict[tuple[object, str], UserNotification] = {}
    for row in rows:
        said = {"title": row.title, "due_on": row.due_on.isoformat()}
        cause = f"kpi_due/{row.assignment_id}/{row.step}"
        due.append(UserNotification(row.user_id, cause, said, row.assignment_id))
        if row.approver_id is None:
            continue
        if row.form_id is None:
            due.append(UserNotification(row.approver_id, cause, said, row.assignment_id))
        else:
            cause = f"appraisal_reminder/{row.form_id}/{row.due_on}/{row.step}"
            forms[row.approver_id, cause] = UserNotification(
                row.approver_id, cause, {"title": row.form, "due_on": row.due_on.isoformat()}, row.form_id
            )
    notifications.notify(scope, kind=NotificationKind.KPI_DUE, entity_type="kpi_assignment", user_notifications=due)
    notifications.notify(
        scope, kind=NotificationKind.APPRAISAL_REMINDER, entity_type="form", user_notifications=list(forms.values())
    )
    return len(due) + len(forms)
