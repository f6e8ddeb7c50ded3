"""Reads of jobs and audit rows: newest first, so their pages go down from a key."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import clock
from chalicelib.backing.database import Record
from chalicelib.entry.paging import cursor, position
from chalicelib.features.console.schemas import AuditQuery, JobQuery
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

_JOB = """select id, kind, status, json_build_object('done', done, 'total', total) as progress, parameters,
    result, error, created_at, finished_at from jobs where tenant_id = :tenant_id"""


def get_job(scope: Scope, job_id: UUID) -> Any:
    """Read one job of the tenant, or NotFound."""
    rows = scope.session.execute(text(_JOB + " and id = :id"), {"tenant_id": scope.tenant_id, "id": job_id})
    if (row := rows.mappings().first()) is None:
        raise NotFound("There is no such job.")
    return dict(row)


def page_of_jobs(scope: Scope, query: JobQuery) -> Record:
    """Read one page of jobs, newest first."""
    conditions = {"status": "status = :status", "kind": "kind = :kind"}
    return _page(scope, _JOB, query, conditions=conditions, key="id")


def page_of_audit_logs(scope: Scope, query: AuditQuery) -> Record:
    """Read one page of audit rows, newest first."""
    conditions = {
        "entity_type": "entity_type = :entity_type",
        "entity_id": "entity_id = :entity_id",
        "user_id": "user_id = :user_id",
        "action": "action = :action",
        "from_": "at >= :from_",
        "to": "at < :to",
    }
    moments = {}
    if query.from_:
        moments["from_"] = clock.start_of_day(query.from_, scope.tenant.timezone)
    if query.to:
        moments["to"] = clock.end_of_day(query.to, scope.tenant.timezone)
    rows = """select seq, at, actor, actor_ids, user_id, action, entity_type, entity_id, before, after, ip, agent,
        request_id, encode(hash, 'hex') as hash from audit_logs where tenant_id = :tenant_id"""
    return _page(scope, rows, query, conditions=conditions, key="seq", values=moments)


def _page(
    scope: Scope,
    rows: str,
    query: JobQuery | AuditQuery,
    *,
    conditions: dict[str, str],
    key: str,
    values: dict[str, Any] | None = None,
) -> Record:
    said = {name: value for name in conditions if (value := getattr(query, name)) is not None}
    values = {"tenant_id": scope.tenant_id, "limit": query.limit + 1, **said, **(values or {})}
    where = "".join(f" and {conditions[name]}" for name in said)
    if query.cursor:
        where += f" and {key} < :after"
        values["after"] = position(query.cursor, UUID if key == "id" else int)
    found = scope.session.execute(text(f"{rows}{where} order by {key} desc limit :limit"), values).mappings().all()
    more = len(found) > query.limit
    items = [dict(row) for row in found[: query.limit]]
    return {"items": items, "next_cursor": cursor(items[-1][key]) if more else None}
