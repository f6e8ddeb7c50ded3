"""Writes of definitions, and the preview of one."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text, update

from chalicelib import audit, formulas
from chalicelib.backing import rows
from chalicelib.entry.versions import check_version
from chalicelib.features.kpis import rules
from chalicelib.features.kpis.definitions import queries
from chalicelib.features.kpis.definitions.queries import DefinitionRow
from chalicelib.features.kpis.definitions.schemas import KpiPreview, KpiTrace, NewDefinition, NewPreview
from chalicelib.features.kpis.models import kpi_definitions
from chalicelib.features.kpis.rules import Direction, EmployeeSpan, KpiValueKind, MetricType, Source
from chalicelib.features.kpis.scores import calculation as score_calculation
from chalicelib.features.kpis.scores import measurement
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Invalid, Place, invalid

_HAVE_A_DIRECTION = (MetricType.NUMERIC, MetricType.RATING)
_COLUMN_OF_SOURCE = {Source.FORMULA: "formula", Source.SYSTEM: "metric"}
_SHARES = text("""
    select kpi_share(:value, :target, 100, :direction) as achievement,
        kpi_share(:value, :target, :weight, :direction) as weighted""")


@dataclass(frozen=True, slots=True)
class _Draft:
    """The columns of a definition that are checked, before they are written."""

    source: str
    metric_type: str
    metric: str | None = None
    formula: str | None = None
    direction: str = Direction.HIGHER_IS_BETTER
    target: Decimal | None = None
    scale_from: Decimal | None = None
    scale_to: Decimal | None = None


_CHECKED = tuple(field.name for field in fields(_Draft))


def add_definition(scope: Scope, *, new: NewDefinition) -> DefinitionRow:
    """Add something to measure people by."""
    values = _to_columns(new.model_dump())
    values["code"] = new.code or rules.make_code(new.name, queries.list_codes(scope, ""))
    if new.metric_type is MetricType.RATING and new.scale is None:
        values |= {"scale_from": 1, "scale_to": 5}
    if new.metric_type is MetricType.BOOLEAN and new.target is None:
        values["target"] = rules.YES
    _check(_draft_of(values))
    row = rows.one(
        DefinitionRow,
        scope.session.execute(
            insert(kpi_definitions)
            .values(tenant_id=scope.tenant_id, **values, created_by=scope.actor.name, created_at=scope.now)
            .returning(kpi_definitions)
        ),
    )
    audit.record(scope, action="kpi_definition.added", entity_type="kpi_definition", entity_id=row.id, after=values)
    return row


def change_definition(
    scope: Scope, *, definition_id: UUID, patch: dict[str, Any], if_match: int | None
) -> DefinitionRow:
    """Change a definition. Scores of open cycles follow with the next nightly job, others stay."""
    before = queries.get_definition(scope, definition_id, lock=True)
    check_version(before, if_match)
    changes = {name: value for name, value in _to_columns(patch).items() if getattr(before, name) != value}
    if not changes:
        return before
    _check(_draft_of({name: getattr(before, name) for name in _CHECKED} | changes))
    row = rows.one(
        DefinitionRow,
        scope.session.execute(
            update(kpi_definitions)
            .where(kpi_definitions.c.tenant_id == scope.tenant_id, kpi_definitions.c.id == definition_id)
            .values(**changes, version=kpi_definitions.c.version + 1)
            .returning(kpi_definitions)
        ),
    )
    audit.record(
        scope,
        action="kpi_definition.changed",
        entity_type="kpi_definition",
        entity_id=definition_id,
        before={name: getattr(before, name) for name in changes},
        after=changes,
    )
    return row


def preview(scope: Scope, *, new: NewPreview) -> KpiPreview:
    """Compute a formula or metric for a real employee and cycle, as the nightly job would, and write nothing."""
    people.get_user(scope, new.user_id, "kpis.define")
    if (new.formula is None) == (new.metric is None):
        raise invalid("/formula", "say what to try in one way: a formula, or a metric")
    check_cycle(new.cycle_start, new.cycle_end)
    draft = _Draft(
        source=Source.SYSTEM if new.formula is None else Source.FORMULA,
        metric=new.metric,
        formula=new.formula,
        metric_type=new.metric_type,
    )
    _check_source(draft)
    scorer = score_calculation.Scorer(draft)
    last_on = min(new.cycle_end, scope.yesterday())
    span = EmployeeSpan(str(new.user_id), new.cycle_start, last_on)
    measured = measurement.measure(scope, spans=[span], metrics=scorer.names)[span]
    with formulas.exactly():
        scored, trace = scorer.score(measured), scorer.trace(measured)
    shares = scope.session.execute(
        _SHARES, {"value": scored.value, "target": new.target, "weight": new.weight, "direction": new.direction.value}
    ).one()
    return KpiPreview(
        user_id=new.user_id,
        cycle_start=new.cycle_start,
        cycle_end=new.cycle_end,
        as_of=last_on if last_on >= new.cycle_start else None,
        value=scored.value,
        achievement=shares.achievement,
        weighted=shares.weighted,
        inputs=scored.inputs,
        trace=[KpiTrace.model_validate(part) for part in trace],
        warnings=scored.warnings,
        notes=measured.notes,
    )


def check_cycle(start: date, end: date) -> None:
    """Refuse a cycle that ends before it begins, or is too long. Raises Invalid."""
    if end < start:
        raise invalid("/cycle_end", "is before cycle_start")
    if (end - start).days >= rules.LONGEST_CYCLE:
        raise invalid("/cycle_end", f"makes a cycle of more than {rules.LONGEST_CYCLE} days")


def check_target(definition: KpiValueKind, target: Decimal | None) -> None:
    """Refuse a target that a KPI's values cannot be compared with. Raises Invalid."""
    kind, low, high = definition.metric_type, definition.scale_from, definition.scale_to
    if target is None:
        return
    if definition.direction == Direction.LOWER_IS_BETTER and target < 0:
        raise invalid("/target", "is below 0; where lower is better, values are held against a target of 0 or more")
    if kind == MetricType.TEXT:
        raise invalid("/target", "a KPI in words has no target; describe what is expected instead")
    if kind == MetricType.BOOLEAN and target != rules.YES:
        raise invalid("/target", "yes counts 1 and no counts 0, so the target of a boolean KPI is 1; leave it out")
    if kind == MetricType.RATING and low is not None and high is not None and not low <= target <= high:
        raise invalid("/target", f"is not on the scale, which goes from {low} to {high}")


