"""The nightly job of KPIs: every employee's scores as of yesterday, and reminders of values that are missing.

A run recomputes and never adds, so it may come twice, late, or after one that was killed anywhere: what it writes
depends on the day it is for and the facts, and on nothing else. Days that are over count. A cycle is calculated until
rules.SETTLING_DAYS after its end, because sales are decided and days corrected late; one whose end was missed is
calculated by the next run.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby
from typing import Any
from uuid import UUID

from chalice import Blueprint
from sqlalchemy import select, text

from chalicelib import audit, formulas
from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.entry.messages import consumes, scheduled
from chalicelib.features.kpis import rules
from chalicelib.features.kpis.definitions.queries import DefinitionRow
from chalicelib.features.kpis.models import kpi_definitions
from chalicelib.features.kpis.rules import EmployeeSpan, Measurement, ScoredValue
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


@dataclass(frozen=True, slots=True)
class DueScore:
    """An assignment whose score is to be calculated, and the days that count."""

    assignment_id: UUID
    definition_id: UUID
    user_id: UUID
    first_on: date
    last_on: date


class KpiScoresJob(nightly.ChunkedNightlyJob):
    """Calculate the scores of every open cycle, at three: by then the register of yesterday is computed."""

    kind = queue = QUEUE
    starts_at = time(3)
    days_back = 1
    candidates = statement(__file__, "candidates")

    def request(self, scope: Scope, *, as_of: date | None) -> NightlyRun:
        """Request a run, as an operator does: as of yesterday, or as of an earlier day."""
        run = super().request(scope, as_of=as_of)
        audit.record(
            scope, action="kpi.requested", entity_type="kpi", entity_id=run.as_of, after={"job_id": run.job_id}
        )
        return run

    def explain_future(self, scope: Scope, as_of: date) -> str:
        """Explain that the day is not over."""
        latest = self.latest_day(scope)
        return f"{as_of} is not over in {scope.tenant.timezone}; the last day that is, is {latest}"

    def candidate_values(self, run: NightlyRun) -> Mapping[str, Any]:
        """Return the parameters of candidates.sql."""
        return {"as_of": run.as_of, "settling": rules.SETTLING_DAYS, "widest": max(rules.REMINDER_DAYS) + 1}

    def do_chunk(self, scope: Scope, run: NightlyRun, chunk: JobChunk) -> ChunkResult:
        """Calculate the scores of a chunk, and send reminders of missing values."""
        employee_filter = EmployeeFilter.range(chunk.first_user_id, chunk.last_user_id)
        scores, changed = calculate(scope, as_of=run.as_of, employee_filter=employee_filter)
        notified = reminders.send_reminders(scope, today=scope.today(), employee_filter=employee_filter)
        return ChunkResult(changed, {"scores": scores, "told": notified})

    def summarize(self, scope: Scope, run: NightlyRun, counts: Mapping[str, Any]) -> dict[str, Any]:
        """Return how many scores were calculated, reminders sent, and rows changed."""
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
    """Begin a run, or do a chunk of one; what is done already is not done again."""
    JOB.process(scope, message)


def calculate(scope: Scope, *, as_of: date, employee_filter: EmployeeFilter) -> tuple[int, int]:
    """Calculate the scores of some employees as of a day; return how many, and how many rows changed."""
    values = {**employee_filter.values, "tenant_id": scope.tenant_id, "as_of": as_of, "settling": rules.SETTLING_DAYS}
    due = rows.every(DueScore, scope.session.execute(text(employee_filter.put_into(_DUE)), values))
    scored = list(_score_due(scope, due))
    changed = 0
    if scored:
        documents = [
            {"assignment_id": row.assignment_id, "value": value.value, "explanation": explanation, "as_of": row.last_on}
            for row, value, explanation in scored
        ]
        changed = scope.session.execute(
            _WRITE, {"tenant_id": scope.tenant_id, "now": scope.now, "scores": json.dumps(documents, default=str)}
        ).rowcount
    changed += scope.session.execute(text(employee_filter.put_into(_RESCORE)), {**values, "now": scope.now}).rowcount
    return len(scored), changed


def _score_due(
    scope: Scope, due: Iterable[DueScore]
) -> Iterable[tuple[DueScore, ScoredValue, calculation.Explanation]]:
    """Score what is due, with its explanation; each definition is compiled once."""
    by_definition = {id_: list(of_one) for id_, of_one in groupby(due, key=lambda row: row.definition_id)}
    table = kpi_definitions
    result = scope.session.execute(
        select(table).where(table.c.tenant_id == scope.tenant_id, table.c.id.in_(by_definition))
    )
    definitions = {row.id: row for row in rows.every(DefinitionRow, result)}
    scorers = {id_: _make_scorer(row) for id_, row in definitions.items()}
    metrics = {name for scorer in scorers.values() if scorer for name in scorer.names}
    measurements = measurement.measure(
        scope, spans=[_span_of(row) for of_one in by_definition.values() for row in of_one], metrics=metrics
    )
    with formulas.exactly():
        for id_, of_one in by_definition.items():
            formula, scorer = definitions[id_].formula, scorers[id_]
            for row in of_one:
                measured = measurements[_span_of(row)]
                if scorer is None:
                    value, measured = ScoredValue(None, {}, [UNREADABLE]), Measurement({})
                else:
                    value = scorer.score(measured)
                yield row, value, calculation.explain(formula, value, measured)


def _make_scorer(definition: DefinitionRow) -> calculation.Scorer | None:
    """Compile a definition, or return None where it cannot be compiled any more.

    It was checked when it was saved, by an older version of the language; its own scores say so, and others go on.
    """
    try:
        return calculation.Scorer(definition)
    except formulas.FormulaError:
        return None


def _span_of(row: DueScore) -> EmployeeSpan:
    return EmployeeSpan(str(row.user_id), row.first_on, row.last_on)
