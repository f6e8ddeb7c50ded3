"""What everybody in a story does: clients of the API, time, workers, and the person who looks after payouts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from infra.labs.crash import cast, files
from infra.labs.crash.baton import Actor, Killed
from infra.labs.crash.faults import Crash
from infra.labs.crash.story import QUEUES, Story

DAY = timedelta(days=1)  # nobody calls the provider about a payment that was sent within the last day
OTHER = {"approved": "declined", "declined": "approved"}


def enter(story: Story) -> None:
    """Put everybody in place; who goes when is drawn later."""
    rng, hub, skews = story.rng, story.hub, story.plan.skews
    names = iter(range(100))
    for number in range(rng.choice((1, 2))):
        rows = [_sale(story, next(names)) for _ in range(rng.choice((1, 2, 3)))]
        hub.add(f"seller{number}", _seller(story, rows))
    hub.add("decider0", _decider(story, "Ada"))
    hub.add("decider1", _decider(story, "Bo"))
    keys = [f"key-{n}" for n in range(rng.choice((1, 2)))]
    for number in range(2):
        hub.add(f"runner{number}", _runner(story, keys))
    slot = rng.choice(("advance-payouts", "advance-payouts", "final-payouts"))
    for number in range(2):
        hub.add(f"scheduler{number}", _scheduler(story, slot), skew=skews[number])
    for number in range(rng.choice((2, 3))):
        hub.add(f"worker{number}", _worker(story, number), skew=skews[number])
    if story.mode.has_files:
        files.prepare(story)
        hub.add("operator0", files.operator(story, "Ada"))
        hub.add("operator1", files.operator(story, "Bo"))
        hub.add("accountant", files.accountant(story))
    hub.add("clockwork", _clockwork(story))
    hub.add("person", _person(story))


def _sale(story: Story, number: int) -> dict[str, Any]:
    rng = story.rng
    currency = story.tenant.currency if rng.random() < 0.85 else "USD"
    return {
        "user_id": str(rng.choice(story.tenant.people)),
        "external_id": f"S{number}",
        "currency": currency,
        "earning": str(cast.earning(rng, currency)),
    }


def _seller(story: Story, rows: list[dict[str, Any]]) -> Any:
    def work(actor: Actor) -> None:
        if story.rng.random() < 0.3:
            status, answer = story.call("Ada", "POST", "/sales/import", body=rows)
            if status == 200:
                story.said.sales |= {
                    one["external_id"]: {**one, "id": str(one["id"])}
                    for one in story.sales()
                    if one["external_id"] in {row["external_id"] for row in rows}
                }
                if answer["errors"] or answer["added"] + answer["unchanged"] != len(rows):
                    story.violations.append(f"acknowledged: good sales were answered with {answer}")
            return
        for row in [*rows, *([rows[0]] if story.rng.random() < 0.2 else [])]:
            status, answer = story.call("Ada", "POST", "/sales", body=row)
            if status == 201:
                story.said.sales[row["external_id"]] = answer
            elif status != 0:
                story.violations.append(f"acknowledged: a good sale was answered with {status} {answer}")
            actor.switch()

    return work


def _decider(story: Story, who: str) -> Any:
    def work(actor: Actor) -> None:
        rng = story.rng
        for _ in range(rng.choice((1, 2))):
            actor.rest(timedelta(seconds=rng.choice((1, 20, 60, 130))))
            known = sorted(story.said.sales.values(), key=lambda one: one["external_id"])
            if not known:
                continue
            chosen = [one for one in known if rng.random() < 0.6] or known[:1]
            decide(story, who, chosen, corrects=rng.random() < 0.2)

    return work


def decide(story: Story, who: str, chosen: list[dict[str, Any]], *, corrects: bool = False) -> None:
    """Reconcile some sales in one call, as drawn, and note what was answered."""
    items = []
    for sale in chosen:
        status = story.rng.choice(("approved", "approved", "declined"))
        item = {"sale_id": sale["id"], "status": status}
        if corrects and story.rng.random() < 0.5:
            item |= {"correction": True, "reason": "counted wrongly"}
            story.corrections.add((sale["id"], status))
        items.append(item)
    now = {item["sale_id"]: item["status"] for item in items}
    under_way = list(story.deciding.values())
    if any(before.get(sale_id) == OTHER[status] for before in under_way for sale_id, status in now.items()):
        story.hub.count(Crash.CONTRADICTING, who)
    if any(status == "declined" for status in now.values()) and story.is_sending():
        story.hub.count(Crash.WHILE_SENDING, who)
    story.deciding[who] = now
    code, answer = story.call(who, "POST", "/reconcile", body={"items": items})
    del story.deciding[who]
    if code not in (0, 200):
        story.violations.append(f"acknowledged: good decisions were answered with {code} {answer}")
    if code == 200:
        story.said.decisions += [
            (item["sale_id"], item["status"], result["result"], "correction" in item)
            for item, result in zip(items, answer["items"], strict=True)
        ]


def _runner(story: Story, keys: list[str]) -> Any:
    def work(actor: Actor) -> None:
        for key in keys:
            actor.rest(timedelta(seconds=story.rng.choice((1, 10, 40))))
            # the same key from both runners, and each again: one run
            kind = "advance" if key.endswith("0") else "final"
            story.runs_asked.add(key)
            status, answer = story.call("Ada", "POST", f"/payouts/{kind}/run", key=key)
            if status == 202:
                before = story.said.runs.setdefault(key, answer["job_id"])
                if before != answer["job_id"]:
                    story.violations.append("asked-once: one Idempotency-Key started two runs")

    return work


def _scheduler(story: Story, first: str) -> Any:
    def work(actor: Actor) -> None:
        actor.rest(timedelta(seconds=30))
        story.tick(first)
        if actor.name.endswith("1"):
            story.hub.count(Crash.SAME_SLOT, actor.name)
        actor.rest(timedelta(minutes=30))
        story.tick("final-payouts")

    return work


def _worker(story: Story, number: int) -> Any:
    def work(actor: Actor) -> None:
        while True:
            actor.idle(story.has_work)
            try:
                for queue in QUEUES:
                    story.deliver(queue)
            except Killed:
                actor.revive()
            actor.switch()

    return work


def _clockwork(story: Story) -> Any:
    def work(actor: Actor) -> None:
        while True:
            actor.rest(timedelta(minutes=story.rng.choice((2, 5, 10))))
            if story.mode.sweeps:
                story.tick("sweep-outbox")
            if story.mode.looks_again:
                story.tick("payouts-to-look-at")

    return work


def _person(story: Story) -> Any:
    def work(actor: Actor) -> None:
        while True:
            actor.rest(timedelta(minutes=story.rng.choice((2, 30, 600))))
            look_after(story)

    return work


def look_after(story: Story) -> int:
    """Play the person who approves, asks the provider about doubts, and records what came back.

    They do what the product asks of them: find out first, and not before a request can no longer be on its way.
    """
    done = 0
    for payout in story.payouts("status in ('held', 'review', 'paid', 'failed', 'returned')"):
        match payout["status"]:
            case "held":
                who = "Cy"  # who makes no sale, decides none and starts no run
                if story.rng.random() < 0.8 or story.is_calm:
                    done += _act(story, who, payout, "approve", {}, "approved")
                else:
                    done += _act(story, who, payout, "reject", {"reason": "not this month"}, "rejected")
            case "review" if story.hub.now - payout["touched_at"] > DAY and not _is_with_bank(story, payout):
                done += _resolve(story, payout)
            case "paid" if not story.mode.has_files:  # what comes back to a bank account stands in its statement
                if any(one.came_back for one in story.bank.known_as(payout["reference"])):
                    done += _act(story, "Bo", payout, "return", {"reason": "the bank says so"}, "returned")
            case "failed" | "returned" if not story.is_calm and story.rng.random() < 0.3:
                _act(story, "Bo", payout, "retry", None, None)
    return done


def _is_with_bank(story: Story, payout: dict[str, Any]) -> bool:
    """Tell whether a file was not brought yet, or the bank is still at work on it: then nobody knows."""
    batch_id, reference = payout["batch_id"], payout["reference"]
    return batch_id is not None and (not story.files.has_seen(batch_id) or story.files.is_pending(reference))


def _resolve(story: Story, payout: dict[str, Any]) -> int:
    known = [one for one in story.bank.known_as(payout["reference"]) if one.moved]
    for wrong in known:
        if wrong.amount != payout["amount"]:
            wrong.was_undone = True  # the provider takes back what it got wrong
    outcome = "paid" if any(one.moved for one in known) else "failed"
    body = {"outcome": outcome, "reason": "the provider's list says so"}
    return _act(story, "Cy", payout, "resolve", body, "resolved")


def _act(story: Story, who: str, payout: dict[str, Any], verb: str, body: Any, event: str | None) -> int:
    status, _ = story.call(who, "POST", f"/payouts/{{payout_id}}/{verb}", {"payout_id": str(payout["id"])}, body)
    if status == 200 and event is not None:
        story.said.moves.append((str(payout["id"]), event))
    return int(status == 200)
