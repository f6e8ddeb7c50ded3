"""Writes of payout destinations."""

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from chalicelib import audit
from chalicelib.backing import vault
from chalicelib.backing.database import Record
from chalicelib.backing.log import logger
from chalicelib.features.people import destination_queries as queries
from chalicelib.features.people import queries as people
from chalicelib.features.people.destination_models import payout_destinations
from chalicelib.features.people.destination_rules import Destination, Kind, masked
from chalicelib.features.people.destination_schemas import DestinationInput
from chalicelib.identity.scope import Scope


def set_destination(scope: Scope, *, user_id: UUID, said: DestinationInput) -> Record:
    """This will have a person's payouts go elsewhere from now on; the very same details again change nothing.

    What was said before stays: payouts refer to the row by which they went.
    """
    people.get_user(scope, user_id, "destinations.write", lock=True)
    given = said.root.model_dump()
    wanted = Destination(**{**given, "kind": Kind(given["kind"])})
    before = queries.find_current(scope, user_id)
    if before is not None and _is_same(scope, before["id"], wanted):
        return before
    _supersede(scope, user_id=user_id)
    after = _add(scope, user_id=user_id, wanted=wanted)
    audit.record(
        scope, action="destination.changed" if before else "destination.added", entity_type="user", entity_id=user_id,
        before=_told(before) if before else None, after=_told(after),
    )  # fmt: skip
    return after


def _is_same(scope: Scope, destination_id: UUID, wanted: Destination) -> bool:
    try:
        return queries.open_destination(scope, destination_id) == wanted
    except vault.Unopenable:
        # saying it anew is the remedy, so it is not refused; that it was needed is known
        logger.exception("a payout destination did not open and is replaced", destination_id=str(destination_id))
        return False


def _supersede(scope: Scope, *, user_id: UUID) -> None:
    scope.session.execute(
        update(payout_destinations)
        .where(
            payout_destinations.c.tenant_id == scope.tenant_id,
            payout_destinations.c.user_id == user_id,
            payout_destinations.c.superseded_at.is_(None),
        )
        .values(superseded_at=scope.now)
    )


def _add(scope: Scope, *, user_id: UUID, wanted: Destination) -> Record:
    # the id comes first, because the seal is bound to it
    destination_id: UUID = scope.session.execute(select(func.uuidv7())).scalar_one()
    said: dict[str, Any] = {name: value for name, value in asdict(wanted).items() if value is not None}
    sealed = vault.seal(
        scope.session, json.dumps({**said, "user_id": str(user_id)}).encode(),
        tenant_id=scope.tenant_id, table=payout_destinations.name, row_id=destination_id,
    )  # fmt: skip
    shown = {"id": destination_id, "kind": wanted.kind, "holder": wanted.holder, "masked": masked(wanted),
             "created_at": scope.now}  # fmt: skip
    scope.session.execute(
        insert(payout_destinations).values(
            tenant_id=scope.tenant_id, user_id=user_id, sealed=sealed.data, key_id=sealed.key_id,
            created_by=f"{scope.actor.role}:{scope.actor.name}", **shown,
        )
    )  # fmt: skip
    return shown


def _told(row: Record) -> Record:
    return {name: row[name] for name in ("id", "kind", "holder", "masked")}
