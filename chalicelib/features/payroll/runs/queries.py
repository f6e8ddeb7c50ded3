"""Reads of runs and payslips."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, func, select

from chalicelib.backing import rows
from chalicelib.entry.get_or_404 import get_row
from chalicelib.entry.paging import RowPage, page_rows
from chalicelib.features.payroll.components.categories import TOTALS
from chalicelib.features.payroll.payslips import lines as payslip_lines
from chalicelib.features.payroll.runs import participants
from chalicelib.features.payroll.runs.models import RunKind, payroll_runs, payslip_one_offs, payslips
from chalicelib.features.payroll.runs.rules import Anomaly
from chalicelib.features.payroll.runs.run_rows import OneOffRow, PayrollRunRow, PayslipHeadRow, PayslipRow
from chalicelib.features.payroll.runs.schemas import (
    PayrollRun,
    PayrollRunQuery,
    Payslip,
    PayslipEmployee,
    PayslipHead,
    PayslipQuery,
    RunPayslipQuery,
)
from chalicelib.features.payroll.runs.snapshot import CalculationSnapshot
from chalicelib.features.people.models import employments, users
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.states import FIXED_PAYROLL, PayrollStatus

_PAYS = func.greatest(payslips.c.net, 0 * payslips.c.net).label("pays")  # with its decimals
_DIFFERENCE = case((payslips.c.previous_net.is_not(None), payslips.c.net - payslips.c.previous_net)).label("difference")


def get_run(scope: Scope, run_id: UUID, *, lock: bool = False) -> PayrollRunRow:
    """Read one run."""
    return get_row(scope, payroll_runs, run_id, kind=PayrollRunRow, what="payroll run", lock=lock)


def show_run(scope: Scope, run_id: UUID) -> PayrollRun:
    """Return one run with whether the caller may approve it."""
    return participants.to_replies(scope, [get_run(scope, run_id)])[0]


def share_lock_run(scope: Scope, run_id: UUID) -> PayrollRunRow:
    """Read a run with a share lock: it cannot be recalculated or cancelled until this transaction ends."""
    runs = select(payroll_runs).where(payroll_runs.c.tenant_id == scope.tenant_id, payroll_runs.c.id == run_id)
    return rows.one(PayrollRunRow, scope.session.execute(runs.with_for_update(read=True)))


def page_of_runs(scope: Scope, query: PayrollRunQuery) -> RowPage[PayrollRun]:
    """Read one page of runs, oldest first."""
    runs = select(payroll_runs).where(payroll_runs.c.tenant_id == scope.tenant_id)
    for name in ("month", "status", "kind"):
        if (value := getattr(query, name)) is not None:
            runs = runs.where(
                payroll_runs.c[name] == value.value if hasattr(value, "value") else payroll_runs.c[name] == value
            )
    page = page_rows(scope, runs, kind=PayrollRunRow, key=payroll_runs.c.id, query=query)
    return RowPage(participants.to_replies(scope, page.items), page.next_cursor)


def page_of_run_payslips(scope: Scope, run_id: UUID, query: RunPayslipQuery) -> RowPage[PayslipHead]:
    """Read one page of a run's payslips, in the order of people's ids."""
    get_run(scope, run_id)
    heads = _select_heads(scope).where(payslips.c.run_id == run_id)
    if query.anomalous is not None:
        heads = heads.where(payslips.c.anomalies.is_not(None) if query.anomalous else payslips.c.anomalies.is_(None))
    if query.anomaly is not None:
        heads = heads.where(payslips.c.anomalies.any(cast(query.anomaly.value, Text)))
    if query.search:
        heads = heads.where(people.matches(query.search))
    return page_rows(scope, heads, kind=PayslipHeadRow, key=payslips.c.user_id, query=query).map(_to_head)


def page_of_payslips(scope: Scope, query: PayslipQuery) -> RowPage[PayslipHead]:
    """Read one page of the payslips that the caller may see, of every run."""
    heads = _select_heads(scope)
    if query.user_id is not None:
        people.get_user(scope, query.user_id, "payslips.read")
        heads = heads.where(payslips.c.user_id == query.user_id)
    if query.month is not None:
        heads = heads.where(payroll_runs.c.month == query.month)
    return page_rows(scope, heads, kind=PayslipHeadRow, key=payslips.c.id, query=query).map(_to_head)


def get_payslip(scope: Scope, payslip_id: UUID) -> Payslip:
    """Read one payslip with everything that explains it."""
    matches = _load_payslips(scope, payslips.c.id == payslip_id)
    if not matches:
        raise NotFound("There is no such payslip.")
    return matches[0]


def read_payslips(scope: Scope, *, run_id: UUID, user_ids: Sequence[UUID]) -> list[Payslip]:
    """Read payslips of a run with everything that explains them, in the order of people's ids."""
    return _load_payslips(scope, and_(payslips.c.run_id == run_id, payslips.c.user_id.in_(user_ids)))


