"""Reads of how a bank takes files."""

import json

from sqlalchemy import select

from chalicelib.backing import vault
from chalicelib.backing.database import Record
from chalicelib.features.payouts.batches.bank_files.delimited import Template
from chalicelib.features.payouts.batches.bank_files.orders import BankAccount
from chalicelib.features.payouts.batches.models import bank_file_settings
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound

_TABLE = bank_file_settings


def get_settings(scope: Scope) -> Record:
    """Read how the bank takes files, the payer's account masked, or NotFound."""
    if (row := find_settings(scope)) is None:
        raise NotFound("It was never said how your bank takes files; say it with PUT /payouts/bank-file-settings.")
    return to_view(row)


def find_settings(scope: Scope, *, lock: bool = False) -> Record | None:
    """Read the settings as they are kept, the template as a model, if there are any."""
    rows = select(_TABLE).where(_TABLE.c.tenant_id == scope.tenant_id)
    row = scope.session.execute(rows.with_for_update() if lock else rows).mappings().first()
    if row is None:
        return None
    # as JSON once more, since only there words may stand for the values of an enum
    template = Template.model_validate_json(json.dumps(row["template"])) if row["template"] else None
    return {**row, "template": template}


def to_view(row: Record) -> Record:
    """Return the settings as they may be told."""
    payer = {"name": row["payer_name"], "masked": row["payer_masked"]} if row["payer_name"] else None
    return {**{name: row[name] for name in ("format", "template", "version")}, "payer": payer}


def decrypt_payer(scope: Scope, row: Record) -> BankAccount | None:
    """Decrypt the account that pays, for the file only."""
    if row["payer_sealed"] is None:
        return None
    said = json.loads(
        vault.decrypt(
            scope.session,
            vault.EncryptedValue(row["payer_key_id"], bytes(row["payer_sealed"])),
            tenant_id=scope.tenant_id,
            table=_TABLE.name,
            row_id=scope.tenant_id,
        )
    )
    return BankAccount(**said)
