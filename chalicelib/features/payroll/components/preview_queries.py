"""Preview of a component for a real employee, computed as a run does; nothing is written."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from chalicelib import formulas
from chalicelib.backing import clock
from chalicelib.features.payroll.components import queries
from chalicelib.features.payroll.components import value_rules as values
from chalicelib.features.payroll.components.categories import Category
from chalicelib.features.payroll.components.graph_rules import ComponentVersion, Dependencies, find_problem
from chalicelib.features.payroll.components.rules import VARIABLES, Calculation, Component
from chalicelib.features.payroll.components.schemas import ComponentPreview, ComponentTrace, PreviewInput
from chalicelib.features.payroll.payslips import adjustment_lines
from chalicelib.features.payroll.payslips import inputs as payslip_inputs
from chalicelib.features.payroll.payslips.evaluation import AMOUNT_LIMIT, ZERO, Calculator
from chalicelib.features.payroll.payslips.inputs import InputQuery
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.rules import describe_warning
from chalicelib.features.payroll.runs.snapshot import GROSS, INPUTS, CalculationSnapshot
from chalicelib.features.people.users import queries as people
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, invalid
from chalicelib.kernel.money import rounded

_DRAFT_ID = UUID(int=0)
_PREVIEW_CODE = "preview"


def preview(scope: Scope, *, request: PreviewInput) -> ComponentPreview:
    """Compute a component, which need not exist yet, from an employee's register and balance."""
    employee = people.get_user(scope, request.user_id, "payment_types.write")
    month = request.month or scope.tenant.month_of(clock.local_day(scope.now, scope.tenant.timezone))
    draft, others = _make_draft(scope, request, month=month)
    snapshot = CalculationSnapshot(RunKind.REGULAR, {}, INPUTS, (*others, draft))
    query = InputQuery(None, month, EmployeeFilter.one(request.user_id))
    rows = payslip_inputs.load_inputs(scope, query=query, with_kpi=snapshot.uses("kpi_score"))
    if not rows:
        raise Conflict(
            f"{employee.name} has no pay register in {month}. Choose a month in which they are employed, and compute"
            f" it first (POST /pay-register/{month}/{employee.id}/recalculate)."
        )
    return _compute(scope, snapshot, rows[0], query)


def _make_draft(scope: Scope, request: PreviewInput, *, month: str) -> tuple[Component, list[Component]]:
    """Make a component from the request, checked as if it were saved, and return it with the others in force."""
    if request.calculation is Calculation.DYNAMIC:
        raise invalid("/calculation", "a dynamic payment type computes nothing: its amounts are given in each run")
    known = queries.load_names_by_code(scope)
    code = values.make_code(request.code, name=_PREVIEW_CODE) if request.code else _find_free_code(known)
    names = {*VARIABLES, *known, code}
    version = values.complete_version(
        request.calculation, request.model_dump(), currency=scope.tenant.currency, names=names
    )
    period = scope.tenant.period(month)
    components = queries.load_components(scope, on=period.end)
    replaced = next((one for one in components if one.code == code), None)
    others = [one for one in components if one is not replaced]
    draft = Component(
        type_id=_DRAFT_ID,
        code=code,
        name=code,
        category=request.category or (replaced.category if replaced else Category.BENEFIT),
        calculation=request.calculation,
        version=1,
        applies_to_all=True,
        **version,
    )
    definitions = [ComponentVersion(period.start, one) for one in (*others, draft)]
    if problem := find_problem(code, definitions, first=period.end, dependencies=Dependencies(names)):
        raise invalid(values.pointer_of(request.calculation), problem)
    return draft, others


def _find_free_code(known: dict[str, str]) -> str:
    code = _PREVIEW_CODE
    while code in known:
        code += "_"
    return code


def _compute(scope: Scope, snapshot: CalculationSnapshot, row: Row[Any], query: InputQuery) -> ComponentPreview:
    """Compute all components and return the last, the draft, with the values that it used."""
    draft, currency = snapshot.components[-1], row.currency
    specifics = payslip_inputs.load_specifics(scope, query=query)
    user_id = UUID(row.user_id)
    assignments = specifics.assignments.get(user_id, ())
    calculator = Calculator(snapshot, currency=currency)
    applied = calculator.select_components(assignments=assignments, amounts=())
    adjustments = adjustment_lines.sum_category(
        adjustment_lines.make_adjustment_lines(specifics.adjustments.get(user_id, ()), currency=currency),
        Category.EARNING,
    )
    numbers = payslip_inputs.parse_inputs(row.inputs)
    with formulas.exactly():
        compiled, results, warnings = calculator.results(applied, numbers, adjustments=adjustments)
        values = dict(zip(INPUTS, numbers, strict=True)) | {GROSS: results[compiled.gross]}
        values |= {one.code: results[step] for one, step in zip(snapshot.components, compiled.steps, strict=True)}
        formula = formulas.check(draft.formula_text(), names=values.keys())
        traced = formulas.trace(formula, values)
    amount = results[compiled.steps[-1]] or ZERO
    if amount >= AMOUNT_LIMIT:  # more than a payslip line holds; rounding it would need more digits than money has
        amount = ZERO
        warnings.append(formulas.Warning(draft.code, "too_large"))
    messages = [
        describe_warning("This" if warning.step == draft.code else warning.step, warning.code, warning.name)
        for warning in warnings
    ]
    if applied.is_foreign and not applied.applies[-1]:
        messages.append(
            f"This is in {draft.currency}, and the person is paid in {currency}: it counts nothing for them."
        )
    return ComponentPreview(
        user_id=user_id,
        month=query.month,
        formula=formula.text,
        value=traced[-1].value,
        rounded=rounded(amount, currency),
        currency=currency,
        inputs={name: values[name] for name in sorted(formula.uses)},
        trace=[ComponentTrace.model_validate(part) for part in traced],
        warnings=messages,
    )
