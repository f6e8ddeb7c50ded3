"""The handler of appraisal forms: an approved appraisal enters KPI values.

A field named `kpi_<code>` holds the value of the KPI of that code, which is one that is entered by hand: a number field
(or a dropdown of numbers) of a numeric KPI or a rating, a checkbox (or a dropdown of yes and no) of a boolean one, a
text of one in words. A field `employee_no` names the employee whom the appraisal is about; without it, it is about the
employee who submits it. Forms without such fields are kept and reviewed as others are.

The value goes to the assignment whose cycle holds the day on which the form was submitted. Where there is none, the
approval is refused and says which to make: no approved value is lost unnoticed. Nobody approves what they submitted
themselves, nor what is about them.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from chalicelib import four_eyes, notifications
from chalicelib.backing import clock
from chalicelib.features.forms.definitions import kinds as definition_kinds
from chalicelib.features.forms.definitions import queries as forms
from chalicelib.features.forms.definitions.kinds import StoredField, SubmissionRow
from chalicelib.features.kpis import rules
from chalicelib.features.kpis.assignments import queries as assignments
from chalicelib.features.kpis.definitions import queries as definitions
from chalicelib.features.kpis.definitions.queries import DefinitionRow
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
    """The handler of appraisal forms (forms.definitions.kinds.Handler)."""

    def check_definition(self, scope: Scope, *, fields: Sequence[StoredField]) -> None:
        """Refuse a field whose KPI does not exist, is calculated, or cannot have the field's values."""
        named = {str(field["field_name"]): field for field in fields}
        known = definitions.find_by_codes(scope, {_code_of_field(name) for name in named if name.startswith(PREFIX)})
        places = [
            Place("/fields", f"the field {name} {problem}")
            for name, field in named.items()
            if name.startswith(PREFIX) and (problem := _check_field(known.get(_code_of_field(name)), field))
        ]
        if places:
            raise Invalid("; ".join(place.detail for place in places) + ".", places)

    def submitted(self, scope: Scope, *, submission: SubmissionRow) -> None:
        """Refuse values that their KPIs cannot have, and an unknown employee."""
        if _parse_values(scope, submission):
            _find_employee(scope, submission)

    def decided(self, scope: Scope, *, submission: SubmissionRow, to: SubmissionStatus, notes: str | None) -> None:
        """Enter the values of an approved appraisal, and notify the user who submitted it of the decision."""
        if to is SubmissionStatus.APPROVED and (values := _parse_values(scope, submission)):
            _enter_values(scope, submission, values, notes)
        form = forms.get_form(scope, submission.form_id)
        notification = notifications.UserNotification(
            user_id=submission.user_id,
            cause=f"{submission.id}/{to}",
            entity_id=submission.id,
            values={"form": form.name, "status": to, "notes": notes},
        )
        notifications.notify(
            scope,
            kind=notifications.NotificationKind.FORM_DECIDED,
            entity_type="form_submission",
            user_notifications=[notification],
        )


def register() -> None:
    """Register the handler of appraisal forms."""
    definition_kinds.register(definition_kinds.FormType.APPRAISAL, AppraisalForms())


def _enter_values(
    scope: Scope,
    submission: SubmissionRow,
    values: Mapping[str, tuple[DefinitionRow, Decimal | str]],
    notes: str | None,
) -> None:
    """Write the values of an approved appraisal to the assignments of the day on which it was submitted."""
    user_id = _find_employee(scope, submission)
    four_eyes.check_not_own(scope, four_eyes.Subject.KPI, user_id)
    if submission.submitted_at is None:
        raise RuntimeError(f"The submission {submission.id} is decided and was never submitted.")
    day = clock.local_day(submission.submitted_at, scope.tenant.timezone)
    for definition, value in values.values():
        assignment_id = assignments.find_assignment_on(scope, user_id=user_id, definition_id=definition.id, day=day)
        if assignment_id is None:
            raise Conflict(
                f"The person has no {definition.name} in a cycle that holds {day}, the day of submission. Assign it"
                " for such a cycle and approve again, or reject the appraisal."
            )
        try:
            assignment = assignments.get_assignment(scope, assignment_id, actions.SCORE)
        except NotFound:
            raise Forbidden("This appraisal is about somebody whom you do not score.") from None
        actions.write_value(scope, assignment=assignment, value=value, note=notes, submission_id=submission.id)


def _parse_values(scope: Scope, submission: SubmissionRow) -> dict[str, tuple[DefinitionRow, Decimal | str]]:
    """Return a submission's KPI values by field. Raises Invalid where a KPI was changed or deleted since."""
    data = {name: value for name, value in submission.data.items() if name.startswith(PREFIX) and value is not None}
    known = definitions.find_by_codes(scope, {_code_of_field(name) for name in data})
    values = {}
    for name, value in data.items():
        definition = known.get(_code_of_field(name))
        if definition is None or definition.source != Source.MANUAL:
            raise invalid(f"{_DATA}/{name}", f"there is no KPI {_code_of_field(name)} that is entered by hand")
        try:
            values[name] = definition, rules.parse_value(_read_form_value(value, definition), definition)
        except ValueError as error:
            raise invalid(f"{_DATA}/{name}", str(error)) from None
    return values


def _find_employee(scope: Scope, submission: SubmissionRow) -> UUID:
    """Return the user whom an appraisal is about. Raises Invalid for an unknown employee number."""
    employee_no = submission.data.get(PERSON)
    if employee_no is None:
        return UUID(str(submission.user_id))
    user_id: UUID | None = scope.session.execute(
        select(employments.c.user_id).where(
            employments.c.tenant_id == scope.tenant_id, employments.c.employee_no == str(employee_no).strip()
        )
    ).scalar()
    if user_id is None:
        raise invalid(f"{_DATA}/{PERSON}", f"nobody has the employee number {employee_no}")
    return user_id


def _check_field(definition: DefinitionRow | None, field: StoredField) -> str | None:
    """Return why a field cannot enter values of its KPI, or None."""
    code = _code_of_field(str(field["field_name"]))
    if definition is None:
        return f"names a KPI, and there is none with the code {code}"
    if definition.source != Source.MANUAL:
        return f"would enter {definition.name}, which is calculated"
    types = _FIELD_TYPES[MetricType(definition.metric_type)]
    if field["field_type"] not in types:
        return f"enters {definition.name}, and is a {' or '.join(sorted(types))} then"
    if field["field_type"] == "checkbox" and field.get("options"):
        return f"enters {definition.name}, and is a checkbox without options then"
    for option in field.get("options") or ():
        try:
            rules.parse_value(_read_form_value(option["value"], definition), definition)
        except ValueError as error:
            return f"has an option {option['value']} that {definition.name} cannot have: {error}"
    return None


def _read_form_value(value: object, definition: DefinitionRow) -> object:
    """Return a form's value as `parse_value` takes it: numbers of forms are floats, choices are texts."""
    if definition.metric_type not in (MetricType.NUMERIC, MetricType.RATING) or isinstance(value, bool):
        return value
    try:
        return read_number(value)
    except ValueError:
        return value  # for the KPI's own check to refuse, with what it takes


def _code_of_field(field_name: str) -> str:
    return field_name.removeprefix(PREFIX)
