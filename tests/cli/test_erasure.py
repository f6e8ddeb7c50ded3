"""A person who left is erased: from every column there is, and from nothing that is somebody else's."""

import json
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql as compose

from chalicelib.backing import files
from chalicelib.backing.database import statement
from chalicelib.operators import bucket, checks, person_export
from infra.local import aws
from tests.architecture import rows
from tests.cli.conftest import Cli
from tests.support import stack
from tests.support.cast import Cast, tenant
from tests.support.people import employee, sql

NAME, EMAIL, PHONE = "Rahim Uddin Bhuiyan", "rahim.uddin@acme.example", "+8801712345678"
MARKS = f"Rahim Uddin Bhuiyan|{EMAIL}|8801712345678"
SAID = f"Told {NAME} ({EMAIL}, {PHONE}), and Karim."
LEFT, DAY = date(2026, 3, 31), "2026-03-31T00:00:00Z"
# what would rightly stop an erasure, put as it is when all is settled
SETTLED: dict[str, dict[str, Any]] = {
    "payouts": {"status": "paid", "payroll_run_id": rows.BY_TYPE["uuid"]},
    "ledger_accounts": {"kind": "payable"},
    "payout_destinations": {"confirmed_at": DAY},
    "leave_requests": {"status": "approved"},
    "on_duty": {"status": "approved"},
    "overtime": {"status": "approved"},
    "kpi_scores": {"override_value": 1, "overridden_at": DAY},
    "payslips": {"carried_into": rows.BY_TYPE["uuid"]},
    "payroll_adjustments": {"paid_at": DAY},
    "payroll_runs": {"status": "paid", "approved_at": DAY, "paid_at": DAY, "calculated_at": DAY, "plan": "{}"},
}
# a row that refers to another of theirs refers to the one that has their own id
THEIRS = {"id", "allocation_id", "assignment_id", "payout_id", "payslip_id", "sale_id", "log_id", "destination_id"}
# the check itself, of this tenant alone: rows as odd as these would fail others
_AUDIT = statement(checks.__file__, "audit").replace("%", "%%").replace(":tenant_id", "%(tenant_id)s").encode()
BY_HAND = {
    "tenants",
    "users",
    "employments",
    "pending_sales",
    "pay_periods",
    "audit_logs",
    "audit_heads",
    "person_erasures",
}


