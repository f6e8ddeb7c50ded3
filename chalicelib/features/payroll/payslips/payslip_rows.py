"""Payslips as they are made and written: one row each, in one statement for a chunk of people."""

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
from chalicelib.backing.database import Record
from chalicelib.features.attendance.records.actions import array
from chalicelib.features.payroll.components.categories import TOTALS
from chalicelib.features.payroll.payslips import adjustment_lines, inputs
from chalicelib.features.payroll.payslips.adjustment_lines import OneOff
from chalicelib.features.payroll.payslips.evaluation import ZERO, Calculator, Choice, Pay
from chalicelib.features.payroll.payslips.inputs import Rare
from chalicelib.features.payroll.runs.models import RunKind, payslip_one_offs, payslips
from chalicelib.features.payroll.runs.rules import Anomaly, anomalies_of
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
_NOTHING = "{" + ",".join(["0"] * len(INPUTS)) + "}"  # the inputs of somebody who is not in the period

Arrears = dict[UUID, list[tuple[str, OneOff]]]  # each with its currency, by person


class Maker:
    """Makes the payslips of a plan, and keeps the lines that no component made until all are written."""

    def __init__(self, scope: Scope, plan: CalculationSnapshot, *, rare: Rare, late: Arrears) -> None:
        self.one_offs: list[tuple[UUID, list[OneOff]]] = []
        self._scope = scope
        self._plan = plan
        self._rare = rare
        self._late = late
        self._limit = scope.tenant.policy.payroll_change_limit
        self._calculators: dict[str, Calculator] = {}

    def make_all(self, rows: Sequence[Row[Any]]) -> Iterator[tuple[Any, ...]]:
        """Make payslips of the employees of the period, then of those who are only owed something.

        Whoever takes them has entered `formulas.exactly()`.
        """
        rare = self._rare
        owed = {*rare.amounts, *rare.adjustments, *rare.carried, *self._late}
        theirs = {str(user_id) for user_id in (*owed, *rare.assignments)}  # as rows say it: most are nobody's of these
        for row in rows:
            make = self._make if row.user_id in theirs else self._make_plain
            if made := make(*row):  # type: ignore[call-arg]  # its columns, in the order of gather.sql
                yield made
        others = sorted(owed - {UUID(row.user_id) for row in rows}) if owed else []
        known = inputs.find_currencies(self._scope, others) if others else {}
        for user_id in others:
            currency = known.get(user_id, self._scope.tenant.currency)
            if made := self._make(str(user_id), currency, _NOTHING, None, True, is_in_period=False):
                yield made

    def _make_plain(
        self, said_id: str, currency: str, said: str, previous_net: Decimal | None, has_bank_details: bool
    ) -> tuple[Any, ...] | None:
        """Of somebody who has nothing of their own, as most have."""
        calculator = self._calculators.get(currency) or self._calculator(currency)
        choice = calculator.common
        if self._plan.kind is RunKind.OFF_CYCLE and not any(choice.applies):
            return None
        pay = calculator.pay(choice, calculator.read(said))
        return self._row(said_id, currency, said, previous_net, has_bank_details, choice, pay)

    def _make(
        self,
        said_id: str,
        currency: str,
        said: str,
        previous_net: Decimal | None,
        has_bank_details: bool,
        *,
        is_in_period: bool = True,
    ) -> tuple[Any, ...] | None:
        plan, rare, user_id = self._plan, self._rare, UUID(said_id)
        calculator = self._calculators.get(currency) or self._calculator(currency)
        choice = calculator.choose(
            assignments=rare.assignments.get(user_id, ()),
            amounts=rare.amounts.get(user_id, ()),
            is_in_period=is_in_period,
        )
        adjustments, carried = rare.adjustments.get(user_id, ()), rare.carried.get(user_id, ())
        lines = [line for of, line in self._late.get(user_id, ()) if of == currency]
        lines += adjustment_lines.of_adjustments(adjustments, currency=currency)
        lines += adjustment_lines.of_carried(carried, currency=currency)
        if not lines and (plan.kind is RunKind.OFF_CYCLE or not is_in_period) and not any(choice.applies):
            return None
        if lines:
            self.one_offs.append((user_id, lines))
        others = [row.currency for row in (*adjustments, *carried)] + [of for of, _ in self._late.get(user_id, ())]
        if any(other != currency for other in others):
            choice = dataclasses.replace(choice, is_foreign=True)
        paying = sum((row.amount for row in adjustments if row.currency == currency and row.amount > 0), ZERO)
        pay = calculator.pay(choice, calculator.read(said), adjustments=paying)
        return self._row(
            said_id, currency, said, previous_net, has_bank_details, choice, adjustment_lines.added_to(pay, lines)
        )

    def _calculator(self, currency: str) -> Calculator:
        return self._calculators.setdefault(currency, Calculator(self._plan, currency=currency))

    def _row(
        self,
        said_id: str,
        currency: str,
        said: str,
        previous_net: Decimal | None,
        has_bank_details: bool,
        choice: Choice,
        pay: Pay,
    ) -> tuple[Any, ...]:
        net = pay.net
        anomalies = anomalies_of(
            net=net, previous_net=previous_net, limit=self._limit, has_bank_details=has_bank_details
        )
        if pay.warnings:
            anomalies.append(Anomaly.NO_VALUE)
        if choice.is_foreign:
            anomalies.append(Anomaly.OTHER_CURRENCY)
        given = choice.to_json(self._plan) if choice.amounts or choice.percents else None
        return (
            said_id,
            currency,
            f'"{said}"',
            _amounts(pay.amounts),
            *pay.totals,
            net,
            previous_net,
            _json(given),
            _warnings(pay.warnings),
            _words(anomalies),
        )


def write(
    scope: Scope, payroll_run: Record, *, made: Iterator[tuple[Any, ...]], lines: list[tuple[UUID, list[OneOff]]]
) -> int:
    """Write a run's payslips as they are made, then their one-off lines, and count the payslips."""
    key = {"tenant_id": scope.tenant_id, "run_id": payroll_run["id"]}
    of_run = {f"of_{name}": value for name, value in {**key, "calculated_at": payroll_run["calculated_since"]}.items()}
    count = 0
    while True:
        with formulas.exactly():
            rows = list(islice(made, _ROWS_AT_ONCE))
        if not rows:
            break
        columns = dict(zip(_COLUMNS, map(array, zip(*rows, strict=True)), strict=True))
        count += scope.session.execute(_INSERT, {**of_run, **columns}).rowcount
    fields = [field.name for field in dataclasses.fields(OneOff)]
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


# What follows is written as an element of a PostgreSQL array, in quotes; None is its NULL.


def _amounts(amounts: Sequence[Decimal | None]) -> str:
    return '"{' + ",".join(["NULL" if amount is None else str(amount) for amount in amounts]) + '}"'


def _words(words: Sequence[str]) -> str | None:
    return '"{' + ",".join(words) + '}"' if words else None


def _warnings(found: Sequence[formulas.Warning]) -> str | None:
    if not found:
        return None
    return _json([{"component": one.step, "code": one.code, "name": one.name} for one in found])


def _json(said: Any) -> str | None:
    return None if said is None else '"' + json.dumps(said).replace("\\", r"\\").replace('"', r"\"") + '"'
