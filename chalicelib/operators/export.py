"""Command: everything of a tenant, as one file to hand over.

Which tables there are is asked of the catalog, so that a new one is in the file by itself. All rows are as of one
moment. Keys, hashes and whatever else is bytes are left out; what is sealed is put in readable form only if asked.
"""

import json
import os
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Connection, text

from chalicelib import audit
from chalicelib.backing import vault
from chalicelib.backing.database import transaction
from chalicelib.kernel.errors import Conflict
from chalicelib.operators import scopes
from chalicelib.operators.rotation import Place, places_of
from chalicelib.operators.terminal import AsJson, OneTenant, print_json

AT_A_TIME = 1000

# Every table of tenants' rows, with the column that says whose a row is, and with those that hold bytes.
_TABLES = text("""
    select c.relname::text as name, case c.relname when 'tenants' then 'id' else 'tenant_id' end as key,
        array(select b.attname::text from pg_attribute b
              where b.attrelid = c.oid and b.atttypid = 'bytea'::regtype and not b.attisdropped) as bytes
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and (c.relname = 'tenants' or exists (
          select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))
    order by 1""")


def export_tenant(
    tenant: OneTenant,
    to: Annotated[Path, typer.Option(help="The zip file to make; it must not be there yet.")],
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Bank details and webhook secrets in readable form too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write all rows of a tenant into a zip: one file of JSON lines for each table, and a manifest with the counts.

    Files that people uploaded are not in it, only what is known about them: they are in the bucket, under the tenant.

    Example: tenants export --tenant acme --to acme.zip
    """
    tenant_id = scopes.get_tenant_id(tenant)
    if to.exists():
        raise Conflict(f"{to} is there already; name another file.")
    with scopes.operating(tenant_id) as scope:
        audit.record(scope, action="tenant.exported", entity_type="tenant", entity_id=tenant_id,
                     after={"with_secrets": with_secrets})  # fmt: skip
        now = scope.now
    counts = write(tenant_id, slug=tenant, now=now, to=to, with_secrets=with_secrets)
    if as_json:
        print_json({"tenant": tenant, "file": to, "with_secrets": with_secrets, "rows": counts})
    else:
        typer.echo(f"{to}: {sum(counts.values())} rows of {len(counts)} tables, {to.stat().st_size} bytes.")


def write(tenant_id: UUID, *, slug: str, now: datetime, to: Path, with_secrets: bool) -> dict[str, int]:
    """This will write the file, and count the rows of each table; killed, it leaves only `to` with .part after it."""
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    # for nobody's eyes but the operator's, from its first byte
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    with (
        os.fdopen(descriptor, "w+b") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        transaction(tenant_id=tenant_id) as session,
    ):
        session.exec_driver_sql("set transaction isolation level repeatable read, read only")
        places = places_of(session) if with_secrets else []
        counts = {}
        for table in session.execute(_TABLES).all():
            shown = [place for place in places if place.table == table.name]
            counts[table.name] = 0
            with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as lines:
                for line in _lines(session, tenant_id, table, shown):
                    lines.write(line.encode() + b"\n")
                    counts[table.name] += 1
        manifest = {"tenant": slug, "tenant_id": str(tenant_id), "at": now.isoformat(),
                    "with_secrets": with_secrets, "rows": counts}  # fmt: skip
        archive.writestr("manifest.json", json.dumps(manifest, indent=2))
    part.rename(to)
    return counts


def add_to(tenants_app: typer.Typer) -> None:
    """This will put the command beside the others about tenants."""
    tenants_app.command("export")(export_tenant)


def _lines(session: Connection, tenant_id: UUID, table: Any, shown: list[Place]) -> Iterator[str]:
    found = session.execute(
        text(
            "select (to_jsonb(t) - cast(:left_out as text[]))::text as line"
            f" from {table.name} t where {table.key} = :tenant_id"
        ),
        {
            "tenant_id": tenant_id,
            "left_out": [name for name in table.bytes if name not in {place.sealed for place in shown}],
        },
        execution_options={"yield_per": AT_A_TIME},
    )
    for row in found:
        yield _opened(session, tenant_id, row.line, shown) if shown else row.line


def _opened(session: Connection, tenant_id: UUID, line: str, shown: list[Place]) -> str:
    row = json.loads(line)
    for place in shown:
        if row[place.sealed] is None:
            continue
        sealed = vault.Sealed(UUID(row[place.key]), bytes.fromhex(row[place.sealed].removeprefix("\\x")))
        try:
            row[place.sealed] = vault.unseal(
                session, sealed, tenant_id=tenant_id, table=place.table, row_id=UUID(row[place.row])
            ).decode()
        except vault.Unopenable as problem:
            row[place.sealed] = f"it does not open: {problem}"
    return json.dumps(row, ensure_ascii=False)