@pytest.fixture(name="s3", scope="module", autouse=True)
def _s3(database: object) -> Iterator[Any]:
    with stack.running():
        files.client().put_bucket_versioning(Bucket=aws.BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield files.client()


@pytest.fixture(name="acme", scope="module")
def _acme(database: object) -> Cast:
    return tenant("Acme")


def somebody(cast: Cast, root: psycopg.Connection, *, name: str = NAME, email: str = EMAIL, no: str = "E-7") -> UUID:
    """Make a person who left, with a row in every table of people and their name in every column of words."""
    user_id = employee(cast, name=name, email=email, employee_no=no, left_on=LEFT)
    cast.hr.ok("PATCH", f"/users/{user_id}", {"language": "bn"})  # the audit tells of it
    declared = root.execute(
        "select t.table_name, t.whose, array_agg(c.column_name) filter (where c.treatment in ('cleared', 'words'))"
        " from personal_data t left join personal_data c on c.table_name = t.table_name and c.column_name <> '*'"
        " where t.column_name = '*' group by 1, 2 order by 1"
    ).fetchall()
    with root.transaction():
        root.execute("set local session_replication_role = replica")
        for table, whose, words in declared:
            if table not in BY_HAND:
                mine = rows.BY_TYPE["uuid"] if whose == "false" else user_id
                fill(root, cast, user_id, table, words or [], email, mine)
    return user_id


def fill(
    root: psycopg.Connection, cast: Cast, user_id: UUID, table: str, words: list[str], email: str, mine: object
) -> None:
    """Write one row of theirs that names them wherever it may."""
    kinds = dict(
        root.execute(
            "select column_name::text, data_type::text from information_schema.columns"
            " where table_schema = 'public' and table_name = %s",
            [table],
        ).fetchall()
    )
    said = rows.columns(root, table, cast.id) | SETTLED.get(table, {})
    said |= {name: json.dumps({"note": SAID}) if kinds[name].startswith("json") else SAID for name in words}
    said |= dict.fromkeys(THEIRS & kinds.keys(), user_id)
    said |= {name: one for name, one in (("id", mine), ("user_id", user_id)) if name in kinds}
    said |= {
        "members": {"email": email},
        "payouts": {"reference": str(user_id)},
        "notification_suppressions": {"address": email},
        "notification_preferences": {"phone": PHONE},
        "notification_logs": {"user_id": user_id, "cause": str(user_id), "sent_to": email},
        "idempotency_keys": {"body": f"{user_id} {SAID}", "key": str(user_id)},
        "webhook_events": {"body": json.dumps({"user_id": str(user_id), "name": SAID})},
    }.get(table, {})
    root.execute(
        compose.SQL("insert into {} ({}) values ({}) on conflict do nothing").format(
            compose.Identifier(table),
            compose.SQL(", ").join(map(compose.Identifier, said)),
            compose.SQL(", ").join([compose.Placeholder()] * len(said)),
        ),
        list(said.values()),
    )


def places(root: psycopg.Connection, cast: Cast, marks: str = MARKS) -> dict[str, int]:
    """Look for marks in every column of words of every table of the tenant, and count the rows by column."""
    columns = root.execute(
        "select table_name::text, column_name::text, case table_name when 'tenants' then 'id' else 'tenant_id' end"
        " from information_schema.columns c where table_schema = 'public'"
        " and data_type in ('text', 'json', 'jsonb', 'ARRAY')"
        " and exists (select from information_schema.columns k where k.table_schema = 'public'"
        "   and k.table_name = c.table_name and k.column_name = 'tenant_id')"
    ).fetchall()
    found = {}
    for table, column, key in columns:
        counted = root.execute(
            f"select count(*) from {table} where {key} = %s and {column}::text ~* %s",
            [cast.id, marks.replace(".", r"\.").replace("+", r"\+")],
        ).fetchone()
        if counted and counted[0]:
            found[f"{table}.{column}"] = counted[0]
    return found


def erase(cli: Cli, cast: Cast, person: object, *more: str) -> Any:
    said = cli("people", "erase", "--tenant", cast.slug, "--person", str(person), "--json", *more)
    assert said.code == 0, said.err
    return said.json


def audit_is_whole(root: psycopg.Connection, cast: Cast) -> bool:
    return [said for (said,) in root.execute(_AUDIT, {"tenant_id": cast.id}) if said] == []


class TestErase:
    def test_leaves_a_person_in_no_column_there_is(self, cli: Cli, acme: Cast, root: psycopg.Connection) -> None:
        person = somebody(acme, root)
        before = places(root, acme)
        assert len(before) > 60
        assert {"users.name", "members.email", "audit_logs.before", "jobs.result", "payouts.approved_by"} - set(
            before
        ) <= {"audit_logs.before"}
        done = erase(cli, acme, "E-7")
        assert places(root, acme) == {}
        assert done["counts"]["payout_destinations"] == 1
        assert {"payslips", "ledger_entries", "pay_registers"} <= {one["table"] for one in done["kept"]}
        until = root.execute("select (max(created_at) + interval '10 years')::date from payouts").fetchone()
        assert until is not None
        assert done["kept_until"] == str(until[0])
        shown = acme.hr.ok("GET", f"/users/{person}")
        assert (shown["name"], shown["email"]) == ("Erased person", None)
        assert acme.hr.ok("GET", "/users?search=Rahim")["items"] == []
        assert audit_is_whole(root, acme)

    def test_changes_nothing_of_others_but_what_names_them(self, cli: Cli, root: psycopg.Connection) -> None:
        acme, zenith = tenant("Acme"), tenant("Zenith")
        person, stranger = somebody(acme, root), somebody(zenith, root)
        other = somebody(acme, root, name="Karim Ali", email="karim@acme.example", no="E-8")
        said = places(root, zenith)
        kept = everything(root, acme, other)
        erase(cli, acme, person)
        assert places(root, zenith) == said
        assert zenith.hr.ok("GET", f"/users/{stranger}")["name"] == NAME
        now = everything(root, acme, other)
        assert {table: len(found) for table, found in now.items()} == {
            table: len(found) for table, found in kept.items()
        }
        assert now["users"] == kept["users"]
        assert now["leave_requests"][0]["reason"] == "Told Erased person (Erased person, Erased person), and Karim."
        assert now["payout_destinations"][0]["sealed"] == kept["payout_destinations"][0]["sealed"]

    def test_takes_the_words_of_sales_and_keeps_their_ids_unique(self, cli: Cli, root: psycopg.Connection) -> None:
        acme = tenant("Acme")
        person = employee(acme, name=NAME, email=EMAIL, employee_no="E-7", left_on=LEFT)
        other = employee(acme, name="Karim Ali", employee_no="E-8")
        sold = [
            (person, "Her favourite shop", "S-1"),
            (person, None, f"{NAME} 1"),
            (person, None, NAME.upper()),
            (person, None, NAME),
            (other, f"{NAME}'s shop", "S-2"),
            (other, "Shop", f"{NAME} at Karim's"),
        ]
        for user_id, brand, external_id in sold:
            made = acme.hr.ok(
                "POST",
                "/sales",
                {"user_id": str(user_id), "earning": "40.00", "brand": brand, "external_id": external_id},
            )["id"]
            for status, correction in (("declined", False), ("approved", True), ("declined", True)):
                acme.hr.ok(
                    "POST",
                    "/reconcile",
                    {
                        "items": [
                            {
                                "sale_id": made,
                                "status": status,
                                "reason": f"he said so: {brand}",
                                "correction": correction,
                            }
                        ]
                    },
                )
        erase(cli, acme, person)
        rows = sql(acme, "select user_id, brand, external_id, id from sales order by id")
        assert [(row.brand, row.external_id.replace(str(row.id), "ID")) for row in rows] == [
            (None, "S-1"),
            (None, "ID 1"),
            (None, "ID"),
            (None, "ID"),
            ("Erased person's shop", "S-2"),
            ("Shop", f"{NAME} at Karim's"),
        ]
        reasons = sql(
            acme,
            "select distinct d.revision, d.reason from sale_decisions d"
            " join sales s on s.id = d.sale_id where user_id = :id order by 1",
            id=person,
        )
        assert [tuple(row) for row in reasons] == [(1, None), (2, "erased"), (3, "erased")]
        assert sql(acme, "select 1 from sale_decisions where reason like 'he said so%'") != []  # the other's stay

    def test_does_nothing_more_the_second_time(self, cli: Cli, root: psycopg.Connection) -> None:
        acme = tenant("Acme")
        person = somebody(acme, root)
        erase(cli, acme, person)
        rows_before = sql(acme, "select count(*), max(seq) from audit_logs")
        assert erase(cli, acme, person)["counts"] == {}
        assert sql(acme, "select count(*), max(seq) from audit_logs") == rows_before

    def test_changes_nothing_on_a_dry_run_and_tells_the_same(self, cli: Cli, root: psycopg.Connection) -> None:
        acme = tenant("Acme")
        person = somebody(acme, root)
        before = places(root, acme), sql(acme, "select count(*) from audit_logs")
        told = erase(cli, acme, person, "--dry-run")
        assert (places(root, acme), sql(acme, "select count(*) from audit_logs")) == before
        assert sql(acme, "select * from person_erasures") == []
        done = erase(cli, acme, person)
        assert told["counts"] == done["counts"]

    def test_leaves_a_name_alone_that_is_part_of_anothers(self, cli: Cli, root: psycopg.Connection) -> None:
        acme = tenant("Acme")
        employee(acme, name=f"{NAME} Junior", employee_no="E-1")
        person = somebody(acme, root)
        assert erase(cli, acme, person)["is_named"] is False
        assert EMAIL not in json.dumps(places(root, acme, EMAIL))
        assert acme.hr.ok("GET", "/users?search=Junior")["items"][0]["name"] == f"{NAME} Junior"

    @pytest.mark.parametrize(
        ("owed", "said"),
        [
            ("update employments set left_on = null", "they are employed"),
            ("update employments set left_on = current_date + 1", "they work until"),
            ("update payouts set status = 'unknown'", "1 payouts to them are on their way"),
            ("update ledger_accounts set balance = 5", "stands at 5 BDT"),
            ("insert into pending_sales (tenant_id, user_id, sale_id) select tenant_id, id, id from users",
             "1 of their sales are not decided"),
            ("update payroll_runs set status = 'draft', approved_at = null, paid_at = null",
             "the payroll run of 2026-01 with them is draft"),
            ("update payslips set carried_into = null", "a payslip of -1 BDT is carried into none yet"),
            ("update payroll_adjustments set payslip_id = null, paid_at = null", "1 adjustments of their pay"),
            ("insert into pay_periods (tenant_id, month, start_on, end_on)"
             " select tenant_id, month, '2026-01-01', '2026-01-31' from pay_registers", "are open (2026-01)"),
            ("update overtime set status = 'pending'", "1 requests of theirs wait"),
        ],
    )  # fmt: skip
    def test_refuses_while_anything_is_open(self, cli: Cli, root: psycopg.Connection, owed: str, said: str) -> None:
        acme = tenant("Acme")
        person = somebody(acme, root)
        before = places(root, acme)
        with root.transaction():
            root.execute("set local session_replication_role = replica")
            root.execute("select set_config('app.tenant_id', %s, true)", [str(acme.id)])
            root.execute("set local role wagebook_owner")  # only this tenant's rows are seen
            root.execute("set local row_security = on")
            root.execute(owed)
        answer = cli("people", "erase", "--tenant", acme.slug, "--person", str(person))
        assert answer.code == 1
        assert said in answer.err
        assert places(root, acme) == before

    def test_does_not_know_a_strangers_person(self, cli: Cli, acme: Cast, root: psycopg.Connection) -> None:
        theirs = employee(tenant("Zenith"), left_on=LEFT)
        assert "There is no person" in cli("people", "erase", "--tenant", acme.slug, "--person", str(theirs)).err


def everything(root: psycopg.Connection, cast: Cast, user_id: UUID) -> dict[str, list[Any]]:
    """Read all rows of a person, as they are declared."""
    declared = root.execute("select table_name, whose from personal_data where column_name = '*' and whose <> 'false'")
    found = {}
    for table, whose in declared.fetchall():
        if table not in ("idempotency_keys", "webhook_events", "audit_logs"):  # where others' rows are meant to change
            theirs = whose.replace("$1", "%(person)s::uuid").replace("$2", "'{}'::text[]")
            rows_of = root.execute(
                f"select to_jsonb(t) from {table} t where t.tenant_id = %(tenant)s and ({theirs})",
                {"person": user_id, "tenant": cast.id},
            )
            found[table] = [one for (one,) in rows_of]
    return found


class TestAudit:
    def test_of_an_erased_row_still_finds_what_was_changed_after_it(self, cli: Cli, root: psycopg.Connection) -> None:
        acme = tenant("Acme")
        erase(cli, acme, somebody(acme, root))
        assert audit_is_whole(root, acme)
        for change in ("actor = 'hr:Somebody'", "after = '{}'", "erased_by = null", "erased_by = seq"):
            with root.transaction(force_rollback=True):
                root.execute("alter table audit_logs disable trigger all")
                changed = root.execute(
                    f"update audit_logs set {change} where tenant_id = %s and erased_by is not null", [acme.id]
                ).rowcount
                assert changed > 0
                assert not audit_is_whole(root, acme), change

    def test_rows_are_still_not_the_applications_to_change(self, acme: Cast, root: psycopg.Connection) -> None:
        with root.transaction(force_rollback=True):
            root.execute("set local role wagebook_app")
            root.execute(
                "select set_config('app.erasing', 'on', true), set_config('app.tenant_id', %s, true)", [str(acme.id)]
            )
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                root.execute("update audit_logs set after = null")


class TestFiles:
    def test_go_with_all_their_versions_and_nobody_elses(self, cli: Cli, root: psycopg.Connection, s3: Any) -> None:
        acme = tenant("Acme")
        person = somebody(acme, root)
        mine = sql(acme, "select id from form_attachments")[0][0]
        ids = [
            files.key_of(acme.id, "attachments", str(mine), "one"),
            files.key_of(acme.id, "quarantine", str(mine)),
            files.key_of(acme.id, "attachments", str(acme.id), "anothers"),
        ]
        for key in [*ids, ids[0]]:
            s3.put_object(Bucket=aws.BUCKET, Key=key, Body=b"x")
        assert erase(cli, acme, person)["files_deleted"] == 3
        left = s3.list_object_versions(Bucket=aws.BUCKET, Prefix=bucket.tenant_prefix(acme.id))
        assert [one["Key"] for one in left["Versions"]] == [ids[2]]
        assert "DeleteMarkers" not in left

    def test_are_deleted_by_the_next_run_where_this_one_was_killed(
        self, cli: Cli, root: psycopg.Connection, s3: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acme = tenant("Acme")
        person = somebody(acme, root)
        mine = sql(acme, "select id from form_attachments")[0][0]
        s3.put_object(Bucket=aws.BUCKET, Key=files.key_of(acme.id, "attachments", str(mine), "one"), Body=b"x")
        with monkeypatch.context() as dies:
            dies.setattr(bucket, "delete_versions", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            cli("people", "erase", "--tenant", acme.slug, "--person", str(person))
        assert sql(acme, "select attachment_ids from person_erasures")[0][0] == [mine]
        again = erase(cli, acme, person)
        assert (again["counts"], again["files_deleted"]) == ({}, 1)
        assert sql(acme, "select attachment_ids from person_erasures")[0][0] == []

    def test_of_payslips_stay_until_their_time_is_over(self, cli: Cli, root: psycopg.Connection, s3: Any) -> None:
        acme = tenant("Acme")
        person = somebody(acme, root)
        slip = sql(acme, "select id from payslips")[0][0]
        s3.put_object(Bucket=aws.BUCKET, Key=files.key_of(acme.id, "payslips", str(slip), "a"), Body=b"x")
        assert erase(cli, acme, person)["files_deleted"] == 0
        root.execute("update person_erasures set kept_until = '2026-01-01' where tenant_id = %s", [acme.id])
        later = erase(cli, acme, person)
        assert (later["counts"], later["files_deleted"], later["is_over"]) == ({"payslip_documents": 1}, 1, True)
        assert audit_is_whole(root, acme)


class TestExport:
    def test_holds_every_row_of_the_person_and_nobody_elses(
        self, cli: Cli, root: psycopg.Connection, tmp_path: Path
    ) -> None:
        acme = tenant("Acme")
        person = somebody(acme, root)
        somebody(acme, root, name="Karim Ali", email="karim@acme.example", no="E-8")
        to = tmp_path / "rahim.zip"
        said = cli("people", "export", "--tenant", acme.slug, "--person", "E-7", "--to", str(to), "--json")
        assert said.code == 0, said.err
        with zipfile.ZipFile(to) as archive:
            found = {name: json.loads(archive.read(name)) for name in archive.namelist()}
        assert found["manifest.json"]["rows"] == said.json["rows"]
        assert [one["name"] for one in found["users.json"]] == [NAME]
        assert [one["email"] for one in found["members.json"]] == [EMAIL]
        assert {
            one["user_id"]
            for name in found
            if name != "audit_logs.json" and name != "manifest.json"
            for one in found[name]
            if one.get("user_id")
        } == {str(person)}
        assert "key_hash" not in json.dumps(found)
        assert "sealed" not in json.dumps(found["payout_destinations.json"])

    def test_is_there_whole_or_not_at_all(
        self, cli: Cli, root: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acme = tenant("Acme")
        somebody(acme, root)
        to = tmp_path / "rahim.zip"
        asked = ("people", "export", "--tenant", acme.slug, "--person", "E-7", "--to", str(to))
        with monkeypatch.context() as patched:
            patched.setattr(person_export, "build_condition", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                cli(*asked)
        assert not to.exists()
        assert cli(*asked).code == 0
        assert [one.name for one in tmp_path.iterdir()] == ["rahim.zip"]
        assert to.stat().st_mode & 0o777 == 0o600
