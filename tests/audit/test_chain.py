"""The audit chain: every change in order; no row can be removed, inserted or altered unnoticed."""

import threading
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from chalicelib import audit
from chalicelib.backing import clock
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from migrations.setup import Urls
from tests.support.cast import Cast, tenant
from tests.support.people import sql

# Each row's hash, made again from the row before it; and the head, which is the last row.
BROKEN = """
    with again as (
        select l.seq, l.hash, row_number() over chain as place,
            audit_hash(coalesce(lag(l.hash) over chain, ''), l) as expected
        from audit_logs l where tenant_id = :tenant_id window chain as (order by l.seq)
    )
    select seq from again where hash <> expected or seq <> place
    union all
    select h.seq from audit_heads h
    where h.tenant_id = :tenant_id and not exists (
        select from audit_logs l where l.tenant_id = h.tenant_id and (l.seq, l.hash) = (h.seq, h.hash))
    order by 1"""


@pytest.fixture(name="acme")
def _acme(database: object) -> Cast:
    """Make Acme with three changes on its chain."""
    cast = tenant("Acme")
    for name in ("Sewing", "Ironing", "Cutting"):
        cast.hr.ok("POST", "/departments", {"name": name})
    return cast


@pytest.fixture(name="zenith")
def _zenith(database: object) -> Cast:
    return tenant("Zenith")


@pytest.fixture(name="owner")
def _owner(server: str, database: Urls) -> Any:
    """Connect as the owner of the tables, who may change anything in them."""
    with psycopg.connect(server, dbname=database.application.rpartition("/")[2], autocommit=True) as session:
        yield session


def broken(cast: Cast) -> list[int]:
    """Return the numbers of the rows at which the chain is broken."""
    return [row.seq for row in sql(cast, BROKEN, tenant_id=cast.id)]


def chain(cast: Cast) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in sql(cast, "select seq, action, after ->> 'name' from audit_logs order by seq")]


class TestChain:
    def test_holds(self, acme: Cast) -> None:
        assert [(seq, name) for seq, _, name in chain(acme)] == [(1, "Sewing"), (2, "Ironing"), (3, "Cutting")]
        assert broken(acme) == []

    def test_says_who_did_what_and_from_where(self, acme: Cast) -> None:
        reply = acme.hr.post("/departments", {"name": "Packing"}, headers={"user-agent": "curl/8"})
        [row] = sql(acme, "select * from audit_logs where seq = 4")
        assert (row.actor, row.entity_id, row.before, row.after["name"]) == (
            "hr:hr key",
            reply.json["id"],
            None,
            "Packing",
        )
        assert (row.ip, row.agent, row.request_id) == ("127.0.0.1", "curl/8", reply.headers["X-Request-Id"])

    def test_of_each_tenant_is_its_own(self, acme: Cast, zenith: Cast) -> None:
        zenith.hr.ok("POST", "/departments", {"name": "Theirs"})
        acme.hr.ok("POST", "/departments", {"name": "Packing"})
        assert [seq for seq, *_ in chain(zenith)] == [1]
        assert [seq for seq, *_ in chain(acme)] == [1, 2, 3, 4]
        assert (broken(acme), broken(zenith)) == ([], [])

    def test_has_nothing_of_a_change_that_was_rolled_back(self, acme: Cast) -> None:
        with suppress(ZeroDivisionError), job_scope(acme.id, name="test", now=clock.now(), origin=Origin("-")) as scope:
            audit.record(scope, action="test.done", entity_type="test", entity_id=1)
            for last in scope.at_commit:
                last()
            assert scope.session.execute(text("select max(seq) from audit_logs")).scalar_one() == 4
            raise ZeroDivisionError
        assert acme.hr.post("/departments", {"name": "Sewing"}).status == 409
        assert acme.hr.ok("POST", "/departments", {"name": "Packing"})
        assert [name for _, _, name in chain(acme)] == ["Sewing", "Ironing", "Cutting", "Packing"]
        assert broken(acme) == []

    def test_is_one_for_writers_at_the_same_time(self, acme: Cast) -> None:
        go = threading.Barrier(4)

        def write(number: int) -> None:
            go.wait()
            for n in range(5):
                acme.hr.ok("POST", "/departments", {"name": f"{number}.{n}"})

        threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [seq for seq, *_ in chain(acme)] == list(range(1, 24))
        assert broken(acme) == []


