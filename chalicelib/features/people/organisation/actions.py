"""Writes of branches, departments and divisions."""

from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert, update

from chalicelib import audit
from chalicelib.backing.database import Record
from chalicelib.entry.versions import expect
from chalicelib.features.people.models import branches
from chalicelib.features.people.organisation import queries
from chalicelib.features.periods import periods, working_days
from chalicelib.features.periods.locks import lock_calendar
from chalicelib.identity.scope import Scope

_MOVES_DAYS = {"timezone", "weekend", "own_holidays"}


def add_unit(scope: Scope, table: Table, *, values: dict[str, Any]) -> Record:
    """Make a branch, department, division or shift. Nobody is in it yet, so no day changes."""
    row = (
        scope.session.execute(insert(table).values(tenant_id=scope.tenant_id, **values).returning(table))
        .mappings()
        .one()
    )
    noun = queries.NOUN[table.name]
    audit.record(scope, action=f"{noun}.added", entity_type=noun, entity_id=row["id"], after=values)
    return dict(row)


def change_unit(
    scope: Scope, table: Table, *, unit_id: UUID, given: dict[str, Any], if_match: int | None
) -> tuple[Record, dict[str, Any]]:
    """Change a unit, and give it with what differs now; saying what stands already changes nothing."""
    before = queries.get_unit(scope, table, unit_id, lock=True)
    expect(before, if_match)
    changes = {name: value for name, value in given.items() if before[name] != value}
    if not changes:
        return before, {}
    row = (
        scope.session.execute(
            update(table)
            .where(table.c.tenant_id == scope.tenant_id, table.c.id == unit_id)
            .values(**changes, version=table.c.version + 1)
            .returning(table)
        )
        .mappings()
        .one()
    )
    noun = queries.NOUN[table.name]
    audit.record(
        scope,
        action=f"{noun}.changed",
        entity_type=noun,
        entity_id=unit_id,
        before={name: before[name] for name in changes},
        after=changes,
    )
    return dict(row), changes


def change_branch(scope: Scope, *, branch_id: UUID, given: dict[str, Any], if_match: int | None) -> Record:
    """Change a branch; its calendar is that of open pay periods, and locked ones keep the one they had."""
    lock_calendar(scope)
    row, changes = change_unit(scope, branches, unit_id=branch_id, given=given, if_match=if_match)
    if _MOVES_DAYS & changes.keys():
        working_days.calendar_changed(scope, user_ids=queries.users_of_branch(scope, branch_id))
        periods.touch_all(scope, decide="timezone" in changes)
    return row
