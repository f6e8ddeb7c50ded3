"""Measurement: the numbers that KPIs are made of, for many employees and spans of days in one statement."""

import json
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping, text

from chalicelib.backing.database import statement
from chalicelib.features.kpis.rules import FROM_SALES, EmployeeSpan, Measurement, Metric
from chalicelib.identity.scope import Scope

_MEASURE = text(statement(__file__, "measure"))


def measure(
    scope: Scope, *, spans: Iterable[EmployeeSpan], metrics: Collection[str]
) -> dict[EmployeeSpan, Measurement]:
    """Measure every span; sales are only read where one of the metrics is of sales.

    Days are taken from the pay register as it was computed last, so that a KPI equals what the register shows.
    """
    ordered, names = sorted(set(spans)), sorted(metrics)
    values = {
        "tenant_id": scope.tenant_id,
        "currency": scope.tenant.currency,
        "timezone": scope.tenant.timezone,
        # one document, which the driver hands over as it is: three arrays it would write value by value
        "spans": json.dumps(
            [{"user_id": span.user_id, "first_on": span.first_on, "last_on": span.last_on} for span in ordered],
            default=str,
        ),
        "with_sales": not FROM_SALES.isdisjoint(metrics),
    }
    rows = scope.session.execute(_MEASURE, values).mappings()
    return {
        EmployeeSpan(str(row["user_id"]), row["first_on"], row["last_on"]): Measurement(
            {name: _to_decimal(row[name]) for name in names}, _notes(scope, row, metrics)
        )
        for row in rows
    }


def _notes(scope: Scope, row: RowMapping, metrics: Collection[str]) -> list[str]:
    """Return what a reader of the numbers should know: days not computed, sales in other currencies."""
    notes = []
    if row["days_known"] < row["days"] and not FROM_SALES.issuperset(metrics):
        missing = row["days"] - row["days_known"]
        notes.append(
            f"the pay register of {missing} of {row['days']} days was never computed; they count as nothing"
            " (synchronise the months, then calculate again)"
        )
    if row["other_sales"] and Metric.SALES_VALUE in metrics:
        others = ", ".join(f"{amount} {currency}" for currency, amount in sorted(row["other_sales"].items()))
        notes.append(f"sales_value is in {scope.tenant.currency}; sales of {others} are left out")
    return notes


def _to_decimal(number: Any) -> Decimal | None:
    return Decimal(number) if isinstance(number, int) else number
