"""What an operator sees at night: messages that were not sent, nights that are not done, transactions that stand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from unittest import mock

import pytest
from sqlalchemy import text

from chalicelib.backing import clock
from chalicelib.backing.database import transaction
from chalicelib.operators import backlog
from tests.cli.conftest import Cli
from tests.support.cast import Cast, platform_admin, tenant
from tests.support.people import sql

MORNING = datetime(2026, 1, 31, 22, 30, tzinfo=UTC)  # 04:30 of 1 February in Dhaka, 22:30 of 31 January in London


@pytest.fixture(name="acme", scope="module")
def _acme(cli: Cli) -> Cast:
    return tenant("Acme")


@pytest.fixture(name="london", scope="module")
def _london(cli: Cli) -> Cast:
    return tenant("London", timezone="Europe/London")


@pytest.fixture(autouse=True)
def _morning(acme: Cast, london: Cast) -> Iterator[None]:
    with mock.patch.object(clock, "now", return_value=MORNING):
        yield
    for cast in (acme, london):
        sql(cast, "delete from outbox")
        sql(cast, "delete from nightly_runs")


def _night(cast: Cast, done_on: str) -> None:
    sql(
        cast,
        "insert into nightly_runs (tenant_id, kind, done_on) values (:t, 'balance', cast(:d as date))",
        t=cast.id,
        d=done_on,
    )


class TestWaiting:
    def test_says_when_there_is_nothing(self, cli: Cli) -> None:
        assert cli("waiting").out == "Nothing is unsent.\nEvery night is done.\nNobody holds the database.\n"

    def test_counts_unsent_messages_by_tenant_and_queue(self, cli: Cli, acme: Cast, london: Cast) -> None:
        for cast, number in ((acme, 2), (london, 1)):
            sql(
                cast,
                "insert into outbox (tenant_id, queue, body, created_at) select :t, 'balances', '{}',"
                " '2026-01-31T20:00:00Z' from generate_series(1, :n)",
                t=cast.id,
                n=number,
            )
        platform_admin().patch(f"/tenants/{london.id}", {"status": "suspended"})
        backlog_now = cli("waiting", "--json").json["unsent"]
        platform_admin().patch(f"/tenants/{london.id}", {"status": "active"})
        assert {(one["tenant"], one["status"], one["queue"], one["messages"]) for one in backlog_now} == {
            (acme.slug, "active", "balances", 2),
            (london.slug, "suspended", "balances", 1),
        }

    def test_names_the_tenants_whose_yesterday_is_not_done(self, cli: Cli, acme: Cast, london: Cast) -> None:
        _night(acme, "2026-01-30")  # its yesterday is the 31st
        _night(london, "2026-01-30")
        backlog_now = cli("waiting", "--json").json["nights"]
        assert backlog_now == [{"tenant": acme.slug, "kind": "balance", "done_on": "2026-01-30"}]

    def test_expects_no_night_of_a_suspended_tenant(self, cli: Cli, acme: Cast) -> None:
        _night(acme, "2026-01-01")
        platform_admin().patch(f"/tenants/{acme.id}", {"status": "suspended"})
        backlog_now = cli("waiting", "--json").json["nights"]
        platform_admin().patch(f"/tenants/{acme.id}", {"status": "active"})
        assert acme.slug not in {one["tenant"] for one in backlog_now}

    def test_shows_a_transaction_that_stands(self, acme: Cast) -> None:
        with transaction(tenant_id=acme.id) as session:
            session.execute(text("select 1 as forgotten"))
            [backlog_now] = backlog.load_backlog(seconds=0)["sessions"]
        assert (backlog_now["state"], backlog_now["query"]) == ("idle in transaction", "select 1 as forgotten")
        assert (backlog_now["behind"], backlog_now["seconds"]) == ("", 0)
