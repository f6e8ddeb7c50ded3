"""What a payment type would come to for a real employee, computed as a run would; nothing is written."""

from typing import Any
from uuid import UUID

from chalicelib import formulas
from chalicelib.backing import clock
from chalicelib.backing.database import Record
from chalicelib.features.payroll.components import queries
from chalicelib.features.payroll.components import value_rules as values
from chalicelib.features.payroll.components.categories import Category
from chalicelib.features.payroll.components.graph_rules import ComponentVersion, Needs, problem_of
from chalicelib.features.payroll.components.rules import VARIABLES, Calculation, Component
from chalicelib.features.payroll.components.schemas import PreviewInput
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

_NOBODYS = UUID(int=0)  # the id of what has not been added
_PREVIEWED = "preview"


def preview(scope: Scope, *, said: PreviewInput) -> Record:
    """Compute a payment type that need not exist yet from an employee's register and balance."""
    person = people.get_user(scope, said.user_id, "payment_types.write")
    month = said.month or scope.tenant.month_of(clock.local_day(scope.now, scope.tenant.timezone))
    draft, others = _drafted(scope, said, month=month)
    plan = CalculationSnapshot(RunKind.REGULAR, {}, INPUTS, (*others, draft))
    which = InputQuery(None, month, EmployeeFilter.one(said.user_id))
    rows = payslip_inputs.load_inputs(scope, query=which, with_kpi=plan.uses("kpi_score"))
    if not rows:
        raise Conflict(
            f"{person.name} has no pay register in {month}. Choose a month in which they are employed, and compute"
            f" it first (POST /pay-register/{month}/{person.id}/recalculate)."
        )
    return {"user_id": said.user_id, "month": month, **_computed(scope, plan, rows[0], which)}


def _drafted(scope: Scope, said: PreviewInput, *, month: str) -> tuple[Component, list[Component]]:
    """Make a component of what is said, checked as if it were saved, and find those beside it."""
    if said.calculation is Calculation.DYNAMIC:
        raise invalid("/calculation", "a dynamic payment type computes nothing: its amounts are given in each run")
    known = queries.names_by_code(scope)
    code = values.code_of(said.code, name=_PREVIEWED) if said.code else _free(known)
    names = {*VARIABLES, *known, code}
    version = values.complete(said.calculation, said.model_dump(), currency=scope.tenant.currency, names=names)
    period = scope.tenant.period(month)
    found = queries.components_of(scope, on=period.end)
    replaced = next((one for one in found if one.code == code), None)
    others = [one for one in found if one is not replaced]
    draft = Component(
        type_id=_NOBODYS,
        code=code,
        name=code,
        category=said.category or (replaced.category if replaced else Category.BENEFIT),
        calculation=said.calculation,
        version=1,
        applies_to_all=True,
        **version,
    )
    definitions = [ComponentVersion(period.start, one) for one in (*others, draft)]
    if problem := problem_of(code, definitions, first=period.end, needs=Needs(names)):
        raise invalid(values.pointer_of(said.calculation), problem)
    return draft, others


def _free(known: dict[str, str]) -> str:
    code = _PREVIEWED
    while code in known:
        code += "_"
    return code


def _computed(scope: Scope, plan: CalculationSnapshot, row: Any, which: InputQuery) -> Record:
    """Compute all components and give the last of them, the draft, with what it used."""
    draft, currency = plan.components[-1], row.currency
    rare = payslip_inputs.load_specifics(scope, query=which)
    user_id = UUID(row.user_id)
    own = rare.assignments.get(user_id, ())
    calculator = Calculator(plan, currency=currency)
    applied = calculator.select_components(assignments=own, amounts=())
    adjustments = adjustment_lines.sum_category(
        adjustment_lines.make_adjustment_lines(rare.adjustments.get(user_id, ()), currency=currency), Category.EARNING
    )
    numbers = payslip_inputs.parse_inputs(row.inputs)
    with formulas.exactly():
        code, results, warnings = calculator.results(applied, numbers, adjustments=adjustments)
        had = dict(zip(INPUTS, numbers, strict=True)) | {GROSS: results[code.gross]}
        had |= {one.code: results[step] for one, step in zip(plan.components, code.steps, strict=True)}
        formula = formulas.check(draft.formula_text(), names=had.keys())
        traced = formulas.trace(formula, had)
    amount = results[code.steps[-1]] or ZERO
    if amount >= AMOUNT_LIMIT:  # more than a payslip line holds; rounding it would need more digits than money has
        amount = ZERO
        warnings.append(formulas.Warning(draft.code, "too_large"))
    said = [
        describe_warning("This" if warning.step == draft.code else warning.step, warning.code, warning.name)
        for warning in warnings
    ]
    if applied.is_foreign and not applied.applies[-1]:
        said.append(f"This is in {draft.currency}, and the person is paid in {currency}: it counts nothing for them.")
    return {
        "formula": formula.text,
        "value": traced[-1].value,
        "rounded": rounded(amount, currency),
        "currency": currency,
        "inputs": {name: had[name] for name in sorted(formula.uses)},
        "trace": traced,
        "warnings": said,
    }
