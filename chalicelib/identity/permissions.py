"""The permission matrix, as data: what each role may do, and whose rows that covers. A test checks every cell."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    PLATFORM_ADMIN = "platform_admin"
    TENANT_ADMIN = "tenant_admin"
    HR = "hr"
    MANAGER = "manager"
    EMPLOYEE = "employee"


TENANT_ROLES = (Role.TENANT_ADMIN, Role.HR, Role.MANAGER, Role.EMPLOYEE)


class Reach(StrEnum):
    """Whose rows a permission covers."""

    ALL = "all"
    TEAM = "team"  # oneself and the people under one, at any depth
    SELF = "self"


A, T, S = Reach.ALL, Reach.TEAM, Reach.SELF

#   permission             tenant_admin  hr  manager  employee
_MATRIX: dict[str, tuple[Reach | None, Reach | None, Reach | None, Reach | None]] = {
    "me.read":             (A,    A,    A,    A),
    "tenant.read":         (A,    A,    A,    A),
    "tenant.write":        (A,    None, None, None),
    "access.read":         (A,    None, None, None),
    "access.write":        (A,    None, None, None),
    "organisation.read":   (A,    A,    A,    A),
    "organisation.write":  (A,    A,    None, None),
    "people.read":         (A,    A,    T,    S),
    "people.write":        (A,    A,    None, None),
    "salaries.read":       (A,    A,    None, S),
    "salaries.write":      (A,    A,    None, None),
    "destinations.read":   (A,    A,    None, S),
    "destinations.write":  (A,    A,    None, None),
    "destinations.request": (S,   S,    S,    S),
    "roster.write":        (A,    A,    T,    None),
    "attendance.read":     (A,    A,    T,    S),
    "attendance.punch":    (A,    A,    S,    S),
    "attendance.write":    (A,    A,    None, None),
    "requests.read":       (A,    A,    T,    S),
    "requests.write":      (A,    A,    S,    S),
    "requests.decide":     (A,    A,    T,    S),
    "leave.read":          (A,    A,    T,    S),
    "leave.write":         (A,    A,    T,    S),
    "leave.decide":        (A,    A,    T,    S),
    "leave.allocate":      (A,    A,    None, None),
    "leave.expire":        (A,    A,    None, None),
    "adjustments.read":    (A,    A,    None, S),
    "adjustments.write":   (A,    A,    None, None),
    "payment_types.read":  (A,    A,    None, None),
    "payment_types.write": (A,    A,    None, None),
    "pay_register.read":   (A,    A,    T,    S),
    "pay_register.write":  (A,    A,    None, None),
    "pay_register.lock":   (A,    None, None, None),
    "balances.read":       (A,    A,    None, S),
    "sales.read":          (A,    A,    None, S),
    "sales.write":         (A,    A,    None, None),
    "sales.decide":        (A,    A,    None, None),
    "payouts.read":        (A,    A,    None, S),
    "payouts.run":         (A,    A,    None, None),
    "payouts.decide":      (A,    None, None, None),
    "payout_batches.read": (A,    A,    None, None),
    "payroll.read":        (A,    A,    None, None),
    "payroll.write":       (A,    A,    None, None),
    "payslips.read":       (A,    A,    None, S),
    "payroll.approve":     (A,    A,    None, None),
    "payroll.pay":         (A,    A,    None, None),
    "webhooks.read":       (A,    None, None, None),
    "webhooks.write":      (A,    None, None, None),
    "notifications.read":  (S,    S,    S,    S),
    "notifications.write": (S,    S,    S,    S),
    "notifications.send":  (A,    A,    None, None),
    "notification_logs.read": (A, A,    None, None),
    "suppressions.read":   (A,    A,    None, None),
    "suppressions.write":  (A,    None, None, None),
    "forms.read":          (A,    A,    A,    A),
    "forms.design":        (A,    A,    None, None),
    "forms.submit":        (S,    S,    S,    S),
    "form_submissions.read": (A,  A,    T,    S),
    "forms.review":        (A,    A,    T,    S),
    "kpis.read":           (A,    A,    T,    S),
    "kpis.define":         (A,    A,    None, None),
    "kpis.assign":         (A,    A,    T,    None),
    "kpis.score":          (A,    A,    T,    None),
    "jobs.read":           (A,    A,    None, None),
    "audit.read":          (A,    None, None, None),
}  # fmt: skip

_WIDER = (Reach.SELF, Reach.TEAM, Reach.ALL)


def _reach(row: tuple[Reach | None, ...], column: int) -> Reach | None:
    """Return a role's reach: its own column's or the employee's, whichever is wider: all roles are employees."""
    of_role, of_employee = row[column], row[TENANT_ROLES.index(Role.EMPLOYEE)]
    return max((reach for reach in (of_role, of_employee) if reach is not None), key=_WIDER.index, default=None)


GRANTS: Mapping[Role, Mapping[str, Reach]] = {
    role: {name: reach for name, row in _MATRIX.items() if (reach := _reach(row, column)) is not None}
    for column, role in enumerate(TENANT_ROLES)
} | {Role.PLATFORM_ADMIN: {"platform.tenants": Reach.ALL, "me.read": Reach.ALL}}

# What a login may do after its employee has left: read their own records, such as payslips and the statement.
GRANTS_AFTER_EXIT: Mapping[str, Reach] = {
    name: reach
    for name, reach in GRANTS[Role.EMPLOYEE].items()
    if name.endswith(".read") and (reach is Reach.SELF or name in ("me.read", "tenant.read"))
}
