"""Stopping mails from within a mail, without signing in (RFC 8058).

The token names a tenant and a mail, and is sealed for that very row by the vault: nobody makes one who does not have
the tenant's data key, and nothing has to be kept or rotated for it. It can do one thing, which the preferences undo.
"""

import base64
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import vault
from chalicelib.backing.database import transaction
from chalicelib.identity.callers import check_cell
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

_PURPOSE = "notification_logs/unsubscribe"  # what is sealed for something else opens nothing here
_IDS = 3 * 16  # the tenant, the mail, the data key; then the seal of nothing
_LENGTH = _IDS + 1 + vault.NONCE + 16

# They wanted no more of this kind by mail. Saying it twice changes nothing.
_STOP = text("""
    insert into notification_preferences as p (tenant_id, user_id, switched_off, version)
    select tenant_id, user_id, array[kind || '/email'], 2
    from notification_logs where tenant_id = :tenant_id and id = :log_id
    on conflict (tenant_id, user_id) do update
        set switched_off = p.switched_off || excluded.switched_off, version = p.version + 1
        where not p.switched_off @> excluded.switched_off""")


def token_of(scope: Scope, log_id: UUID) -> str:
    """Make the word by which the reader of one mail stops its kind: 103 characters, safe in a path."""
    sealed = vault.encrypt(scope.session, b"", tenant_id=scope.tenant_id, table=_PURPOSE, row_id=log_id)
    said = scope.tenant_id.bytes + log_id.bytes + sealed.key_id.bytes + sealed.data
    return base64.urlsafe_b64encode(said).rstrip(b"=").decode()


def stop(token: str) -> None:
    """Send a mail's reader no more of its kind by mail, or NotFound where the token is not one of ours."""
    tenant_id, log_id, sealed = _read(token)
    with transaction(tenant_id=tenant_id) as session:
        try:
            vault.decrypt(session, sealed, tenant_id=tenant_id, table=_PURPOSE, row_id=log_id)
        except vault.Undecryptable:
            raise _unknown() from None
        check_cell(session, tenant_id)
        session.execute(_STOP, {"tenant_id": tenant_id, "log_id": log_id})


def _read(token: str) -> tuple[UUID, UUID, vault.EncryptedValue]:
    try:
        said = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise _unknown() from None
    if len(said) != _LENGTH:
        raise _unknown()
    tenant_id, log_id, key_id = (UUID(bytes=said[start : start + 16]) for start in (0, 16, 32))
    return tenant_id, log_id, vault.EncryptedValue(key_id, said[_IDS:])


def _unknown() -> NotFound:
    return NotFound("This link is not complete; open it from the mail, or change your notification preferences.")
