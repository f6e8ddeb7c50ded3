"""Commands: a new data key for a tenant, under which all that is sealed is sealed again.

Each batch is a transaction of its own, and every row knows its key, so this may be killed anywhere and run again, while
people work: whatever is sealed meanwhile is under the new key already. Keys are retired and never deleted: links in old
mails are sealed under them, and what a slow request sealed under one at the last moment is found by the next rotation.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import typer
from sqlalchemy import Connection, text

from chalicelib import audit
from chalicelib.backing import vault
from chalicelib.identity.scope import Scope
from chalicelib.operators import scopes
from chalicelib.operators.terminal import AsJson, OneTenant, print_json

vault_app = typer.Typer(help="Data keys: what bank details and secrets are sealed with.", no_args_is_help=True)

BATCH = 200
_FIRST = UUID(int=0)

# Whatever refers to a data key holds a sealed value beside it: key_id and sealed, secret_key_id and secret_sealed. Its
# row is known by its id; a table with one row for each tenant has none, and its row is known by the tenant's.
_PLACES = text("""
    select c.conrelid::regclass::text as table, a.attname::text as key,
        case when exists (select from pg_attribute i where i.attrelid = c.conrelid and i.attname = 'id')
            then 'id' else 'tenant_id' end as row
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
    """A column of sealed values: its table, the column that names the key, and the one that names the row."""

    table: str
    key: str
    row: str

    @property
    def sealed(self) -> str:
        return self.key.removesuffix("key_id") + "sealed"


@dataclass(slots=True)
class Rotation:
    """What came of one: the new key, what was sealed again, what does not open, and which keys were retired."""

    key_id: UUID
    was_begun: bool
    resealed: dict[str, int] = field(default_factory=dict)
    unopenable: list[str] = field(default_factory=list)
    retired: list[UUID] = field(default_factory=list)


@vault_app.command("rotate")
def rotate_key(tenant: OneTenant, as_json: AsJson = False) -> None:
    """Make a new data key for a tenant, seal everything again under it, and retire the old ones.

    Killed half-way, it goes on where it was. It ends with 1 if something does not open; that stays as it is.

    Example: vault rotate --tenant acme
    """
    found = rotate(scopes.get_tenant_id(tenant))
    if as_json:
        print_json(
            {
                "tenant": tenant,
                "key_id": found.key_id,
                "was_begun": found.was_begun,
                "resealed": found.resealed,
                "unopenable": found.unopenable,
                "retired": found.retired,
            }
        )
    else:
        said = ", ".join(f"{count} in {place}" for place, count in found.resealed.items() if count) or "nothing"
        began = "went on with a rotation that was begun" if found.was_begun else "has a new key"
        typer.echo(f"{tenant} {began}. Sealed again: {said}. Retired: {len(found.retired)} keys.")
        for problem in found.unopenable:
            typer.secho(problem, fg="red")
    if found.unopenable:
        raise typer.Exit(1)


def places_of(session: Connection) -> list[EncryptedColumn]:
    """Find every column of sealed values."""
    return [EncryptedColumn(row.table, row.key, row.row) for row in session.execute(_PLACES)]


def rotate(tenant_id: UUID) -> Rotation:
    """Rotate a tenant's data key, one batch after the other."""
    with scopes.operating(tenant_id) as scope:
        found = _begin(scope)
        places = places_of(scope.session)
    for place in places:
        name = f"{place.table}.{place.sealed}"
        found.resealed[name], after = 0, _FIRST
        while True:
            with scopes.operating(tenant_id) as scope:
                rows = _reseal(scope, place, found, after=after)
            if not rows:
                break
            found.resealed[name] += sum(rows.values())
            after = max(rows)
    if not found.unopenable:
        with scopes.operating(tenant_id) as scope:
            _retire(scope, found)
    return found


def _begin(scope: Scope) -> Rotation:
    scope.advisory_lock("vault-rotation")  # two at once make one key
    keys = scope.session.execute(_KEYS, {"tenant_id": scope.tenant_id}).all()
    if sum(key.retired_at is None for key in keys) > 1:
        return Rotation(keys[-1].id, was_begun=True)
    key_id = vault.rotate(scope.session, tenant_id=scope.tenant_id)
    audit.record(scope, action="vault.key_made", entity_type="tenant_key", entity_id=key_id)
    return Rotation(key_id, was_begun=False)


def _reseal(scope: Scope, place: EncryptedColumn, found: Rotation, *, after: UUID) -> dict[UUID, bool]:
    """Seal one batch of rows again, and tell of each whether it was done."""
    rows = scope.session.execute(
        text(
            f"select {place.row} as row_id, {place.sealed} as sealed, {place.key} as key_id from {place.table}"
            f" where tenant_id = :tenant_id and {place.key} < :key_id and {place.row} > :after"
            f" order by {place.row} limit :batch for no key update"
        ),
        {"tenant_id": scope.tenant_id, "key_id": found.key_id, "after": after, "batch": BATCH},
    ).all()
    done = {row.row_id: _again(scope, place, found, row) for row in rows}
    changed = [{"tenant_id": scope.tenant_id, **values} for values in done.values() if values]
    if changed:
        scope.session.execute(
            text(
                f"update {place.table} set {place.sealed} = :sealed, {place.key} = :key_id"
                f" where tenant_id = :tenant_id and {place.row} = :row_id"
            ),
            changed,
        )
    return {row_id: values is not None for row_id, values in done.items()}


def _again(scope: Scope, place: EncryptedColumn, found: Rotation, row: Any) -> dict[str, Any] | None:
    where: Any = {"tenant_id": scope.tenant_id, "table": place.table, "row_id": row.row_id}
    try:
        plain = vault.decrypt(scope.session, vault.EncryptedValue(row.key_id, bytes(row.sealed)), **where)
    except vault.Undecryptable as problem:
        found.unopenable.append(str(problem))
        return None
    sealed = vault.encrypt(scope.session, plain, **where)
    return {"row_id": row.row_id, "sealed": sealed.data, "key_id": sealed.key_id}


def _retire(scope: Scope, found: Rotation) -> None:
    rows = scope.session.execute(_RETIRE, {"tenant_id": scope.tenant_id, "key_id": found.key_id})
    found.retired = list(rows.scalars())
    if found.retired:
        audit.record(
            scope,
            action="vault.keys_retired",
            entity_type="tenant_key",
            entity_id=found.key_id,
            after={"retired": [str(key_id) for key_id in found.retired], "resealed": found.resealed},
        )
