"""The end of a run: faults have stopped, work goes on and time passes until nothing is left to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from chalicelib.backing.database import statement
from infra.labs.crash import files
from infra.labs.crash.actors import handle_payouts
from infra.labs.crash.restore import match, restore
from infra.labs.crash.simulation import QUEUES, Simulation

MOST_TURNS = 120
OPEN = "('held', 'queued', 'sending', 'unknown', 'review')"

_REMAINING = statement(__file__, "remaining")


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left to do, counted; `look_at` is when the next payout is due."""

    open: int  # payouts
    review: int  # of these, those that wait for an operator
    look_at: datetime | None
    owed: int  # accounts with a debt that can be paid
    unsent: int  # messages of the outbox
    eligible: int  # sales without the advance that is due


def drain(simulation: Simulation) -> None:
    """Work without faults until nothing is left; what remains after MOST_TURNS is a violation."""
    simulation.is_calm = simulation.sqs.is_calm = simulation.bank.is_calm = True
    simulation.sqs.forget_poison()
    if simulation.backup is not None:
        _recover(simulation)
    waits_for_returns = (
        simulation.mode.has_retry_schedule and simulation.rng.random() < 0.2
    )  # also for the look a day after payment
    remaining = _count_remaining(simulation, waits_for_returns)
    for turn in range(MOST_TURNS):
        _turn(simulation, remaining)
        remaining = _count_remaining(simulation, waits_for_returns)
        waits = [
            remaining.open,
            remaining.owed,
            remaining.eligible,
            remaining.unsent if simulation.mode.has_sweep else 0,
        ]
        waits.append(_is_to_be_returned(simulation))
        waits.append(simulation.files.next_moment() is not None)
        if (
            not any(waits)
            and not (waits_for_returns and remaining.look_at)
            and not simulation.sqs.waiting
            and not simulation.bank.in_flight
        ):
            return
        if (remaining.owed or remaining.eligible) and turn % 2:
            _next_hour(simulation)
        else:
            simulation.hub.pass_time(_next_wait(simulation, remaining))
    summary = ", ".join(f"{name} {value}" for name, value in asdict(remaining).items() if value)
    statuses = [
        f"{one['status']} {one['amount']} {one['problem'] or ''}" for one in simulation.payouts(f"status in {OPEN}")
    ]
    simulation.violations.append(f"nothing-stuck: after all this time there is still {summary}; {statuses}")


def _recover(simulation: Simulation) -> None:
    """Do what follows a restore: work goes on with payouts off, then the provider's list is matched."""
    restore(simulation)
    sent = simulation.bank.sent
    for _ in range(3):
        _turn(simulation, _count_remaining(simulation, False))
        simulation.hub.pass_time(timedelta(minutes=16))  # after which no request can be in flight
    if simulation.bank.sent != sent:
        simulation.violations.append("off-means-off: a payout was sent while payouts were off")
    match(simulation)


def _is_to_be_returned(simulation: Simulation) -> bool:
    references = [one.reference for one in simulation.bank.entries if one.came_back]
    return bool(references) and bool(simulation.payouts(f"status = 'paid' and reference in ({str(references)[1:-1]})"))


def _turn(simulation: Simulation, remaining: Remaining) -> None:
    """Let every worker, schedule and operator act once."""
    simulation.hub.set_clock()  # the clock is set lazily, before the first statement
    _work_off(simulation)
    if simulation.mode.has_sweep and remaining.unsent:
        simulation.tick("sweep-outbox")
    if not simulation.mode.has_retry_schedule:  # the operator replaces it
        simulation.sqs.replay_dead()
        for payout in simulation.payouts("status in ('queued', 'unknown')"):
            simulation.call("Bo", "POST", "/payouts/{payout_id}/retry", {"payout_id": str(payout["id"])})
        for payout in simulation.payouts("status = 'sending' and lease_until < lab.now()"):
            body = {"tenant_id": str(simulation.tenant.id), "payout_id": str(payout["id"])}
            simulation.sqs.send_anew("payouts", body)
    elif remaining.look_at is not None and remaining.look_at <= simulation.hub.now:
        simulation.tick("payouts-to-look-at")
    _work_off(simulation)
    if simulation.mode.has_files:
        files.work_off(simulation)
    if handle_payouts(simulation):
        _work_off(simulation)


def _work_off(simulation: Simulation) -> None:
    is_busy = True
    while is_busy:
        is_busy = False
        for queue in QUEUES:
            is_busy = simulation.deliver(queue) or is_busy


def _next_hour(simulation: Simulation) -> None:
    simulation.hub.pass_time(timedelta(hours=1, seconds=1))
    simulation.tick("advance-payouts")
    simulation.tick("final-payouts")


def _count_remaining(simulation: Simulation, waits_for_returns: bool) -> Remaining:
    """Count what is left to do, and read when the next attempt is due."""
    tenant = simulation.tenant
    values = {
        "id": tenant.id,
        "waits_for_returns": waits_for_returns,
        "minimum": tenant.minimum,
        "currency": tenant.currency,
        "rate": tenant.rate,
    }
    row = simulation.world.admin.execute(_REMAINING.encode(), values, prepare=True).fetchone()
    assert row is not None
    return Remaining(**row)


def _next_wait(simulation: Simulation, remaining: Remaining) -> timedelta:
    """Return how long to wait until something becomes due."""
    moments: list[datetime | None] = [simulation.sqs.next_visible()]
    moments += [due for due, _ in simulation.bank.in_flight]
    moments.append(simulation.files.next_moment())
    if simulation.mode.has_retry_schedule:
        moments.append(remaining.look_at)
    if remaining.review:
        moments.append(simulation.hub.now + timedelta(hours=25))
    if remaining.unsent and simulation.mode.has_sweep:
        moments.append(simulation.hub.now + timedelta(seconds=61))
    if not simulation.mode.has_retry_schedule and remaining.open:
        moments.append(simulation.hub.now + timedelta(hours=3))
    waits = [moment - simulation.hub.now for moment in moments if moment is not None]
    return max(min(waits, default=timedelta(minutes=10)), timedelta(0)) + timedelta(seconds=1)
