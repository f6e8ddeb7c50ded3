"""What the console takes and gives."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from chalicelib.entry.paging import PageQuery
from chalicelib.kernel.moments import Day
from chalicelib.kernel.schema import Output
from chalicelib.kernel.states import JobStatus


class Health(Output):
    """Everything needed for work answers."""

    status: str
    database: str
    queues: str


class JobQuery(PageQuery):
    """Which jobs."""

    status: JobStatus | None = None
    kind: str | None = Field(None, max_length=100)


class AuditQuery(PageQuery):
    """Which audit rows."""

    entity_type: str | None = Field(None, max_length=100)
    entity_id: str | None = Field(None, max_length=100)
    user_id: UUID | None = Field(None, description="the person who acted")
    action: str | None = Field(None, max_length=100, examples=["tenant.changed"])
    from_: Day | None = Field(None, alias="from", description="first day, in the tenant's time zone")
    to: Day | None = Field(None, description="last day, in the tenant's time zone")


class AuditLog(Output):
    """One change: who, what, before, after, and its link in the chain."""

    seq: int
    at: datetime
    actor: str
    actor_ids: list[UUID] | None = Field(
        description="all ids of who acted: their person, login and key, and who made the key; null: nobody's hand"
    )
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
