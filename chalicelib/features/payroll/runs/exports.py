"""Export of a run's payslips: one row per payslip, one column per component, and the totals of each currency."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chalicelib.backing.files import safe_name
from chalicelib.entry.http import FileReply
from chalicelib.entry.sheets import CSV, XLSX, escape_formula, write_csv, write_xlsx
from chalicelib.features.payroll.components.categories import RULES, TOTALS
from chalicelib.features.payroll.documents.schemas import RegisterQuery
from chalicelib.features.payroll.runs import queries
from chalicelib.features.payroll.runs.models import payslips
from chalicelib.features.payroll.runs.rules import OneOffKind
from chalicelib.features.payroll.runs.schemas import Payslip
from chalicelib.features.payroll.runs.snapshot import EARNED
from chalicelib.features.people.models import departments, employments
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, TooLarge
from chalicelib.kernel.states import FIXED_PAYROLL, PayrollStatus

BATCH = 500
LARGEST = 4_000_000  # characters: a function's answer has 6 MB, and a workbook travels as base64
EMPLOYEE_COLUMNS = ("employee_no", "name", "department", "currency")
INPUT_COLUMNS = (
    "base_salary", "working_days", "present_days", "od_days", "paid_leave_days", "lop_days", "absent_days",
    "extra_days", "payable_shifts", "ot_hours",
)  # fmt: skip
_CALCULATED = (PayrollStatus.CALCULATED, *FIXED_PAYROLL)
_SALARY, _COMPONENT = "salary", "component"


def export(scope: Scope, *, run_id: UUID, query: RegisterQuery) -> FileReply:
    """Write a calculated run: employees by number, components in the order of the snapshot.

    An adjustment that takes back is negative. `arrears` is the effect of all arrears lines on the net; the last columns
    show them by component, with the sign of its category. Raises Conflict for a run that is not calculated.
    """
    run = queries.get_run(scope, run_id)
    if run.status not in _CALCULATED:
        raise Conflict(f"This run is {run.status}, so there is nothing to write; calculate it first.")
    components = [(component.code, component.name) for component in run.parse_snapshot().components]
    arrears = queries.list_arrears_components(scope, run_id, order=[EARNED, *(code for code, _ in components)])
    headings = [*_headings(components), *OneOffKind, *(f"arrears: {name}" for name in _headings(arrears))]
    head = [
        *EMPLOYEE_COLUMNS,
        *INPUT_COLUMNS,
        "earned_salary",
        *headings,
        *TOTALS,
        "net",
        "pays",
        "previous_net",
        "anomalies",
    ]
    columns = [
        *map(_component_column, (code for code, _ in components)),
        *OneOffKind,
        *(_arrears_column(code) for code, _ in arrears),
    ]
    lines = _check_size(_make_lines(scope, run_id, columns))
    name = safe_name(f"payroll-{run.month}-{run.kind}")
    if query.format == "csv":
        return FileReply(write_csv(head, lines), CSV, f"{name}.csv")
    return FileReply(write_xlsx(head, lines, title=run.month), XLSX, f"{name}.xlsx")


def _headings(components: Sequence[tuple[str, str]]) -> list[str]:
    """Return a heading for each (code, name), with the code where two have one name."""
    names = Counter(name for _, name in components)
    return [escape_formula(name if names[name] == 1 else f"{name} ({code})") for code, name in components]


def _make_lines(scope: Scope, run_id: UUID, columns: Sequence[str]) -> Iterator[list[Any]]:
    departments_by_id = _load_departments(scope)
    money = [_SALARY, *columns, *TOTALS, "net", "pays"]
    totals: dict[str, dict[str, Decimal]] = {}
    payslip_counts: Counter[str] = Counter()
    employee_ids = _list_employees(scope, run_id)
    for start in range(0, len(employee_ids), BATCH):
        batch = employee_ids[start : start + BATCH]
        batch_payslips = queries.read_payslips(scope, run_id=run_id, user_ids=batch)
        by_employee = {payslip.user.id: payslip for payslip in batch_payslips}
        for payslip in (by_employee[user_id] for user_id in batch if user_id in by_employee):
            user, inputs, currency = payslip.user, payslip.inputs, payslip.currency
            amounts = _sum_columns(payslip)
            sums = totals.setdefault(currency, defaultdict(Decimal))
            for column, amount in amounts.items():
                sums[column] += amount
            payslip_counts[currency] += 1
            yield [
                escape_formula(user.employee_no or ""),
                escape_formula(user.name),
                escape_formula(departments_by_id.get(user.department_id, "") if user.department_id else ""),
                currency,
                *(_cell(inputs.get(name)) for name in INPUT_COLUMNS),
                *(_cell(amounts.get(column)) for column in money),
                _cell(payslip.previous_net),
                "; ".join(payslip.anomalies),
            ]
    for currency, sums in sorted(totals.items()):
        yield [
            "total",
            f"{payslip_counts[currency]} payslips",
            "",
            currency,
            *([""] * len(INPUT_COLUMNS)),
            *(_cell(sums.get(column)) for column in money),
            "",
            "",
        ]


def _sum_columns(payslip: Payslip) -> dict[str, Decimal]:
    """Return a payslip's amounts by column."""
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for line in payslip.lines:
        if line.kind == _SALARY:
            amounts[_SALARY] += line.amount
        elif line.kind == _COMPONENT:
            amounts[_component_column(str(line.code))] += line.amount
        elif line.kind == OneOffKind.CARRIED_OVER.value:
            amounts[line.kind] += line.amount
        else:
            amounts[line.kind] += RULES[line.category].sign * line.amount
            if line.code is not None:
                amounts[_arrears_column(line.code)] += line.amount
    return {**amounts, **{name: getattr(payslip.totals, name) for name in (*TOTALS, "net")}, "pays": payslip.pays}


def _component_column(code: str) -> str:
    return f"component/{code}"  # a component may be called what another column is


def _arrears_column(code: str) -> str:
    return f"arrears/{code}"


def _cell(value: Decimal | None) -> Any:
    return "" if value is None else value


def _list_employees(scope: Scope, run_id: UUID) -> list[UUID]:
    rows = (
        select(payslips.c.user_id)
        .outerjoin(
            employments,
            (employments.c.tenant_id == payslips.c.tenant_id) & (employments.c.user_id == payslips.c.user_id),
        )
        .where(payslips.c.tenant_id == scope.tenant_id, payslips.c.run_id == run_id)
        .order_by(employments.c.employee_no, payslips.c.user_id)
    )
    return list(scope.session.execute(rows).scalars())


def _load_departments(scope: Scope) -> dict[UUID, str]:
    rows = select(departments.c.id, departments.c.name).where(departments.c.tenant_id == scope.tenant_id)
    return {row.id: row.name for row in scope.session.execute(rows)}


def _check_size(lines: Iterator[list[Any]]) -> Iterator[list[Any]]:
    written = 0
    for line in lines:
        written += sum(len(str(cell)) + 1 for cell in line)
        if written > LARGEST:
            raise TooLarge("There is more than one file can hold; read the payslips of the run page by page.")
        yield line
