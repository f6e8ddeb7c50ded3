"""A suspended tenant pays nobody and tells nobody; when it is active again both are done, once."""

from datetime import timedelta
from typing import Any

from chalicelib.backing import clock, outbox
from tests.support.cast import Cast, platform_admin
from tests.support.payouts import earned, look, moved, pass_time, seller, start
from tests.support.people import sql
from tests.support.receiver import Receiver, let_pass, listen
from tests.support.stack import Stack


def patch(cast: Cast, **changes: Any) -> None:
    platform_admin().ok("PATCH", f"/tenants/{cast.id}", changes)


def sweep() -> int:
    return outbox.sweep(now=clock.now() + timedelta(minutes=5))


class TestSuspended:
    def test_pays_when_it_is_active_and_not_before(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        for cast in (acme, zenith):
            earned(cast, seller(cast))
        start(acme, "final")
        patch(acme, status="suspended", suspended_because="A review.")
        running.drain()
        for _ in range(3):
            pass_time(acme, minutes=5)
            look(running)
        running.tick("final-payouts")
        running.drain()
        assert (moved(acme), [amount for amount, _ in moved(zenith)]) == ([], [40])
        patch(acme, status="active")
        sweep()
        running.drain()
        pass_time(acme, minutes=5)
        look(running)
        assert [amount for amount, _ in moved(acme)] == [40]

    def test_starts_no_run_and_keeps_one_that_is_asked_for(self, acme: Cast, running: Stack) -> None:
        earned(acme, seller(acme))
        running.tick("final-payouts")  # its message is on the way
        patch(acme, status="suspended")
        running.drain()
        assert sql(acme, "select count(*) from payouts") == [(0,)]
        patch(acme, status="active")
        assert sweep() == 1
        running.drain()
        assert [amount for amount, _ in moved(acme)] == [40]

    def test_is_told_of_nothing_until_it_is_active(
        self, acme: Cast, zenith: Cast, running: Stack, receiver: Receiver
    ) -> None:
        for cast in (acme, zenith):
            endpoint = listen(cast, receiver)
            cast.admin.ok("POST", f"/webhook-endpoints/{endpoint['id']}/test")
        patch(acme, status="suspended")
        running.drain()
        let_pass(acme)
        running.tick("webhooks-to-look-at")
        running.drain()
        assert len(receiver.heard) == 1  # Zenith's
        patch(acme, status="active")
        sweep()
        running.tick("webhooks-to-look-at")
        running.drain()
        assert len(receiver.heard) == 2
