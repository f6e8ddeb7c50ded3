"""Commands: erase a person, as far as the law lets us; and hand them what is known of them.

Erasure (GDPR): what becomes of which column is declared once, in the table personal_data, and done by one function of
the database's owner (erase_person). The files in the bucket go after the commit: what is still to be deleted stands in
person_erasures, so this may be killed anywhere and run again.
"""

from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import text

from chalicelib.backing import clock, files
from chalicelib.features.forms.attachments import rules as attachment_rules
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.operators import bucket, scopes
from chalicelib.operators.terminal import AsJson, OneTenant, print_json, print_table

people_app = typer.Typer(help="A person's rights: erasure, access.", no_args_is_help=True)
OnePerson = Annotated[str, typer.Option("--person", help="Their id, or their employee number.")]

# The longest that tax and commercial law ask for in most countries. Where it is less, say so with --keep-years.
KEEP_YEARS = 10

_FIND = text("""
    select u.id, u.name from users u
    left join employments e on e.tenant_id = u.tenant_id and e.user_id = u.id
    where u.tenant_id = :tenant_id and (u.id::text = :said or e.employee_no = :said)""")
_REFUSED = text("select * from person_erasure_refused(:tenant_id, :person, :today) as why")
_ERASE = text("select erase_person(:person, :by, :request, :today, :years)")
_KEPT = text(
    "select table_name, treatment, whose, why from personal_data"
    " where column_name = '*' and treatment in ('kept', 'later') order by table_name"
)
_LEFT = text(
    "select attachment_ids, payslip_ids from person_erasures where tenant_id = :tenant_id and user_id = :person"
)
_DONE = text("""
    update person_erasures set
        attachment_ids = array(select unnest(attachment_ids) except select unnest(cast(:attachment_ids as uuid[]))),
        payslip_ids = array(select unnest(payslip_ids) except select unnest(cast(:payslip_ids as uuid[])))
    where tenant_id = :tenant_id and user_id = :person""")
_BANK_FILES = text(
    "select count(distinct batch_id) from payouts"
    " where tenant_id = :tenant_id and user_id = :person and batch_id is not null"
)


@people_app.command("erase")
def erase_person(
    tenant: OneTenant,
    person: OnePerson,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    keep_years: Annotated[
        int, typer.Option(min=0, max=30, help="For how long records of pay are kept after the last of them.")
    ] = KEEP_YEARS,
    as_json: AsJson = False,
) -> None:
    """Erase a person who left: what identifies them goes at once, records of pay stay under a pseudonym.

    Refused while they are employed or owed anything. Killed half-way, run it again. After the years it takes payslips
    as PDF too.

    Example: people erase --tenant acme --person A099 --dry-run
    """
    tenant_id = scopes.get_tenant_id(tenant)
    with scopes.operating(tenant_id) as scope:
        person_id = get_person(scope, person)
        said = erase(scope, person_id, keep_years=keep_years, dry_run=dry_run)
    said |= {"tenant": tenant, "person": person_id, "dry_run": dry_run}
    if not dry_run:
        said["files_deleted"] = delete_files(tenant_id, person_id)
    if as_json:
        print_json(said)
    else:
        _tell(said)


def get_person(scope: Scope, said: str) -> UUID:
    """Find a person of the tenant by their id or employee number, or NotFound."""
    found = scope.session.execute(_FIND, {"tenant_id": scope.tenant_id, "said": said}).first()
    if found is None:
        raise NotFound(f"There is no person {said}. Who was erased has no employee number any more: use their id.")
    person_id: UUID = found.id
    return person_id


