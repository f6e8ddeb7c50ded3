"""Reminders of KPI values that are entered by hand, due soon, and missing.

The employee is notified of the KPI. So is their manager, unless an appraisal form would enter it: then the manager is
reminded of the form, once for all of their employees. After missed nights only the nearest step is sent.
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


def send_reminders(scope: Scope, *, today: date, employee_filter: EmployeeFilter) -> int:
    """Send reminders of what is due within the steps before a day, each step once, and count them."""
    rows = scope.session.execute(
        text(employee_filter.put_into(_REMINDERS)),
        {**employee_filter.values, "tenant_id": scope.tenant_id, "today": today, "steps": list(rules.REMINDER_DAYS)},
    ).all()
    due: list[UserNotification] = []
    by_form: dict[tuple[object, str], UserNotification] = {}
    for row in rows:
        values = {"title": row.title, "due_on": row.due_on.isoformat()}
        cause = f"kpi_due/{row.assignment_id}/{row.step}"
        due.append(UserNotification(row.user_id, cause, values, row.assignment_id))
        if row.approver_id is None:
            continue
        if row.form_id is None:
            due.append(UserNotification(row.approver_id, cause, values, row.assignment_id))
        else:
            cause = f"appraisal_reminder/{row.form_id}/{row.due_on}/{row.step}"
            by_form[row.approver_id, cause] = UserNotification(
                row.approver_id, cause, {"title": row.form, "due_on": row.due_on.isoformat()}, row.form_id
            )
    notifications.notify(scope, kind=NotificationKind.KPI_DUE, entity_type="kpi_assignment", user_notifications=due)
    notifications.notify(
        scope, kind=NotificationKind.APPRAISAL_REMINDER, entity_type="form", user_notifications=list(by_form.values())
    )
    return len(due) + len(by_form)
