"""The crash laboratory for a few seconds: the invariants hold in all modes, and a seed gives the same run twice."""

import pytest

from infra.labs.crash import laboratory
from infra.labs.crash.invariants import INVARIANTS
from infra.labs.crash.modes import MODES, mode_of
from infra.labs.crash.world import World

RUNS = 4  # of each mode


class TestRun:
    @pytest.mark.parametrize("mode", MODES)
    def test_violates_no_invariant(self, world: World, mode: str) -> None:
        outcomes = [laboratory.run(world, seed, MODES[mode]) for seed in range(RUNS)]
        assert [one.replay for one in outcomes if one.violations] == []
        assert sum(one.payouts for one in outcomes) > 0
        assert sum(sum(one.counts.values()) for one in outcomes) > 0

    def test_is_the_same_for_the_same_seed(self, world: World) -> None:
        first = [laboratory.run(world, seed) for seed in range(20, 24)]
        # another run in between: the result must not depend on the previous one
        laboratory.run(world, 99)
        again = [laboratory.run(world, seed) for seed in range(20, 24)]
        assert [one.history for one in first] == [one.history for one in again]
        assert [one.digest for one in first] == [one.digest for one in again]

    def test_differs_for_another_seed(self, world: World) -> None:
        assert laboratory.run(world, 1).digest != laboratory.run(world, 1 + len(MODES)).digest

    def test_leaves_nothing_behind(self, world: World) -> None:
        laboratory.run(world, 3)
        assert [row["slug"][:6] for row in world.rows("select slug from tenants")] == ["zenith"]
        assert world.rows("select * from payouts where tenant_id <> %s", world.other_tenant_id) == []


class TestModes:
    def test_take_turns_with_the_seeds(self) -> None:
        assert {mode_of(seed).name for seed in range(len(MODES))} == set(MODES)


class TestInvariants:
    def test_each_has_a_sentence(self) -> None:
        assert all((check.__doc__ or "").startswith("Require that ") for check in INVARIANTS.values())
