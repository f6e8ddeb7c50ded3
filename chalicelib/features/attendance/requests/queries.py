"""Reads of on-duty and overtime requests."""

from uuid import UUID

from sqlalchemy import select

from chalicelib.backing.database import Record
from chalicelib.entry.paging import page_of
from chalicelib.features.attendance.requests.kinds import RequestKind
from chalicelib.features.attendance.requests.schemas import AttendanceRequestQuery
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound


def get_request(scope: Scope, kind: RequestKind, request_id: UUID, permission: str) -> Record:
    """Return a request of an employee within the permission's reach. Raises NotFound."""
    rows = scope.session.execute(
        select(*kind.columns).where(
            kind.table.c.tenant_id == scope.tenant_id,
            kind.table.c.id == request_id,
            scope.within(permission, kind.table.c.user_id),
        )
    ).mappings()
    if (row := rows.first()) is None:
        raise NotFound(f"There is no such {kind.label}.")
    return dict(row)


def page_of_requests(scope: Scope, kind: RequestKind, query: AttendanceRequestQuery) -> Record:
    """Read one page of the requests of everybody whom the caller may see, oldest first."""
    rows = select(*kind.columns).where(
        kind.table.c.tenant_id == scope.tenant_id, scope.within("requests.read", kind.table.c.user_id)
    )
    if query.user_id:
        people.get_user(scope, query.user_id, "requests.read")
        rows = rows.where(kind.table.c.user_id == query.user_id)
    if query.status:
        rows = rows.where(kind.table.c.status == query.status)
    if query.month:
        period = scope.tenant.period(query.month)
        rows = rows.where(kind.first <= period.end, kind.last >= period.start)
    return page_of(scope, rows, key=kind.table.c.id, query=query)
