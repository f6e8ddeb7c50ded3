"""Backfills of texts and numbers that were stored before input was strict."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from chalicelib.kernel.text import harmless_line
from migrations.setup import Urls, prepare, upgrade

BEFORE, SEARCH, TEXTS, NUMBERS = (
    "2026_12_01_1070", "2026_12_01_1080", "2026_12_01_1081", "2026_12_01_1082",
)  # fmt: skip
SAMPLES = [
    "Rahim", "\ufeffRahim", "Ra\u200bhim  Uddin", "\x1b[31mRa\x07him\x1b[0m", "Jose\u0301", "র\u200d্যাব", "می\u200cروم",
    "a\u202eb", "a\r\nb\u2028c", "\u00a0x\u3000y\u2003", "\U000e0041tag", "\x1b]0;t\x07x", "\u061cعلي", "葛\U000e0100",
    "a\u0085b", "\x9b1mx", "\x7fx", "\ufff9x\ufffb", "ড\u09bc", "가",
]  # fmt: skip


@pytest.fixture(name="before")
def _before(server: str, template: Urls) -> Iterator[Urls]:
    """Return a database with the schema of before these migrations."""
    name = f"wagebook_{uuid4().hex[:12]}"
    urls = prepare(server, {"wagebook_app": "app", "wagebook_migrator": "migrator"}, database=name)
    upgrade(urls.migrator, BEFORE)
    yield urls
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'drop database "{name}" with (force)'.encode())


def root_of(server: str, urls: Urls) -> psycopg.Connection:
    return psycopg.connect(server, dbname=str(conninfo_to_dict(urls.migrator)["dbname"]), autocommit=True)


def tenant(root: psycopg.Connection, name: str, policy: str = "{}") -> str:
    row = root.execute(
        "insert into tenants (slug, name, currency, timezone, weekend, policy)"
        " values (%s, %s, 'BDT', 'Asia/Dhaka', '{5,6}', %s) returning id",
        [uuid4().hex, name, policy],
    ).fetchone()
    assert row
    return str(row[0])


class TestTexts:
    def test_are_cleaned_as_they_would_be_today(self, server: str, before: Urls) -> None:
        with root_of(server, before) as root:
            acme = tenant(root, "\ufeffAcme")
            for sample in SAMPLES:
                root.execute("insert into users (tenant_id, name) values (%s, %s)", [acme, sample])
            upgrade(before.migrator, TEXTS)
            rows = [name for (name,) in root.execute("select name from users order by id")]
            assert rows == [harmless_line(sample) for sample in SAMPLES]
            assert root.execute("select name from tenants").fetchall() == [("Acme",)]

    def test_that_would_be_those_of_another_row_stay(self, server: str, before: Urls) -> None:
        with root_of(server, before) as root:
            acme, zenith = tenant(root, "Acme"), tenant(root, "Zenith")
            for owner, name in ((acme, "Sales"), (acme, "\ufeffSales"), (acme, "\ufeffIT"), (zenith, "\ufeffSales")):
                root.execute("insert into departments (tenant_id, name) values (%s, %s)", [owner, name])
            upgrade(before.migrator, TEXTS)
            rows = root.execute("select name from departments order by id").fetchall()
            assert [name for (name,) in rows] == ["Sales", "\ufeffSales", "IT", "Sales"]
            forced = root.execute("select bool_and(relforcerowsecurity) from pg_class where relrowsecurity").fetchone()
            assert forced == (True,)

    def test_are_searched_by_their_folded_form(self, server: str, before: Urls) -> None:
        with root_of(server, before) as root:
            acme = tenant(root, "Acme")
            root.execute("insert into users (tenant_id, name) values (%s, 'José ĐẶNG')", [acme])
            upgrade(before.migrator, SEARCH)
            assert root.execute("select search_text from users").fetchall() == [("jose dang",)]


class TestNumbers:
    def test_of_policies_are_spelled_plainly(self, server: str, before: Urls) -> None:
        with root_of(server, before) as root:
            acme = tenant(root, "Acme", '{"minimum_payout": "1E+2", "advance_rate": "0.10", "payout_schedule": false}')
            policy = '{"payout_approval_above": "1.5E+3", "half_day_minutes": 240, "payroll_change_limit": null}'
            root.execute(
                "insert into payroll_runs (tenant_id, month, kind, status, plan, created_by, created_at)"
                f" values (%s, '2026-01', 'regular', 'draft', '{{\"terms\": {{\"policy\": {policy}}}}}', 'hr', now())",
                [acme],
            )
            upgrade(before.migrator, NUMBERS)
            assert root.execute("select policy from tenants").fetchall() == [
                ({"minimum_payout": "100", "advance_rate": "0.10", "payout_schedule": False},)
            ]
            terms = root.execute("select plan #> '{terms,policy}' from payroll_runs").fetchall()
            assert terms == [
                ({"payout_approval_above": "1500", "half_day_minutes": 240, "payroll_change_limit": None},)
            ]
