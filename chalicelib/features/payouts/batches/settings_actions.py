"""Writes of the settings by which a tenant's bank takes files."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from chalicelib import audit
from chalicelib.backing import vault
from chalicelib.entry.versions import check_version
from chalicelib.features.payouts.batches import settings_queries as queries
from chalicelib.features.payouts.batches.models import bank_file_settings
from chalicelib.features.payouts.batches.settings_schemas import BankFileSettings, BankFileSettingsView, Payer
from chalicelib.features.people.destinations.rules import Destination, DestinationKind, masked
from chalicelib.identity.scope import Scope


def set_settings(scope: Scope, *, settings: BankFileSettings, if_match: int | None) -> BankFileSettingsView:
    """Replace the settings for files from now on; files that were made stay as they are."""
    # an advisory lock, as there may be no row yet that could be locked
    scope.advisory_lock("bank-file-settings")
    before = queries.find_settings(scope, lock=True)
    template = settings.template.model_dump(mode="json", exclude_none=True) if settings.template else None
    values = {"format": settings.format, "template": template, **_encrypt_payer(scope, settings.payer)}
    if before is None:
        scope.session.execute(insert(bank_file_settings).values(tenant_id=scope.tenant_id, **values))
    else:
        check_version(before, if_match)
        scope.session.execute(
            update(bank_file_settings)
            .where(bank_file_settings.c.tenant_id == scope.tenant_id)
            .values(**values, version=bank_file_settings.c.version + 1)
        )
    after = queries.get_settings(scope)
    audit.record(
        scope,
        action="bank_file_settings.changed",
        entity_type="tenant",
        entity_id=scope.tenant_id,
        before=_to_audit(queries.to_view(before)) if before else None,
        after=_to_audit(after),
    )
    return after


def _encrypt_payer(scope: Scope, payer: Payer | None) -> Mapping[str, str | bytes | UUID | None]:
    """Return the columns of the payer's account: encrypted, and masked."""
    if payer is None:
        return dict.fromkeys(("payer_name", "payer_masked", "payer_sealed", "payer_key_id"))
    account = {
        "holder": payer.name,
        "iban": payer.iban,
        "number": payer.account_number,
        "bic": payer.bic,
        "bank_code": payer.bank_code,
        "branch_code": payer.branch_code,
    }
    encrypted = vault.encrypt(
        scope.session,
        json.dumps(account).encode(),
        tenant_id=scope.tenant_id,
        table=bank_file_settings.name,
        row_id=scope.tenant_id,
    )
    return {
        "payer_name": payer.name,
        "payer_masked": _mask(payer),
        "payer_sealed": encrypted.data,
        "payer_key_id": encrypted.key_id,
    }


def _mask(payer: Payer) -> str:
    kind = DestinationKind.IBAN if payer.iban else DestinationKind.ACCOUNT
    # masked as employees' accounts are, with the bank in the place of the country
    account = Destination(kind, iban=payer.iban, account_number=payer.account_number, country=payer.bank_code or "")
    return masked(account).strip()


def _to_audit(view: BankFileSettingsView) -> dict[str, Any]:
    template = view.template.model_dump(mode="json", exclude_none=True) if view.template else None
    return {**view.model_dump(mode="json", exclude={"template"}), "template": template}
