"""What a form of the type `appraisal` means to KPIs: once approved, it enters values.

A field named `kpi_<code>` holds the value of the KPI of that code, which is one that is entered by hand: a number field
(or a dropdown of numbers) of a numeric KPI or a rating, a checkbox (or a dropdown of yes and no) of a boolean one, a
text of one in words. A field `employee_no` says whom the appraisal is about; without it, it is about whoever submits
it. Forms without such fields are kept and reviewed as others are.

The value goes to the assignment whose cycle holds the day on which the form was submitted. Where there is none, the
approval is refused and says which to make: nothing that was approved is lost unseen. Nobody approves what they
submitted themselves, nor what is about them.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chalicelib import four_eyes, notifications
from chalicelib.backing import clock
from chalicelib.backing.database import Record
from chalicelib.features.forms.definitions import kinds as definition_kinds
from chalicelib.features.forms.definitions import queries as forms
from chalicelib.features.kpis import rules
from chalicelib.features.kpis.assignments import queries as assignments
from chalicelib.features.kpis.definitions import queries as definitions
from chalicelib.features.kpis.rules import MetricType, Source
from chalicelib.features.kpis.scores import actions
from chalicelib.features.people.models import employments
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Place, invalid
from chalicelib.kernel.numbers import read_number
from chalicelib.kernel.states import SubmissionStatus

PREFIX, PERSON = "kpi_", "employee_no"
_DATA = "/submission_data"
_FIELD_TYPES = {
    MetricType.NUMERIC: {"number", "dropdown"},
    MetricType.RATING: {"number", "dropdown"},
    MetricType.BOOLEAN: {"checkbox", "dropdown"},
    MetricType.TEXT: {"text", "textarea", "dropdown"},
}


class AppraisalForms:
    """The meaning of appraisal forms (forms.kinds.Handler)."""

    def check_definition(self, scope: Scope, *, fields: Sequence[Record]) -> None:
        """Refuse a field that names a KPI which is not there, is calculated, or has other values."""
        named = {str(field["field_name"]): field for field in fields}
        known = definitions.named(scope, {_code(name) for name in named if name.startswith(PREFIX)})
        places = [
            Place("/fields", f"the field {name} {wrong}")
            for name, field in named.items()
            if name.startswith(PREFIX) and (wrong := _why_not(known.get(_code(name)), field))
        ]
        if places:
            raise Invalid("; ".join(place.detail for place in places) + ".", places)

    def submitted(self, scope: Scope, *, submission: Record) -> None:
        """Refuse values that their KPIs cannot have, and a person who is not there."""
        if _values(scope, submission):
            _person(scope, submission)

    def decided(self, scope: Scope, *, submission: Record, to: SubmissionStatus, notes: str | None) -> None:
        """Enter the values of an approved appraisal, and tell whoever submitted it of the decision."""
        if to is SubmissionStatus.APPROVED and (values := _values(scope, submission)):
            _enter(scope, submission, values, notes)
        form = forms.get_form(scope, submission["form_id"])
        notice = notifications.UserNotification(
            user_id=submission["user_id"],
            cause=f"{submission['id']}/{to}",
            entity_id=submission["id"],
            values={"form": form["name"], "status": to, "notes": notes},
        )
        notifications.notify(
            scope,
            kind=notifications.NotificationKind.FORM_DECIDED,
            entity_type="form_submission",
            user_notifications=[notice],
        )


def register() -> None:
    """Return forms of the type appraisal their meaning."""
    definition_kinds.register(definition_kinds.FormType.APPRAISAL, AppraisalForms())


def _enter(scope: Scope, submission: Record, values: Mapping[str, Any], notes: str | None) -> None:
    user_id = _person(scope, submission)
    four_eyes.check_not_own(scope, four_eyes.Subject.KPI, user_id)
    day = clock.local_day(submission["submitted_at"], scope.tenant.timezone)
    for definition, value in values.values():
        found = assignments.find_on(scope, user_id=user_id, definition_id=definition["id"], day=day)
        if found is None:
            raise Conflict(
                f"The person has no {definition['name']} in a cycle that holds {day}, the day of submission. Assign it"
                " for such a cycle and approve again, or reject the appraisal."
            )
        try:
            assignment = assignments.get_assignment(scope, found, actions.SCORE)
        except NotFound:
            raise Forbidden("This appraisal is about somebody whom you do not score.") from None
        actions.put(scope, assignment=assignment, value=value, note=notes, submission_id=submission["id"])


def _values(scope: Scope, submission: Record) -> dict[str, tuple[Record, Decimal | str]]:
    """Read the KPIs that a submission has values of; one that was changed or is gone since is refused."""
    said = {name: value for name, value in submission["data"].items() if name.startswith(PREFIX) and value is not None}
    known = definitions.named(scope, {_code(name) for name in said})
    values = {}
    for name, value in said.items():
        definition = known.get(_code(name))
        if definition is None or definition["source"] != Source.MANUAL:
            raise invalid(f"{_DATA}/{name}", f"there is no KPI {_code(name)} that is entered by hand")
        try:
            values[name] = definition, rules.value_of(_plain(value, definition), definition)
        except ValueError as wrong:
            raise invalid(f"{_DATA}/{name}", str(wrong)) from None
    return values


def _person(scope: Scope, submission: Record) -> UUID:
    said = submission["data"].get(PERSON)
    if said is None:
        return UUID(str(submission["user_id"]))
    found: UUID | None = scope.session.execute(
        select(employments.c.user_id).where(
            employments.c.tenant_id == scope.tenant_id, employments.c.employee_no == str(said).strip()
        )
    ).scalar()
    if found is None:
        raise invalid(f"{_DATA}/{PERSON}", f"nobody has the employee number {said}")
    return found


def _why_not(definition: Record | None, field: Record) -> str | None:
    code = _code(str(field["field_name"]))
    if definition is None:
        return f"names a KPI, and there is none with the code {code}"
    if definition["source"] != Source.MANUAL:
        return f"would enter {definition['name']}, which is calculated"
    types = _FIELD_TYPES[MetricType(definition["metric_type"])]
    if field["field_type"] not in types:
        return f"enters {definition['name']}, and is a {' or '.join(sorted(types))} then"
    if field["field_type"] == "checkbox" and field.get("options"):
        return f"enters {definition['name']}, and is a checkbox without options then"
    for option in field.get("options") or ():
        try:
            rules.value_of(_plain(option["value"], definition), definition)
        except ValueError as wrong:
            return f"has an option {option['value']} that {definition['name']} cannot have: {wrong}"
    return None


def _plain(value: Any, definition: Mapping[str, Any]) -> Any:
    """Read a form's value, in which numbers are floats and choices are texts."""
    if definition["metric_type"] not in (MetricType.NUMERIC, MetricType.RATING) or isinstance(value, bool):
        return value
    try:
        return read_number(value)
    except ValueError:
        return value  # for the KPI's own check to refuse, with what it takes


def _code(field_name: str) -> str:
    return field_name.removeprefix(PREFIX)