class TestApplication:
    @pytest.mark.parametrize("statement", [
        "update audit_logs set actor = 'nobody'", "delete from audit_logs", "truncate audit_logs",
        "update audit_heads set seq = 0", "delete from audit_heads", "truncate audit_heads",
        "insert into audit_heads (tenant_id, seq, hash) values ('{id}', 9, '')",
        "alter table audit_logs disable trigger all", "drop trigger append on audit_logs",
        "create or replace function audit_hash(previous bytea, entry audit_logs) returns bytea"
        " language sql as 'select previous'",
    ])  # fmt: skip
    def test_changes_nothing(self, acme: Cast, database: Urls, statement: str) -> None:
        with psycopg.connect(database.application) as app:
            app.execute(f"set local app.tenant_id = '{acme.id}'")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement.format(id=acme.id))
        assert broken(acme) == []

    def test_forges_neither_place_nor_hash(self, acme: Cast) -> None:
        sql(
            acme,
            "insert into audit_logs (tenant_id, seq, at, actor, action, entity_type, entity_id, hash)"
            " values (:tenant_id, 1, now(), 'x', 'x', 'x', 'x', '\\x00')",
            tenant_id=acme.id,
        )
        assert [seq for seq, *_ in chain(acme)] == [1, 2, 3, 4]
        assert broken(acme) == []

    def test_writes_on_no_other_tenants_chain(self, acme: Cast, zenith: Cast, database: Urls) -> None:
        with psycopg.connect(database.application) as app:
            app.execute(f"set local app.tenant_id = '{zenith.id}'")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(
                    "insert into audit_logs (tenant_id, at, actor, action, entity_type, entity_id, seq, hash)"
                    " values (%s, now(), 'x', 'x', 'x', 'x', 1, '')",
                    [acme.id],
                )
        assert len(chain(acme)) == 3


class TestTampering:
    @pytest.mark.parametrize(("statement", "expected"), [
        ("update audit_logs set actor = 'nobody' where tenant_id = '{id}' and seq = 2", [2]),
        ("update audit_logs set after = '{{}}' where tenant_id = '{id}' and seq = 1", [1]),
        ("update audit_logs set at = at + interval '1 microsecond' where tenant_id = '{id}' and seq = 3", [3]),
        ("update audit_logs set request_id = null where tenant_id = '{id}' and seq = 2", [2]),
        ("update audit_logs set hash = '' where tenant_id = '{id}' and seq = 2", [2, 3]),
        ("delete from audit_logs where tenant_id = '{id}' and seq = 1", [2, 3]),
        ("delete from audit_logs where tenant_id = '{id}' and seq = 2", [3]),
        ("delete from audit_logs where tenant_id = '{id}' and seq = 3", [3]),
        ("update audit_logs set seq = case seq when 1 then 9 else seq end where tenant_id = '{id}'", [2, 3, 9]),
    ])  # fmt: skip
    def test_by_the_owner_is_found(
        self, acme: Cast, owner: psycopg.Connection, statement: str, expected: list[int]
    ) -> None:
        with owner.transaction():
            owner.execute("alter table audit_logs disable trigger keep")
            owner.execute(statement.format(id=acme.id))
            owner.execute("alter table audit_logs enable trigger keep")
        assert broken(acme) == expected

    def test_is_refused_to_the_owner_too_unless_they_take_the_guards_away(
        self, acme: Cast, owner: psycopg.Connection
    ) -> None:
        for statement in ("update audit_logs set actor = 'x'", "delete from audit_logs", "truncate audit_logs"):
            with pytest.raises(psycopg.errors.RaiseException, match="never changed or deleted"):
                owner.execute(statement)


class TestTimeZone:
    def test_of_the_reader_does_not_matter(self, acme: Cast, database: Urls) -> None:
        for zone in ("UTC", "Asia/Dhaka", "America/New_York"):
            with psycopg.connect(database.application) as app:
                app.execute(f"set local app.tenant_id = '{acme.id}'; set local timezone = '{zone}'")
                statement = BROKEN.replace(":tenant_id", f"'{acme.id}'")
                assert app.execute(statement).fetchall() == []
