"""Writes of definitions, and trying one before it is kept."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text, update

from chalicelib import audit, formulas
from chalicelib.backing.database import Record
from chalicelib.entry.versions import check_version
from chalicelib.features.kpis import rules
from chalicelib.features.kpis.definitions import queries
from chalicelib.features.kpis.definitions.schemas import NewDefinition, NewPreview
from chalicelib.features.kpis.models import kpi_definitions
from chalicelib.features.kpis.rules import Direction, EmployeeSpan, MetricType, Source
from chalicelib.features.kpis.scores import calculation as score_calculation
from chalicelib.features.kpis.scores import measurement
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Invalid, Place, invalid

_HAVE_A_DIRECTION = (MetricType.NUMERIC, MetricType.RATING)
_OF_SOURCE = {Source.FORMULA: "formula", Source.SYSTEM: "metric"}
_SHARES = text("""
    select kpi_share(:value, :target, 100, :direction) as achievement,
        kpi_share(:value, :target, :weight, :direction) as weighted""")


def add(scope: Scope, *, new: NewDefinition) -> Record:
    """Add something to measure people by."""
    values = _stored(new.model_dump())
    values["code"] = new.code or rules.code_of(new.name, queries.codes_like(scope, ""))
    if new.metric_type is MetricType.RATING and new.scale is None:
        values |= {"scale_from": 1, "scale_to": 5}
    if new.metric_type is MetricType.BOOLEAN and new.target is None:
        values["target"] = rules.YES
    _check(values)
    row = (
        scope.session.execute(
            insert(kpi_definitions)
            .values(tenant_id=scope.tenant_id, **values, created_by=scope.actor.name, created_at=scope.now)
            .returning(kpi_definitions)
        )
        .mappings()
        .one()
    )
    audit.record(scope, action="kpi_definition.added", entity_type="kpi_definition", entity_id=row["id"], after=values)
    return queries.shown(dict(row))


def change(scope: Scope, *, definition_id: UUID, given: dict[str, Any], if_match: int | None) -> Record:
    """Change a definition. Scores of cycles that are on follow with the next night, others stay."""
    before = queries.get_definition(scope, definition_id, lock=True)
    check_version(before, if_match)
    changes = {name: value for name, value in _stored(given).items() if before[name] != value}
    if not changes:
        return queries.shown(before)
    _check({**before, **changes})
    row = (
        scope.session.execute(
            update(kpi_definitions)
            .where(kpi_definitions.c.tenant_id == scope.tenant_id, kpi_definitions.c.id == definition_id)
            .values(**changes, version=kpi_definitions.c.version + 1)
            .returning(kpi_definitions)
        )
        .mappings()
        .one()
    )
    audit.record(
        scope,
        action="kpi_definition.changed",
        entity_type="kpi_definition",
        entity_id=definition_id,
        before={name: before[name] for name in changes},
        after=changes,
    )
    return queries.shown(dict(row))


def preview(scope: Scope, *, new: NewPreview) -> Record:
    """Compute a formula or metric for a real person and cycle, as a night would, and write nothing."""
    people.get_user(scope, new.user_id, "kpis.define")
    if (new.formula is None) == (new.metric is None):
        raise invalid("/formula", "say what to try in one way: a formula, or a metric")
    check_cycle(new.cycle_start, new.cycle_end)
    tried = {
        "source": Source.SYSTEM if new.formula is None else Source.FORMULA,
        "metric": new.metric,
        "formula": new.formula,
        "metric_type": new.metric_type,
    }
    _check_source(tried)
    scorer = score_calculation.Scorer(tried)
    last_on = min(new.cycle_end, scope.yesterday())
    span = EmployeeSpan(str(new.user_id), new.cycle_start, last_on)
    measured = measurement.measure(scope, spans=[span], metrics=scorer.names)[span]
    with formulas.exactly():
        scored, trace = scorer.score(measured), scorer.trace(measured)
    shares = scope.session.execute(
        _SHARES, {"value": scored.value, "target": new.target, "weight": new.weight, "direction": new.direction.value}
    ).one()
    return {
        **new.model_dump(include={"user_id", "cycle_start", "cycle_end"}),
        "as_of": last_on if last_on >= new.cycle_start else None,
        "value": scored.value,
        "inputs": scored.inputs,
        "warnings": scored.warnings,
        "notes": measured.notes,
        "achievement": shares.achievement,
        "weighted": shares.weighted,
        "trace": [{"expression": one.expression, "value": one.value, "warning": one.warning} for one in trace],
    }


def check_cycle(start: date, end: date) -> None:
    """Refuse a cycle that ends before it begins, or is longer than there may be."""
    if end < start:
        raise invalid("/cycle_end", "is before cycle_start")
    if (end - start).days >= rules.LONGEST_CYCLE:
        raise invalid("/cycle_end", f"makes a cycle of more than {rules.LONGEST_CYCLE} days")


def check_target(definition: Record, target: Any) -> None:
    """Refuse a target that values of a KPI cannot be held against."""
    kind = definition["metric_type"]
    if target is None:
        return
    if definition["direction"] == Direction.LOWER_IS_BETTER and target < 0:
        raise invalid("/target", "is below 0; where lower is better, values are held against a target of 0 or more")
    if kind == MetricType.TEXT:
        raise invalid("/target", "a KPI in words has no target; describe what is expected instead")
    if kind == MetricType.BOOLEAN and target != rules.YES:
        raise invalid("/target", "yes counts 1 and no counts 0, so the target of a boolean KPI is 1; leave it out")
    if kind == MetricType.RATING and not definition["scale_from"] <= target <= definition["scale_to"]:
        raise invalid(
            "/target", f"is not on the scale, which goes from {definition['scale_from']} to {definition['scale_to']}"
        )


def _stored(said: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in said.items() if name != "scale"}
    for end, column in (("min", "scale_from"), ("max", "scale_to")):
        if end in (said.get("scale") or {}):
            values[column] = said["scale"][end]
    return values


def _check(values: Record) -> None:
    _check_source(values)
    if (values.get("scale_from") is not None) != (values["metric_type"] == MetricType.RATING):
        raise invalid("/scale", "only a rating has a scale")
    if values.get("scale_from") is not None and values["scale_from"] >= values["scale_to"]:
        raise invalid("/scale/max", "is not above min, so there would be nothing to rate")
    check_target(values, values["target"])
    if values["direction"] == Direction.LOWER_IS_BETTER and values["metric_type"] not in _HAVE_A_DIRECTION:
        raise invalid("/direction", "only a number or a rating can be better lower")


def _check_source(values: Record) -> None:
    source, kind = Source(values["source"]), MetricType(values["metric_type"])
    for name in ("formula", "metric"):
        needed = _OF_SOURCE.get(source) == name
        if needed and values[name] is None:
            raise invalid(f"/{name}", f"is missing; it says where the values of the source {source} come from")
        if not needed and values[name] is not None:
            raise invalid(f"/{name}", f"does not belong to the source {source}; leave it out, or choose another source")
    may_be = {
        Source.MANUAL: set(MetricType),
        Source.SYSTEM: {MetricType.NUMERIC},
        Source.FORMULA: {MetricType.NUMERIC, MetricType.BOOLEAN},
    }[source]
    if kind not in may_be:
        raise invalid("/metric_type", f"values of the source {source} are {' or '.join(sorted(may_be))}")
    if source is Source.FORMULA:
        try:
            score_calculation.check(values["formula"], metric_type=kind)
        except formulas.FormulaError as error:
            told = f"{error.detail}, at character {error.position + 1}"
            raise Invalid(f"The formula is wrong: {told}.", [Place("/formula", f"{told}:\n{error.pointed}")]) from None
