"""The state machine of payouts: its table of moves in Python is the one that the database enforces."""

from itertools import product

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, ProgrammingError

from chalicelib.backing import clock
from chalicelib.features.payouts.delivery import payout_states
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from chalicelib.kernel.errors import AlreadyDecided, Conflict
from chalicelib.kernel.states import IN_FLIGHT, PAYOUT_MOVES, PayoutStatus
from tests.support.cast import Cast
from tests.support.payouts import paid, payable, whole
from tests.support.people import row, sql
from tests.support.stack import Stack

S = PayoutStatus
EVERY_PAIR = [pair for pair in product(S, S) if pair[0] is not pair[1]]
# The graph as it is meant, by hand.
MEANT = """
    held queued, held cancelled, queued sending,
    sending queued, sending paid, sending failed, sending unknown, sending review,
    unknown sending, unknown paid, unknown failed, unknown review,
    review paid, review failed, paid returned"""


def payout(cast: Cast, status: str = "held") -> str:
    """Insert a payout without any ledger line."""
    user_id = row(cast, "users", {"name": "Mina"})
    return str(
        row(
            cast,
            "payouts",
            {
                "user_id": user_id,
                "currency": "BDT",
                "amount": 1,
                "after_number": 0,
                "through_number": 1,
                "kind": "final",
                "provider": "simulated",
                "reference": str(user_id),
                "status": status,
                "prepared_by": "x",
            },
        )
    )


class TestGraph:
    def test_is_the_one_that_is_meant(self) -> None:
        meant = {(S(one.split()[0]), S(one.split()[1])) for one in MEANT.split(",")}
        assert {(since, to) for since, some in PAYOUT_MOVES.items() for to in some} == meant
        assert set(PAYOUT_MOVES) == set(S)

    def test_is_the_same_in_the_database(self, acme: Cast) -> None:
        rows = sql(acme, "select from_status, to_status from payout_moves")
        assert {(S(one.from_status), S(one.to_status)) for one in rows} == {
            (since, to) for since, some in PAYOUT_MOVES.items() for to in some
        }

    def test_is_not_for_the_application_to_change(self, acme: Cast) -> None:
        for words in (
            "insert into payout_moves values ('failed', 'paid')",
            "delete from payout_moves",
            "update payout_moves set to_status = 'paid'",
        ):
            with pytest.raises(ProgrammingError, match="permission denied"):
                sql(acme, words)

    def test_leads_every_payout_to_an_end(self) -> None:
        ends = {status for status, to in PAYOUT_MOVES.items() if not to}
        assert ends == {S.CANCELLED, S.FAILED, S.RETURNED}
        assert ends | {S.PAID} == set(S) - IN_FLIGHT

    @pytest.mark.parametrize(("since", "to"), EVERY_PAIR, ids=str)
    def test_holds_every_update(self, acme: Cast, root: psycopg.Connection, since: S, to: S) -> None:
        payout_id = payout(acme)
        root.execute("set session_replication_role = replica")
        root.execute("update payouts set status = %s where id = %s", [since, payout_id])
        root.execute("set session_replication_role = origin")
        words = "update payouts set status = :to where id = :id"
        if to in PAYOUT_MOVES[since]:
            sql(acme, words, to=to.value, id=payout_id)
        else:
            with pytest.raises(DBAPIError, match=f"a payout that is {since} cannot become {to}"):
                sql(acme, words, to=to.value, id=payout_id)

    @pytest.mark.parametrize("status", [s for s in S if s not in (S.HELD, S.QUEUED)])
    def test_begins_held_or_queued(self, acme: Cast, status: S) -> None:
        with pytest.raises(DBAPIError, match=f"a payout begins held or queued, not {status}"):
            payout(acme, status)


class TestRow:
    @pytest.mark.parametrize("said", [
        "amount = 2", "currency = 'USD'", "user_id = id", "reference = 'x'", "provider = 'bank_file'",
        "destination_id = null", "through_number = 9", "prepared_by = 'me'", "created_at = now()", "kind = 'retry'",
    ])  # fmt: skip
    def test_keeps_what_is_paid_and_to_whom(self, acme: Cast, said: str) -> None:
        payout_id = payout(acme)
        with pytest.raises(ProgrammingError, match="permission denied"):
            sql(acme, f"update payouts set {said} where id = :id", id=payout_id)

    def test_is_never_deleted(self, acme: Cast) -> None:
        payout(acme)
        with pytest.raises(ProgrammingError, match="permission denied"):
            sql(acme, "delete from payouts")

    def test_of_no_money_is_none(self, acme: Cast) -> None:
        user_id = row(acme, "users", {"name": "Mina"})
        for amount in (0, -1):
            with pytest.raises(DBAPIError, match="amount"):
                row(
                    acme,
                    "payouts",
                    {
                        "user_id": user_id,
                        "currency": "BDT",
                        "amount": amount,
                        "after_number": 0,
                        "through_number": 1,
                        "kind": "final",
                        "provider": "simulated",
                        "reference": "x",
                        "status": "held",
                        "prepared_by": "x",
                    },
                )


class TestEvents:
    def test_are_only_ever_added(self, acme: Cast, running: Stack) -> None:
        paid(acme, running)
        for words in ("update payout_events set what = 'x'", "delete from payout_events", "truncate payout_events"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                sql(acme, words)


class TestMove:
    def test_needs_the_state_and_the_fence_that_were_seen(self, acme: Cast) -> None:
        payout_id = payout(acme, "queued")
        with job_scope(acme.id, name="x", now=clock.now(), origin=Origin("-")) as scope:
            seen = payout_states.lock(scope, payout_id)  # type: ignore[arg-type]
            payout_states.move(scope, seen, S.SENDING, what="sent", claims=True)
            with pytest.raises(Conflict, match="just moved by somebody else"):
                payout_states.move(scope, seen, S.SENDING, what="sent", claims=True)

    def test_is_refused_in_words_where_the_graph_has_none(self, acme: Cast) -> None:
        payout_id = payout(acme, "queued")
        with (
            job_scope(acme.id, name="x", now=clock.now(), origin=Origin("-")) as scope,
            pytest.raises(AlreadyDecided, match="is queued; from there it can become sending, not paid"),
        ):
            payout_states.move(scope, payout_states.lock(scope, payout_id), S.PAID, what="x")  # type: ignore[arg-type]

    @pytest.mark.parametrize(("behaviour", "status"), [("refuse", "failed")])
    def test_gives_money_back_once(self, acme: Cast, running: Stack, behaviour: str, status: str) -> None:
        payout = paid(acme, running, behaviour)
        assert (payout["status"], payable(acme, payout["user_id"])) == (status, 40)
        with pytest.raises(DBAPIError, match="ledger_entries_tenant_id_subject_id_event"):
            row(
                acme,
                "ledger_entries",
                {
                    "user_id": payout["user_id"],
                    "subject_id": payout["id"],
                    "event": "release",
                    "debit": "cash",
                    "credit": "payable",
                    "currency": "BDT",
                    "amount": 40,
                    "booked_at": clock.now(),
                },
                returning="number",
            )
        assert [line["event"] for line in whole(acme, payout["id"])["ledger"]] == ["payout", "release"]
