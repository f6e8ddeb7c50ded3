"""Building and inserting payslips: one row per employee, a batch per statement. The hot path of a run."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Insert, Numeric, Row, Text, Uuid, bindparam, cast, column, func, insert, select
from sqlalchemy.types import TypeEngine

from chalicelib import formulas
from chalicelib.features.attendance.records.actions import array
from chalicelib.features.payroll.components.categories import TOTALS
from chalicelib.features.payroll.payslips import adjustment_lines, inputs
from chalicelib.features.payroll.payslips.adjustment_lines import OneOffLine
from chalicelib.features.payroll.payslips.evaluation import ZERO, AppliedComponents, Calculator, Pay
from chalicelib.features.payroll.payslips.inputs import EmployeeSpecifics
from chalicelib.features.payroll.runs.models import RunKind, payslip_one_offs, payslips
from chalicelib.features.payroll.runs.rules import Anomaly, find_anomalies
from chalicelib.features.payroll.runs.run_rows import PayrollRunRow
from chalicelib.features.payroll.runs.snapshot import INPUTS, CalculationSnapshot
from chalicelib.identity.scope import Scope

_ROWS_AT_ONCE = 1000  # some 500 KB a statement

_KEY = ("tenant_id", "run_id", "calculated_at")
# The columns of a made row, in its order, with their types; those of array and JSON columns travel as text.
_COLUMNS: dict[str, TypeEngine[Any]] = {
    "user_id": Uuid(),
    "currency": Text(),
    "inputs": Text(),
    "amounts": Text(),
    **{total: Numeric() for total in (*TOTALS, "net", "previous_net")},
    "given": Text(),
    "warnings": Text(),
    "anomalies": Text(),
}


def _make_insert() -> Insert:
    """Make the statement that inserts a batch of payslips.

    Row-level security forbids COPY, so each column travels as one array: one statement, and as fast.
    """
    arrays = [cast(bindparam(name, type_=Text), ARRAY(type_)) for name, type_ in _COLUMNS.items()]
    row = func.unnest(*arrays).table_valued(*(column(name, type_) for name, type_ in _COLUMNS.items())).render_derived()
    values: dict[str, Any] = {name: bindparam(f"of_{name}", type_=payslips.c[name].type) for name in _KEY}
    values |= {name: cast(row.c[name], payslips.c[name].type) for name in _COLUMNS}
    return insert(payslips).from_select(list(values), select(*values.values()))


_INSERT = _make_insert()
_NO_INPUTS = "{" + ",".join(["0"] * len(INPUTS)) + "}"  # of an employee outside the period

Arrears = dict[UUID, list[tuple[str, OneOffLine]]]  # with currencies, by employee


class PayslipBuilder:
    """Builds the payslips of a run, and collects the one-off lines, which are inserted after all payslips."""

    def __init__(
        self, scope: Scope, snapshot: CalculationSnapshot, *, specifics: EmployeeSpecifics, arrears: Arrears
    ) -> None:
        self.one_offs: list[tuple[UUID, list[OneOffLine]]] = []
        self._scope = scope
        self._snapshot = snapshot
        self._specifics = specifics
        self._arrears = arrears
        self._limit = scope.tenant.policy.payroll_change_limit
        self._calculators: dict[str, Calculator] = {}

    def build_all(self, rows: Sequence[Row[Any]]) -> Iterator[tuple[Any, ...]]:
        """Build payslips of the employees of the period, then of others who are owed something.

        Rows are tuples in the order of _COLUMNS. The caller has entered `formulas.exactly()`.
        """
        specifics = self._specifics
        owed = {*specifics.amounts, *specifics.adjustments, *specifics.carried, *self._arrears}
        with_specifics = {str(user_id) for user_id in (*owed, *specifics.assignments)}  # as text, as in rows
        for row in rows:
            build = self._build if row.user_id in with_specifics else self._build_default
            if row_values := build(*row):  # type: ignore[call-arg]  # columns in the order of inputs.sql
                yield row_values
        others = sorted(owed - {UUID(row.user_id) for row in rows}) if owed else []
        currencies = inputs.find_currencies(self._scope, others) if others else {}
        for user_id in others:
            currency = currencies.get(user_id, self._scope.tenant.currency)
            if row_values := self._build(str(user_id), currency, _NO_INPUTS, None, True, is_in_period=False):
                yield row_values

    def _build_default(
        self, user_id_text: str, currency: str, inputs_text: str, previous_net: Decimal | None, has_bank_details: bool
    ) -> tuple[Any, ...] | None:
        """Build the payslip of an employee without overrides, adjustments or arrears (fast path: most have none)."""
        calculator = self._calculators.get(currency) or self._calculator(currency)
        applied = calculator.defaults
        if self._snapshot.kind is RunKind.OFF_CYCLE and not any(applied.applies):
            return None
        pay = calculator.pay(applied, calculator.read(inputs_text))
        return self._row(user_id_text, currency, inputs_text, previous_net, has_bank_details, applied, pay)

    def _build(
        self,
        user_id_text: str,
        currency: str,
        inputs_text: str,
        previous_net: Decimal | None,
        has_bank_details: bool,
        *,
        is_in_period: bool = True,
    ) -> tuple[Any, ...] | None:
        snapshot, specifics, user_id = self._snapshot, self._specifics, UUID(user_id_text)
        calculator = self._calculators.get(currency) or self._calculator(currency)
        applied = calculator.select_components(
            assignments=specifics.assignments.get(user_id, ()),
            amounts=specifics.amounts.get(user_id, ()),
            is_in_period=is_in_period,
        )
        adjustments, carried = specifics.adjustments.get(user_id, ()), specifics.carried.get(user_id, ())
        lines = [line for of, line in self._arrears.get(user_id, ()) if of == currency]
        lines += adjustment_lines.make_adjustment_lines(adjustments, currency=currency)
        lines += adjustment_lines.make_carried_lines(carried, currency=currency)
        if not lines and (snapshot.kind is RunKind.OFF_CYCLE or not is_in_period) and not any(applied.applies):
            return None
        if lines:
            self.one_offs.append((user_id, lines))
        others = [row.currency for row in (*adjustments, *carried)] + [of for of, _ in self._arrears.get(user_id, ())]
        if any(other != currency for other in others):
            applied = dataclasses.replace(applied, is_foreign=True)
        paying = sum((row.amount for row in adjustments if row.currency == currency and row.amount > 0), ZERO)
        pay = calculator.pay(applied, calculator.read(inputs_text), adjustments=paying)
        return self._row(
            user_id_text,
            currency,
            inputs_text,
            previous_net,
            has_bank_details,
            applied,
            adjustment_lines.add_lines(pay, lines),
        )

    def _calculator(self, currency: str) -> Calculator:
        return self._calculators.setdefault(currency, Calculator(self._snapshot, currency=currency))

    def _row(
        self,
        user_id_text: str,
        currency: str,
        inputs_text: str,
        previous_net: Decimal | None,
        has_bank_details: bool,
        applied: AppliedComponents,
        pay: Pay,
    ) -> tuple[Any, ...]:
        net = pay.net
        anomalies = find_anomalies(
            net=net, previous_net=previous_net, limit=self._limit, has_bank_details=has_bank_details
        )
        if pay.warnings:
            anomalies.append(Anomaly.NO_VALUE)
        if applied.is_foreign:
            anomalies.append(Anomaly.OTHER_CURRENCY)
        overrides = applied.to_json(self._snapshot) if applied.amounts or applied.percents else None
        return (
            user_id_text,
            currency,
            f'"{inputs_text}"',
            _to_numeric_array(pay.amounts),
            *pay.totals,
            net,
            previous_net,
            _to_json(overrides),
            _warnings_to_json(pay.warnings),
            _to_text_array(anomalies),
        )


def write(
    scope: Scope,
    payroll_run: PayrollRunRow,
    *,
    payslip_values: Iterator[tuple[Any, ...]],
    lines: list[tuple[UUID, list[OneOffLine]]],
) -> int:
    """Insert a run's payslips as they are built, then their one-off lines, and count the payslips."""
    key = {"tenant_id": scope.tenant_id, "run_id": payroll_run.id}
    of_run = {f"of_{name}": value for name, value in {**key, "calculated_at": payroll_run.calculated_since}.items()}
    count = 0
    while True:
        with formulas.exactly():
            rows = list(islice(payslip_values, _ROWS_AT_ONCE))
        if not rows:
            break
        columns = dict(zip(_COLUMNS, map(array, zip(*rows, strict=True)), strict=True))
        count += scope.session.execute(_INSERT, {**of_run, **columns}).rowcount
    fields = [field.name for field in dataclasses.fields(OneOffLine)]
    if lines:
        scope.session.execute(
            insert(payslip_one_offs),
            [
                {**key, "user_id": user_id, "number": number, **{name: getattr(line, name) for name in fields}}
                for user_id, own in lines
                for number, line in enumerate(own, start=1)
            ],
        )
    return count


# Each of these returns an element of a PostgreSQL array literal, in quotes; None is NULL.


def _to_numeric_array(amounts: Sequence[Decimal | None]) -> str:
    return '"{' + ",".join(["NULL" if amount is None else str(amount) for amount in amounts]) + '}"'


def _to_text_array(texts: Sequence[str]) -> str | None:
    return '"{' + ",".join(texts) + '}"' if texts else None


def _warnings_to_json(warnings: Sequence[formulas.Warning]) -> str | None:
    if not warnings:
        return None
    return _to_json([{"component": one.step, "code": one.code, "name": one.name} for one in warnings])


def _to_json(value: Any) -> str | None:
    return None if value is None else '"' + json.dumps(value).replace("\\", r"\\").replace('"', r"\"") + '"'
