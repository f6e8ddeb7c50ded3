"""Writes of payout destinations: set by HR, or requested by the employee and confirmed by another user.

Changed bank details are how pay is stolen. So the employee is notified at the present address and the one before it,
payouts wait for a time before they go to the new details (`policy.destination_hold_hours`) unless a second person
confirms them, and a change of one's own details is a request.
"""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from chalicelib import audit, four_eyes
from chalicelib.backing import vault
from chalicelib.backing.log import logger
from chalicelib.features.people.destinations import queries
from chalicelib.features.people.destinations.models import payout_destinations
from chalicelib.features.people.destinations.queries import DestinationRow
from chalicelib.features.people.destinations.rules import Destination, DestinationKind, masked
from chalicelib.features.people.destinations.schemas import DestinationInput
from chalicelib.features.people.users import contact_actions as contact
from chalicelib.features.people.users import queries as people
from chalicelib.four_eyes import Participants, Participation
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, Forbidden, NotFound


def set_destination(scope: Scope, *, user_id: UUID, requested: DestinationInput) -> DestinationRow:
    """Send an employee's payouts to other bank details from now on; the very same details again change nothing.

    The row before is kept: payouts refer to the row by which they went. A waiting request of the employee is withdrawn.
    """
    people.get_user(scope, user_id, "destinations.write", lock=True)
    four_eyes.check_not_own(scope, four_eyes.Subject.DESTINATION, user_id)
    destination = _destination(requested)
    before = queries.find_current(scope, user_id)
    if before is not None and _is_same(scope, before.id, destination):
        return before
    _withdraw_requests(scope, user_id=user_id)
    _supersede(scope, user_id=user_id)
    held_until = _held_until(scope, destination, before)
    destination_id = _add(scope, user_id=user_id, destination=destination, held_until=held_until)
    return _changed(scope, user_id=user_id, destination_id=destination_id, before=before)


def request_own(scope: Scope, *, requested: DestinationInput) -> DestinationRow:
    """Request other bank details for the caller's own payouts; they take effect when another user confirms them."""
    user_id = scope.actor.user_id
    if user_id is None:
        raise Forbidden("Only a person has bank details of their own; your key does not act for one.")
    people.get_user(scope, user_id, "destinations.request", lock=True)
    _withdraw_requests(scope, user_id=user_id)
    destination_id = _add(scope, user_id=user_id, destination=_destination(requested), requested_at=scope.now)
    destination = queries.get_destination(scope, destination_id)
    audit.record(
        scope, action="destination.requested", entity_type="user", entity_id=user_id, after=_audited(destination)
    )
    return destination


def confirm(scope: Scope, *, user_id: UUID, destination_id: UUID | None) -> DestinationRow:
    """Confirm what an employee requested, or details that another user changed: payouts go there from now on.

    `destination_id` names what the caller saw, so that nothing is confirmed that was changed meanwhile.
    """
    people.get_user(scope, user_id, "destinations.write", lock=True)
    four_eyes.check_not_own(scope, four_eyes.Subject.DESTINATION, user_id)
    current = queries.find_current(scope, user_id)
    chosen = queries.find_request(scope, user_id) or current
    if chosen is None:
        raise NotFound("This person has no payout destination to confirm yet.")
    if destination_id is not None and chosen.id != destination_id:
        if queries.get_destination(scope, destination_id).user_id != user_id:
            raise NotFound("This person has no such payout destination.")
        raise Conflict("These bank details were changed meanwhile; read them again.")
    if chosen.confirmed_at is not None:
        return chosen
    hands = [Participants(Participation.SET_DESTINATION, chosen.created_by_ids)]
    four_eyes.check_may_approve(scope, hands, verb="confirm them")
    is_request = chosen.requested_at is not None
    if is_request:
        _supersede(scope, user_id=user_id)
    scope.session.execute(
        update(payout_destinations)
        .where(payout_destinations.c.tenant_id == scope.tenant_id, payout_destinations.c.id == chosen.id)
        .values(
            superseded_at=None,
            held_until=None,
            confirmed_at=scope.now,
            confirmed_by=scope.actor.name,
            confirmed_by_ids=sorted(scope.actor.all_ids),
        )
    )
    if is_request:
        return _changed(scope, user_id=user_id, destination_id=chosen.id, before=current)
    audit.record(scope, action="destination.confirmed", entity_type="user", entity_id=user_id, after=_audited(chosen))
    return queries.get_destination(scope, chosen.id)


def _destination(requested: DestinationInput) -> Destination:
    values = requested.root.model_dump()
    return Destination(**{**values, "kind": DestinationKind(values["kind"])})


def _held_until(scope: Scope, destination: Destination, before: DestinationRow | None) -> datetime | None:
    """Return until when payouts to new details wait; first details and simulated ones do not."""
    hours = scope.tenant.policy.destination_hold_hours
    if before is None or destination.kind is DestinationKind.SIMULATED or not hours:
        return None
    return scope.now + timedelta(hours=hours)


def _changed(scope: Scope, *, user_id: UUID, destination_id: UUID, before: DestinationRow | None) -> DestinationRow:
    """Record in the audit that payouts go elsewhere now, notify the employee, and return the destination."""
    after = queries.get_destination(scope, destination_id)
    audit.record(
        scope,
        action="destination.changed" if before else "destination.added",
        entity_type="user",
        entity_id=user_id,
        before=_audited(before) if before else None,
        after=_audited(after),
    )
    contact.notify_destination_changed(scope, user_id=user_id, destination=after)
    return after


def _is_same(scope: Scope, destination_id: UUID, destination: Destination) -> bool:
    try:
        return queries.open_destination(scope, destination_id) == destination
    except vault.Undecryptable:
        # setting the details anew repairs the row, so it is allowed; the log says that it was needed
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


def _withdraw_requests(scope: Scope, *, user_id: UUID) -> None:
    scope.session.execute(
        update(payout_destinations)
        .where(payout_destinations.c.tenant_id == scope.tenant_id, *queries.is_requested(user_id))
        .values(withdrawn_at=scope.now)
    )


def _add(
    scope: Scope,
    *,
    user_id: UUID,
    destination: Destination,
    held_until: datetime | None = None,
    requested_at: datetime | None = None,
) -> UUID:
    """Insert a destination or a request, encrypted by the vault and bound to its row and employee; return its id."""
    # the id comes first: it is authenticated with what is encrypted
    destination_id: UUID = scope.session.execute(select(func.uuidv7())).scalar_one()
    values: dict[str, Any] = {name: value for name, value in asdict(destination).items() if value is not None}
    sealed = vault.encrypt(
        scope.session,
        json.dumps({**values, "user_id": str(user_id)}).encode(),
        tenant_id=scope.tenant_id,
        table=payout_destinations.name,
        row_id=destination_id,
    )
    scope.session.execute(
        insert(payout_destinations).values(
            tenant_id=scope.tenant_id,
            id=destination_id,
            user_id=user_id,
            kind=destination.kind,
            holder=destination.holder,
            masked=masked(destination),
            sealed=sealed.data,
            key_id=sealed.key_id,
            created_at=scope.now,
            created_by=f"{scope.actor.role}:{scope.actor.name}",
            created_by_ids=sorted(scope.actor.all_ids),
            held_until=held_until,
            requested_at=requested_at,
            superseded_at=requested_at,
        )
    )
    return destination_id


def _audited(destination: DestinationRow) -> dict[str, Any]:
    return {name: getattr(destination, name) for name in ("id", "kind", "holder", "masked")}
