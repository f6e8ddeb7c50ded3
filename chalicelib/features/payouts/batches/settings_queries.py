"""Reads of the settings by which a tenant's bank takes files."""

import json
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select

from chalicelib.backing import vault
from chalicelib.features.payouts.batches.bank_files.delimited import Template
from chalicelib.features.payouts.batches.bank_files.orders import BankAccount
from chalicelib.features.payouts.batches.models import bank_file_settings
from chalicelib.features.payouts.batches.settings_schemas import BankFileSettingsView, Format, PayerView
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

_TABLE = bank_file_settings


@dataclass(frozen=True, slots=True)
class BankFileSettingsRow:
    """The settings as they are stored: the payer's account is encrypted, None where the bank needs none."""

    format: Format
    payer_name: str | None
    payer_masked: str | None
    payer_sealed: bytes | None = field(repr=False)
    payer_key_id: UUID | None
    template: Template | None
    version: int


def get_settings(scope: Scope) -> BankFileSettingsView:
    """Return the settings with the payer's account masked, or raise NotFound."""
    if (row := find_settings(scope)) is None:
        raise NotFound("It was never said how your bank takes files; say it with PUT /payouts/bank-file-settings.")
    return to_view(row)


def find_settings(scope: Scope, *, lock: bool = False) -> BankFileSettingsRow | None:
    """Read the settings as they are stored, or return None."""
    settings = select(_TABLE).where(_TABLE.c.tenant_id == scope.tenant_id)
    row = scope.session.execute(settings.with_for_update() if lock else settings).first()
    if row is None:
        return None
    return BankFileSettingsRow(
        format=row.format,
        payer_name=row.payer_name,
        payer_masked=row.payer_masked,
        payer_sealed=row.payer_sealed,
        payer_key_id=row.payer_key_id,
        # through JSON: strict models accept an enum's value as text only there
        template=Template.model_validate_json(json.dumps(row.template)) if row.template else None,
        version=row.version,
    )


def to_view(row: BankFileSettingsRow) -> BankFileSettingsView:
    """Return the settings as callers may see them."""
    payer = PayerView(name=row.payer_name, masked=row.payer_masked or "") if row.payer_name else None
    return BankFileSettingsView(format=row.format, payer=payer, template=row.template, version=row.version)


def decrypt_payer(scope: Scope, row: BankFileSettingsRow) -> BankAccount | None:
    """Decrypt the account that pays, for the file only."""
    if row.payer_sealed is None or row.payer_key_id is None:
        return None
    account = json.loads(
        vault.decrypt(
            scope.session,
            vault.EncryptedValue(row.payer_key_id, bytes(row.payer_sealed)),
            tenant_id=scope.tenant_id,
            table=_TABLE.name,
            row_id=scope.tenant_id,
        )
    )
    return BankAccount(**account)
