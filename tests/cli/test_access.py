"""Commands that make tenants and keys, and what the command line says when something is wrong."""

import psycopg
import pytest

from chalicelib.backing.database import engine
from chalicelib.backing.settings import settings
from tests.cli.conftest import Cli
from tests.support.api import Api

NEW = ("--name", "Orion Mills", "--slug", "orion", "--currency", "BDT", "--timezone", "Asia/Dhaka")


@pytest.fixture(name="orion", scope="module")
def _orion(cli: Cli) -> str:
    made = cli("tenants", "create", *NEW, "--weekend", "5", "--cycle-start-day", "26", "--week-start", "7", "--json")
    assert made.code == 0, made.err
    return str(made.json["id"])


class TestCreateTenant:
    def test_keeps_its_calendar(self, cli: Cli, orion: str) -> None:
        found = next(one for one in cli("tenants", "list", "--json").json if one["slug"] == "orion")
        assert (found["weekend"], found["cycle_start_day"], found["week_start"]) == ([5], 26, 7)

    def test_is_audited_in_the_tenants_own_chain(self, cli: Cli, orion: str, root: psycopg.Connection) -> None:
        actions = root.execute("select action, actor from audit_logs where tenant_id = %s order by seq", [orion])
        found = actions.fetchall()
        assert [row[0] for row in found][:2] == ["tenant.made", "tenant.changed"]
        assert "operator" in found[0][1]

    def test_names_whoever_started_the_build_in_aws(
        self, cli: Cli, root: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CODEBUILD_INITIATOR", "operators/dina")
        made = cli("tenants", "create", *NEW[:2], "--slug", "by-build", *NEW[4:], "--json").json
        found = root.execute("select distinct actor from audit_logs where tenant_id = %s", [made["id"]]).fetchall()
        assert found == [("platform_admin:operator operators/dina",)]

    def test_makes_its_admin_a_member_who_needs_no_key(self, cli: Cli, root: psycopg.Connection) -> None:
        result = cli(
            "tenants", "create", *NEW[:2], "--slug", "signed-in", *NEW[4:], "--admin-email", "Dina@example.com"
        )
        assert result.out == "Made signed-in. dina@example.com administers it, signed in.\n"
        found = root.execute(
            "select m.email, m.role from members m join tenants t on t.id = m.tenant_id where t.slug = 'signed-in'"
        ).fetchall()
        assert found == [("dina@example.com", "tenant_admin")]

    def test_refuses_a_slug_twice(self, cli: Cli, orion: str) -> None:
        again = cli("tenants", "create", *NEW)
        assert again.code == 1
        assert again.err.startswith("There is already one with this ")

    @pytest.mark.parametrize(
        ("option", "value", "place"),
        [("--timezone", "Mars/Olympus", "timezone"), ("--weekend", "sunday", "weekend"), ("--currency", "XXX", "curr")],
    )
    def test_names_what_is_wrong_in_one_line(self, cli: Cli, option: str, value: str, place: str) -> None:
        refused = cli("tenants", "create", *NEW, option, value)
        assert refused.code == 1
        assert refused.err.count("\n") == 1
        assert place in refused.err

    def test_lists_as_a_table_that_is_not_cut_off(self, cli: Cli, orion: str) -> None:
        assert orion in cli("tenants", "list").out


class TestCreateKey:
    def test_opens_the_api(self, cli: Cli, orion: str) -> None:
        key = cli("api-keys", "create", "--tenant", "orion", "--role", "hr").out.strip()
        assert Api(key).ok("GET", "/me")["tenant"] == "orion"

    def test_is_audited_without_the_key(self, cli: Cli, orion: str, root: psycopg.Connection) -> None:
        key = cli("api-keys", "create", "--tenant", "orion", "--role", "hr", "--json").json["key"]
        row = root.execute("select action, after::text from audit_logs order by at desc, seq desc limit 1").fetchone()
        assert row is not None
        assert row[0] == "api_key.made"
        assert key not in row[1]

    def test_acts_for_a_person(self, cli: Cli, orion: str, root: psycopg.Connection) -> None:
        who = root.execute(
            "insert into users (tenant_id, name, email) values (%s, 'Mina', 'mina@orion.example') returning id", [orion]
        ).fetchone()
        assert who is not None
        made = cli(
            "api-keys",
            "create",
            "--tenant",
            "orion",
            "--role",
            "employee",
            "--user-email",
            "Mina@orion.example",
            "--json",
        )
        assert Api(made.json["key"]).ok("GET", "/me")["user_id"] == str(who[0])

    def test_says_who_is_not_there(self, cli: Cli, orion: str) -> None:
        refused = cli("api-keys", "create", "--tenant", "orion", "--role", "employee", "--user-email", "x@y.example")
        assert (refused.code, refused.err) == (1, "Nobody in orion has the e-mail address x@y.example.\n")

    def test_of_the_same_role_are_told_apart(self, cli: Cli, orion: str) -> None:
        made = [cli("api-keys", "create", "--tenant", "orion", "--role", "hr").out.strip() for _ in range(2)]
        names = {Api(key).ok("GET", "/me")["name"] for key in made}
        assert len(names) == 2

    def test_takes_a_name_once(self, cli: Cli, orion: str) -> None:
        named = ("api-keys", "create", "--tenant", "orion", "--role", "hr", "--name", "payroll box")
        assert Api(cli(*named).out.strip()).ok("GET", "/me")["name"] == "payroll box"
        again = cli(*named)
        assert (again.code, again.err) == (1, "There is already one with this name.\n")

    def test_makes_platform_admins_beside_each_other(self, cli: Cli) -> None:
        made = [cli("api-keys", "create", "--role", "platform_admin").out.strip() for _ in range(2)]
        assert [Api(key).ok("GET", "/me")["role"] for key in made] == ["platform_admin"] * 2

    def test_wants_a_tenant_for_a_tenants_role(self, cli: Cli) -> None:
        assert "--tenant" in cli("api-keys", "create", "--role", "hr").err


class TestSaid:
    def test_names_the_tenants_there_are(self, cli: Cli, orion: str) -> None:
        refused = cli("check", "--tenant", "nobody")
        assert refused.code == 1
        assert refused.err.startswith("There is no tenant nobody. There are: ")

    @pytest.mark.parametrize("words", ["tenants list", "demo load", "dead-letters list", "dead-letters replay"])
    def test_says_how_to_get_a_database(self, cli: Cli, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
        monkeypatch.delenv("APPLICATION_DATABASE_URL")
        _forget()
        refused = cli(*words.split())
        monkeypatch.undo()
        _forget()
        assert refused.code == 1
        assert refused.err.startswith("No database is known: start the local stack with `make run`")

    def test_says_that_the_database_does_not_answer(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("APPLICATION_DATABASE_URL", "postgresql://wagebook_app:app@127.0.0.1:9/nothing")
        _forget()
        refused = cli("tenants", "list")
        monkeypatch.undo()
        _forget()
        assert refused.err == "The database cannot be reached right now; try again in a few seconds.\n"

    @pytest.mark.parametrize(
        "words",
        ["tenants create", "tenants list", "api-keys create", "demo load", "jobs run", "jobs list", "check", "migrate",
         "dead-letters list", "dead-letters replay", "dead-letters forget", "waiting"],
    )  # fmt: skip
    def test_teaches_with_an_example(self, cli: Cli, words: str) -> None:
        assert f"Example: {words}" in cli(*words.split(), "--help").out


def _forget() -> None:
    if engine.cache_info().currsize:
        engine().dispose()
    settings.cache_clear()
    engine.cache_clear()


class TestTexts:
    def test_are_cleaned_as_those_of_the_api_are(self, cli: Cli, root: psycopg.Connection) -> None:
        dirty = "\ufeff Orion\u00a0 \x1b[31mMills\x1b[0m"
        made = cli("tenants", "create", "--name", dirty, "--slug", "dirty", *NEW[4:], "--json")
        assert made.json["name"] == "Orion Mills"
        result = cli("admins", "add", "--email", "mina@example.com", "--name", f"{dirty}\u200b", "--json")
        assert result.json["name"] == "Orion Mills"

    @pytest.mark.parametrize("text", ["a\u202eb", "\ufeff"])
    def test_are_refused_with_the_reason(self, cli: Cli, text: str) -> None:
        for command in (
            ("tenants", "create", "--name", text, "--slug", "refused", *NEW[4:]),
            ("admins", "add", "--email", "omar@example.com", "--name", text),
            ("api-keys", "create", "--role", "platform_admin", "--name", text),
            ("tenants", "resume", "--tenant", "dirty", "--reason", text),
        ):
            refused = cli(*command)
            assert refused.code in (1, 2), command
            assert "direction" in refused.err or "at least 1 character" in refused.err or "can be seen" in refused.err

    def test_days_at_the_end_of_time_are_refused(self, cli: Cli, orion: str) -> None:
        for day in ("0001-01-01", "9999-12-31"):
            refused = cli("jobs", "run", "balance", "--tenant", "orion", "--date", day)
            assert (refused.code, refused.err.strip()) == (1, "--date: must be between 2000-01-01 and 2100-12-31")
