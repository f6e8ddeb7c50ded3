"""The demo: the worked numbers of rules.md come out of it, and loading it again changes nothing but its keys."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from chalicelib.operators.demo import companies, load
from tests.cli.conftest import Cli
from tests.support.api import Api
from tests.support.cast import tenant

GROW = {"audit_logs", "audit_heads"}  # keys are made anew by every load, and that is audited


@pytest.fixture(name="loaded", scope="module")
def _loaded(cli: Cli) -> dict[str, Any]:
    said = cli("demo", "load", "--json")
    assert said.code == 0, said.err
    return dict(said.json)


def _row(root: psycopg.Connection, name: str) -> Any:
    return root.execute(
        "select b.earned, r.* from users u join balances b on b.user_id = u.id join pay_registers r"
        " on r.tenant_id = b.tenant_id and r.user_id = b.user_id and r.month = b.month"
        " where u.name = %s and b.month = '2026-01'",
        [name],
    ).fetchone()


@pytest.mark.usefixtures("loaded")
class TestStory:
    @pytest.mark.parametrize(
        ("name", "earned"),
        [
            ("Rahim Uddin", "13571.43"),  # 15,000 x 19 / 21
            ("Nasrin Akter", "16428.57"),  # 15,000 x 11 / 21 + 18,000 x 10 / 21
            ("Imran Hossain", "10000.00"),  # 15,000 x 14 / 21
            ("Shamima Begum", "14000.00"),  # 3,500 x 4 weeks
            ("Abdul Karim", "10250.00"),  # 500 x 20.5
            ("Jahanara Khatun", "12250.00"),  # 500 x (20.5 + 1 od + 2 leave + 1 extra)
        ],
    )
    def test_comes_out_to_the_cent(self, root: psycopg.Connection, name: str, earned: str) -> None:
        assert _row(root, name)[0] == Decimal(earned)

    def test_has_the_totals_of_seed_003(self, root: psycopg.Connection) -> None:
        found = root.execute(
            "select present_days, od_days, payable_shifts, absent_days, holidays from pay_registers r"
            " join users u on u.id = r.user_id where u.name = 'Jahanara Khatun' and month = '2026-01'"
        ).fetchone()
        assert found == tuple(map(Decimal, ("21.5", "1", "24.5", "0.5", "2")))

    def test_has_something_of_everything(self, root: psycopg.Connection) -> None:
        codes = root.execute("select string_agg(halves, '') from pay_registers where month = '2026-01'").fetchone()
        assert codes is not None
        assert set(codes[0]) == set("-PALUOHW")
        counted = root.execute("select sum(late_count), sum(early_out_count), sum(ot_hours) from pay_registers")
        assert all(value > 0 for value in counted.fetchone() or ())


class TestLoad:
    def test_gives_keys_that_open_the_api(self, loaded: dict[str, Any]) -> None:
        assert list(loaded["api_keys"]) == ["tenant_admin", "hr", "manager", "employee", "platform_admin"]
        for role, key in loaded["api_keys"].items():
            assert Api(key).ok("GET", "/me")["role"] == role

    def test_computes_january_and_the_last_two_periods(self, loaded: dict[str, Any]) -> None:
        for found in loaded["tenants"].values():
            assert found["months"][0] == "2026-01"
            assert len(found["months"]) >= 2  # in March 2026 the month before last is January itself

    def test_leaves_requests_to_decide(self, loaded: dict[str, Any], root: psycopg.Connection) -> None:
        for table in ("on_duty", "overtime"):
            assert root.execute(f"select count(*) from {table} where status = 'pending'").fetchone() == (2,)

    def test_passes_every_check(self, loaded: dict[str, Any], cli: Cli) -> None:
        said = cli("check", "--json")
        assert said.json["ok"], said.out
        assert said.json["checks"]["conservation"]["seen"] > 80

    def test_twice_gives_the_same_rows(self, loaded: dict[str, Any], cli: Cli, root: psycopg.Connection) -> None:
        before = _counts(root)
        again = cli("demo", "load", "--json").json
        assert _counts(root) == before
        assert again["tenants"] == loaded["tenants"]
        assert Api(loaded["api_keys"]["hr"]).get("/me").status == 401
        assert Api(again["api_keys"]["hr"]).get("/me").status == 200
        loaded.update(again)

    def test_fills_in_days_that_are_new(self, loaded: dict[str, Any], cli: Cli, root: psycopg.Connection) -> None:
        before = _register(root)
        root.execute("delete from attendance where day >= '2026-01-20' and day < '2026-02-01'")
        cli("demo", "load")
        assert _register(root) == before

    def test_leaves_a_tenant_of_the_same_name_alone(self, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> None:
        theirs = tenant("Acme")
        theirs.admin.ok("POST", "/users", {"name": "Somebody", "email": "somebody@theirs.example"})
        mine = replace(companies.ZENITH, settings={**companies.ZENITH.settings, "slug": theirs.slug})
        monkeypatch.setattr(load, "COMPANIES", (mine,))
        refused = cli("demo", "load")
        assert refused.code == 1
        assert "which the demo did not make; it is left alone" in refused.err


def _counts(root: psycopg.Connection) -> dict[str, int]:
    tables = root.execute("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'")
    names = {row[0] for row in tables} - GROW
    return {name: (root.execute(f"select count(*) from {name}").fetchone() or (0,))[0] for name in names}


def _register(root: psycopg.Connection) -> list[Any]:
    return root.execute(
        "select tenant_id, month, user_id, halves, payable_shifts, late_minutes from pay_registers order by 1, 2, 3"
    ).fetchall()
