"""Where employees' payouts go: checked on input, masked on output, decrypted only for paying."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from chalicelib.backing import clock, vault
from chalicelib.backing.log import logger
from chalicelib.features.people.destinations import queries
from chalicelib.features.people.destinations.rules import Behaviour, Destination, DestinationKind, masked
from chalicelib.identity.callers import job_scope
from chalicelib.identity.permissions import Role
from chalicelib.identity.scope import Origin, Scope
from chalicelib.kernel.errors import NotFound
from migrations.setup import Urls
from tests.support.api import Reply
from tests.support.cast import Cast, key, tenant
from tests.support.office import person
from tests.support.people import sql

pytestmark = pytest.mark.usefixtures("database")

NUMBER = "DE89370400440532013000"
IBAN = {"kind": "iban", "holder": "Anna Schmidt", "iban": NUMBER, "bic": "COBADEFFXXX"}
ACCOUNT = {"kind": "account", "holder": "Rahim Uddin", "account_number": "1071-0056-784231",
           "bank_code": "090", "branch_code": "090261633", "bank_name": "Dutch-Bangla Bank",
           "country": "BD"}  # fmt: skip
UNFIT = "has check digits that do not fit; a character is wrong, or two have changed places"
SIMULATED = {"kind": "simulated", "behaviour": "refuse"}


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith() -> Cast:
    return tenant("Zenith")


def path(user_id: object) -> str:
    return f"/users/{user_id}/payout-destination"


def put(cast: Cast, user_id: object, details: dict[str, Any]) -> Any:
    return cast.hr.ok("PUT", path(user_id), details)


def wrong(reply: Reply) -> tuple[int, str, str]:
    """Return the status of a refusal and its one wrong place, with the detail."""
    [place] = reply.json["errors"]
    return reply.status, place["pointer"], place["detail"]


@contextmanager
def at_work(cast: Cast) -> Iterator[Scope]:
    with job_scope(cast.id, now=clock.now(), origin=Origin("test"), name="test") as scope:
        yield scope


def administered(server: str, database: Urls) -> psycopg.Connection:
    """Open a connection that has every right on the database, as an attacker's could."""
    return psycopg.connect(server, dbname=database.application.rpartition("/")[2], autocommit=True)


