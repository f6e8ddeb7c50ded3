"""Command: export all data of a tenant into one file.

The tables are read from the catalog, so that a new one is included. All rows are of one snapshot (repeatable read).
Columns of bytes (keys, hashes) are left out; encrypted values are decrypted only with --with-secrets. Files are copied
from the bucket after the transaction, in pieces, so that no transaction waits for them.
"""

import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import track
from sqlalchemy import Connection, text

from chalicelib import audit
from chalicelib.backing import files, rows, vault
from chalicelib.backing.database import transaction
from chalicelib.operators import bucket, scopes
from chalicelib.operators.cell_move import check_free, zip_at
from chalicelib.operators.rotation import EncryptedColumn, load_encrypted_columns
from chalicelib.operators.terminal import AsJson, OneTenant, print_json

FETCH_SIZE = 1000
COPY_BUFFER = 1024 * 1024  # bytes of a file in memory at once

# Every table of tenants' rows, with the column of the tenant's id, and its bytea columns.
_TABLES = text("""
    select c.relname::text as name, case c.relname when 'tenants' then 'id' else 'tenant_id' end as key,
        array(select b.attname::text from pg_attribute b
              where b.attrelid = c.oid and b.atttypid = 'bytea'::regtype and not b.attisdropped) as bytes
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and (c.relname = 'tenants' or exists (
          select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))
    order by 1""")


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """A table of tenants' rows: its column of the tenant's id, and its columns of bytes."""

    name: str
    key: str
    bytes: list[str]


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
        counts, files_summary = manifest["rows"], manifest["files"]
        files_text = f" {files_summary['count']} files of {files_summary['bytes']} bytes," if files_summary else ""
        typer.echo(f"{to}: {sum(counts.values())} rows of {len(counts)} tables,{files_text} {to.stat().st_size} bytes.")


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
    """Write the file and return its manifest; killed, it leaves only `to` with .part after it."""
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
    """Register the command."""
    tenants_app.command("export")(export_tenant)


def _write_rows(archive: zipfile.ZipFile, tenant_id: UUID, *, with_secrets: bool) -> dict[str, int]:
    """Write each table as JSON lines; return the number of rows per table."""
    counts = {}
    with transaction(tenant_id=tenant_id) as session:
        session.exec_driver_sql("set transaction isolation level repeatable read, read only")
        encrypted = load_encrypted_columns(session) if with_secrets else []
        for table in rows.every(ExportedTable, session.execute(_TABLES)):
            of_table = [column for column in encrypted if column.table == table.name]
            counts[table.name] = 0
            with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as lines:
                for line in _export_table(session, tenant_id, table, of_table):
                    lines.write(line.encode() + b"\n")
                    counts[table.name] += 1
    return counts


def _write_files(archive: zipfile.ZipFile, tenant_id: UUID, *, silent: bool) -> dict[str, Any]:
    """Copy the tenant's files to files/, and return the summary of the manifest."""
    from botocore.exceptions import ClientError

    prefix, name = bucket.tenant_prefix(tenant_id), bucket.bucket_name()
    summary: dict[str, Any] = {"count": 0, "bytes": 0, "gone": 0, "folders": {}}
    total = sum(1 for _ in bucket.list_files(tenant_id))  # listed twice rather than kept in memory
    for file in track(
        bucket.list_files(tenant_id),
        "files",
        total=total,
        console=Console(stderr=True),
        disable=silent,
        transient=True,
    ):
        try:
            body = files.client().get_object(Bucket=name, Key=file.key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            summary["gone"] += 1  # removed since it was listed
            continue
        path = file.key.removeprefix(prefix)
        with body, archive.open(f"files/{path}", "w", force_zip64=True) as copy:
            shutil.copyfileobj(body, copy, COPY_BUFFER)
        folder = summary["folders"].setdefault(path.partition("/")[0], {"count": 0, "bytes": 0})
        for totals in (summary, folder):
            totals["count"] += 1
            totals["bytes"] += file.size_bytes
    return summary


def _export_table(
    session: Connection, tenant_id: UUID, table: ExportedTable, decrypted: list[EncryptedColumn]
) -> Iterator[str]:
    """Yield a table's rows of the tenant as JSON."""
    result = session.execute(
        text(
            "select (to_jsonb(t) - cast(:left_out as text[]))::text as line"
            f" from {table.name} t where {table.key} = :tenant_id"
        ),
        {
            "tenant_id": tenant_id,
            "left_out": [name for name in table.bytes if name not in {column.value for column in decrypted}],
        },
        execution_options={"yield_per": FETCH_SIZE},
    )
    for row in result:
        yield _decrypt_row(session, tenant_id, row.line, decrypted) if decrypted else row.line


def _decrypt_row(session: Connection, tenant_id: UUID, line: str, decrypted: list[EncryptedColumn]) -> str:
    """Return a row's JSON with its encrypted values decrypted."""
    row = json.loads(line)
    for column in decrypted:
        if row[column.value] is None:
            continue
        encrypted = vault.EncryptedValue(UUID(row[column.key]), bytes.fromhex(row[column.value].removeprefix("\\x")))
        try:
            row[column.value] = vault.decrypt(
                session, encrypted, tenant_id=tenant_id, table=column.table, row_id=UUID(row[column.row_key])
            ).decode()
        except vault.Undecryptable as problem:
            row[column.value] = f"it does not open: {problem}"
    return json.dumps(row, ensure_ascii=False)
