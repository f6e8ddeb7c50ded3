"""Command: everything of a tenant, as one file to hand over.

Which tables there are is asked of the catalog, so that a new one is in the file by itself. All rows are as of one
moment. Keys, hashes and whatever else is bytes are left out; what is sealed is put in readable form only if asked.
Files are read from the bucket after that, one piece of one file at a time; nothing of the database waits for them.
"""

import json
import shutil
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import track
from sqlalchemy import Connection, text

from chalicelib import audit
from chalicelib.backing import files, vault
from chalicelib.backing.database import transaction
from chalicelib.operators import bucket, scopes
from chalicelib.operators.cell_move import check_free, zip_at
from chalicelib.operators.rotation import EncryptedColumn, places_of
from chalicelib.operators.terminal import AsJson, OneTenant, print_json

AT_A_TIME = 1000
PIECE = 1024 * 1024  # bytes of a file that are in memory at once

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
    with_files: Annotated[
        bool, typer.Option("--with-files", help="What people uploaded, payslips as PDF and bank files too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write all rows of a tenant into a zip: one file of JSON lines for each table, and a manifest with the counts.

    With --with-files the tenant's files of the bucket are in it as well, under files/; those in quarantine never are.

    Example: tenants export --tenant acme --to acme.zip
    """
    tenant_id = scopes.get_tenant_id(tenant)
    check_free(to)
    with scopes.operating(tenant_id) as scope:
        audit.record(
            scope,
            action="tenant.exported",
            entity_type="tenant",
            entity_id=tenant_id,
            after={"with_secrets": with_secrets, "with_files": with_files},
        )
        now = scope.now
    manifest = write(
        tenant_id, slug=tenant, now=now, to=to, with_secrets=with_secrets, with_files=with_files, silent=as_json
    )
    if as_json:
        print_json(
            {
                "tenant": tenant,
                "file": to,
                "with_secrets": with_secrets,
                "rows": manifest["rows"],
                "files": manifest["files"],
            }
        )
    else:
        counts, found = manifest["rows"], manifest["files"]
        more = f" {found['count']} files of {found['bytes']} bytes," if found else ""
        typer.echo(f"{to}: {sum(counts.values())} rows of {len(counts)} tables,{more} {to.stat().st_size} bytes.")


def write(
    tenant_id: UUID,
    *,
    slug: str,
    now: datetime,
    to: Path,
    with_secrets: bool,
    with_files: bool = False,
    silent: bool = True,
) -> dict[str, Any]:
    """Write the file and give its manifest; killed, it leaves only `to` with .part after it."""
    with zip_at(to) as archive:
        manifest = {
            "tenant": slug,
            "tenant_id": str(tenant_id),
            "at": now.isoformat(),
            "with_secrets": with_secrets,
            "rows": _write_rows(archive, tenant_id, with_secrets=with_secrets),
            "files": _write_files(archive, tenant_id, silent=silent) if with_files else None,
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=2))
    return manifest


def add_to(tenants_app: typer.Typer) -> None:
    """Put the command beside the others about tenants."""
    tenants_app.command("export")(export_tenant)


def _write_rows(archive: zipfile.ZipFile, tenant_id: UUID, *, with_secrets: bool) -> dict[str, int]:
    counts = {}
    with transaction(tenant_id=tenant_id) as session:
        session.exec_driver_sql("set transaction isolation level repeatable read, read only")
        places = places_of(session) if with_secrets else []
        for table in session.execute(_TABLES).all():
            shown = [place for place in places if place.table == table.name]
            counts[table.name] = 0
            with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as lines:
                for line in _lines(session, tenant_id, table, shown):
                    lines.write(line.encode() + b"\n")
                    counts[table.name] += 1
    return counts


def _write_files(archive: zipfile.ZipFile, tenant_id: UUID, *, silent: bool) -> dict[str, Any]:
    """Copy the tenant's files, each under files/ and its key without the tenant, and count them."""
    from botocore.exceptions import ClientError

    home, name = bucket.home_of(tenant_id), bucket.name()
    found: dict[str, Any] = {"count": 0, "bytes": 0, "gone": 0, "folders": {}}
    total = sum(1 for _ in bucket.stored_under(tenant_id))  # listed twice, so that no list of them is kept
    for one in track(
        bucket.stored_under(tenant_id),
        "files",
        total=total,
        console=Console(stderr=True),
        disable=silent,
        transient=True,
    ):
        try:
            body = files.client().get_object(Bucket=name, Key=one.key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            found["gone"] += 1  # removed since it was listed
            continue
        inside = one.key.removeprefix(home)
        with body, archive.open(f"files/{inside}", "w", force_zip64=True) as copy:
            shutil.copyfileobj(body, copy, PIECE)
        folder = found["folders"].setdefault(inside.partition("/")[0], {"count": 0, "bytes": 0})
        for counted in (found, folder):
            counted["count"] += 1
            counted["bytes"] += one.size_bytes
    return found


def _lines(session: Connection, tenant_id: UUID, table: Any, shown: list[EncryptedColumn]) -> Iterator[str]:
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


def _opened(session: Connection, tenant_id: UUID, line: str, shown: list[EncryptedColumn]) -> str:
    row = json.loads(line)
    for place in shown:
        if row[place.sealed] is None:
            continue
        sealed = vault.EncryptedValue(UUID(row[place.key]), bytes.fromhex(row[place.sealed].removeprefix("\\x")))
        try:
            row[place.sealed] = vault.decrypt(
                session, sealed, tenant_id=tenant_id, table=place.table, row_id=UUID(row[place.row])
            ).decode()
        except vault.Undecryptable as problem:
            row[place.sealed] = f"it does not open: {problem}"
    return json.dumps(row, ensure_ascii=False)
