"""The nightly job of KPIs: every employee's scores as of yesterday, and reminders of values that are missing.

A night computes anew and never adds, so it may come twice, late, or after one that was killed anywhere: what it writes
depends on the day it is for, the facts, and nothing else. Days that are over count. A cycle is calculated until it is
settled (rules.SETTLING_DAYS after its end), because sales are decided and days corrected late; one that missed its
end is calculated whenever the next night comes.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from itertools import groupby
from typing import Any

from chalice import Blueprint
from sqlalchemy import select, text

from chalicelib import audit, formulas
from chalicelib.backing.database import Record, statement
from chalicelib.entry.messages import consumes, scheduled
from chalicelib.features.kpis import rules
from chalicelib.features.kpis.models import kpi_definitions
from chalicelib.features.kpis.rules import EmployeeSpan, Measured, Scored
from chalicelib.features.kpis.scores import calculation, measurement, reminders
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.jobs import nightly, progress
from chalicelib.jobs.nightly import ChunkResult, NightlyRun
from chalicelib.jobs.progress import JobChunk

QUEUE = "kpi"
UNREADABLE = "the formula cannot be read any more; save it again"

_DUE, _RESCORE = statement(__file__, "due"), statement(__file__, "rescore")
_WRITE = text(statement(__file__, "write"))


class KpiScoresJob(nightly.ChunkedNightlyJob):
    """Calculate the scores of every cycle that is on or not settled; by three the register of yesterday is computed."""

    kind = queue = QUEUE
    starts_at = time(3)
    days_back = 1
    candidates = statement(__file__, "candidates")

    def request(self, scope: Scope, *, as_of: date | None) -> NightlyRun:
        """Ask for a night, as an operator does: yesterday's, or that of a day of their choice that is over."""
        run = super().request(scope, as_of=as_of)
        audit.record(
            scope, action="kpi.requested", entity_type="kpi", entity_id=run.as_of, after={"job_id": run.job_id}
        )
        return run

    def explain_future(self, scope: Scope, as_of: date) -> str:
        """Say that the day is not over."""
        latest = self.latest_day(scope)
        return f"{as_of} is not over in {scope.tenant.timezone}; the last day that is, is {latest}"

    def candidate_values(self, run: NightlyRun) -> Mapping[str, Any]:
        """Return the parameters of candidates.sql."""
        return {"as_of": run.as_of, "settling": rules.SETTLING_DAYS, "widest": max(rules.REMINDER_DAYS) + 1}

    def do_chunk(self, scope: Scope, run: NightlyRun, chunk: JobChunk) -> ChunkResult:
        """Calculate the scores of a chunk, and remind of missing values."""
        employee_filter = EmployeeFilter.range(chunk.first_user_id, chunk.last_user_id)
        scores, changed = calculate(scope, as_of=run.as_of, employee_filter=employee_filter)
        notified = reminders.remind(scope, today=scope.today(), employee_filter=employee_filter)
        return ChunkResult(changed, {"scores": scores, "told": notified})

    def summarize(self, scope: Scope, run: NightlyRun, counts: Mapping[str, Any]) -> dict[str, Any]:
        """Return how many scores were calculated, people notified, and rows changed."""
        changed = progress.sum_changed(scope, run.job_id)
        return {"as_of": run.as_of, "scores": 0, "told": 0, **counts, "changed": changed}


JOB = nightly.register(KpiScoresJob())
blueprint = Blueprint(__name__)


@scheduled(blueprint, nightly.EVERY_ROUND, name=JOB.kind)
def send_due_tenants(*, now: datetime) -> int:
    """Send one message for each tenant whose yesterday is not calculated yet."""
    return JOB.send_due_tenants(now)


@consumes(blueprint, QUEUE, batch_size=1, when_failed=progress.fail)
def calculate_kpi_scores(scope: Scope, *, message: dict[str, Any]) -> None:
    """Do a night, or a chunk of one; one that is done already is not done again."""
    JOB.process(scope, message)


def calculate(scope: Scope, *, as_of: date, employee_filter: EmployeeFilter) -> tuple[int, int]:
    """Calculate the scores of some people as of a day, and count them, and those that changed."""
    values = {**employee_filter.values, "tenant_id": scope.tenant_id, "as_of": as_of, "settling": rules.SETTLING_DAYS}
    due = scope.session.execute(text(employee_filter.put_into(_DUE)), values).mappings().all()
    scored = list(_scored(scope, due))
    changed = 0
    if scored:
        said = [
            {"assignment_id": row["assignment_id"], "value": one.value, "explanation": why, "as_of": row["last_on"]}
            for row, one, why in scored
        ]
        changed = scope.session.execute(
            _WRITE, {"tenant_id": scope.tenant_id, "now": scope.now, "scores": json.dumps(said, default=str)}
        ).rowcount
    changed += scope.session.execute(text(employee_filter.put_into(_RESCORE)), {**values, "now": scope.now}).rowcount
    return len(scored), changed


def _scored(scope: Scope, due: Iterable[Record]) -> Iterable[tuple[Record, Scored, dict[str, Any]]]:
    """Score what is due, with what explains it; each definition is compiled once."""
    by_definition = {id_: list(rows) for id_, rows in groupby(due, key=lambda row: row["definition_id"])}
    table = kpi_definitions
    found = scope.session.execute(
        select(table).where(table.c.tenant_id == scope.tenant_id, table.c.id.in_(by_definition))
    ).mappings()
    definitions = {row["id"]: row for row in found}
    scorers = {id_: _scorer(row) for id_, row in definitions.items()}
    metrics = {name for scorer in scorers.values() if scorer for name in scorer.names}
    measured = measurement.measure(
        scope, spans=[_span(row) for rows in by_definition.values() for row in rows], metrics=metrics
    )
    with formulas.exactly():
        for id_, rows in by_definition.items():
            formula, scorer = definitions[id_]["formula"], scorers[id_]
            for row in rows:
                of_person = measured[_span(row)]
                if scorer is None:
                    one, of_person = Scored(None, {}, [UNREADABLE]), Measured({})
                else:
                    one = scorer.score(of_person)
                yield row, one, calculation.explanation(formula, one, of_person)


def _scorer(definition: Record) -> calculation.Scorer | None:
    try:
        return calculation.Scorer(definition)
    except formulas.FormulaError:
        return None  # it was checked when it was saved, by an older language: told on its scores, and no other's matter


def _span(row: Record) -> EmployeeSpan:
    return EmployeeSpan(str(row["user_id"]), row["first_on"], row["last_on"])
