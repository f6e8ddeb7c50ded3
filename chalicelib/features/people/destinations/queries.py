"""Reads of payout destinations: masked for everybody, opened for whoever pays."""

import json
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, case, select

from chalicelib.backing import vault
from chalicelib.backing.database import Record
from chalicelib.entry.paging import PageQuery, page_of
from chalicelib.features.people.destinations.models import payout_destinations
from chalicelib.features.people.destinations.rules import Behaviour, Destination, DestinationKind, Method
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

# since when payouts go there: a request takes effect when it is confirmed
CHANGED_AT = case(
    (payout_destinations.c.requested_at.is_not(None), payout_destinations.c.confirmed_at),
    else_=payout_destinations.c.created_at,
).label("changed_at")
_SHOWN = (
    *(
        payout_destinations.c[name]
        for name in (
            "id",
            "user_id",
            "kind",
            "holder",
            "masked",
            "created_at",
            "created_by",
            "created_by_ids",
            "requested_at",
            "held_until",
            "confirmed_by",
            "confirmed_at",
        )
    ),
    CHANGED_AT,
)


def get_current(scope: Scope, user_id: UUID) -> Record:
    """Read where a person's payouts go, masked, or NotFound."""
    if (row := find_current(scope, user_id)) is None:
        raise NotFound("This person has no payout destination yet; put one first.")
    return row


def find_current(scope: Scope, user_id: UUID) -> Record | None:
    """Read where a person's payouts go, masked, if that was ever said.

    A run over many people joins `payout_destinations` on (tenant_id, user_id) where superseded_at is null instead.
    """
    found = scope.session.execute(
        select(*_SHOWN).where(
            payout_destinations.c.tenant_id == scope.tenant_id,
            payout_destinations.c.user_id == user_id,
            payout_destinations.c.superseded_at.is_(None),
        )
    ).mappings()
    return dict(row) if (row := found.first()) else None


def get_destination(scope: Scope, destination_id: UUID) -> Record:
    """Return one destination or request, masked, or NotFound."""
    rows = select(*_SHOWN).where(
        payout_destinations.c.tenant_id == scope.tenant_id, payout_destinations.c.id == destination_id
    )
    if (row := scope.session.execute(rows).mappings().first()) is None:
        raise NotFound("There is no such payout destination.")
    return dict(row)


def find_request(scope: Scope, user_id: UUID) -> Record | None:
    """Return what a person asked for and nobody confirmed yet, masked, if there is any."""
    rows = select(*_SHOWN).where(payout_destinations.c.tenant_id == scope.tenant_id, *is_requested(user_id))
    return dict(row) if (row := scope.session.execute(rows).mappings().first()) else None


def page_of_requests(scope: Scope, query: PageQuery) -> Record:
    """Return one page of requests that wait for a second person, oldest first."""
    table = payout_destinations.c
    rows = select(*_SHOWN).where(
        table.tenant_id == scope.tenant_id, *is_requested(), scope.within("destinations.read", table.user_id)
    )
    return page_of(scope, rows, key=table.id, query=query)


def is_requested(user_id: UUID | None = None) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a request that waits, of one person where one is named."""
    table = payout_destinations.c
    waits = (table.requested_at.is_not(None), table.confirmed_at.is_(None), table.withdrawn_at.is_(None))
    return (*waits, table.user_id == user_id) if user_id else waits


def open_destination(scope: Scope, destination_id: UUID) -> Destination:
    """Decrypt one destination, current or not. For paying only: it leaves in no answer, log or message.

    NotFound where it is not the tenant's, vault.Unopenable where the row was tampered with, Busy while KMS is away.
    """
    found = open_destinations(scope, [destination_id])
    if destination_id not in found:
        raise NotFound("There is no such payout destination.")
    return found[destination_id]


def open_destinations(scope: Scope, destination_ids: Collection[UUID]) -> dict[UUID, Destination]:
    """Decrypt the destinations of one batch, by id; ids that are not the tenant's are left out."""
    table = payout_destinations
    rows = scope.session.execute(
        select(table.c.id, table.c.user_id, table.c.sealed, table.c.key_id).where(
            table.c.tenant_id == scope.tenant_id, table.c.id.in_(destination_ids)
        )
    )
    found = {}
    for row in rows.all():
        said = json.loads(
            vault.unseal(
                scope.session,
                vault.Sealed(row.key_id, bytes(row.sealed)),
                tenant_id=scope.tenant_id,
                table=table.name,
                row_id=row.id,
            )
        )
        # the row is bound to its seal, and so is whose it is: nobody can be given another's account by an update
        if said.pop("user_id") != str(row.user_id):
            raise vault.Unopenable(f"{table.name} {row.id} of tenant {scope.tenant_id} was sealed for somebody else.")
        behaviour, method = said.pop("behaviour", None), said.pop("method", None)
        found[row.id] = Destination(
            kind=DestinationKind(said.pop("kind")),
            behaviour=Behaviour(behaviour) if behaviour else None,
            method=Method(method) if method else None,
            **said,
        )
    return found