def _to_columns(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return request fields as columns: the ends of the scale have one each."""
    values = {name: value for name, value in sent.items() if name != "scale"}
    for end, column in (("min", "scale_from"), ("max", "scale_to")):
        if end in (sent.get("scale") or {}):
            values[column] = sent["scale"][end]
    return values


def _draft_of(values: Mapping[str, Any]) -> _Draft:
    return _Draft(**{name: values[name] for name in _CHECKED if name in values})


def _check(draft: _Draft) -> None:
    """Refuse a definition whose columns contradict each other. Raises Invalid."""
    _check_source(draft)
    low, high = draft.scale_from, draft.scale_to
    if (low is not None) != (draft.metric_type == MetricType.RATING):
        raise invalid("/scale", "only a rating has a scale")
    if low is not None and high is not None and low >= high:
        raise invalid("/scale/max", "is not above min, so there would be nothing to rate")
    check_target(draft, draft.target)
    if draft.direction == Direction.LOWER_IS_BETTER and draft.metric_type not in _HAVE_A_DIRECTION:
        raise invalid("/direction", "only a number or a rating can be better lower")


def _check_source(draft: _Draft) -> None:
    """Refuse a definition whose source lacks its metric or formula, or cannot have its type. Raises Invalid."""
    source, kind = Source(draft.source), MetricType(draft.metric_type)
    for name, value in (("formula", draft.formula), ("metric", draft.metric)):
        needed = _COLUMN_OF_SOURCE.get(source) == name
        if needed and value is None:
            raise invalid(f"/{name}", f"is missing; it says where the values of the source {source} come from")
        if not needed and value is not None:
            raise invalid(f"/{name}", f"does not belong to the source {source}; leave it out, or choose another source")
    may_be = {
        Source.MANUAL: set(MetricType),
        Source.SYSTEM: {MetricType.NUMERIC},
        Source.FORMULA: {MetricType.NUMERIC, MetricType.BOOLEAN},
    }[source]
    if kind not in may_be:
        raise invalid("/metric_type", f"values of the source {source} are {' or '.join(sorted(may_be))}")
    if draft.formula is not None:
        try:
            score_calculation.check_formula(draft.formula, metric_type=kind)
        except formulas.FormulaError as error:
            detail = f"{error.detail}, at character {error.position + 1}"
            raise Invalid(
                f"The formula is wrong: {detail}.", [Place("/formula", f"{detail}:\n{error.pointed}")]
            ) from None
