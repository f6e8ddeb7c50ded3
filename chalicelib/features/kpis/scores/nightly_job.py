"""The nights on which KPIs are calculated: everybody's, in chunks of people, each chunk one transaction.

A night computes anew and never adds, so it may come twice, late, or after one that was killed anywhere: what it writes
depends on the day it is for, the facts, and nothing else. Days that are over count. A cycle is calculated until it is
settled (rules.SETTLING_DAYS after its end), because sales are decided and days corrected late; one that missed its
end is calculated whenever the next night comes.
"""

import json
from collections.abc import Iterable
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chalicelib import audit, formulas
from chalicelib.backing import clock
from chalicelib.backing.database import Record, statement
from chalicelib.features.kpis import rules
from chalicelib.features.kpis.models import kpi_definitions
from chalicelib.features.kpis.rules import EmployeeSpan, Measured, Scored
from chalicelib.features.kpis.scores import calculation, measurement, reminders
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.jobs.progress import CHUNK_EMPLOYEES, JobChunk
from chalicelib.kernel.errors import invalid

QUEUE = NIGHT = "kpi"
UNREADABLE = "the formula cannot be read any more; save it again"

_DUE, _RESCORE = statement(__file__, "due"), statement(__file__, "rescore")
_CHUNKS, _WRITE = text(statement(__file__, "chunks")), text(statement(__file__, "write"))
_COUNT = text("""
    update jobs set result = jsonb_build_object(
        'scores', coalesce((result ->> 'scores')::integer, 0) + :scores,
        'told', coalesce((result ->> 'told')::integer, 0) + :told)
    where tenant_id = :tenant_id and id = :job_id""")
_COUNTED = text("select coalesce(result, '{}') from jobs where tenant_id = :tenant_id and id = :job_id")
_DONE = text("""
    insert into nightly_runs as n (tenant_id, kind, done_on) values (:tenant_id, :kind, :as_of)
    on conflict (tenant_id, kind) do update set done_on = greatest(n.done_on, excluded.done_on)""")


def request(scope: Scope, *, as_of: date | None) -> UUID:
    """Ask for a night, as an operator does: yesterday's, or that of a day of their choice that is over."""
    yesterday = scope.yesterday()
    if as_of is not None and as_of > yesterday:
        raise invalid("/date", f"{as_of} is not over in {scope.tenant.timezone}; the last day that is, is {yesterday}")
    as_of = as_of or yesterday
    job_id = progress.create(scope, kind=NIGHT, parameters={"as_of": as_of})
    scope.send(QUEUE, [{"job_id": str(job_id), "as_of": as_of.isoformat()}])
    audit.record(scope, action="kpi.requested", entity_type="kpi", entity_id=as_of, after={"job_id": job_id})
    return job_id


def begin(scope: Scope, *, job_id: UUID | None, as_of: date | None) -> None:
    """Begin a night: asked for by somebody, or due by the schedule.

    The schedule's message says no date: whenever it arrives, late or twice, yesterday is what counts, once. One chunk
    is done at once, more are sent as messages.
    """
    if as_of is None:
        as_of = scope.yesterday()
        job_id = progress.claim(scope, kind=NIGHT, key=f"{NIGHT}:{as_of}", parameters={"as_of": as_of})
    if job_id is None or progress.is_over(scope, job_id):
        return
    rows = scope.session.execute(
        _CHUNKS,
        {
            "tenant_id": scope.tenant_id,
            "as_of": as_of,
            "settling": rules.SETTLING_DAYS,
            "widest": max(rules.REMINDER_DAYS) + 1,
            "size": CHUNK_EMPLOYEES,
        },
    )
    chunks = [JobChunk(*row) for row in rows]
    progress.fan_out(
        scope,
        job_id,
        chunks=chunks,
        queue=QUEUE,
        message={"as_of": as_of.isoformat()},
        do=lambda chunk: do_chunk(scope, job_id=job_id, as_of=as_of, chunk=chunk),
        finish=lambda: _finish(scope, job_id, as_of),
    )


def do_chunk(scope: Scope, *, job_id: UUID, as_of: date, chunk: JobChunk) -> None:
    """Do a night for some people, and finish the job with its last chunk."""
    employee_filter = EmployeeFilter.range(chunk.first_user_id, chunk.last_user_id)
    scores, changed = calculate(scope, as_of=as_of, employee_filter=employee_filter)
    told = reminders.remind(
        scope, today=clock.local_day(scope.now, scope.tenant.timezone), employee_filter=employee_filter
    )
    scope.session.execute(_COUNT, {"scores": scores, "told": told, "tenant_id": scope.tenant_id, "job_id": job_id})
    if progress.finish_chunk(scope, job_id, number=chunk.number, changed=changed):
        _finish(scope, job_id, as_of)


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


def _finish(scope: Scope, job_id: UUID, as_of: date) -> None:
    scope.session.execute(_DONE, {"tenant_id": scope.tenant_id, "kind": NIGHT, "as_of": as_of})
    counted = scope.session.execute(_COUNTED, {"tenant_id": scope.tenant_id, "job_id": job_id}).scalar_one()
    changed = progress.sum_changed(scope, job_id)
    progress.finish(scope, job_id, result={"as_of": as_of, "scores": 0, "told": 0, **counted, "changed": changed})
