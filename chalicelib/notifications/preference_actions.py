"""Writes of users' preferences, and of suppressed addresses."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from chalicelib import audit
from chalicelib.entry.versions import check_version
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Invalid, Place
from chalicelib.notifications import queries
from chalicelib.notifications.models import notification_preferences, notification_suppressions
from chalicelib.notifications.rules import NOT_SWITCHABLE
from chalicelib.notifications.schemas import NewPreferences, Preferences, list_switched_off


def set_preferences(scope: Scope, *, new: NewPreferences, if_match: int | None) -> Preferences:
    """Replace the caller's preferences; they hold for notifications that wait to be sent, too."""
    if places := [
        Place(f"/kinds/{kind}", "tells of changes to your pay and cannot be switched off")
        for kind in NOT_SWITCHABLE & new.kinds.keys()
        if not all(new.kinds[kind].model_dump().values())
    ]:
        raise Invalid("Some notifications cannot be switched off.", places)
    check_version(queries.load_preferences(scope, lock=True), if_match)
    values = {"phone": new.phone, "push_endpoint": new.push_endpoint, "switched_off": list_switched_off(new.kinds)}
    row = insert(notification_preferences).values(
        tenant_id=scope.tenant_id, user_id=queries.get_caller_id(scope), version=2, **values
    )
    scope.session.execute(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "user_id"], set_={**values, "version": notification_preferences.c.version + 1}
        )
    )
    return queries.get_preferences(scope)


def lift_suppression(scope: Scope, *, suppression_id: UUID) -> None:
    """Delete a suppression: mail is sent to the address again, until it bounces again."""
    before = queries.get_suppression(scope, suppression_id, lock=True)
    scope.session.execute(
        delete(notification_suppressions).where(
            notification_suppressions.c.tenant_id == scope.tenant_id, notification_suppressions.c.id == suppression_id
        )
    )
    # without the address: an audit record cannot be erased (GDPR)
    audit.record(
        scope,
        action="notification_suppression.lifted",
        entity_type="notification_suppression",
        entity_id=suppression_id,
        before={"reason": before.reason, "log_id": before.log_id},
    )
