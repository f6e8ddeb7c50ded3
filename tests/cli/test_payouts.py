"""Payouts from the terminal: run, listed, and matched with the provider's list after a restore."""

import psycopg
import pytest

from chalicelib.backing.settings import settings
from chalicelib.features.payouts.runs import actions as run_actions
from tests.cli.conftest import Cli
from tests.support.cast import Cast, tenant
from tests.support.payouts import RestorePoint, books, earned, listed, only, policy, sale, seller

SINCE = ("--since", "2020-01-01T00:00:00Z")


@pytest.fixture(name="acme")
def _acme(cli: Cli) -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith(cli: Cli) -> Cast:
    return tenant("Zenith")


def final(cli: Cli, cast: Cast) -> None:
    """Pay everybody, here and now."""
    assert cli("jobs", "run", "final-payouts", "--tenant", cast.slug, "--inline").code == 0


class TestRun:
    def test_pays_advances_here_and_now(self, cli: Cli, acme: Cast) -> None:
        mina = seller(acme)
        for _ in range(3):
            sale(acme, mina)
        result = cli("jobs", "run", "advance-payouts", "--tenant", acme.slug, "--inline", "--json")
        assert (result.code, result.json["status"]) == (0, "succeeded")
        assert result.json["result"] == {"payouts": 1, "held": 0, "amounts": {"BDT": "12.00"}}
        assert listed(acme) == [("12.00", "paid")]

    def test_pays_chunk_by_chunk(self, cli: Cli, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run_actions, "CHUNK_PEOPLE", 2)
        for _ in range(5):
            earned(acme, seller(acme))
        result = cli(
            "jobs", "run", "final-payouts", "--tenant", acme.slug, "--date", "2026-01-31", "--inline", "--json"
        )
        assert (result.json["done"], result.json["total"]) == (5, 5)
        assert result.json["result"] == {"payouts": 5, "held": 0, "amounts": {"BDT": "200.00"}}
        assert listed(acme) == [("40.00", "paid")] * 5

    def test_follows_a_doubt_as_far_as_it_goes_at_once(self, cli: Cli, acme: Cast) -> None:
        earned(acme, seller(acme, "timeout_after"))
        final(cli, acme)
        assert listed(acme) == [("40.00", "unknown")]

    def test_is_refused_for_a_day_to_come(self, cli: Cli, acme: Cast) -> None:
        result = cli("jobs", "run", "final-payouts", "--tenant", acme.slug, "--date", "2099-01-01", "--inline")
        assert (result.code, result.err) == (1, "date: 2099-01-01 is to come; a run pays what is owed now\n")

    def test_is_refused_while_payouts_are_off(self, cli: Cli, acme: Cast) -> None:
        policy(acme, payouts_enabled=False)
        result = cli("jobs", "run", "final-payouts", "--tenant", acme.slug, "--inline")
        assert result.code == 1
        assert result.err.startswith("Payouts are switched off; PATCH /tenant")


class TestList:
    def test_shows_the_latest_first_and_only_the_tenants(self, cli: Cli, acme: Cast, zenith: Cast) -> None:
        for cast, name in ((acme, "Mina"), (acme, "Rana"), (zenith, "Zara")):
            earned(cast, seller(cast, name=name))
            final(cli, cast)
        found = cli("payouts", "list", "--tenant", acme.slug, "--json").json
        assert [(one["person"], one["amount"], one["status"]) for one in found] == [
            ("Rana", "40.00", "paid"),
            ("Mina", "40.00", "paid"),
        ]
        assert "Mina" in cli("payouts", "list", "--tenant", acme.slug).out
        assert "Zara" not in cli("payouts", "list", "--tenant", acme.slug).out

    def test_shows_those_of_a_status(self, cli: Cli, acme: Cast) -> None:
        earned(acme, seller(acme, "refuse", name="Mina"))
        earned(acme, seller(acme, name="Rana"))
        final(cli, acme)
        [failed] = cli("payouts", "list", "--tenant", acme.slug, "--status", "failed", "--json").json
        assert (failed["person"], failed["problem"]) == ("Mina", "refused: account unknown")
        assert cli("payouts", "list", "--tenant", acme.slug, "--status", "held").out == "There is no such payout.\n"