def erase(scope: Scope, person_id: UUID, *, keep_years: int, dry_run: bool) -> dict[str, Any]:
    """Erase a person in the database, or do it and take it back; Conflict says all that stands against it.

    It tells the rows changed by table and column, and those that are kept by table, with the reason.
    """
    key = {"tenant_id": scope.tenant_id, "person": person_id}
    values = {
        "today": clock.local_day(scope.now, scope.tenant.timezone),
        "years": keep_years,
        "by": f"{scope.actor.role}:{scope.actor.name}",
        "request": scope.origin.request_id,
    }
    if refused := scope.session.execute(_REFUSED, {**key, **values}).scalars().all():
        raise Conflict("They cannot be erased yet: " + "; ".join(refused) + ".")
    attempt = scope.session.begin_nested()
    done: dict[str, Any] = scope.session.execute(_ERASE, {**key, **values}).scalar_one()
    left = scope.session.execute(_LEFT, key).one()
    kept = []
    for row in scope.session.execute(_KEPT).all():
        if count := _count(scope, row, person_id):
            kept.append({"table": row.table_name, "rows": count, "why": row.why})
    done |= {
        "kept": kept,
        "files_to_delete_of": len(left.attachment_ids) + len(left.payslip_ids),
        "bank_files_kept": scope.session.execute(_BANK_FILES, key).scalar_one(),
    }
    attempt.rollback() if dry_run else attempt.commit()
    return done


def delete_files(tenant_id: UUID, person_id: UUID) -> int:
    """Delete from the bucket what an erasure left to be deleted, with all versions, and count the versions.

    It is deleted first and forgotten then: killed in between, it is deleted again, which finds nothing.
    """
    key = {"tenant_id": tenant_id, "person": person_id}
    with scopes.operating(tenant_id) as scope:
        left = scope.session.execute(_LEFT, key).one()
    count = 0
    for one in left.attachment_ids:
        for beginning in (
            attachment_rules.quarantine_key(tenant_id, one),
            attachment_rules.clean_folder(tenant_id, one),
        ):
            count += bucket.delete_versions(tenant_id, beginning)
    for one in left.payslip_ids:
        count += bucket.delete_versions(tenant_id, files.key_of(tenant_id, "payslips", str(one)))
    if left.attachment_ids or left.payslip_ids:
        with scopes.operating(tenant_id) as scope:
            scope.session.execute(
                _DONE, {**key, "attachment_ids": left.attachment_ids, "payslip_ids": left.payslip_ids}
            )
    return count


def theirs(row: Any) -> str:
    """Return the condition that finds a person's rows (:person, :addresses), as it is declared."""
    # each colon doubled: the statement's own are casts, and not our names
    declared = row.whose.replace(":", "\\:").replace("$1", "cast(:person as uuid)")
    return f"t.tenant_id = :tenant_id and ({declared.replace('$2', 'cast(:addresses as text[])')})"


def _count(scope: Scope, row: Any, person_id: UUID) -> int:
    found: int = scope.session.execute(
        text(f"select count(*) from {row.table_name} t where {theirs(row)}"),
        {"tenant_id": scope.tenant_id, "person": person_id},
    ).scalar_one()
    return found


def _tell(said: dict[str, Any]) -> None:
    would = "would be " if said["dry_run"] else ""
    changed = [{"what": what, "rows": count} for what, count in said["counts"].items()]
    typer.echo(f"Person {said['person']}, rows that {would or 'were '}deleted or emptied:")
    print_table(changed, columns=("what", "rows"), empty="none: everything was done before")
    until = "is over" if said["is_over"] else f"lasts until {said['kept_until']}; run this again after it"
    typer.echo(f"\nKept under a pseudonym (the time of records {until}):")
    print_table(said["kept"], columns=("table", "rows", "why"), empty="nothing")
    typer.echo(f"\nFiles {would}deleted from the bucket: of {said['files_to_delete_of']} uploads and payslips.")
    if not said["is_over"]:
        typer.echo("Payslips as PDF carry the name; they are records, and stay until then.")
    if said["bank_files_kept"]:
        typer.echo(
            f"{said['bank_files_kept']} bank files that paid them name them and others; they stay in the bucket."
        )
    if said["counts"] and not said["is_named"]:
        typer.echo("Their name was not looked for in what others wrote: another person's name contains it.")
