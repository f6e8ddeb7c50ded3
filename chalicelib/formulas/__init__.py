"""The formula language: what admins write for payroll components and KPIs. `REFERENCE` is how users see it.

    basic = formulas.check("earned_salary * 50%", names=["earned_salary"])
    fund = formulas.check("MIN(basic * 12%, 1800)", names=["earned_salary", "basic"])
    program = formulas.compile_steps(
        ["earned_salary"], [formulas.Step("basic", basic, places=2), formulas.Step("fund", fund, places=2)]
    )
    with formulas.exactly():  # once around a batch
        program([Decimal("40000")], [None, None])  # ([20000.00, 1800.00], [])

From a text to a value: lexer (words) -> parser (tree) -> typing_rules (numbers and yes/no do not mix) -> emitter and
error_messages (lines of Python) -> compiler (one function for all steps). There is no other evaluator: tracing runs
the same lines with a line that records each value. arithmetic says what exact means; errors, where something is wrong.

A text is checked against bounds before anything is done with it, so that an author of formulas cannot make them
cost much; inputs are finite Decimals and are not checked.
"""

from chalicelib.formulas.arithmetic import exactly
from chalicelib.formulas.check import CheckedFormula, check, sum_of
from chalicelib.formulas.compiler import FormulaStep, Program, Warning, compile_steps  # noqa: A004 - our own, see there
from chalicelib.formulas.errors import CycleError, FormulaError
from chalicelib.formulas.functions import RESERVED
from chalicelib.formulas.order import ordered
from chalicelib.formulas.reference import REFERENCE
from chalicelib.formulas.trace import TracedPart, trace
from chalicelib.formulas.tree import ValueKind

__all__ = [
    "REFERENCE",
    "RESERVED",
    "CheckedFormula",
    "CycleError",
    "FormulaError",
    "FormulaStep",
    "Program",
    "TracedPart",
    "ValueKind",
    "Warning",
    "check",
    "compile_steps",
    "exactly",
    "ordered",
    "sum_of",
    "trace",
]
