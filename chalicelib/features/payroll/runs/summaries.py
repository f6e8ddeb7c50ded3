"""The summary of a calculated run, beside the run before: what an approver reads first."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Numeric, Row, Select, func, select, text
from sqlalchemy.dialects.postgresql import array

from chalicelib.features.payroll.components.categories import TOTALS
from chalicelib.features.payroll.components.rules import Component
from chalicelib.features.payroll.runs.models import payslips
from chalicelib.features.payroll.runs.run_rows import PayrollRunRow
from chalicelib.identity.scope import Scope

# how many employees are paid this time and were not before, and the other way round
_JOINED_AND_LEFT = text("""
    select
        (select count(*) from payslips p where p.tenant_id = :tenant_id and p.run_id = :run_id
            and not exists (select from payslips b where b.tenant_id = :tenant_id and b.run_id = :previous_run_id
                and b.user_id = p.user_id)) as joined,
        (select count(*) from payslips b where b.tenant_id = :tenant_id and b.run_id = :previous_run_id
            and not exists (select from payslips p where p.tenant_id = :tenant_id and p.run_id = :run_id
                and p.user_id = b.user_id)) as left""")

_ANOMALIES = text("""
    select anomaly, count(*) from payslips cross join unnest(anomalies) anomaly
    where tenant_id = :tenant_id and run_id = :run_id and anomalies is not null
    group by anomaly order by anomaly""")

# One row per currency, month and component: what its arrears come to over all payslips of the run.
_ARREARS = text("""
    select p.currency, o.month, o.code, max(o.name) as name, o.category, count(*) as people,
        sum(o.amount)::text as amount
    from payslip_one_offs o
    join payslips p on p.tenant_id = :tenant_id and p.run_id = o.run_id and p.user_id = o.user_id
    where o.tenant_id = :tenant_id and o.run_id = :run_id and o.code is not null
    group by p.currency, o.month, o.code, o.category
    order by p.currency, o.month, min(o.number), o.code""")

# no row where the calculation was superseded, or the run cancelled meanwhile
_CONCLUDE = text("""
    update payroll_runs set status = 'calculated', calculated_at = :now, summary = cast(:summary as jsonb)
    where tenant_id = :tenant_id and id = :run_id and calculation = :calculation and status = 'draft'""")


def store_summary(scope: Scope, run: PayrollRunRow, *, previous_run_id: UUID | None) -> dict[str, Any]:
    """Store the summary of a run that is calculated, and mark it so."""
    key = {"tenant_id": scope.tenant_id, "run_id": run.id}
    summary = _sum_up(scope, run, key | {"previous_run_id": previous_run_id})
    scope.session.execute(
        _CONCLUDE, {**key, "calculation": run.calculation, "now": scope.now, "summary": json.dumps(summary)}
    )
    return summary


def summarize_for_job(summary: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a summary that the job's result shows."""
    totals = summary["totals"]
    return {
        "payslips": sum(one["payslips"] for one in totals),
        "net": {one["currency"]: one["net"] for one in totals},
        "anomalies": sum(summary["anomalies"].values()),
    }


def select_totals(scope: Scope, run_id: UUID | None, *columns: Any) -> Select[Any]:
    """Select the sums of a run's payslips, and more columns, as one row per currency, in the order of currencies."""
    net = payslips.c.net
    return (
        select(
            payslips.c.currency,
            func.count().label("payslips"),
            *(func.sum(payslips.c[total]).label(total) for total in (*TOTALS, "net")),
            func.sum(func.greatest(net, 0 * net)).label("pays"),  # 0 * net has the decimals of net
            func.sum(func.greatest(-net, 0 * net)).label("carried"),
            *columns,
        )
        .where(payslips.c.tenant_id == scope.tenant_id, payslips.c.run_id == run_id)
        .group_by(payslips.c.currency)
        .order_by(payslips.c.currency)
    )


def _sum_up(scope: Scope, run: PayrollRunRow, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's summary as it is stored: runs.schemas.Summary as JSON."""
    arrears: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in scope.session.execute(_ARREARS, values).mappings():
        arrears[row["currency"]].append({name: row[name] for name in row if name != "currency"})
    totals = _sum_currencies(scope, run, values["previous_run_id"])
    summary: dict[str, Any] = {
        "totals": [{**total, "arrears": arrears[total["currency"]]} for total in totals],
        "anomalies": {row.anomaly: row.count for row in scope.session.execute(_ANOMALIES, values)},
        "previous_run_id": None,
    }
    if (previous := values["previous_run_id"]) is not None:
        people = scope.session.execute(_JOINED_AND_LEFT, values).one()
        summary |= {"previous_run_id": str(previous), "joined": people.joined, "left": people.left}
    return summary


def _sum_currencies(scope: Scope, run: PayrollRunRow, previous_run_id: UUID | None) -> list[dict[str, Any]]:
    """Return the totals of each currency of a run or of the run before, in the order of currencies."""
    components = run.parse_snapshot().components
    amounts = payslips.c.amounts
    counts = [func.count(amounts[place]) for place in range(1, len(components) + 1)]
    sums = [func.sum(amounts[place]) for place in range(1, len(components) + 1)]
    current = scope.session.execute(
        select_totals(
            scope,
            run.id,
            array[Any](counts, type_=BigInteger).label("people"),
            array[Any](sums, type_=Numeric).label("amounts"),
        )
    ).all()
    previous = scope.session.execute(select_totals(scope, previous_run_id)).all()
    by_currency = {row.currency: row for row in current}
    earlier = {row.currency: row for row in previous}
    return [
        _describe_currency(currency, components, by_currency.get(currency), earlier.get(currency))
        for currency in sorted({*by_currency, *earlier})
    ]


def _describe_currency(
    currency: str, components: Sequence[Component], current: Row[Any] | None, previous: Row[Any] | None
) -> dict[str, Any]:
    """Return one currency's part of the summary as JSON; amounts are text."""
    return {
        "currency": currency,
        "payslips": 0 if current is None else current.payslips,
        **{
            name: "0" if current is None else _to_text(getattr(current, name))
            for name in (*TOTALS, "net", "pays", "carried")
        },
        "previous": None
        if previous is None
        else {"payslips": previous.payslips, "gross": _to_text(previous.gross), "net": _to_text(previous.net)},
        "difference": None
        if previous is None
        else _to_text((Decimal(0) if current is None else current.net) - previous.net),
        "components": []
        if current is None
        else [
            {
                "code": component.code,
                "name": component.name,
                "category": component.category.value,
                "people": people,
                "amount": _to_text(amount),
            }
            for component, people, amount in zip(components, current.people, current.amounts, strict=True)
            if people
        ],
    }


def _to_text(amount: Decimal) -> str:
    return format(amount, "f")
