"""Command: key rotation. Give a tenant a new data key, and re-encrypt all its encrypted values (envelope encryption).

Each batch is a transaction of its own, and every row names its key, so this may be killed anywhere and run again, while
people work: values encrypted meanwhile are under the new key already. Keys are retired and never deleted: links in old
mails are encrypted under them, and a value that a slow request encrypted under an old key at the last moment is
re-encrypted by the next rotation.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import typer
from sqlalchemy import Connection, text

from chalicelib import audit
from chalicelib.backing import rows, vault
from chalicelib.identity.scope import Scope
from chalicelib.operators import scopes
from chalicelib.operators.terminal import AsJson, OneTenant, print_json

vault_app = typer.Typer(help="Data keys: what bank details and secrets are sealed with.", no_args_is_help=True)

BATCH = 200
_FIRST = UUID(int=0)

# A column that refers to a data key has its encrypted value beside it: key_id and sealed, secret_key_id and
# secret_sealed. A row is identified by its id; in a table with one row per tenant, which has none, by the tenant's.
_ENCRYPTED_COLUMNS = text("""
    select c.conrelid::regclass::text as table, a.attname::text as key,
        case when exists (select from pg_attribute i where i.attrelid = c.conrelid and i.attname = 'id')
            then 'id' else 'tenant_id' end as row_key
    from pg_constraint c
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey) and a.attname <> 'tenant_id'
    where c.contype = 'f' and c.confrelid = 'tenant_keys'::regclass
    order by 1, 2""")
_KEYS = text("select id, retired_at from tenant_keys where tenant_id = :tenant_id order by id")
_RETIRE = text("""
    update tenant_keys set retired_at = clock_timestamp()
    where tenant_id = :tenant_id and id < :key_id and retired_at is null returning id""")


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """A column of encrypted values: its table, the column with the data key's id, and the one that identifies a row."""

    table: str
    key: str
    row_key: str

    @property
    def value(self) -> str:
        """Return the column's name."""
        return self.key.removesuffix("key_id") + "sealed"


@dataclass(slots=True)
class Rotation:
    """A rotation: the new key, values re-encrypted by column, values that cannot be decrypted, and the retired keys."""

    key_id: UUID
    is_resumed: bool
    reencrypted: dict[str, int] = field(default_factory=dict)
    undecryptable: list[str] = field(default_factory=list)
    retired: list[UUID] = field(default_factory=list)


@vault_app.command("rotate")
def rotate_key(tenant: OneTenant, as_json: AsJson = False) -> None:
    """Make a new data key for a tenant, seal everything again under it, and retire the old ones.

    Killed half-way, it goes on where it was. It ends with 1 if something does not open; that stays as it is.

    Example: vault rotate --tenant acme
    """
    rotation = rotate(scopes.get_tenant_id(tenant))
    if as_json:
        print_json(
            {
                "tenant": tenant,
                "key_id": rotation.key_id,
                "was_begun": rotation.is_resumed,
                "resealed": rotation.reencrypted,
                "unopenable": rotation.undecryptable,
                "retired": rotation.retired,
            }
        )
    else:
        counts = (
            ", ".join(f"{count} in {column}" for column, count in rotation.reencrypted.items() if count) or "nothing"
        )
        began = "went on with a rotation that was begun" if rotation.is_resumed else "has a new key"
        typer.echo(f"{tenant} {began}. Sealed again: {counts}. Retired: {len(rotation.retired)} keys.")
        for problem in rotation.undecryptable:
            typer.secho(problem, fg="red")
    if rotation.undecryptable:
        raise typer.Exit(1)


def load_encrypted_columns(session: Connection) -> list[EncryptedColumn]:
    """Return every column of encrypted values."""
    return rows.every(EncryptedColumn, session.execute(_ENCRYPTED_COLUMNS))


def rotate(tenant_id: UUID) -> Rotation:
    """Rotate a tenant's data key, a batch of rows per transaction."""
    with scopes.operating(tenant_id) as scope:
        rotation = _begin(scope)
        columns = load_encrypted_columns(scope.session)
    for column in columns:
        name = f"{column.table}.{column.value}"
        rotation.reencrypted[name], after = 0, _FIRST
        while True:
            with scopes.operating(tenant_id) as scope:
                batch = _reencrypt_batch(scope, column, rotation, after=after)
            if not batch:
                break
            rotation.reencrypted[name] += sum(batch.values())
            after = max(batch)
    if not rotation.undecryptable:
        with scopes.operating(tenant_id) as scope:
            _retire(scope, rotation)
    return rotation


def _begin(scope: Scope) -> Rotation:
    """Create the new key, or resume a rotation that was interrupted."""
    scope.advisory_lock("vault-rotation")  # two at once create one key
    keys = scope.session.execute(_KEYS, {"tenant_id": scope.tenant_id}).all()
    if sum(key.retired_at is None for key in keys) > 1:
        return Rotation(keys[-1].id, is_resumed=True)
    key_id = vault.rotate(scope.session, tenant_id=scope.tenant_id)
    audit.record(scope, action="vault.key_made", entity_type="tenant_key", entity_id=key_id)
    return Rotation(key_id, is_resumed=False)


def _reencrypt_batch(scope: Scope, column: EncryptedColumn, rotation: Rotation, *, after: UUID) -> dict[UUID, bool]:
    """Re-encrypt one batch of rows; return for each row whether it could be decrypted."""
    batch = scope.session.execute(
        text(
            f"select {column.row_key} as row_id, {column.value} as sealed, {column.key} as key_id from {column.table}"
            f" where tenant_id = :tenant_id and {column.key} < :key_id and {column.row_key} > :after"
            f" order by {column.row_key} limit :batch for no key update"
        ),
        {"tenant_id": scope.tenant_id, "key_id": rotation.key_id, "after": after, "batch": BATCH},
    ).all()
    done = {row.row_id: _reencrypt_row(scope, column, rotation, row) for row in batch}
    changed = [{"tenant_id": scope.tenant_id, **values} for values in done.values() if values]
    if changed:
        scope.session.execute(
            text(
                f"update {column.table} set {column.value} = :sealed, {column.key} = :key_id"
                f" where tenant_id = :tenant_id and {column.row_key} = :row_id"
            ),
            changed,
        )
    return {row_id: values is not None for row_id, values in done.items()}


def _reencrypt_row(scope: Scope, column: EncryptedColumn, rotation: Rotation, row: Any) -> dict[str, Any] | None:
    """Return a row's new values, or note that it cannot be decrypted and return None."""
    where: Any = {"tenant_id": scope.tenant_id, "table": column.table, "row_id": row.row_id}
    try:
        plain = vault.decrypt(scope.session, vault.EncryptedValue(row.key_id, bytes(row.sealed)), **where)
    except vault.Undecryptable as problem:
        rotation.undecryptable.append(str(problem))
        return None
    encrypted = vault.encrypt(scope.session, plain, **where)
    return {"row_id": row.row_id, "sealed": encrypted.data, "key_id": encrypted.key_id}


def _retire(scope: Scope, rotation: Rotation) -> None:
    """Retire the old keys, as every value is under the new one."""
    retired = scope.session.execute(_RETIRE, {"tenant_id": scope.tenant_id, "key_id": rotation.key_id})
    rotation.retired = list(retired.scalars())
    if rotation.retired:
        audit.record(
            scope,
            action="vault.keys_retired",
            entity_type="tenant_key",
            entity_id=rotation.key_id,
            after={"retired": [str(key_id) for key_id in rotation.retired], "resealed": rotation.reencrypted},
        )
