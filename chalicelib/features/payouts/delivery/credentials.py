"""The credentials that a tenant has at a payout provider: write-only, encrypted by the vault.

A provider that needs some declares a model of them (providers.Provider.credentials). An operator sets them
(`providers set-credentials`); they are decrypted only for a payment order, and never shown, logged or audited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import delete, func, insert, select

from chalicelib import audit
from chalicelib.backing import rows, vault
from chalicelib.features.payouts.delivery import providers
from chalicelib.features.payouts.models import provider_credentials
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound, invalid

_TABLE = provider_credentials


class MissingCredentials(LookupError):
    """The tenant has no credentials at a provider that needs them."""


@dataclass(frozen=True, slots=True)
class StoredCredentials:
    """That a tenant has credentials at a provider, and since when; not what they are."""

    provider: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class _EncryptedCredentials:
    """A row of provider_credentials."""

    id: UUID
    sealed: bytes
    key_id: UUID


def load(scope: Scope, provider: str) -> BaseModel | None:
    """Return the tenant's credentials at a provider, or None where it needs none.

    Raises MissingCredentials where there are none, vault.Undecryptable where they cannot be read.
    """
    model = providers.get_provider(provider).credentials
    if model is None:
        return None
    encrypted = _find(scope, provider)
    if encrypted is None:
        raise MissingCredentials(f"there are no credentials at the provider {provider}")
    return model.model_validate_json(
        vault.decrypt(
            scope.session,
            vault.EncryptedValue(encrypted.key_id, bytes(encrypted.sealed)),
            tenant_id=scope.tenant_id,
            table=_TABLE.name,
            row_id=encrypted.id,
        )
    )


def set_credentials(scope: Scope, provider: str, *, document: str) -> None:
    """Store a tenant's credentials at a provider, in place of those before. Raises Invalid, which names no value."""
    _check(provider, document)
    scope.advisory_lock("provider-credentials")
    is_change = _delete(scope, provider)
    # the id comes first, because the encryption is bound to it (associated data)
    credentials_id: UUID = scope.session.execute(select(func.uuidv7())).scalar_one()
    encrypted = vault.encrypt(
        scope.session,
        document.encode(),
        tenant_id=scope.tenant_id,
        table=_TABLE.name,
        row_id=credentials_id,
    )
    scope.session.execute(
        insert(_TABLE).values(
            tenant_id=scope.tenant_id,
            id=credentials_id,
            provider=provider,
            sealed=encrypted.data,
            key_id=encrypted.key_id,
            changed_at=scope.now,
        )
    )
    _record(scope, "provider_credentials.changed" if is_change else "provider_credentials.added", provider)


def remove_credentials(scope: Scope, provider: str) -> None:
    """Delete a tenant's credentials at a provider; its queued payouts wait until there are new ones."""
    if not _delete(scope, provider):
        raise NotFound(f"There are no credentials at the provider {provider}.")
    _record(scope, "provider_credentials.removed", provider)


def list_credentials(scope: Scope) -> Sequence[StoredCredentials]:
    """Return at which providers the tenant has credentials."""
    return rows.every(
        StoredCredentials,
        scope.session.execute(select(_TABLE).where(_TABLE.c.tenant_id == scope.tenant_id).order_by(_TABLE.c.provider)),
    )


def _check(provider: str, document: str) -> None:
    """Check that a JSON document is a provider's credentials. Raises NotFound, or Invalid with the wrong fields."""
    if provider not in providers.registry():
        raise NotFound(f"There is no provider {provider}; there are {', '.join(providers.registry())}.")
    model = providers.get_provider(provider).credentials
    if model is None:
        raise invalid("/provider", f"{provider} needs no credentials")
    try:
        model.model_validate_json(document)
    except ValidationError as problem:
        # the values are secrets, so only the fields and the kinds of error are named
        wrong = [
            f"{'.'.join(map(str, error['loc'])) or 'the document'} ({error['type']})"
            for error in problem.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise invalid("/credentials", f"are not what {provider} needs: {', '.join(wrong)}") from None


def _find(scope: Scope, provider: str) -> _EncryptedCredentials | None:
    return rows.first(
        _EncryptedCredentials,
        scope.session.execute(
            select(_TABLE).where(_TABLE.c.tenant_id == scope.tenant_id, _TABLE.c.provider == provider)
        ),
    )


def _delete(scope: Scope, provider: str) -> bool:
    result = scope.session.execute(
        delete(_TABLE).where(_TABLE.c.tenant_id == scope.tenant_id, _TABLE.c.provider == provider)
    )
    return bool(result.rowcount)


def _record(scope: Scope, action: str, provider: str) -> None:
    """Record in the audit that credentials were set or removed, without them."""
    audit.record(scope, action=action, entity_type="tenant", entity_id=scope.tenant_id, after={"provider": provider})
