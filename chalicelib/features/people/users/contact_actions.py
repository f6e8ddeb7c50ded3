"""Notifications of changed bank details and mail addresses, sent to the present address and the one before."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chalicelib import notifications
from chalicelib.backing import clock
from chalicelib.features.people.destinations.queries import DestinationRow
from chalicelib.features.people.models import users
from chalicelib.features.people.users.rules import masked_address
from chalicelib.identity.scope import Scope
from chalicelib.notifications import NotificationKind, UserNotification

# A thief who changes the address first and the bank details then is still reported to the address before.
PREVIOUS_ADDRESS_COUNTS = timedelta(days=30)


def notify_destination_changed(scope: Scope, *, user_id: UUID, destination: DestinationRow) -> None:
    """Notify an employee that payouts go elsewhere, also at an address that was changed lately."""
    held_until = destination.held_until
    values = {
        "masked": destination.masked,
        "changed_on": _today(scope),
        "held_until": held_until and clock.local_day(held_until, scope.tenant.timezone).isoformat(),
    }
    _notify(
        scope,
        NotificationKind.DESTINATION_CHANGED,
        user_id=user_id,
        cause=f"destination {destination.id}",
        values=values,
    )


def notify_email_changed(scope: Scope, *, user_id: UUID, address: str | None, version: int) -> None:
    """Notify an employee that mails about pay go to another address, there and at the one before."""
    values = {"address": masked_address(address) if address else None, "changed_on": _today(scope)}
    _notify(scope, NotificationKind.EMAIL_CHANGED, user_id=user_id, cause=f"email {user_id} {version}", values=values)


def _notify(scope: Scope, kind: NotificationKind, *, user_id: UUID, cause: str, values: dict[str, Any]) -> None:
    person = scope.session.execute(
        select(users.c.previous_email, users.c.email_changed_at).where(
            users.c.tenant_id == scope.tenant_id, users.c.id == user_id
        )
    ).one()
    notices = [UserNotification(user_id, cause, values, user_id)]
    if person.previous_email and person.email_changed_at > scope.now - PREVIOUS_ADDRESS_COUNTS:
        notices.append(
            UserNotification(user_id, f"{cause} (previous address)", values, user_id, address=person.previous_email)
        )
    notifications.notify(scope, kind=kind, entity_type="user", user_notifications=notices)


def _today(scope: Scope) -> str:
    return clock.local_day(scope.now, scope.tenant.timezone).isoformat()
