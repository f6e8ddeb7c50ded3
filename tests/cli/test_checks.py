"""Every check but those of money, seen to hold on the demo and seen to fail on something broken by a superuser."""

import psycopg
import pytest
from sqlalchemy import Connection, text

from chalicelib.operators import checks
from chalicelib.operators.scopes import get_tenant_id
from tests.cli.conftest import Cli

JANUARY = "month = '2026-01' and user_id = (select id from users where name = 'Rahim Uddin')"
UNHELD = "alter table audit_logs disable trigger all; "


@pytest.fixture(name="acme", scope="module", autouse=True)
def _acme(cli: Cli) -> object:
    assert cli("demo", "load").code == 0
    return get_tenant_id("acme")


class TestOfATenant:
    @pytest.mark.parametrize(
        ("name", "breaking", "expected"),
        [
            ("conservation", f"update pay_registers set halves = substr(halves, 1, 60) where {JANUARY}",
             "60 halves for 31 days"),
            ("conservation", f"update pay_registers set absent_days = absent_days + 0.5 where {JANUARY}",
             "its columns count 31.5 of 31 days"),
            ("totals", f"update pay_registers set halves = overlay(halves placing 'A' from 1) where {JANUARY}",
             "these differ: absent_days, present_days"),
            ("totals", f"update pay_registers set late_minutes = 1 where {JANUARY}", "these differ: late_minutes"),
            ("totals", f"update pay_registers set payable_shifts = 99 where {JANUARY}", "differ: payable_shifts"),
            ("balances", f"update balances set earned = earned + 0.01 where {JANUARY}",
             "the lines do not sum to what was earned"),
            ("balances", f"delete from pay_registers where {JANUARY}", "there is no register row that it comes from"),
            ("balances", f"update pay_registers set as_of = as_of - 1 where {JANUARY}", "its register row as of"),
            ("people", "update employments set joined_on = '2026-02-01' where employee_no = 'A004'",
             "a register row of somebody who was not employed then"),
            ("audit", UNHELD + "update audit_logs set after = '{}' where seq = 2", "seq 2: changed"),
            ("audit", UNHELD + "update audit_logs set hash = '\\x00' where seq = 2", "seq 3: changed, or the row"),
            ("audit", UNHELD + "delete from audit_logs where seq in (2, 3)", "seq 2 to 3: missing"),
            ("audit", UNHELD + "delete from audit_logs where seq = 1", "seq 1 to 1: missing"),
            ("audit", UNHELD + "delete from audit_logs a where seq = (select max(seq) from audit_logs b"
             " where a.tenant_id = b.tenant_id)", "the head says that the last row is"),
            ("audit", "update audit_heads set hash = '\\x00'", "the head has another hash than the last row"),
            ("audit", UNHELD + "delete from audit_logs", "seq 0: the head says that the last row is"),
            ("outbox", "insert into outbox (tenant_id, queue, body, created_at) select id, 'balances', '{}',"
             " now() - interval '11 minutes' from tenants where slug = 'acme'", "to balances, not sent since"),
        ],
    )  # fmt: skip
    def test_fails_when_broken(
        self, session: Connection, acme: object, name: str, breaking: str, expected: str
    ) -> None:
        whole = checks.check_tenant(session, name, acme)  # type: ignore[arg-type]
        assert (whole.wrong, whole.problems) == (0, [])
        session.exec_driver_sql(breaking)
        broken = checks.check_tenant(session, name, acme)  # type: ignore[arg-type]
        assert broken.wrong >= 1
        assert expected in " / ".join(broken.problems)

    def test_finds_audit_rows_that_were_hashed_anew_by_their_head(self, session: Connection, acme: object) -> None:
        last = "(select max(seq) from audit_logs where tenant_id = :acme)"
        before = f"(select hash from audit_logs where tenant_id = :acme and seq = {last} - 1)"
        session.exec_driver_sql(UNHELD)
        for statement in (
            f"update audit_logs set actor = 'nobody' where tenant_id = :acme and seq = {last}",
            f"update audit_logs a set hash = audit_hash({before}, a) where tenant_id = :acme and seq = {last}",
        ):
            session.execute(text(statement), {"acme": acme})
        broken = checks.check_tenant(session, "audit", acme)  # type: ignore[arg-type]
        assert "the head has another hash" in broken.problems[0]

    def test_looks_at_one_tenant_only(self, session: Connection, acme: object) -> None:
        session.exec_driver_sql("update balances set earned = earned + 1")
        mine = checks.check_tenant(session, "balances", acme)  # type: ignore[arg-type]
        counted = session.execute(text("select count(*) from balances where tenant_id = :acme"), {"acme": acme})
        assert mine.wrong == mine.seen == counted.scalar_one()
        assert len(mine.problems) == checks.SHOWN


