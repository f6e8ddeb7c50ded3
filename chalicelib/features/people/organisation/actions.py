"""Writes of branches, departments and divisions."""

from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert, update

from chalicelib import audit
from chalicelib.backing import rows
from chalicelib.entry.versions import check_version
from chalicelib.features.people.models import branches
from chalicelib.features.people.organisation import queries
from chalicelib.features.people.organisation.queries import UnitRow
from chalicelib.features.periods import periods, working_days
from chalicelib.features.periods.locks import lock_calendar
from chalicelib.identity.scope import Scope

_MOVES_DAYS = {"timezone", "weekend", "own_holidays"}


def add_unit(scope: Scope, table: Table, *, values: dict[str, Any]) -> UnitRow:
    """Add a branch, department, division or shift. Nobody is in it yet, so no day changes."""
    unit = rows.one(
        queries.ROW[table.name],
        scope.session.execute(insert(table).values(tenant_id=scope.tenant_id, **values).returning(table)),
    )
    noun = queries.NOUN[table.name]
    audit.record(scope, action=f"{noun}.added", entity_type=noun, entity_id=unit.id, after=values)
    return unit


def change_unit(
    scope: Scope, table: Table, *, unit_id: UUID, patch: dict[str, Any], if_match: int | None
) -> tuple[UnitRow, dict[str, Any]]:
    """Change a unit, and return it with the values that differ; values it has already change nothing."""
    before = queries.get_unit(scope, table, unit_id, lock=True)
    check_version({"version": before.version}, if_match)
    changes = {name: value for name, value in patch.items() if getattr(before, name) != value}
    if not changes:
        return before, {}
    unit = rows.one(
        queries.ROW[table.name],
        scope.session.execute(
            update(table)
            .where(table.c.tenant_id == scope.tenant_id, table.c.id == unit_id)
            .values(**changes, version=table.c.version + 1)
            .returning(table)
        ),
    )
    noun = queries.NOUN[table.name]
    audit.record(
        scope,
        action=f"{noun}.changed",
        entity_type=noun,
        entity_id=unit_id,
        before={name: getattr(before, name) for name in changes},
        after=changes,
    )
    return unit, changes


def change_branch(scope: Scope, *, branch_id: UUID, patch: dict[str, Any], if_match: int | None) -> UnitRow:
    """Change a branch; open pay periods follow its new calendar, and locked ones keep the calendar they had."""
    lock_calendar(scope)
    branch, changes = change_unit(scope, branches, unit_id=branch_id, patch=patch, if_match=if_match)
    if _MOVES_DAYS & changes.keys():
        working_days.calendar_changed(scope, user_ids=queries.list_users_of_branch(scope, branch_id))
        periods.touch_all(scope, decide="timezone" in changes)
    return branch