class TestPut:
    def test_shows_the_number_masked_and_nothing_more(self, acme: Cast, zenith: Cast) -> None:
        user_id = person(acme, "E-1")
        destination = put(acme, user_id, IBAN)
        assert destination == {
            "id": destination["id"],
            "kind": "iban",
            "holder": "Anna Schmidt",
            "masked": "DE89 **** **** **** **30 00",
            "created_at": destination["created_at"],
            "created_by": "hr:hr key",
            "changed_at": destination["created_at"],
            "requested_at": None,
            "held_until": None,
            "confirmed_by": None,
            "confirmed_at": None,
        }
        assert acme.hr.ok("GET", path(user_id)) == destination
        for call in (zenith.hr.get(path(user_id)), zenith.hr.put(path(user_id), IBAN), acme.hr.get(path(uuid4()))):
            assert (call.status, call.json["detail"]) == (404, "There is no such person.")

    @pytest.mark.parametrize(("details", "holder", "shown"), [
        (IBAN, "Anna Schmidt", "DE89 **** **** **** **30 00"),
        (ACCOUNT, "Rahim Uddin", "BD **** 4231"),
        (SIMULATED, None, "refuse"),
    ], ids=["iban", "account", "simulated"])  # fmt: skip
    def test_takes_every_kind(self, acme: Cast, details: dict[str, Any], holder: str | None, shown: str) -> None:
        destination = put(acme, person(acme, "E-1"), details)
        assert (destination["kind"], destination["holder"], destination["masked"]) == (details["kind"], holder, shown)

    def test_of_two_at_once_leaves_one(self, acme: Cast) -> None:
        user_id = person(acme, "E-1")
        go = threading.Barrier(8)
        replies: list[Reply] = []

        def send(number: int) -> None:
            go.wait()
            replies.append(acme.hr.put(path(user_id), (IBAN, ACCOUNT)[number % 2]))

        threads = [threading.Thread(target=send, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [reply.status for reply in replies] == [200] * 8
        rows = sql(acme, "select superseded_at is null as current, kind from payout_destinations order by id")
        assert [row.current for row in rows].count(True) == 1
        assert acme.hr.ok("GET", path(user_id))["kind"] == next(row.kind for row in rows if row.current)

    def test_of_the_very_same_changes_nothing(self, acme: Cast) -> None:
        user_id = person(acme, "E-1")
        for details in (IBAN, ACCOUNT, SIMULATED):
            destination = put(acme, user_id, details)
            assert put(acme, user_id, details) == destination
        assert put(acme, user_id, IBAN)["id"] == put(acme, user_id, {**IBAN, "iban": NUMBER.lower()})["id"]
        assert len(sql(acme, "select 1 from payout_destinations")) == 4
        assert len(acme.admin.ok("GET", "/audit-logs?action=destination.changed")["items"]) == 3

    @pytest.mark.parametrize("change", [
        {"iban": "DE02120300000000202051"}, {"holder": "Anna Maria Schmidt"}, {"bic": None},
    ], ids=str)  # fmt: skip
    def test_of_anything_else_supersedes_and_keeps_the_old(self, acme: Cast, change: dict[str, Any]) -> None:
        user_id = person(acme, "E-1")
        old = put(acme, user_id, IBAN)
        new = put(acme, user_id, {**IBAN, **change})
        rows = sql(acme, "select id, created_by, superseded_at, created_at from payout_destinations order by id")
        assert [str(row.id) for row in rows] == [old["id"], new["id"]]
        assert [row.created_by for row in rows] == ["hr:hr key"] * 2
        assert (rows[0].superseded_at, rows[1].superseded_at) == (rows[1].created_at, None)
        with at_work(acme) as scope:
            assert queries.open_destination(scope, UUID(old["id"])).iban == NUMBER

    def test_is_for_hr_and_seen_by_oneself(self, acme: Cast) -> None:
        boss = person(acme, "BOSS")
        worker, other = person(acme, "WORKER", manager_id=boss), person(acme, "OTHER")
        manager, employee = key(acme.id, Role.MANAGER, boss), key(acme.id, Role.EMPLOYEE, worker)
        for user_id in (worker, other):
            put(acme, user_id, IBAN)
        assert employee.ok("GET", path(worker))["masked"] == "DE89 **** **** **** **30 00"
        assert employee.get(path(other)).status == 404
        assert (manager.get(path(worker)).status, manager.put(path(worker), IBAN).status) == (404, 403)
        assert employee.put(path(worker), IBAN).status == 403

    def test_writes_who_changed_what_masked(self, acme: Cast) -> None:
        user_id = person(acme, "E-1")
        destination = [put(acme, user_id, said) for said in (IBAN, ACCOUNT)]
        shown = [{name: row[name] for name in ("id", "kind", "holder", "masked")} for row in destination]
        rows = acme.admin.ok("GET", f"/audit-logs?entity_id={user_id}")["items"]
        said = {row["action"]: (row["actor"], row["before"], row["after"]) for row in rows}
        assert said["destination.added"] == ("hr:hr key", None, shown[0])
        assert said["destination.changed"] == ("hr:hr key", shown[0], shown[1])

    def test_replaces_what_does_not_open_any_more(self, acme: Cast, server: str, database: Urls) -> None:
        user_id = person(acme, "E-1")
        old = put(acme, user_id, IBAN)
        tamper(server, database, "update payout_destinations set sealed = '\\x00' where id = %s", old["id"])
        new = put(acme, user_id, IBAN)
        assert new["id"] != old["id"]
        with at_work(acme) as scope:
            assert queries.open_destination(scope, UUID(new["id"])).iban == NUMBER


class TestGet:
    def test_is_not_found_where_there_is_none(self, acme: Cast) -> None:
        reply = acme.hr.get(path(person(acme, "E-1")))
        assert (reply.status, reply.json["detail"]) == (
            404,
            "This person has no payout destination yet; put one first.",
        )


class TestIban:
    # Each worked by hand from a good one: the letters are numbers (D 13, E 14), the remainder by 97 must be 1.
    @pytest.mark.parametrize(("text", "detail"), [
        ("DE88370400440532013000", UNFIT),
        ("DE89370400440532010300", UNFIT),
        ("DE8937040044053201300", "has 21 characters, and IBANs of Germany have 22; copy it once more"),
        ("DE893704004405320130000", "has 23 characters, and IBANs of Germany have 22; copy it once more"),
        ("NO938601111794", "has 14 characters, and IBANs of Norway have 15; copy it once more"),
        ("GB82123412345698765432", UNFIT),
        ("BD82WEST12345698765432",
         "begins with BD, where there are no IBANs; give a local account (kind account) instead"),
        ("1071005678423", "is not an IBAN: it begins with two letters for the country and two digits"),
        ("", "is not an IBAN: it begins with two letters for the country and two digits"),
        ("DE89 3704 0044 0532 0130 0٠",
         "is not an IBAN: it begins with two letters for the country and two digits"),
    ])  # fmt: skip
    def test_that_is_wrong_is_refused_with_its_place(self, acme: Cast, text: str, detail: str) -> None:
        user_id = person(acme, "E-1")
        reply = acme.hr.put(path(user_id), {**IBAN, "iban": text})
        assert wrong(reply) == (422, "/iban", detail)
        assert text == "" or text not in reply.text
        assert acme.hr.get(path(user_id)).status == 404

    def test_with_check_digits_that_are_never_given_out_is_refused(self, acme: Cast) -> None:
        # 99 leaves the same remainder as 02, so the plain test by 97 takes both
        good = "DE02120300000000202051"
        reply = acme.hr.put(path(person(acme, "E-1")), {**IBAN, "iban": good.replace("DE02", "DE99")})
        assert wrong(reply)[:2] == (422, "/iban")
        assert put(acme, person(acme, "E-2"), {**IBAN, "iban": good})["masked"] == "DE02 **** **** **** **20 51"

    def test_with_letters_where_its_country_has_digits_is_refused(self, acme: Cast) -> None:
        # the check digits fit: with A for 10, D for 13 and E for 14, 1070400440532013000131485 leaves 1 by 97
        reply = acme.hr.put(path(person(acme, "E-1")), {**IBAN, "iban": "DE85A70400440532013000"})
        assert wrong(reply) == (422, "/iban", "is not built as IBANs of Germany are; copy it once more")

    def test_of_a_bank_that_no_list_of_ours_has_is_taken(self, acme: Cast) -> None:
        # Belgium's own example
        destination = put(acme, person(acme, "E-1"), {**IBAN, "iban": "BE68 5390 0754 7034"})
        assert destination["masked"] == "BE68 **** **** 7034"

    @pytest.mark.parametrize("text", [
        "de89370400440532013000", "DE89 3704 0044 0532 0130 00", " de89-3704-0044-0532-0130-00 ",
    ])  # fmt: skip
    def test_is_taken_as_people_write_it(self, acme: Cast, text: str) -> None:
        destination = put(acme, person(acme, "E-1"), {**IBAN, "iban": text})
        with at_work(acme) as scope:
            assert queries.open_destination(scope, UUID(destination["id"])).iban == NUMBER

    @pytest.mark.parametrize(("change", "pointer"), [
        ({"bic": "COBADEFFX"}, "/bic"), ({"bic": "COBA99FF"}, "/bic"), ({"bic": ""}, "/bic"),
        ({"holder": ""}, "/holder"), ({"holder": "Anna\u202eSchmidt"}, "/holder"), ({"holder": "x" * 141}, "/holder"),
        ({"holder": f"Anna {NUMBER}"}, "/"), ({"holder": "DE89 3704 0044 0532 0130 00"}, "/"),
        ({"iban": int("89370400440532013000")}, "/iban"), ({"iban": None}, "/iban"), ({"iban": [NUMBER]}, "/iban"),
        ({"account_number": NUMBER}, "/account_number"), ({"kind": NUMBER}, "/kind"), ({"kind": None}, "/kind"),
        ({"kind": ["iban"]}, "/kind"),
    ], ids=lambda value: str(value)[:30])  # fmt: skip
    def test_refuses_nonsense_with_its_place_and_no_number(
        self, acme: Cast, change: dict[str, Any], pointer: str
    ) -> None:
        reply = acme.hr.put(path(person(acme, "E-1")), {**IBAN, **change})
        assert wrong(reply)[:2] == (422, pointer)
        assert "370400" not in reply.text


class TestAccount:
    @pytest.mark.parametrize(("change", "pointer"), [
        ({"account_number": "123"}, "/account_number"), ({"account_number": "1" * 35}, "/account_number"),
        ({"account_number": "ABCDEF"}, "/account_number"), ({"account_number": "12_34"}, "/account_number"),
        ({"account_number": "-12345"}, "/account_number"), ({"account_number": "١٢٣٤٥"}, "/account_number"),
        ({"account_number": 1071005678423}, "/account_number"),
        ({"bank_code": "x" * 36}, "/bank_code"), ({"branch_code": "a/b"}, "/branch_code"),
        ({"bank_name": "a\u202eb"}, "/bank_name"), ({"country": "XX"}, "/country"), ({"country": "bd"}, "/country"),
        ({"country": "BGD"}, "/country"), ({"country": None}, "/country"),
        ({"bank_code": None, "bank_name": None}, "/"),
        ({"bank_name": "Dutch-Bangla 10710056784231"}, "/"), ({"holder": "1071-0056-784231"}, "/"),
    ], ids=lambda value: str(value)[:30])  # fmt: skip
    def test_refuses_nonsense_with_its_place(self, acme: Cast, change: dict[str, Any], pointer: str) -> None:
        reply = acme.hr.put(path(person(acme, "E-1")), {**ACCOUNT, **change})
        assert wrong(reply)[:2] == (422, pointer)
        assert "784231" not in reply.text
        assert "10710056784231" not in reply.text

    @pytest.mark.parametrize("left_out", ["bank_code", "bank_name", "branch_code"])
    def test_needs_its_bank_by_code_or_name(self, acme: Cast, left_out: str) -> None:
        details = {name: value for name, value in ACCOUNT.items() if name != left_out}
        assert put(acme, person(acme, "E-1"), details)["masked"] == "BD **** 4231"


class TestMasked:
    @pytest.mark.parametrize(("destination", "shown"), [
        (Destination(DestinationKind.IBAN, iban="NO9386011117947"), "NO93 **** ***7 947"),
        (Destination(DestinationKind.IBAN, iban="MT84MALT011000012345MTLCAST001S"),
         "MT84 **** **** **** **** **** ***0 01S"),
        (Destination(DestinationKind.ACCOUNT, account_number="12345678", country="GB"), "GB **** 5678"),
        (Destination(DestinationKind.ACCOUNT, account_number="1234567", country="US"), "US **** 567"),
        (Destination(DestinationKind.ACCOUNT, account_number="1234", country="US"), "US **** 34"),
        (Destination(DestinationKind.ACCOUNT, account_number="12-34", country="US"), "US **** 34"),
        (Destination(DestinationKind.ACCOUNT, account_number="02-0500-0123456-00", country="NZ"), "NZ **** 5600"),
        (Destination(DestinationKind.SIMULATED, behaviour=Behaviour.LATE_RETURN), "late_return"),
    ])  # fmt: skip
    def test_shows_the_last_four_and_never_more_than_half(self, destination: Destination, shown: str) -> None:
        assert masked(destination) == shown


class TestNewUser:
    def test_comes_with_a_destination_in_one_go(self, acme: Cast) -> None:
        reply = acme.hr.post("/users", {"name": "Anna", "payout_destination": IBAN}, headers={"idempotency-key": "k"})
        assert reply.status == 201
        assert "payout_destination" not in reply.json
        assert acme.hr.ok("GET", path(reply.json["id"]))["masked"] == "DE89 **** **** **** **30 00"
        rows = acme.admin.ok("GET", f"/audit-logs?entity_id={reply.json['id']}")["items"]
        assert sorted(row["action"] for row in rows) == ["destination.added", "user.added"]

    def test_is_not_made_where_the_destination_is_wrong(self, acme: Cast) -> None:
        new_user = {"name": "Anna", "payout_destination": {**IBAN, "iban": "DE88370400440532013000"}}
        reply = acme.hr.post("/users", new_user)
        assert wrong(reply)[:2] == (422, "/payout_destination/iban")
        assert "37040" not in reply.text
        for nonsense in ({"kind": "cash"}, {}):
            again = acme.hr.post("/users", {"name": "Anna", "payout_destination": nonsense})
            assert wrong(again) == (422, "/payout_destination/kind", "must be iban, account, manual or simulated")
        assert acme.hr.ok("GET", "/users")["items"] == []


class TestOpen:
    @pytest.mark.parametrize(("details", "opened"), [
        (IBAN, Destination(DestinationKind.IBAN, "Anna Schmidt", iban=NUMBER, bic="COBADEFFXXX")),
        (ACCOUNT, Destination(DestinationKind.ACCOUNT, "Rahim Uddin", account_number="1071-0056-784231",
                              bank_code="090", branch_code="090261633", bank_name="Dutch-Bangla Bank", country="BD")),
        (SIMULATED, Destination(DestinationKind.SIMULATED, behaviour=Behaviour.REFUSE)),
    ], ids=["iban", "account", "simulated"])  # fmt: skip
    def test_returns_what_was_put(self, acme: Cast, zenith: Cast, details: dict[str, Any], opened: Destination) -> None:
        destination_id = UUID(put(acme, person(acme, "E-1"), details)["id"])
        with at_work(acme) as scope:
            assert queries.open_destination(scope, destination_id) == opened
        with at_work(zenith) as scope, pytest.raises(NotFound):
            queries.open_destination(scope, destination_id)

    def test_has_no_number_in_its_repr(self) -> None:
        for one in (
            Destination(DestinationKind.IBAN, iban=NUMBER),
            Destination(DestinationKind.ACCOUNT, account_number=NUMBER),
        ):
            assert NUMBER not in repr(one)

    def test_opens_a_batch_at_once_and_leaves_out_what_is_not_ours(self, acme: Cast, zenith: Cast) -> None:
        destination_ids = [UUID(put(acme, person(acme, f"E-{n}"), IBAN)["id"]) for n in range(3)]
        zenith_id = UUID(put(zenith, person(zenith, "Z"), IBAN)["id"])
        with at_work(acme) as scope:
            assert set(queries.open_destinations(scope, [*destination_ids, zenith_id, uuid4()])) == set(destination_ids)
            assert queries.open_destinations(scope, []) == {}

    @pytest.mark.parametrize("moved", ["sealed = other.sealed, key_id = other.key_id", "user_id = other.user_id"])
    def test_refuses_a_row_that_was_given_anothers_account(
        self, acme: Cast, server: str, database: Urls, moved: str
    ) -> None:
        rahim, karim = (
            put(acme, person(acme, number), details)["id"] for number, details in (("R", IBAN), ("K", ACCOUNT))
        )
        tamper(server, database, "update payout_destinations set superseded_at = now() where id = %s", karim)
        tamper(
            server,
            database,
            f"update payout_destinations d set {moved} from payout_destinations other"
            " where d.id = %s and other.id = %s",
            karim,
            rahim,
        )
        with at_work(acme) as scope, pytest.raises(vault.Undecryptable):
            queries.open_destination(scope, UUID(karim))

    def test_refuses_a_row_copied_to_another_tenant_with_its_key(
        self, acme: Cast, zenith: Cast, server: str, database: Urls
    ) -> None:
        ours = put(acme, person(acme, "A"), IBAN)["id"]
        zenith_id = put(zenith, person(zenith, "Z"), ACCOUNT)["id"]
        tamper(
            server,
            database,
            "update payout_destinations d set sealed = other.sealed"
            " from payout_destinations other where d.id = %s and other.id = %s",
            zenith_id,
            ours,
        )
        with at_work(zenith) as scope, pytest.raises(vault.Undecryptable):
            queries.open_destination(scope, UUID(zenith_id))

    def test_survives_a_new_data_key(self, acme: Cast) -> None:
        old = UUID(put(acme, person(acme, "E-1"), IBAN)["id"])
        with at_work(acme) as scope:
            new_key = vault.rotate(scope.session, tenant_id=acme.id)
        new = UUID(put(acme, person(acme, "E-2"), IBAN)["id"])
        assert sql(acme, "select key_id from payout_destinations where id = :id", id=new) == [(new_key,)]
        with at_work(acme) as scope:
            assert {one.iban for one in queries.open_destinations(scope, [old, new]).values()} == {NUMBER}


class TestCurrent:
    def test_is_found_masked_by_other_rooms(self, acme: Cast, zenith: Cast) -> None:
        user_id = UUID(person(acme, "E-1"))
        with at_work(acme) as scope:
            assert queries.find_current(scope, user_id) is None
        put(acme, user_id, ACCOUNT)
        destination = put(acme, user_id, IBAN)
        with at_work(acme) as scope:
            current = queries.find_current(scope, user_id)
            assert (str(current.id), current.kind, current.masked) == (
                destination["id"],
                "iban",
                "DE89 **** **** **** **30 00",
            )
        with at_work(zenith) as scope:
            assert queries.find_current(scope, user_id) is None

    def test_is_one_row_per_person_for_a_join(self, acme: Cast) -> None:
        for number in ("E-1", "E-2"):
            user_id = person(acme, number)
            for details in (IBAN, ACCOUNT, IBAN):
                put(acme, user_id, details)
        rows = sql(
            acme,
            "select u.name, d.kind from users u left join payout_destinations d"
            " on d.tenant_id = u.tenant_id and d.user_id = u.id and d.superseded_at is null"
            " where u.tenant_id = :tenant_id order by 1",
            tenant_id=acme.id,
        )
        assert [tuple(row) for row in rows] == [("E-1", "iban"), ("E-2", "iban")]

    def test_cannot_be_two(self, acme: Cast) -> None:
        put(acme, person(acme, "E-1"), IBAN)
        with pytest.raises(DBAPIError, match="payout_destinations_current"):
            sql(
                acme,
                "insert into payout_destinations (tenant_id, user_id, kind, masked, sealed, key_id, created_by)"
                " select tenant_id, user_id, kind, masked, sealed, key_id, created_by from payout_destinations",
            )

    @pytest.mark.parametrize("change", ["holder = 'Mallory'", "sealed = ''", "user_id = id", "superseded_at = null",
                                        "superseded_at = now(), masked = 'x'", "created_by = 'x'"])  # fmt: skip
    def test_is_never_rewritten(self, acme: Cast, change: str) -> None:
        user_id = person(acme, "E-1")
        for details in (IBAN, ACCOUNT):
            put(acme, user_id, details)
        for which in ("is null", "is not null"):
            if change == "superseded_at = null" and which == "is null":
                continue
            with pytest.raises(DBAPIError, match="superseded and never changed"):
                sql(acme, f"update payout_destinations set {change} where superseded_at {which}")
        with pytest.raises(DBAPIError, match="permission denied"):
            sql(acme, "delete from payout_destinations")


class TestSecrecy:
    def test_leaves_nothing_readable_in_any_table(self, acme: Cast, server: str, database: Urls) -> None:
        acme.hr.ok("POST", "/users", {"name": "Anna", "payout_destination": IBAN}, headers={"idempotency-key": "k1"})
        user_id = person(acme, "E-1")
        for details in (ACCOUNT, IBAN, ACCOUNT):
            put(acme, user_id, details)
        assert acme.hr.put(path(user_id), {**IBAN, "iban": NUMBER[:-1]}).status == 422
        assert len(sql(acme, "select 1 from idempotency_keys")) == 1
        with administered(server, database) as admin:
            tables = [
                name
                for (name,) in admin.execute(
                    "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
                )
            ]
            assert {"payout_destinations", "tenant_keys", "audit_logs", "idempotency_keys", "outbox"} <= set(tables)
            for table in tables:
                for (row,) in admin.execute(f"select {table}::text from {table}"):
                    for number in (NUMBER, "370400440532", "1071-0056-784231", "0056784231"):
                        assert number not in row
                        assert number.encode().hex() not in row

    def test_leaves_nothing_in_logs(self, acme: Cast, server: str, database: Urls) -> None:
        with everything_logged() as logged:
            user_id = person(acme, "E-1")
            old = put(acme, user_id, IBAN)
            for change in ({"iban": f"{NUMBER}0"}, {"kind": NUMBER}, {"holder": NUMBER}, {"bic": NUMBER}):
                assert acme.hr.put(path(user_id), {**IBAN, **change}).status == 422
            tamper(server, database, "update payout_destinations set sealed = '\\x00' where id = %s", old["id"])
            put(acme, user_id, IBAN)
        text_ = "\n".join(logged)
        assert "did not open and is replaced" in text_
        assert "370400440532" not in text_


@contextmanager
def everything_logged() -> Iterator[list[str]]:
    """Collect all lines of the product's log and of every other, debugging included."""
    logged: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append(json.dumps(record.__dict__, default=str) + logging.Formatter().format(record))

    collect, root = Collect(), logging.getLogger()
    ours = logger._logger
    levels = root.level, ours.level
    for one in (root, ours):
        one.addHandler(collect)
        one.setLevel(logging.DEBUG)
    yield logged
    for one, level in zip((root, ours), levels, strict=True):
        one.removeHandler(collect)
        one.setLevel(level)


def tamper(server: str, database: Urls, statement: str, *values: object) -> None:
    """Change rows behind the product's back, with every right on the database."""
    with administered(server, database) as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute(statement, values)
