"""Reads of payout destinations: masked for everybody, decrypted only for paying."""

import json
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, case, select

from chalicelib.backing import rows, vault
from chalicelib.entry.paging import PageQuery, RowPage, page_rows
from chalicelib.features.people.destinations.models import payout_destinations
from chalicelib.features.people.destinations.rules import Behaviour, Destination, DestinationKind, Method
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

# Since when payouts go there: a request takes effect when it is confirmed.
CHANGED_AT = case(
    (payout_destinations.c.requested_at.is_not(None), payout_destinations.c.confirmed_at),
    else_=payout_destinations.c.created_at,
).label("changed_at")


@dataclass(frozen=True, slots=True)
class DestinationRow:
    """A payout destination or a request for one, with the number masked."""

    id: UUID
    user_id: UUID
    kind: str
    holder: str | None
    masked: str
    created_at: datetime
    created_by: str
    created_by_ids: list[UUID]
    requested_at: datetime | None
    held_until: datetime | None
    confirmed_by: str | None
    confirmed_at: datetime | None
    changed_at: datetime | None


_SELECT = select(
    *(payout_destinations.c[field.name] for field in fields(DestinationRow) if field.name != CHANGED_AT.name),
    CHANGED_AT,
)


def get_current(scope: Scope, user_id: UUID) -> DestinationRow:
    """Return where an employee's payouts go, masked, or raise NotFound."""
    if (destination := find_current(scope, user_id)) is None:
        raise NotFound("This person has no payout destination yet; put one first.")
    return destination


def find_current(scope: Scope, user_id: UUID) -> DestinationRow | None:
    """Return where an employee's payouts go, masked, or None where that was never set.

    A run over many employees joins `payout_destinations` on (tenant_id, user_id) where superseded_at is null instead.
    """
    return rows.first(
        DestinationRow,
        scope.session.execute(
            _SELECT.where(
                payout_destinations.c.tenant_id == scope.tenant_id,
                payout_destinations.c.user_id == user_id,
                payout_destinations.c.superseded_at.is_(None),
            )
        ),
    )


def get_destination(scope: Scope, destination_id: UUID) -> DestinationRow:
    """Return one destination or request, masked, or raise NotFound."""
    select_row = _SELECT.where(
        payout_destinations.c.tenant_id == scope.tenant_id, payout_destinations.c.id == destination_id
    )
    if (destination := rows.first(DestinationRow, scope.session.execute(select_row))) is None:
        raise NotFound("There is no such payout destination.")
    return destination


def find_request(scope: Scope, user_id: UUID) -> DestinationRow | None:
    """Return what an employee requested and nobody confirmed yet, masked, or None."""
    select_row = _SELECT.where(payout_destinations.c.tenant_id == scope.tenant_id, *is_requested(user_id))
    return rows.first(DestinationRow, scope.session.execute(select_row))


def page_of_requests(scope: Scope, query: PageQuery) -> RowPage[DestinationRow]:
    """Read one page of requests that wait for a second person, oldest first."""
    table = payout_destinations.c
    select_rows = _SELECT.where(
        table.tenant_id == scope.tenant_id, *is_requested(), scope.within("destinations.read", table.user_id)
    )
    return page_rows(scope, select_rows, kind=DestinationRow, key=table.id, query=query)


def is_requested(user_id: UUID | None = None) -> tuple[ColumnElement[bool], ...]:
    """Build the conditions of a request that waits, of one employee where one is named."""
    table = payout_destinations.c
    waits = (table.requested_at.is_not(None), table.confirmed_at.is_(None), table.withdrawn_at.is_(None))
    return (*waits, table.user_id == user_id) if user_id else waits


def open_destination(scope: Scope, destination_id: UUID) -> Destination:
    """Decrypt one destination, current or not. For paying only: it leaves in no answer, log or message.

    NotFound where it is not the tenant's, vault.Undecryptable where the row was tampered with, Busy while KMS is away.
    """
    destinations = open_destinations(scope, [destination_id])
    if destination_id not in destinations:
        raise NotFound("There is no such payout destination.")
    return destinations[destination_id]


def open_destinations(scope: Scope, destination_ids: Collection[UUID]) -> dict[UUID, Destination]:
    """Decrypt the destinations of one batch, by id; ids that are not the tenant's are left out."""
    table = payout_destinations
    encrypted = scope.session.execute(
        select(table.c.id, table.c.user_id, table.c.sealed, table.c.key_id).where(
            table.c.tenant_id == scope.tenant_id, table.c.id.in_(destination_ids)
        )
    )
    destinations = {}
    for row in encrypted.all():
        values = json.loads(
            vault.decrypt(
                scope.session,
                vault.EncryptedValue(row.key_id, bytes(row.sealed)),
                tenant_id=scope.tenant_id,
                table=table.name,
                row_id=row.id,
            )
        )
        # encrypted with the employee's id, so that an update cannot give one employee's account to another
        if values.pop("user_id") != str(row.user_id):
            raise vault.Undecryptable(
                f"{table.name} {row.id} of tenant {scope.tenant_id} was sealed for somebody else."
            )
        behaviour, method = values.pop("behaviour", None), values.pop("method", None)
        destinations[row.id] = Destination(
            kind=DestinationKind(values.pop("kind")),
            behaviour=Behaviour(behaviour) if behaviour else None,
            method=Method(method) if method else None,
            **values,
        )
    return destinations
