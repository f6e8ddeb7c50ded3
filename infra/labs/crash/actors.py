"""The actors of a simulation: clients of the API, schedules, workers, and the operator of payouts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from infra.labs.crash import cast, files
from infra.labs.crash.baton import Actor, Killed
from infra.labs.crash.faults import Crash
from infra.labs.crash.simulation import QUEUES, Simulation

DAY = timedelta(days=1)  # the operator asks the provider only about payments sent more than a day ago
Work = Callable[[Actor], None]  # what an actor does, from its first turn on
OTHER = {"approved": "declined", "declined": "approved"}


def enter(simulation: Simulation) -> None:
    """Add all actors; the order of their turns is drawn later."""
    rng, hub, skews = simulation.rng, simulation.hub, simulation.faults.skews
    names = iter(range(100))
    for number in range(rng.choice((1, 2))):
        rows = [_sale(simulation, next(names)) for _ in range(rng.choice((1, 2, 3)))]
        hub.add(f"seller{number}", _seller(simulation, rows))
    hub.add("decider0", _decider(simulation, "Ada"))
    hub.add("decider1", _decider(simulation, "Bo"))
    keys = [f"key-{n}" for n in range(rng.choice((1, 2)))]
    for number in range(2):
        hub.add(f"runner{number}", _runner(simulation, keys))
    slot = rng.choice(("advance-payouts", "advance-payouts", "final-payouts"))
    for number in range(2):
        hub.add(f"scheduler{number}", _scheduler(simulation, slot), skew=skews[number])
    for number in range(rng.choice((2, 3))):
        hub.add(f"worker{number}", _worker(simulation, number), skew=skews[number])
    if simulation.mode.has_files:
        files.prepare(simulation)
        hub.add("operator0", files.operator(simulation, "Ada"))
        hub.add("operator1", files.operator(simulation, "Bo"))
        hub.add("accountant", files.accountant(simulation))
    hub.add("sweeper", _scheduler_of_sweeps(simulation))
    hub.add("payout-operator", _operator(simulation))


def _sale(simulation: Simulation, number: int) -> dict[str, Any]:
    """Draw a sale to enter."""
    rng = simulation.rng
    currency = simulation.tenant.currency if rng.random() < 0.85 else "USD"
    return {
        "user_id": str(rng.choice(simulation.tenant.people)),
        "external_id": f"S{number}",
        "currency": currency,
        "earning": str(cast.draw_earning(rng, currency)),
    }


def _seller(simulation: Simulation, rows: list[dict[str, Any]]) -> Work:
    """Enter sales, in one import or one by one, some of them twice."""

    def work(actor: Actor) -> None:
        if simulation.rng.random() < 0.3:
            status, answer = simulation.call("Ada", "POST", "/sales/import", body=rows)
            if status == 200:
                simulation.acknowledged.sales |= {
                    one["external_id"]: {**one, "id": str(one["id"])}
                    for one in simulation.sales()
                    if one["external_id"] in {row["external_id"] for row in rows}
                }
                if answer["errors"] or answer["added"] + answer["unchanged"] != len(rows):
                    simulation.violations.append(f"acknowledged: good sales were answered with {answer}")
            return
        for row in [*rows, *([rows[0]] if simulation.rng.random() < 0.2 else [])]:
            status, answer = simulation.call("Ada", "POST", "/sales", body=row)
            if status == 201:
                simulation.acknowledged.sales[row["external_id"]] = answer
            elif status != 0:
                simulation.violations.append(f"acknowledged: a good sale was answered with {status} {answer}")
            actor.switch()

    return work


def _decider(simulation: Simulation, who: str) -> Work:
    """Decide some of the known sales, now and then with corrections."""

    def work(actor: Actor) -> None:
        rng = simulation.rng
        for _ in range(rng.choice((1, 2))):
            actor.rest(timedelta(seconds=rng.choice((1, 20, 60, 130))))
            known = sorted(simulation.acknowledged.sales.values(), key=lambda one: one["external_id"])
            if not known:
                continue
            chosen = [one for one in known if rng.random() < 0.6] or known[:1]
            decide(simulation, who, chosen, corrects=rng.random() < 0.2)

    return work


def decide(simulation: Simulation, who: str, chosen: list[dict[str, Any]], *, corrects: bool = False) -> None:
    """Reconcile some sales in one call, as drawn, and record the reply."""
    items = []
    for sale in chosen:
        status = simulation.rng.choice(("approved", "approved", "declined"))
        item = {"sale_id": sale["id"], "status": status}
        if corrects and simulation.rng.random() < 0.5:
            item |= {"correction": True, "reason": "counted wrongly"}
            simulation.corrections.add((sale["id"], status))
        items.append(item)
    now = {item["sale_id"]: item["status"] for item in items}
    in_progress = list(simulation.deciding.values())
    if any(before.get(sale_id) == OTHER[status] for before in in_progress for sale_id, status in now.items()):
        simulation.hub.count(Crash.CONTRADICTING, who)
    if any(status == "declined" for status in now.values()) and simulation.is_sending():
        simulation.hub.count(Crash.WHILE_SENDING, who)
    simulation.deciding[who] = now
    code, answer = simulation.call(who, "POST", "/reconcile", body={"items": items})
    del simulation.deciding[who]
    if code not in (0, 200):
        simulation.violations.append(f"acknowledged: good decisions were answered with {code} {answer}")
    if code == 200:
        simulation.acknowledged.decisions += [
            (item["sale_id"], item["status"], result["result"], "correction" in item)
            for item, result in zip(items, answer["items"], strict=True)
        ]


def _runner(simulation: Simulation, keys: list[str]) -> Work:
    """Request payout runs, each under its idempotency key."""

    def work(actor: Actor) -> None:
        for key in keys:
            actor.rest(timedelta(seconds=simulation.rng.choice((1, 10, 40))))
            # both runners send the same key, and each repeats it: one run
            kind = "advance" if key.endswith("0") else "final"
            simulation.runs_asked.add(key)
            status, answer = simulation.call("Ada", "POST", f"/payouts/{kind}/run", key=key)
            if status == 202:
                before = simulation.acknowledged.runs.setdefault(key, answer["job_id"])
                if before != answer["job_id"]:
                    simulation.violations.append("asked-once: one Idempotency-Key started two runs")

    return work


def _scheduler(simulation: Simulation, first: str) -> Work:
    """Call the hourly schedules, which another scheduler calls as well."""

    def work(actor: Actor) -> None:
        actor.rest(timedelta(seconds=30))
        simulation.tick(first)
        if actor.name.endswith("1"):
            simulation.hub.count(Crash.SAME_SLOT, actor.name)
        actor.rest(timedelta(minutes=30))
        simulation.tick("final-payouts")

    return work


def _worker(simulation: Simulation, number: int) -> Work:
    """Consume the queues; restart when killed."""

    def work(actor: Actor) -> None:
        while True:
            actor.idle(simulation.has_work)
            try:
                for queue in QUEUES:
                    simulation.deliver(queue)
            except Killed:
                actor.revive()
            actor.switch()

    return work


def _scheduler_of_sweeps(simulation: Simulation) -> Work:
    """Sweep the outbox and call the retry schedule every few minutes, if the mode has them."""

    def work(actor: Actor) -> None:
        while True:
            actor.rest(timedelta(minutes=simulation.rng.choice((2, 5, 10))))
            if simulation.mode.has_sweep:
                simulation.tick("sweep-outbox")
            if simulation.mode.has_retry_schedule:
                simulation.tick("payouts-to-look-at")

    return work


def _operator(simulation: Simulation) -> Work:
    """Handle payouts that wait for a person, every now and then."""

    def work(actor: Actor) -> None:
        while True:
            actor.rest(timedelta(minutes=simulation.rng.choice((2, 30, 600))))
            handle_payouts(simulation)

    return work


def handle_payouts(simulation: Simulation) -> int:
    """Act as the operator: approve, ask the provider about doubts, record what came back. Return how many changed.

    The operator follows the handbook: asks the provider first, and not before a request can no longer be in flight.
    """
    done = 0
    for payout in simulation.payouts("status in ('held', 'review', 'paid', 'failed', 'returned')"):
        match payout["status"]:
            case "held":
                who = "Cy"  # enters no sale, decides none and starts no run
                if simulation.rng.random() < 0.8 or simulation.is_calm:
                    done += _act(simulation, who, payout, "approve", {}, "approved")
                else:
                    done += _act(simulation, who, payout, "reject", {"reason": "not this month"}, "rejected")
            case "review" if simulation.hub.now - payout["touched_at"] > DAY and not _is_with_bank(simulation, payout):
                done += _resolve(simulation, payout)
            case "paid" if not simulation.mode.has_files:  # returns are in the bank's statement
                if any(one.came_back for one in simulation.bank.known_as(payout["reference"])):
                    done += _act(simulation, "Bo", payout, "return", {"reason": "the bank says so"}, "returned")
            case "failed" | "returned" if not simulation.is_calm and simulation.rng.random() < 0.3:
                _act(simulation, "Bo", payout, "retry", None, None)
    return done


def _is_with_bank(simulation: Simulation, payout: dict[str, Any]) -> bool:
    """Return whether the outcome is still open: the file was not handed in, or the bank is still processing it."""
    batch_id, reference = payout["batch_id"], payout["reference"]
    return batch_id is not None and (not simulation.files.has_seen(batch_id) or simulation.files.is_pending(reference))


def _resolve(simulation: Simulation, payout: dict[str, Any]) -> int:
    """Settle a payout in review by the provider's books."""
    known = [one for one in simulation.bank.known_as(payout["reference"]) if one.moved]
    for wrong in known:
        if wrong.amount != payout["amount"]:
            wrong.was_undone = True  # the provider reverses the wrong amount
    outcome = "paid" if any(one.moved for one in known) else "failed"
    body = {"outcome": outcome, "reason": "the provider's list says so"}
    return _act(simulation, "Cy", payout, "resolve", body, "resolved")


def _act(simulation: Simulation, who: str, payout: dict[str, Any], verb: str, body: Any, event: str | None) -> int:
    status, _ = simulation.call(who, "POST", f"/payouts/{{payout_id}}/{verb}", {"payout_id": str(payout["id"])}, body)
    if status == 200 and event is not None:
        simulation.acknowledged.moves.append((str(payout["id"]), event))
    return int(status == 200)