def list_arrears_components(scope: Scope, run_id: UUID, *, order: Sequence[str]) -> list[tuple[str, str]]:
    """Return the code and name of each component whose arrears a run pays, first those in `order`."""
    table = payslip_one_offs
    components = scope.session.execute(
        select(table.c.code, func.max(table.c.name))
        .where(table.c.tenant_id == scope.tenant_id, table.c.run_id == run_id, table.c.code.is_not(None))
        .group_by(table.c.code)
    )
    places = {code: place for place, code in enumerate(order)}
    return sorted(
        ((code, name) for code, name in components), key=lambda one: (places.get(one[0], len(places)), one[0])
    )


def _visible_payslips(scope: Scope) -> ColumnElement[bool]:
    # employees see their own payslips once these cannot change any more
    within = scope.within("payslips.read", payslips.c.user_id)
    return within if scope.reaches_all("payslips.read") else and_(within, payroll_runs.c.status.in_(FIXED_PAYROLL))


def _select_payslips(scope: Scope, *columns: Any) -> Select[Any]:
    person = and_(users.c.tenant_id == scope.tenant_id, users.c.id == payslips.c.user_id)
    employed = and_(employments.c.tenant_id == scope.tenant_id, employments.c.user_id == payslips.c.user_id)
    return (
        select(
            *columns,
            payroll_runs.c.kind.label("run_kind"),
            payroll_runs.c.title.label("run_title"),
            payroll_runs.c.status.label("run_status"),
            payroll_runs.c.month,
            users.c.name,
            employments.c.employee_no,
            employments.c.department_id,
        )
        .join(payroll_runs, and_(payroll_runs.c.tenant_id == scope.tenant_id, payroll_runs.c.id == payslips.c.run_id))
        .join(users, person)
        .outerjoin(employments, employed)
        .where(payslips.c.tenant_id == scope.tenant_id, _visible_payslips(scope))
    )


def _select_heads(scope: Scope) -> Select[Any]:
    names = (
        "id",
        "run_id",
        "user_id",
        "currency",
        *TOTALS,
        "net",
        "previous_net",
        "calculated_at",
    )
    return _select_payslips(scope, *(payslips.c[name] for name in names), _PAYS, _DIFFERENCE, payslips.c.anomalies)


def _to_head(row: PayslipHeadRow) -> PayslipHead:
    """Return a payslip as lists show it."""
    return PayslipHead(
        id=row.id,
        run_id=row.run_id,
        run_kind=RunKind(row.run_kind),
        run_status=PayrollStatus(row.run_status),
        month=row.month,
        user=PayslipEmployee(
            id=row.user_id, name=row.name, employee_no=row.employee_no, department_id=row.department_id
        ),
        currency=row.currency,
        gross=row.gross,
        deductions=row.deductions,
        taxes=row.taxes,
        benefits=row.benefits,
        net=row.net,
        pays=row.pays,
        previous_net=row.previous_net,
        difference=row.difference,
        anomalies=[Anomaly(anomaly) for anomaly in row.anomalies or ()],
        calculated_at=row.calculated_at,
    )


def _load_payslips(scope: Scope, condition: ColumnElement[bool]) -> list[Payslip]:
    matches = _select_payslips(scope, *payslips.c, payroll_runs.c.plan).where(condition).order_by(payslips.c.user_id)
    payslip_rows = rows.every(PayslipRow, scope.session.execute(matches))
    one_offs = _load_one_offs(scope, payslip_rows)
    earned = payslip_lines.load_earned_lines(scope, payslip_rows)
    explainers: dict[UUID, payslip_lines.PayslipExplainer] = {}
    explained = []
    for row in payslip_rows:
        explainer = explainers.get(row.run_id) or explainers.setdefault(
            row.run_id, payslip_lines.PayslipExplainer(CalculationSnapshot.from_json(row.plan))
        )
        explained.append(
            explainer.explain(
                row,
                period=scope.tenant.period(row.month),
                one_offs=one_offs.get((row.run_id, row.user_id), []),
                earned=earned.get((row.month, row.user_id)),
            )
        )
    return explained


def _load_one_offs(scope: Scope, payslip_rows: Sequence[PayslipRow]) -> dict[tuple[UUID, UUID], list[OneOffRow]]:
    """Load the one-off lines of payslips in their order, by run and employee."""
    one_offs: dict[tuple[UUID, UUID], list[OneOffRow]] = {}
    table = payslip_one_offs
    lines = (
        select(table)
        .where(
            table.c.tenant_id == scope.tenant_id,
            table.c.run_id.in_({row.run_id for row in payslip_rows}),
            table.c.user_id.in_([row.user_id for row in payslip_rows]),
        )
        .order_by(table.c.number)
    )
    for line in rows.every(OneOffRow, scope.session.execute(lines)):
        one_offs.setdefault((line.run_id, line.user_id), []).append(line)
    return one_offs
