"""One run from its seed to its verdict."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from chalicelib.backing import queues
from chalicelib.backing.database import engine
from infra.labs.crash import actors
from infra.labs.crash.connection import LabConnection
from infra.labs.crash.drain import drain
from infra.labs.crash.faults import Crash
from infra.labs.crash.invariants import check_all
from infra.labs.crash.modes import MODES, Mode, mode_of
from infra.labs.crash.restore import between
from infra.labs.crash.story import Story
from infra.labs.crash.world import World

MOST_TURNS = 150


@dataclass
class Outcome:
    """What a run was, and what it broke."""

    seed: int
    mode: str
    violations: list[str]
    counts: Counter[Crash]
    digest: str
    seconds: float
    payouts: int = 0
    history: list[str] = field(default_factory=list)

    @property
    def replay(self) -> str:
        forced = "" if mode_of(self.seed).name == self.mode else f" --mode {self.mode}"
        return f"python -m infra.labs.crash --runs 1 --seed {self.seed}{forced} --show"


def run(world: World, seed: int, mode: Mode | None = None) -> Outcome:
    """Return one story and check what must hold after it. The world is tidy again afterwards."""
    began = time.perf_counter()
    queues.url_of.cache_clear()
    engine().dispose()  # the pool begins empty, whatever the run before left in it
    LabConnection.retire()
    story = Story(world, seed, mode or mode_of(seed))
    try:
        with story.told():
            actors.enter(story)
            story.hub.run(turns=MOST_TURNS, between=lambda: between(story), is_done=story.is_done)
            story.hub.note("calm")
            drain(story)
            violations = [*story.violations, *(f"provider: {said}" for said in story.bank.complaints)]
            violations += check_all(story)
            made = story.payouts("true")
            for one in made:
                story.hub.note(f"{one['status']} {one['amount']} {one['currency']} {one['fence']}")
    finally:
        world.forget(story.tenant.id)
        queues.url_of.cache_clear()
    return Outcome(
        seed,
        story.mode.name,
        violations,
        story.hub.counts,
        story.hub.digest,
        time.perf_counter() - began,
        len(made),
        story.hub.history,
    )


def make_other_tenant(world: World) -> None:
    """Return another tenant a life of its own, and then leave it alone for ever."""
    story = Story(world, -1, MODES["everything"], name="Zenith")
    with story.told():
        story.is_calm = story.sqs.is_calm = story.bank.is_calm = True
        for number in range(4):
            body = {"user_id": str(story.tenant.people[0]), "earning": "40", "external_id": f"S{number}"}
            _, sale = story.call("Ada", "POST", "/sales", body=body)
            story.said.sales[str(number)] = sale
        drain(story)
        actors.decide(story, "Ada", list(story.said.sales.values())[:2])
    world.admin.execute("update payouts set look_at = null")
    world.admin.execute("update outbox set sent_at = lab.now() where sent_at is null")
    world.admin.execute("update tenants set status = 'suspended'")
    world.other_tenant_id = story.tenant.id
    world.other_tenant_digest = world.digest_of(story.tenant.id)
