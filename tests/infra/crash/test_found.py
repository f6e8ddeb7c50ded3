"""Faults that the laboratory has found, each in its smallest form."""

from datetime import UTC, datetime, timedelta

from chalicelib.features.payouts.delivery import rules as delivery_rules
from infra.labs.crash.drain import drain
from infra.labs.crash.invariants import check_all
from infra.labs.crash.modes import MODES
from infra.labs.crash.restore import Backup
from infra.labs.crash.story import Story
from infra.labs.crash.world import World

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


class TestKeys:
    def test_are_not_used_where_a_slow_clock_and_a_late_request_would_outlive_them(self) -> None:
        ages = [timedelta(minutes=minutes) for minutes in range(24 * 60)]
        oldest = max(
            age
            for age in ages
            if delivery_rules.may_send(now=NOW, claimed_at=NOW, first_sent_at=NOW - age, keeps_for=DAY)
        )
        # the worker's clock is 10 minutes behind, and the request lies on the way for 30 more
        assert timedelta(hours=20) < oldest < DAY - timedelta(minutes=10) - timedelta(minutes=30)


class TestReference:
    def test_of_an_adopted_payment_that_came_back_does_not_stop_the_next_run(self, world: World) -> None:
        story = Story(world, 1, MODES["restored"])
        world.admin.execute(
            """update tenants set currency = 'BDT', policy = '{"advance_rate": "1"}' where id = %s""", [story.tenant.id]
        )
        story.tenant = story.tenant_with(currency="BDT", rate=1, minimum=0, approval_above=None)
        with story.told():
            story.is_calm = story.sqs.is_calm = story.bank.is_calm = True
            sale = {"user_id": str(story.tenant.people[0]), "external_id": "S", "earning": "40.00", "currency": "BDT"}
            assert story.call("Ada", "POST", "/sales", body=sale)[0] == 201
            story.backup = Backup(story)
            story.hub.pass_time(timedelta(minutes=1))
            story.tick("advance-payouts")
            while story.deliver("payout-runs") or story.deliver("payouts"):
                pass
            [paid] = story.bank.entries
            paid.came_back = True
            drain(story)  # restores, matches, and goes on until everybody has theirs
            assert [*story.violations, *check_all(story)] == []
            found = [(one["kind"], one["status"], one["amount"]) for one in story.payouts("true")]
        world.forget(story.tenant.id)
        assert found == [("matched", "returned", 40), ("advance", "paid", 40)]
