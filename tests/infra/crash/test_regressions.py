"""Bugs that the laboratory has detected, each as a small regression test."""

from datetime import UTC, datetime, timedelta

from chalicelib.features.payouts.delivery import rules as delivery_rules
from infra.labs.crash.drain import drain
from infra.labs.crash.invariants import check_all
from infra.labs.crash.modes import MODES
from infra.labs.crash.restore import Backup
from infra.labs.crash.simulation import Simulation
from infra.labs.crash.world import World

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


class TestKeys:
    def test_are_not_used_when_a_slow_clock_and_a_late_request_would_outlive_them(self) -> None:
        ages = [timedelta(minutes=minutes) for minutes in range(24 * 60)]
        oldest = max(
            age
            for age in ages
            if delivery_rules.may_send(now=NOW, claimed_at=NOW, first_sent_at=NOW - age, keeps_for=DAY)
        )
        # the worker's clock is 10 minutes behind, and the request is in flight for 30 more
        assert timedelta(hours=20) < oldest < DAY - timedelta(minutes=10) - timedelta(minutes=30)


class TestReference:
    def test_of_an_adopted_payment_that_came_back_does_not_stop_the_next_run(self, world: World) -> None:
        simulation = Simulation(world, 1, MODES["restored"])
        world.admin.execute(
            """update tenants set currency = 'BDT', policy = '{"advance_rate": "1"}' where id = %s""",
            [simulation.tenant.id],
        )
        simulation.tenant = simulation.tenant_with(currency="BDT", rate=1, minimum=0, approval_above=None)
        with simulation.patched():
            simulation.is_calm = simulation.sqs.is_calm = simulation.bank.is_calm = True
            sale = {
                "user_id": str(simulation.tenant.people[0]),
                "external_id": "S",
                "earning": "40.00",
                "currency": "BDT",
            }
            assert simulation.call("Ada", "POST", "/sales", body=sale)[0] == 201
            simulation.backup = Backup(simulation)
            simulation.hub.pass_time(timedelta(minutes=1))
            simulation.tick("advance-payouts")
            while simulation.deliver("payout-runs") or simulation.deliver("payouts"):
                pass
            [paid] = simulation.bank.entries
            paid.came_back = True
            drain(simulation)  # restores, matches, and works until every employee is paid
            assert [*simulation.violations, *check_all(simulation)] == []
            payouts = [(one["kind"], one["status"], one["amount"]) for one in simulation.payouts("true")]
        world.forget(simulation.tenant.id)
        assert payouts == [("matched", "returned", 40), ("advance", "paid", 40)]
