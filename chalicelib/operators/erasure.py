"""Command: GDPR erasure of a person, as far as retention law allows.

The table personal_data declares the treatment of each column; the SQL function erase_person applies it. Files in the
bucket are deleted after the commit: person_erasures lists those still to delete, so this may be killed anywhere and run
again.
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

# The longest retention period of tax and commercial law in most countries; --keep-years sets a shorter one.
KEEP_YEARS = 10

_FIND_USER = text("""
    select u.id, u.name from users u
    left join employments e on e.tenant_id = u.tenant_id and e.user_id = u.id
    where u.tenant_id = :tenant_id and (u.id::text = :reference or e.employee_no = :reference)""")
_OBSTACLES = text("select * from person_erasure_refused(:tenant_id, :person, :today) as why")
_ERASE = text("select erase_person(:person, :by, :request, :today, :years)")
_RETAINED_TABLES = text(
    "select table_name, treatment, whose, why from personal_data"
    " where column_name = '*' and treatment in ('kept', 'later') order by table_name"
)
_FILES_TO_DELETE = text(
    "select attachment_ids, payslip_ids from person_erasures where tenant_id = :tenant_id and user_id = :person"
)
_MARK_FILES_DELETED = text("""
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
        report = erase(scope, person_id, keep_years=keep_years, dry_run=dry_run)
    report |= {"tenant": tenant, "person": person_id, "dry_run": dry_run}
    if not dry_run:
        report["files_deleted"] = delete_files(tenant_id, person_id)
    if as_json:
        print_json(report)
    else:
        _print_report(report)


def get_person(scope: Scope, reference: str) -> UUID:
    """Return the id of the user with this id or employee number. Raises NotFound."""
    user = scope.session.execute(_FIND_USER, {"tenant_id": scope.tenant_id, "reference": reference}).first()
    if user is None:
        raise NotFound(f"There is no person {reference}. Who was erased has no employee number any more: use their id.")
    person_id: UUID = user.id
    return person_id


def erase(scope: Scope, person_id: UUID, *, keep_years: int, dry_run: bool) -> dict[str, Any]:
    """Erase a person in the database, or with `dry_run` do so and roll back. Raises Conflict with every obstacle.

    Return the report that is printed: rows changed by table and column, rows kept by table, with the reason.
    """
    key = {"tenant_id": scope.tenant_id, "person": person_id}
    values = {
        "today": clock.local_day(scope.now, scope.tenant.timezone),
        "years": keep_years,
        "by": f"{scope.actor.role}:{scope.actor.name}",
        "request": scope.origin.request_id,
    }
    if reasons := scope.session.execute(_OBSTACLES, {**key, **values}).scalars().all():
        raise Conflict("They cannot be erased yet: " + "; ".join(reasons) + ".")
    savepoint = scope.session.begin_nested()
    report: dict[str, Any] = scope.session.execute(_ERASE, {**key, **values}).scalar_one()
    remaining = scope.session.execute(_FILES_TO_DELETE, key).one()
    kept = []
    for row in scope.session.execute(_RETAINED_TABLES).all():
        if count := _count(scope, row, person_id):
            kept.append({"table": row.table_name, "rows": count, "why": row.why})
    report |= {
        "kept": kept,
        "files_to_delete_of": len(remaining.attachment_ids) + len(remaining.payslip_ids),
        "bank_files_kept": scope.session.execute(_BANK_FILES, key).scalar_one(),
    }
    savepoint.rollback() if dry_run else savepoint.commit()
    return report


def delete_files(tenant_id: UUID, person_id: UUID) -> int:
    """Delete the files that an erasure listed, with all versions, and return the number of versions.

    They are deleted first and taken off the list then: killed in between, they are deleted again, which does nothing.
    """
    key = {"tenant_id": tenant_id, "person": person_id}
    with scopes.operating(tenant_id) as scope:
        remaining = scope.session.execute(_FILES_TO_DELETE, key).one()
    count = 0
    for one in remaining.attachment_ids:
        for prefix in (
            attachment_rules.quarantine_key(tenant_id, one),
            attachment_rules.clean_folder(tenant_id, one),
        ):
            count += bucket.delete_versions(tenant_id, prefix)
    for one in remaining.payslip_ids:
        count += bucket.delete_versions(tenant_id, files.key_of(tenant_id, "payslips", str(one)))
    if remaining.attachment_ids or remaining.payslip_ids:
        with scopes.operating(tenant_id) as scope:
            scope.session.execute(
                _MARK_FILES_DELETED,
                {**key, "attachment_ids": remaining.attachment_ids, "payslip_ids": remaining.payslip_ids},
            )
    return count


def build_condition(row: Any) -> str:
    """Return the declared condition for a person's rows, with the parameters :person and :addresses."""
    # colons are escaped: those of the condition are casts, not parameters
    declared = row.whose.replace(":", "\\:").replace("$1", "cast(:person as uuid)")
    return f"t.tenant_id = :tenant_id and ({declared.replace('$2', 'cast(:addresses as text[])')})"


def _count(scope: Scope, row: Any, person_id: UUID) -> int:
    count: int = scope.session.execute(
        text(f"select count(*) from {row.table_name} t where {build_condition(row)}"),
        {"tenant_id": scope.tenant_id, "person": person_id},
    ).scalar_one()
    return count


def _print_report(report: dict[str, Any]) -> None:
    """Print the report of an erasure or of a dry run."""
    would = "would be " if report["dry_run"] else ""
    changed = [{"what": what, "rows": count} for what, count in report["counts"].items()]
    typer.echo(f"Person {report['person']}, rows that {would or 'were '}deleted or emptied:")
    print_table(changed, columns=("what", "rows"), empty="none: everything was done before")
    until = "is over" if report["is_over"] else f"lasts until {report['kept_until']}; run this again after it"
    typer.echo(f"\nKept under a pseudonym (the time of records {until}):")
    print_table(report["kept"], columns=("table", "rows", "why"), empty="nothing")
    typer.echo(f"\nFiles {would}deleted from the bucket: of {report['files_to_delete_of']} uploads and payslips.")
    if not report["is_over"]:
        typer.echo("Payslips as PDF carry the name; they are records, and stay until then.")
    if report["bank_files_kept"]:
        typer.echo(
            f"{report['bank_files_kept']} bank files that paid them name them and others; they stay in the bucket."
        )
    if report["counts"] and not report["is_named"]:
        typer.echo("Their name was not looked for in what others wrote: another person's name contains it.")
