"""Reads of on-duty and overtime requests."""

from uuid import UUID

from sqlalchemy import select

from chalicelib.backing import rows
from chalicelib.entry.paging import RowPage, page_rows
from chalicelib.features.attendance.requests.kinds import R, RequestKind
from chalicelib.features.attendance.requests.schemas import AttendanceRequestQuery
from chalicelib.features.people.users import queries as people
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound


def get_request(scope: Scope, kind: RequestKind[R], request_id: UUID, permission: str) -> R:
    """Return a request of an employee within the permission's reach. Raises NotFound."""
    requests = scope.session.execute(
        select(*kind.columns).where(
            kind.table.c.tenant_id == scope.tenant_id,
            kind.table.c.id == request_id,
            scope.within(permission, kind.table.c.user_id),
        )
    )
    if (row := rows.first(kind.row, requests)) is None:
        raise NotFound(f"There is no such {kind.label}.")
    return row


def page_of_requests(scope: Scope, kind: RequestKind[R], query: AttendanceRequestQuery) -> RowPage[R]:
    """Read one page of the requests of everybody whom the caller may see, oldest first."""
    requests = select(*kind.columns).where(
        kind.table.c.tenant_id == scope.tenant_id, scope.within("requests.read", kind.table.c.user_id)
    )
    if query.user_id:
        people.get_user(scope, query.user_id, "requests.read")
        requests = requests.where(kind.table.c.user_id == query.user_id)
    if query.status:
        requests = requests.where(kind.table.c.status == query.status)
    if query.month:
        period = scope.tenant.period(query.month)
        requests = requests.where(kind.first <= period.end, kind.last >= period.start)
    return page_rows(scope, requests, kind=kind.row, key=kind.table.c.id, query=query)
