"""Reads of jobs and audit rows: newest first, so their pages go down from a key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, DateTime, Select, Text, Uuid, column, literal_column, select, table

from chalicelib.backing import clock, rows
from chalicelib.entry.paging import PageQuery, RowPage, decode_cursor, encode_cursor
from chalicelib.features.console.schemas import AuditQuery, JobQuery
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

T = TypeVar("T")

# tables of features.jobs and audit, which have no models: they are written by SQL alone
_JOBS = table(
    "jobs",
    column("tenant_id", Uuid),
    column("id", Uuid),
    column("kind", Text),
    column("status", Text),
    *(column(name) for name in ("done", "total", "parameters", "result", "error", "created_at", "finished_at")),
)
_AUDIT_LOGS = table(
    "audit_logs",
    column("tenant_id", Uuid),
    column("user_id", Uuid),
    column("seq", BigInteger),
    column("at", DateTime(timezone=True)),
    *(column(name, Text) for name in ("action", "entity_type", "entity_id")),
    *(column(name) for name in ("actor", "actor_ids", "before", "after", "ip", "agent", "request_id")),
)


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How many of a job's units are done."""

    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class _JobColumns:
    """The columns of a job that are read."""

    id: UUID
    kind: str
    status: str
    done: int
    total: int | None
    parameters: Any
    result: Any
    error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job with its progress; parameters and result are JSON documents of its kind."""

    id: UUID
    kind: str
    status: str
    progress: JobProgress
    parameters: Any
    result: Any
    error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row of the audit log; before and after are JSON documents."""

    seq: int
    at: datetime
    actor: str
    actor_ids: list[UUID] | None
    user_id: UUID | None
    action: str
    entity_type: str
    entity_id: str
    before: Any
    after: Any
    ip: str | None
    agent: str | None
    request_id: str | None
    hash: str


_SELECT_AUDIT = select(_AUDIT_LOGS, literal_column("encode(hash, 'hex')").label("hash"))


def get_job(scope: Scope, job_id: UUID) -> JobDetails:
    """Return one job of the tenant, or raise NotFound."""
    select_job = select(_JOBS).where(_JOBS.c.tenant_id == scope.tenant_id, _JOBS.c.id == job_id)
    if (job := rows.first(_JobColumns, scope.session.execute(select_job))) is None:
        raise NotFound("There is no such job.")
    return _details(job)


def page_of_jobs(scope: Scope, query: JobQuery) -> RowPage[JobDetails]:
    """Read one page of jobs, newest first."""
    conditions = [_JOBS.c.tenant_id == scope.tenant_id]
    if query.status is not None:
        conditions.append(_JOBS.c.status == query.status)
    if query.kind is not None:
        conditions.append(_JOBS.c.kind == query.kind)
    return _page(scope, select(_JOBS), conditions, kind=_JobColumns, key=_JOBS.c.id, key_type=UUID, query=query).map(
        _details
    )


def page_of_audit_logs(scope: Scope, query: AuditQuery) -> RowPage[AuditRow]:
    """Read one page of audit rows, newest first."""
    conditions = [_AUDIT_LOGS.c.tenant_id == scope.tenant_id]
    for name in ("entity_type", "entity_id", "user_id", "action"):
        if (value := getattr(query, name)) is not None:
            conditions.append(_AUDIT_LOGS.c[name] == value)
    if query.from_:
        conditions.append(_AUDIT_LOGS.c.at >= clock.start_of_day(query.from_, scope.tenant.timezone))
    if query.to:
        conditions.append(_AUDIT_LOGS.c.at < clock.end_of_day(query.to, scope.tenant.timezone))
    return _page(scope, _SELECT_AUDIT, conditions, kind=AuditRow, key=_AUDIT_LOGS.c.seq, key_type=int, query=query)


def _page(
    scope: Scope,
    select_rows: Select[Any],
    conditions: Sequence[ColumnElement[bool]],
    *,
    kind: type[T],
    key: ColumnElement[Any],
    key_type: type,
    query: PageQuery,
) -> RowPage[T]:
    """Read one page in the descending order of a unique key, which is a field of the row's kind."""
    select_rows = select_rows.where(*conditions).order_by(key.desc()).limit(query.limit + 1)
    if query.cursor:
        select_rows = select_rows.where(key < decode_cursor(query.cursor, key_type))
    read = rows.every(kind, scope.session.execute(select_rows))
    items = read[: query.limit]
    next_cursor = encode_cursor(getattr(items[-1], str(key.key))) if len(read) > query.limit else None
    return RowPage(items, next_cursor)


def _details(job: _JobColumns) -> JobDetails:
    """Nest the progress of a job."""
    return JobDetails(
        id=job.id,
        kind=job.kind,
        status=job.status,
        progress=JobProgress(job.done, job.total),
        parameters=job.parameters,
        result=job.result,
        error=job.error,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
