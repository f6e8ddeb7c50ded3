"""The one-click unsubscribe link of a mail, used without signing in (RFC 8058).

The token names a tenant and a mail, and is authenticated for that row by the vault: it cannot be made without the
tenant's data key, and needs neither storage nor rotation. It can do one thing, which the preferences undo.
"""

import base64
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import vault
from chalicelib.backing.database import statement, transaction
from chalicelib.identity.callers import check_cell
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

_PURPOSE = "notification_logs/unsubscribe"  # what was encrypted for another purpose does not decrypt here
_IDS = 3 * 16  # the tenant, the mail, the data key; then the encrypted empty text
_LENGTH = _IDS + 1 + vault.NONCE + 16

_UNSUBSCRIBE = text(statement(__file__, "unsubscribe"))


def make_token(scope: Scope, log_id: UUID) -> str:
    """Return the token by which the reader of one mail unsubscribes from its kind: 103 characters, safe in a path."""
    encrypted = vault.encrypt(scope.session, b"", tenant_id=scope.tenant_id, table=_PURPOSE, row_id=log_id)
    token = scope.tenant_id.bytes + log_id.bytes + encrypted.key_id.bytes + encrypted.data
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def unsubscribe(token: str) -> None:
    """Switch off e-mails of the kind for the reader of a mail. Raises NotFound for a token that is not ours."""
    tenant_id, log_id, encrypted = _parse_token(token)
    with transaction(tenant_id=tenant_id) as session:
        try:
            vault.decrypt(session, encrypted, tenant_id=tenant_id, table=_PURPOSE, row_id=log_id)
        except vault.Undecryptable:
            raise _invalid_link() from None
        check_cell(session, tenant_id)
        session.execute(_UNSUBSCRIBE, {"tenant_id": tenant_id, "log_id": log_id})


def _parse_token(token: str) -> tuple[UUID, UUID, vault.EncryptedValue]:
    """Return the tenant, the mail and the authenticated value of a token."""
    try:
        parts = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise _invalid_link() from None
    if len(parts) != _LENGTH:
        raise _invalid_link()
    tenant_id, log_id, key_id = (UUID(bytes=parts[start : start + 16]) for start in (0, 16, 32))
    return tenant_id, log_id, vault.EncryptedValue(key_id, parts[_IDS:])


def _invalid_link() -> NotFound:
    return NotFound("This link is not complete; open it from the mail, or change your notification preferences.")