class TestOfTheDatabase:
    @pytest.mark.parametrize(
        ("breaking", "expected"),
        [
            ("alter table salaries no force row level security", "salaries: row-level security is not forced"),
            ("alter table salaries disable row level security", "salaries: row-level security is not forced"),
            ("create table forgotten (tenant_id uuid, id uuid)", "forgotten: row-level security is not forced"),
            ("drop policy tenant_isolation on salaries", "salaries: it has not the canonical policy"),
            ("alter policy tenant_isolation on salaries using (true)", "salaries: it has not the canonical policy"),
            ("alter policy tenant_isolation on tenants with check (true)", "tenants: it has not the canonical policy"),
            ("create policy wide on salaries using (true)", "salaries: its policy wide opens it"),
            ("create policy wide on salaries to wagebook_app using (true)", "salaries: its policy wide opens it"),
            ("alter table overtime drop constraint overtime_pkey, add primary key (id, tenant_id)",
             "overtime: its primary key does not begin with tenant_id"),
        ],
    )  # fmt: skip
    def test_finds_a_table_that_is_not_held(self, session: Connection, breaking: str, expected: str) -> None:
        assert checks.check_database(session, "tables").wrong == 0
        session.exec_driver_sql(breaking)
        assert expected in " / ".join(checks.check_database(session, "tables").problems)

    @pytest.mark.parametrize(
        ("breaking", "expected"),
        [
            ("alter table salaries owner to wagebook_app", "the role wagebook_app owns salaries"),
            ("alter role wagebook_app bypassrls", "the role wagebook_app may do more than a plain role"),
            ("grant wagebook_owner to wagebook_app", "the role wagebook_owner owns "),
        ],
    )
    def test_finds_a_role_that_may_too_much(self, session: Connection, breaking: str, expected: str) -> None:
        session.exec_driver_sql(breaking)
        session.exec_driver_sql("set local session authorization wagebook_app")
        assert expected in " / ".join(checks.check_database(session, "role").problems)

    @pytest.mark.parametrize("inside", [True, False])
    def test_finds_rows_that_are_seen_by_others(self, session: Connection, acme: object, inside: bool) -> None:
        session.exec_driver_sql("alter table salaries disable row level security")
        session.exec_driver_sql(f"set local role wagebook_app; set local app.tenant_id = '{acme if inside else ''}'")
        found = checks.check_isolation(session, acme if inside else None, checks.load_tenant_tables(session))  # type: ignore[arg-type]
        assert found.problems == ["salaries: rows of others are seen"]
        assert found.seen > 20


class TestCommand:
    def test_ends_with_one_and_names_what_is_wrong(self, cli: Cli, root: psycopg.Connection) -> None:
        assert cli("check").code == 0
        root.execute(f"update pay_registers set absent_days = absent_days + 1 where {JANUARY}")
        printed, machine = cli("check"), cli("check", "--tenant", "acme", "--json")
        root.execute(f"update pay_registers set absent_days = absent_days - 1 where {JANUARY}")
        assert printed.code == machine.code == 1
        assert "conservation: acme: 2026-01" in printed.out
        assert not machine.json["ok"]
        failed = {name for name, found in machine.json["checks"].items() if found["wrong"] and not found["is_warning"]}
        assert failed == {"conservation", "totals"}
        assert cli("check", "--tenant", "zenith").code == 0
