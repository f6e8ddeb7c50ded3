"""The cost of a component: the compiled program beside parsing the text each time, as payroll programs commonly do.

Alone: `python -m infra.labs.bench.formulas`. No database, one process.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from typing import Any

from chalicelib import formulas
from infra.labs.bench.payouts.part import ShowProgress
from infra.labs.bench.table import Line, Target, per_second, show

EMPLOYEES: dict[str, int] = {"tiny": 200, "small": 4_000, "full": 100_000, "large": 100_000}
NOTES: list[str] = [
    "eight components on twelve inputs, each rounded to 2 places; employees in random order of size, exact decimals",
    "read each time, ours = check() and compile_steps() for every employee; read each time, eval = the same components"
    " as texts for Python's own eval, with decimals, no exactness, no missing values and no safety",
]

CHUNK = 5000
INPUTS = (
    "base_salary",
    "earned_salary",
    "gross",
    "working_days",
    "present_days",
    "lop_days",
    "ot_hours",
    "late_count",
    "hourly_rate",
    "daily_rate",
    "years_of_service",
    "kpi_score",
)
COMPONENTS = {
    "basic": "earned_salary * 50%",
    "housing": "basic * 40%",
    "transport": "IF(lop_days > 0, 1500 * present_days / working_days, 1500)",
    "overtime": "ot_hours * hourly_rate * 1.5",
    "bonus": "IF(kpi_score >= 90 and years_of_service > 1, earned_salary * 10%, 0)",
    "fine": "MAX(late_count - 3, 0) * daily_rate / 2",
    "provident": "MIN(basic * 12%, 1800)",
    "tax": "BRACKET(gross, 0, 0%, 25000, 10%, 50000, 20%)",
}
# The same, as Python reads them.
TEXTS = [
    ("basic", "earned_salary * D('0.5')"),
    ("housing", "basic * D('0.4')"),
    ("transport", "1500 * present_days / working_days if lop_days > 0 else D(1500)"),
    ("overtime", "ot_hours * hourly_rate * D('1.5')"),
    ("bonus", "earned_salary * D('0.1') if kpi_score >= 90 and years_of_service > 1 else D(0)"),
    ("fine", "max(late_count - 3, 0) * daily_rate / 2"),
    ("provident", "min(basic * D('0.12'), D(1800))"),
    ("tax", "max(min(gross, 50000) - 25000, D(0)) * D('0.1') + max(gross - 50000, D(0)) * D('0.2')"),
]


def batched(rows: list[list[Decimal]], size: int) -> Iterator[list[list[Decimal]]]:
    """Yield the rows in chunks."""
    return (rows[at : at + size] for at in range(0, len(rows), size))


def program() -> formulas.Program:
    """Parse and compile the components."""
    steps, names = [], list(INPUTS)
    for code, text in COMPONENTS.items():
        steps.append(formulas.FormulaStep(code, formulas.check(text, names=names), places=2, at_least=Decimal(0)))
        names.append(code)
    return formulas.compile_steps(INPUTS, steps)


def people(number: int) -> list[list[Decimal]]:
    """Return random inputs, always the same."""
    random = Random(1)
    rows = []
    for _ in range(number):
        salary = Decimal(random.randrange(1_500_000, 15_000_000)).scaleb(-2)
        lost = random.choice((0, 0, 0, 1, 2))
        daily = (salary / 22).quantize(Decimal("0.0001"))
        earned = salary - daily * lost
        rest = [Decimal(random.randrange(60)).scaleb(-1), Decimal(random.randrange(6)), daily / 8, daily]
        merit = [Decimal(random.randrange(12)), Decimal(random.randrange(500, 1000)).scaleb(-1)]
        rows.append([salary, earned, earned, Decimal(22), Decimal(22 - lost), Decimal(lost), *rest, *merit])
    return rows


def compiled(rows: list[list[Decimal]]) -> list[Any]:
    """Compute all rows with one program, in chunks as a payroll run does; return the first chunk's values."""
    run, nothing = program(), [None] * len(COMPONENTS)
    kept: list[Any] = []
    with formulas.exactly():
        for chunk in batched(rows, CHUNK):
            values = [run(row, nothing)[0] for row in chunk]
            kept = kept or values
    return kept


def each_time(rows: list[list[Decimal]]) -> list[Any]:
    """Parse and compile for every row."""
    nothing = [None] * len(COMPONENTS)
    with formulas.exactly():
        return [program()(row, nothing)[0] for row in rows]


def by_eval(rows: list[list[Decimal]]) -> list[Any]:
    """Evaluate texts for every row."""
    values = []
    cent = Decimal("0.01")
    for row in rows:
        names: dict[str, Any] = {"D": Decimal, **dict(zip(INPUTS, row, strict=True))}
        for code, text in TEXTS:
            names[code] = eval(text, names).quantize(cent, "ROUND_HALF_UP")  # noqa: S307 - the yardstick, own texts
        values.append([names[code] for code in COMPONENTS])
    return values


def measured(size: str, show_progress: ShowProgress) -> tuple[list[Line], int]:
    """Measure the three ways on the same inputs, and check that they agree."""
    rows = people(EMPLOYEES[size])
    few = rows[: max(50, len(rows) // 100)]
    with show_progress("formulas", 3) as report:
        report("compiled")
        seconds, values = _median(compiled, rows, 3)
        report("eval of texts")
        eval_seconds, by_text = _median(by_eval, few, 3)
        report("compiled each time")
        own_seconds, _ = _median(each_time, few[: len(few) // 5], 3)
    if values[: len(by_text)] != by_text:
        raise AssertionError("The compiled program and the texts disagree.")
    each, eval_each, own_each = seconds / len(rows), eval_seconds / len(few), own_seconds / (len(few) // 5)
    return [
        Line("formulas, compiled once: employees with 8 components", per_second(len(rows), seconds)),
        Line(
            "... read each time, eval",
            per_second(len(few), eval_seconds),
            eval_each / each,
            "this / compiled",
            Target(8),
        ),
        Line("... read each time, ours", per_second(len(few) // 5, own_seconds), own_each / each, "this / compiled"),
    ], len(rows)


def _median(way: Callable[[Any], list[Any]], rows: list[list[Decimal]], times: int) -> tuple[float, list[Any]]:
    takes, values = [], []
    for _ in range(times):
        began = time.perf_counter()
        values = way(rows)
        takes.append(time.perf_counter() - began)
    return statistics.median(takes), values


if __name__ == "__main__":
    from infra.labs.bench.__main__ import watched

    lines, number = measured("full", watched)
    show(
        lines,
        title=f"Wagebook, formulas: {number:,} employees",
        command="python -m infra.labs.bench.formulas",
        notes=NOTES,
    )
