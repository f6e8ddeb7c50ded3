"""Writes of users, their employment and their pay."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chalicelib import audit, four_eyes
from chalicelib.backing import rows
from chalicelib.entry.versions import check_version
from chalicelib.features.people.destinations import actions as destinations
from chalicelib.features.people.models import employments, salaries, users
from chalicelib.features.people.users import contact_actions as contact
from chalicelib.features.people.users import queries
from chalicelib.features.people.users.queries import EmploymentRow, SalaryRow, UserProfile, UserRow
from chalicelib.features.people.users.schemas import EmploymentInput, NewUser, SalaryInput
from chalicelib.features.periods import periods, working_days
from chalicelib.features.periods.locks import share_calendar
from chalicelib.features.tenants import actions as members
from chalicelib.identity.scope import Scope, check
from chalicelib.kernel.errors import Conflict, invalid
from chalicelib.kernel.money import MINOR_UNITS, fits, rounded

# columns of an employment that change which days are worked, and those that change how attendance is decided
_MOVES_DAYS = {"joined_on", "branch_id", "shift_id"}
_DECIDES_ATTENDANCE = {"branch_id", "shift_id"}


def add_user(scope: Scope, *, new: NewUser) -> UserProfile:
    """Add a user, with employment, first salary and payout destination where given."""
    if new.salary is not None:
        check(scope, "salaries.write")
    if new.payout_destination is not None:
        check(scope, "destinations.write")
    if new.salary is not None or new.employment is not None:
        # somebody who signs in with this address would be making their own pay
        four_eyes.check_not_own_address(scope, four_eyes.Subject.SALARY, new.email)
    values = new.model_dump(include={"name", "email", "language"})
    user_id = scope.session.execute(
        insert(users).values(tenant_id=scope.tenant_id, **values).returning(users.c.id)
    ).scalar_one()
    audit.record(scope, action="user.added", entity_type="user", entity_id=user_id, after=values)
    if new.employment is not None:
        employ(scope, user_id=user_id, employment=new.employment, if_match=None, is_new=True)
    if new.salary is not None:
        set_salary(scope, user_id=user_id, salary=new.salary, pointer="/salary")
    if new.payout_destination is not None:
        destinations.set_destination(scope, user_id=user_id, requested=new.payout_destination)
    return queries.get_profile(scope, user_id)


def change_user(scope: Scope, *, user_id: UUID, patch: dict[str, Any], if_match: int | None) -> UserProfile:
    """Change a user's name, address or language."""
    before = queries.get_user(scope, user_id, "people.write", lock=True)
    check_version({"version": before.version}, if_match)
    changes = {name: value for name, value in patch.items() if getattr(before, name) != value}
    if changes:
        scope.session.execute(
            update(users)
            .where(users.c.tenant_id == scope.tenant_id, users.c.id == user_id)
            .values(**changes, **_previous_address(scope, before, changes), version=users.c.version + 1)
        )
        if "email" in changes:
            contact.notify_email_changed(scope, user_id=user_id, address=changes["email"], version=before.version + 1)
        audit.record(
            scope,
            action="user.changed",
            entity_type="user",
            entity_id=user_id,
            before={name: getattr(before, name) for name in changes},
            after=changes,
        )
    return queries.get_profile(scope, user_id)


