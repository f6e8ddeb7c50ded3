"""Command: all data about one person in one file (GDPR access)."""

import json
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import text

from chalicelib import audit
from chalicelib.identity.scope import Scope
from chalicelib.operators import scopes
from chalicelib.operators.cell_move import check_free, zip_at
from chalicelib.operators.erasure import OnePerson, build_condition, get_person
from chalicelib.operators.terminal import AsJson, OneTenant, print_json

# The tables that an erasure covers, and their bytea columns: keys, hashes and encrypted values are not exported.
_TABLES = text("""
    select table_name, whose, array(
        select a.attname::text from pg_attribute a
        where a.attrelid = table_name::regclass and a.atttypid = 'bytea'::regtype and not a.attisdropped) as bytes
    from personal_data where column_name = '*' and whose <> 'false' order by table_name""")
_ADDRESSES = text("""
    select coalesce(array_agg(email), '{}') from (
        select email from users where tenant_id = :tenant_id and id = :person and email is not null
        union select email from members where tenant_id = :tenant_id and user_id = :person) addresses""")


def export_person(
    tenant: OneTenant,
    person: OnePerson,
    to: Annotated[Path, typer.Option(help="The zip file to make; it must not be there yet.")],
    as_json: AsJson = False,
) -> None:
    """Write all rows about a person into a zip: one file of JSON for each table. Their files are not in it.

    Example: people export --tenant acme --person A004 --to rahim.zip
    """
    check_free(to)
    tenant_id = scopes.get_tenant_id(tenant)
    with scopes.operating(tenant_id) as scope:
        person_id = get_person(scope, person)
        audit.record(scope, action="person.exported", entity_type="user", entity_id=person_id)
        counts = _write_tables(scope, person_id, to)
    if as_json:
        print_json({"tenant": tenant, "person": person_id, "file": to, "rows": counts})
    else:
        typer.echo(f"{to}: {sum(counts.values())} rows of {len(counts)} tables.")


def add_to(people_app: typer.Typer) -> None:
    """Register the command."""
    people_app.command("export")(export_person)


def _write_tables(scope: Scope, person_id: UUID, to: Path) -> dict[str, int]:
    """Write one file of JSON per table, and a manifest; return the number of rows per table."""
    key = {"tenant_id": scope.tenant_id, "person": person_id}
    values = {**key, "addresses": scope.session.execute(_ADDRESSES, key).scalar_one()}
    counts = {}
    with zip_at(to) as archive:
        for table in scope.session.execute(_TABLES).all():
            condition = build_condition(table)
            result = scope.session.execute(
                text(f"select to_jsonb(t) - cast(:left_out as text[]) from {table.table_name} t where {condition}"),
                {**values, "left_out": table.bytes},
            )
            if rows := result.scalars().all():
                counts[table.table_name] = len(rows)
                archive.writestr(f"{table.table_name}.json", json.dumps(rows, indent=2, ensure_ascii=False))
        archive.writestr(
            "manifest.json",
            json.dumps({"person": str(person_id), "at": scope.now.isoformat(), "rows": counts}, indent=2),
        )
    return counts
