"""One run, from its seed to its outcome."""

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
from infra.labs.crash.simulation import Simulation
from infra.labs.crash.world import World

MOST_TURNS = 150


@dataclass
class Outcome:
    """The outcome of a run: what was injected, and the invariants that were violated."""

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
    """Run one simulation and check its invariants. Its tenant is deleted afterwards."""
    began = time.perf_counter()
    queues.url_of.cache_clear()
    engine().dispose()  # the pool begins empty, whatever the previous run left in it
    LabConnection.retire()
    simulation = Simulation(world, seed, mode or mode_of(seed))
    try:
        with simulation.patched():
            actors.enter(simulation)
            simulation.hub.run(turns=MOST_TURNS, between=lambda: between(simulation), is_done=simulation.is_done)
            simulation.hub.note("calm")
            drain(simulation)
            violations = [
                *simulation.violations,
                *(f"provider: {complaint}" for complaint in simulation.bank.complaints),
            ]
            violations += check_all(simulation)
            payouts = simulation.payouts("true")
            for payout in payouts:
                simulation.hub.note(f"{payout['status']} {payout['amount']} {payout['currency']} {payout['fence']}")
    finally:
        world.forget(simulation.tenant.id)
        queues.url_of.cache_clear()
    return Outcome(
        seed,
        simulation.mode.name,
        violations,
        simulation.hub.counts,
        simulation.hub.digest,
        time.perf_counter() - began,
        len(payouts),
        simulation.hub.history,
    )


def make_other_tenant(world: World) -> None:
    """Give the world a second tenant with payouts of its own, which no run may change."""
    simulation = Simulation(world, -1, MODES["everything"], name="Zenith")
    with simulation.patched():
        simulation.is_calm = simulation.sqs.is_calm = simulation.bank.is_calm = True
        for number in range(4):
            body = {"user_id": str(simulation.tenant.people[0]), "earning": "40", "external_id": f"S{number}"}
            _, sale = simulation.call("Ada", "POST", "/sales", body=body)
            simulation.acknowledged.sales[str(number)] = sale
        drain(simulation)
        actors.decide(simulation, "Ada", list(simulation.acknowledged.sales.values())[:2])
    world.admin.execute("update payouts set look_at = null")
    world.admin.execute("update outbox set sent_at = lab.now() where sent_at is null")
    world.admin.execute("update tenants set status = 'suspended'")
    world.other_tenant_id = simulation.tenant.id
    world.other_tenant_digest = world.digest_of(simulation.tenant.id)
