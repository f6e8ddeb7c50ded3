"""What a calculated run comes to, beside the run before: what somebody reads before approving it."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import Record, statement
from chalicelib.features.payroll.runs.snapshot import CalculationSnapshot
from chalicelib.identity.scope import Scope

_SUMMARY = statement(__file__, "summary")

# who is paid this time and was not before, the other way round, and what somebody should look at
_PEOPLE = text("""
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

# a calculation that was overtaken, or a run cancelled meanwhile, says nothing
_CONCLUDE = text("""
    update payroll_runs set status = 'calculated', calculated_at = :now, summary = cast(:summary as jsonb)
    where tenant_id = :tenant_id and id = :run_id and calculation = :calculation and status = 'draft'""")


def conclude(scope: Scope, run: Record, *, previous_run_id: UUID | None) -> dict[str, Any]:
    """Sum up a run that is calculated, and mark it so."""
    key = {"tenant_id": scope.tenant_id, "run_id": run["id"]}
    summary = _summed(scope, run, key | {"previous_run_id": previous_run_id})
    scope.session.execute(
        _CONCLUDE, {**key, "calculation": run["calculation"], "now": scope.now, "summary": json.dumps(summary)}
    )
    return summary


def headline(summary: dict[str, Any]) -> dict[str, Any]:
    """Return the little of it that a job tells."""
    totals = summary["totals"]
    return {
        "payslips": sum(one["payslips"] for one in totals),
        "net": {one["currency"]: one["net"] for one in totals},
        "anomalies": sum(summary["anomalies"].values()),
    }


def _summed(scope: Scope, run: Record, values: dict[str, Any]) -> dict[str, Any]:
    components = CalculationSnapshot.from_json(run["plan"]).components
    places = range(1, len(components) + 1)
    summary_of = _SUMMARY.replace("{people}", ", ".join(f"count(amounts[{at}])" for at in places)).replace(
        "{amounts}", ", ".join(f"sum(amounts[{at}])" for at in places)
    )
    totals = [row.said for row in scope.session.execute(text(summary_of), values)]
    for one in totals:
        for part in one["components"]:
            component = components[part.pop("place") - 1]
            part |= {"code": component.code, "name": component.name, "category": component.category.value}
        one["arrears"] = []
    by_currency = {one["currency"]: one["arrears"] for one in totals}
    for row in scope.session.execute(_ARREARS, values).mappings():
        by_currency[row["currency"]].append({name: row[name] for name in row if name != "currency"})
    anomalies = {row.anomaly: row.count for row in scope.session.execute(_ANOMALIES, values)}
    summary: dict[str, Any] = {"totals": totals, "anomalies": anomalies, "previous_run_id": None}
    if (previous := values["previous_run_id"]) is not None:
        people = scope.session.execute(_PEOPLE, values).one()
        summary |= {"previous_run_id": str(previous), "joined": people.joined, "left": people.left}
    return summary