class TestReview:
    def test_shows_what_needs_a_person_and_ends_with_one(self, cli: Cli, acme: Cast) -> None:
        assert cli("payouts", "review", "--tenant", acme.slug).out == "No payout needs a person.\n"
        earned(acme, seller(acme, "other_amount", name="Mina"))
        earned(acme, seller(acme, name="Rana"))
        final(cli, acme)
        result = cli("payouts", "review", "--tenant", acme.slug, "--json")
        assert result.code == 1
        assert [(one["person"], one["problem"]) for one in result.json] == [
            ("Mina", "the provider says it paid 80.00 BDT instead of 40.00 BDT")
        ]


class TestMatch:
    def test_says_first_and_then_adopts_once(
        self, cli: Cli, acme: Cast, root: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mina = seller(acme)
        earned(acme, mina)
        before = RestorePoint(root)
        final(cli, acme)
        before.restore()
        words = ("payouts", "match", "--tenant", acme.slug, *SINCE)
        with monkeypatch.context() as off:
            off.setenv("PAYOUTS_ENABLED", "false")
            settings.cache_clear()
            assert cli(*words, "--dry-run").out.splitlines()[-1] == (
                "Would be: 1 adopted, 0 settled, 0 unchanged, 0 contradicted."
            )
            assert listed(acme) == []
            result = cli(*words)
            assert result.code == 0
            assert only(acme, mina)["reference"] in result.out
            assert result.out.splitlines()[-1] == "Matched: 1 adopted, 0 settled, 0 unchanged, 0 contradicted."
            assert (listed(acme), only(acme, mina)["prepared_by"][:8]) == ([("40.00", "paid")], "operator")
            state = books(acme)
            again = cli(*words, "--json").json
            assert again["counts"] == {"adopted": 0, "settled": 0, "unchanged": 1, "contradicted": 0}
            assert (listed(acme), books(acme)) == ([("40.00", "paid")], state)
        settings.cache_clear()
        checked = cli("check", "--tenant", acme.slug, "--json").json
        assert {name: one["said"] for name, one in checked["checks"].items() if one["wrong"]} == {}

    def test_ends_with_one_where_a_person_has_to_look(self, cli: Cli, acme: Cast, root: psycopg.Connection) -> None:
        earned(acme, seller(acme, "refuse"))
        final(cli, acme)
        root.execute("update simulated_movements set status = 'accepted' where tenant_id = %s", [acme.id])
        policy(acme, payouts_enabled=False)
        result = cli("payouts", "match", "--tenant", acme.slug, *SINCE)
        assert result.code == 1
        assert "the payout is failed: its money was given back, and may have been paid again" in result.out

    def test_is_refused_while_payouts_are_on(self, cli: Cli, acme: Cast) -> None:
        result = cli("payouts", "match", "--tenant", acme.slug, *SINCE)
        assert (result.code, result.err[:36]) == (1, "Payouts are on. Switch them off firs")
        assert cli("payouts", "match", "--tenant", acme.slug, *SINCE, "--dry-run").code == 0

    @pytest.mark.parametrize(("since", "why"), [
        ("yesterday", "--since: 'yesterday' is not a moment such as 2026-01-31T09:45:00+06:00"),
        ("2026-01-31T09:45:00", "--since: 2026-01-31T09:45:00 has no offset; add Z for UTC, or one such as +06:00"),
    ])  # fmt: skip
    def test_wants_a_moment_with_its_offset(self, cli: Cli, acme: Cast, since: str, why: str) -> None:
        result = cli("payouts", "match", "--tenant", acme.slug, "--since", since)
        assert (result.code, result.err.strip()) == (1, why)
