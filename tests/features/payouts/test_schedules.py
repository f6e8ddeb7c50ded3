"""Scheduled runs: one each hour, however many schedulers there are and however late their messages arrive."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from unittest import mock

import pytest

from chalicelib.backing import clock
from chalicelib.features.payouts.runs import actions as run_actions
from chalicelib.features.payouts.runs import schedules as run_schedules
from infra.local import lambda_events
from tests.support.cast import Cast, platform_admin
from tests.support.payouts import deliver, earned, listed, moved, policy, sale, seller, taken
from tests.support.people import sql
from tests.support.stack import Stack, at

D = Decimal
NOON = "2026-11-23T12:00:00Z"


def jobs(cast: Cast) -> list[tuple[str, str]]:
    return [(one["kind"], one["status"]) for one in cast.admin.ok("GET", "/jobs")["items"]]


class TestSlot:
    """Scheduled runs."""

    def test_is_run_for_everybody_who_is_due(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        sale(acme, seller(acme))
        earned(zenith, seller(zenith))
        with at(NOON):
            running.tick("advance-payouts")
        running.drain()
        assert (listed(acme), listed(zenith)) == ([("4.00", "paid")], [("40.00", "paid")])
        assert (jobs(acme), jobs(zenith)) == ([("advance-payouts", "succeeded")],) * 2

    def test_of_two_schedulers_is_run_once_a_hundred_times(self, acme: Cast, running: Stack) -> None:
        mina, hours = seller(acme), count()
        began = datetime.fromisoformat(NOON)

        def scheduler(now: datetime) -> None:
            # the handler itself reads the clock, which is set below
            run_schedules.send_advance_runs(lambda_events.scheduled_event("advance-payouts", now), None)

        with ThreadPoolExecutor(4) as threads, mock.patch.object(clock, "now") as now:
            for _ in range(100):
                now.return_value = began + timedelta(hours=next(hours))
                sale(acme, mina, "10.00")
                list(threads.map(scheduler, [now.return_value] * 2))
                messages = [one for one in taken(running, "payout-runs") if one["tenant_id"] == str(acme.id)]
                assert len(messages) == 2
                assert list(threads.map(deliver, messages)) == [[], []]
        running.drain()
        assert len(sql(acme, "select 1 from jobs where kind = 'advance-payouts' and status = 'succeeded'")) == 100
        assert [(one.amount, one.status) for one in sql(acme, "select amount, status from payouts")] == [
            (D("1.00"), "paid")
        ] * 100
        assert len(moved(acme)) == 100

    def test_whose_message_is_late_or_comes_again_is_run_once(self, acme: Cast, running: Stack) -> None:
        message = {"tenant_id": str(acme.id), "kind": "final-payouts", "slot": "2026-11-23T12:00:00+00:00"}
        mina = seller(acme)
        earned(acme, mina)
        with at("2026-11-23T19:45:00Z"):
            assert deliver(message) == []
            earned(acme, mina, "5.00")
            assert deliver(message) == []
        running.drain()
        assert (listed(acme), len(jobs(acme))) == ([("40.00", "paid")], 1)

    def test_of_another_kind_is_another(self, acme: Cast, running: Stack) -> None:
        sale(acme, seller(acme))
        with at(NOON):
            running.tick("advance-payouts")
            running.tick("advance-payouts")
        running.drain()
        earned(acme, seller(acme))
        with at("2026-11-23T12:30:00Z"):
            running.tick("final-payouts")
        running.drain()
        assert sorted(jobs(acme)) == [("advance-payouts", "succeeded"), ("final-payouts", "succeeded")]
        assert listed(acme) == [("4.00", "paid"), ("40.00", "paid")]

    def test_that_broke_is_run_when_its_message_comes_again(
        self, acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        earned(acme, seller(acme))
        message = {"tenant_id": str(acme.id), "kind": "final-payouts", "slot": "2026-11-23T12:00:00+00:00"}
        with monkeypatch.context() as broken:
            broken.setattr(run_actions, "pay_chunk", mock.Mock(side_effect=ZeroDivisionError))
            assert deliver(message) == ["m0"]
        assert deliver(message) == []
        assert len(listed(acme)) == 1

    @pytest.mark.parametrize("off", ["payout_schedule", "payouts_enabled"])
    def test_is_left_out_where_it_is_switched_off(self, acme: Cast, running: Stack, off: str) -> None:
        earned(acme, seller(acme))
        policy(acme, **{off: False})
        running.tick("final-payouts")
        running.drain()
        assert (listed(acme), jobs(acme)) == ([], [])

    def test_is_left_out_for_a_suspended_tenant(self, acme: Cast, running: Stack) -> None:
        earned(acme, seller(acme))
        root = platform_admin()
        root.ok("PATCH", f"/tenants/{acme.id}", {"status": "suspended"})
        running.tick("final-payouts")
        late = {"tenant_id": str(acme.id), "kind": "final-payouts", "slot": "2026-11-23T12:00:00+00:00"}
        assert deliver(late) == []  # sent before they were
        running.drain()
        root.ok("PATCH", f"/tenants/{acme.id}", {"status": "active"})
        assert (listed(acme), jobs(acme)) == ([], [])

    def test_is_left_out_where_nobody_is_owed_anything(self, acme: Cast, running: Stack) -> None:
        seller(acme)
        sale(acme, seller(acme))  # nothing for the finals
        running.tick("final-payouts")
        assert [one for one in taken(running, "payout-runs") if one["tenant_id"] == str(acme.id)] == []

    def test_names_the_hour(self, acme: Cast, running: Stack) -> None:
        sale(acme, seller(acme))
        with mock.patch.object(clock, "now", return_value=datetime(2026, 11, 23, 12, 0, 41, tzinfo=UTC)):
            running.tick("advance-payouts")
        [message] = [one for one in taken(running, "payout-runs") if one["tenant_id"] == str(acme.id)]
        assert (message["kind"], message["slot"]) == ("advance-payouts", "2026-11-23T12:00:00+00:00")