def _previous_address(scope: Scope, before: UserRow, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that keep the address before a change: it is notified of later changes for some time."""
    if "email" not in changes or before.email is None:
        return {}
    return {"previous_email": before.email, "email_changed_at": scope.now}


def employ(
    scope: Scope, *, user_id: UUID, employment: EmploymentInput, if_match: int | None, is_new: bool = False
) -> EmploymentRow:
    """Add or replace a user's employment; the same again changes nothing.

    `is_new` says that the user was just added, so that there can be no attendance to decide again.
    """
    share_calendar(scope)
    queries.get_user(scope, user_id, "people.write", lock=True)
    four_eyes.check_not_own(scope, four_eyes.Subject.EMPLOYMENT, user_id)
    before = queries.find_employment(scope, user_id)
    check_version({"version": before.version if before else 0}, if_match)
    values = employment.model_dump()
    changes = {name: value for name, value in values.items() if getattr(before, name, None) != value}
    if before is not None and not changes:
        return before
    if changes.get("left_on"):
        members.keep_an_admin(scope, leaving=user_id)
    if changes.get("manager_id"):
        _check_no_circle(scope, user_id=user_id, manager_id=changes["manager_id"])
    after = rows.one(
        EmploymentRow,
        scope.session.execute(
            upsert(employments)
            .values(tenant_id=scope.tenant_id, user_id=user_id, **values)
            .on_conflict_do_update(
                index_elements=["tenant_id", "user_id"], set_={**values, "version": employments.c.version + 1}
            )
            .returning(employments)
        ),
    )
    if (first := _find_first_changed_day(before, after)) is not None:
        if not is_new:
            working_days.changed(scope, user_ids=[user_id], first=first)
        periods.touch_from(
            scope,
            user_ids=[user_id],
            first=first,
            what="employment",
            decide=not is_new and bool(_DECIDES_ATTENDANCE & changes.keys()),
        )
    audit.record(
        scope,
        action="employment.changed" if before else "employment.added",
        entity_type="user",
        entity_id=user_id,
        before={name: getattr(before, name) for name in changes} if before else None,
        after=changes,
    )
    return after


def _find_first_changed_day(before: EmploymentRow | None, after: EmploymentRow) -> date | None:
    """Return the first day whose register row may change with the employment, or None."""
    if before is None:
        return after.joined_on
    if any(getattr(before, name) != getattr(after, name) for name in _MOVES_DAYS):
        return min(before.joined_on, after.joined_on)
    if before.left_on != after.left_on:
        # the last day itself counts: the pay week that it ends belongs to its period (rules.md, section 4)
        return min(day for day in (before.left_on, after.left_on) if day is not None)
    return None


def _check_no_circle(scope: Scope, *, user_id: UUID, manager_id: UUID) -> None:
    """Raise Conflict where the new manager is the employee or reports to the employee, directly or through others."""
    # one writer of managers at a time, or two could close a circle that neither sees
    scope.advisory_lock("managers")
    reports = func.people_under(scope.tenant_id, user_id).table_valued("user_id").render_derived()
    names = select(users.c.name).where(users.c.tenant_id == scope.tenant_id)
    circle = select(
        names.where(users.c.id == user_id).scalar_subquery().label("person"),
        names.where(users.c.id == manager_id).scalar_subquery().label("manager"),
    ).where(select(reports.c.user_id).where(reports.c.user_id == manager_id).exists())
    if (row := scope.session.execute(circle).first()) is None:
        return
    if user_id == manager_id:
        raise Conflict(f"{row.person} cannot be their own manager.")
    raise Conflict(
        f"{row.manager} reports to {row.person}, directly or through others, so {row.person} cannot report to"
        f" {row.manager}. Give {row.manager} another manager first."
    )


def set_salary(scope: Scope, *, user_id: UUID, salary: SalaryInput, pointer: str = "") -> SalaryRow:
    """Set what an employee earns from a day on, in place of what began on the same day; history is kept.

    `pointer` is the JSON pointer at which the salary stands in the body.
    """
    queries.get_user(scope, user_id, "salaries.write", lock=True)
    four_eyes.check_not_own(scope, four_eyes.Subject.SALARY, user_id)
    history = queries.list_salaries(scope, user_id)
    values = {**salary.model_dump(), "currency": salary.currency or scope.tenant.currency}
    if not fits(values["amount"], values["currency"]):
        raise invalid(f"{pointer}/amount", too_fine(values["currency"]))
    values["amount"] = rounded(values["amount"], values["currency"])
    others = {earlier.currency for earlier in history} - {values["currency"]}
    if others:
        raise invalid(
            f"{pointer}/currency",
            f"is {values['currency']}, and this person is paid in {', '.join(sorted(others))};"
            " all salaries of a person are in one currency",
        )
    before = next((row for row in history if row.effective_from == values["effective_from"]), None)
    if before is not None and all(getattr(before, name) == value for name, value in values.items()):
        return before
    after = rows.one(
        SalaryRow,
        scope.session.execute(
            upsert(salaries)
            .values(tenant_id=scope.tenant_id, user_id=user_id, **values)
            .on_conflict_do_update(index_elements=["tenant_id", "user_id", "effective_from"], set_=values)
            .returning(salaries)
        ),
    )
    periods.touch_from(scope, user_ids=[user_id], first=values["effective_from"], what="salary")
    audit.record(
        scope,
        action="salary.changed" if before else "salary.added",
        entity_type="user",
        entity_id=user_id,
        before={name: getattr(before, name) for name in values} if before else None,
        after=values,
    )
    return after


def too_fine(currency: str) -> str:
    """Return what is wrong with an amount that has more decimals than its currency."""
    units = MINOR_UNITS[currency]
    return (
        f"has more decimals than {currency} has; give it with at most {units}"
        if units
        else (f"has decimals, and {currency} has none; give a whole number")
    )
