"""Own pay: what employees may not decide about themselves, as a table of subjects."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from chalicelib import audit
from chalicelib.four_eyes.enforcement import is_enforced
from chalicelib.identity.models import members
from chalicelib.identity.permissions import GRANTS, TENANT_ROLES, Reach
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Forbidden

Row = TypeVar("Row")
DECIDED = "own_pay.decided"  # action in the audit where a tenant with a single approver does without four eyes


class Subject(StrEnum):
    """Something that decides what one person is paid; the value completes "Nobody decides their own ..."."""

    SALARY = "salary"
    EMPLOYMENT = "employment"
    ROSTER = "roster"
    ATTENDANCE = "attendance; own punches and requests remain"
    REGISTER = "days of the pay register"
    REQUEST = "request; it can only be cancelled"
    LEAVE_TAKEN = "leave once it has begun"
    LEAVE_ALLOCATION = "leave allocation"
    ADJUSTMENT = "adjustments"
    COMPONENT = "pay components"
    AMOUNT = "amounts in a payroll run"
    KPI = "KPIs"
    SALE = "sales"
    PAYOUT = "payouts"
    DESTINATION = "bank details; POST /me/payout-destination requests them"
    FORM = "submission"


# The permission that another person needs, which the refusal names.
_PERMISSION: dict[Subject, str] = {
    Subject.SALARY: "salaries.write",
    Subject.EMPLOYMENT: "people.write",
    Subject.ROSTER: "roster.write",
    Subject.ATTENDANCE: "attendance.write",
    Subject.REGISTER: "pay_register.write",
    Subject.REQUEST: "requests.decide",
    Subject.LEAVE_TAKEN: "leave.decide",
    Subject.LEAVE_ALLOCATION: "leave.allocate",
    Subject.ADJUSTMENT: "adjustments.write",
    Subject.COMPONENT: "payment_types.write",
    Subject.AMOUNT: "payroll.write",
    Subject.KPI: "kpis.score",
    Subject.SALE: "sales.write",
    Subject.PAYOUT: "payouts.decide",
    Subject.DESTINATION: "destinations.write",
    Subject.FORM: "forms.review",
}


def own_ids(scope: Scope) -> list[UUID]:
    """Return the ids whose pay the caller may not decide: all of the caller's, or none where four eyes are off."""
    return sorted(scope.actor.all_ids) if scope.actor.all_ids and is_enforced(scope) else []


def is_own(scope: Scope, user_id: UUID) -> bool:
    """Return whether an employee is the caller, who may not decide their own pay."""
    return user_id in scope.actor.all_ids and is_enforced(scope)


def check_not_own(scope: Scope, subject: Subject, *user_ids: UUID) -> None:
    """Refuse a decision of the caller about their own pay. Raises Forbidden, which names the roles that may."""
    if not scope.actor.is_any_of(user_ids):
        return
    if is_enforced(scope):
        raise Forbidden(refusal(subject))
    note_own(scope, subject, user_ids)


def without_own(
    scope: Scope, subject: Subject, rows: Iterable[Row], *, user_of: Callable[[Row], UUID], dry_run: bool
) -> tuple[list[Row], list[tuple[Row, str]]]:
    """Split rows of an import into those that the caller may write, and those about their own pay with the refusal."""
    rows = list(rows)
    own = set(own_ids(scope)) if rows else set()
    if not own:
        if not dry_run:
            note_own(scope, subject, map(user_of, rows))
        return rows, []
    return (
        [row for row in rows if user_of(row) not in own],
        [(row, refusal(subject)) for row in rows if user_of(row) in own],
    )


def without_own_addresses(
    scope: Scope, subject: Subject, rows: Iterable[Row], *, address_of: Callable[[Row], str | None]
) -> tuple[list[Row], list[tuple[Row, str]]]:
    """Split rows of new employees likewise, by the e-mail address that each will sign in with."""
    rows = list(rows)
    own = _own_addresses(scope, [address for row in rows if (address := address_of(row))])
    if not own or not is_enforced(scope):
        return rows, []
    return (
        [row for row in rows if address_of(row) not in own],
        [(row, refusal(subject)) for row in rows if address_of(row) in own],
    )


def check_not_own_address(scope: Scope, subject: Subject, address: str | None) -> None:
    """Refuse a new employee with an e-mail address that the caller signs in with. Raises Forbidden."""
    if address and _own_addresses(scope, [address]) and is_enforced(scope):
        raise Forbidden(refusal(subject))


def _own_addresses(scope: Scope, addresses: list[str]) -> set[str]:
    """Return which of these addresses the caller signs in with."""
    if not addresses or not scope.actor.all_ids:
        return set()
    select_own = select(members.c.email).where(
        members.c.tenant_id == scope.tenant_id, members.c.id.in_(scope.actor.all_ids), members.c.email.in_(addresses)
    )
    return set(scope.session.execute(select_own).scalars())


def refusal(subject: Subject) -> str:
    """Return the sentence that refuses a decision about own pay, for a reply or for one row of an import."""
    permission = _PERMISSION[subject]
    roles = [role.value for role in TENANT_ROLES if GRANTS[role].get(permission) in (Reach.ALL, Reach.TEAM)]
    return f"Nobody decides their own {subject}. Somebody else has to, who may {permission} ({', '.join(roles)})."


def note_own(scope: Scope, subject: Subject, user_ids: Iterable[UUID]) -> None:
    """Record in the audit that the caller decided their own pay, as the only approver of a tenant may.

    Once another person can approve, the record keeps the caller from approving the run that pays it.
    """
    for user_id in sorted(scope.actor.all_ids.intersection(user_ids)):
        audit.record(scope, action=DECIDED, entity_type="user", entity_id=user_id, after={"subject": subject.name})
