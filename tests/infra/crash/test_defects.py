"""The laboratory's power: a few of its defects are detected; and one round of real SIGKILLs."""

import pytest

from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.delivery import payout_states
from infra.labs.crash import defects, real
from migrations.setup import Urls


class TestDefects:
    @pytest.mark.parametrize(
        ("name", "caught_by"),
        [
            ("release-on-time-out", "refusals-moved-nothing"),
            ("call-before-commit", "paid-once"),
            ("rounded-up", "advanced-once"),
            ("asks-who-cannot-be-asked", "provider"),
            ("duplicate-is-refused", "refusals-moved-nothing"),
        ],
    )
    def test_are_caught(self, server: str, template: Urls, name: str, caught_by: str) -> None:
        verdict = defects.search(server, defects.DEFECTS[name], most=60, template="wagebook_template")
        assert caught_by in verdict.by

    def test_are_forty_or_more(self) -> None:
        assert len(defects.DEFECTS) >= 40

    def test_leave_the_product_as_it_was(self, server: str, template: Urls) -> None:
        before = delivery_actions._settle.__code__, payout_states._MOVE
        for name in ("release-on-time-out", "claim-without-fence"):
            defects.search(server, defects.DEFECTS[name], most=1, template="wagebook_template")
        assert (delivery_actions._settle.__code__, payout_states._MOVE) == before


class TestReal:
    def test_survives_real_kills(self) -> None:
        with real.running(seed=5) as stack:
            outcome = real.play(stack, batches=1)
        assert outcome.violations == []
        assert outcome.counts["workers killed"] > 0
        assert outcome.payouts > 0
