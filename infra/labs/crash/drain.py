"""Once faults have stopped: everybody goes on working, nothing breaks any more, and time passes until all is quiet."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from infra.labs.crash import files
from infra.labs.crash.actors import look_after
from infra.labs.crash.restore import match, restore
from infra.labs.crash.story import QUEUES, Story

MOST_TURNS = 120
OPEN = "('held', 'queued', 'sending', 'unknown', 'review')"

_LEFT = f"""
    select (select count(*) from payouts where tenant_id = %(id)s and status in {OPEN}) as open,
        (select count(*) from payouts where tenant_id = %(id)s and status = 'review') as review,
        (select min(look_at) from payouts
         where tenant_id = %(id)s and (status in {OPEN} or %(patient)s)) as look_at,
        (select count(*) from ledger_accounts where tenant_id = %(id)s and kind = 'payable' and balance < 0
         and (-balance >= %(minimum)s or currency <> %(currency)s)) as owed,
        (select count(*) from outbox where tenant_id = %(id)s and sent_at is null) as unsent,
        (select count(*) from pending_sales p join sales s on s.tenant_id = p.tenant_id and s.id = p.sale_id
         join currencies c on c.code = s.currency
         where p.tenant_id = %(id)s and trunc(s.earning * %(rate)s, c.minor_units) > 0
           and not exists (select from ledger_entries e where e.tenant_id = p.tenant_id and e.subject_id = p.sale_id
                           and e.event = 'advance')) as eligible
"""


def drain(story: Story) -> None:
    """Let the story come to its end; what does not is noted as a violation."""
    story.is_calm = story.sqs.is_calm = story.bank.is_calm = True
    story.sqs.forget_poison()
    if story.backup is not None:
        _come_back(story)
    patient = story.mode.looks_again and story.rng.random() < 0.2  # waits for the looks after payment, too
    left = _left(story, patient)
    for turn in range(MOST_TURNS):
        _turn(story, left)
        left = _left(story, patient)
        waits = [left["open"], left["owed"], left["eligible"], left["unsent"] if story.mode.sweeps else 0]
        waits.append(_is_to_be_returned(story))
        waits.append(story.files.next_moment() is not None)
        if not any(waits) and not (patient and left["look_at"]) and not story.sqs.waiting and not story.bank.on_the_way:
            return
        if (left["owed"] or left["eligible"]) and turn % 2:
            _next_hour(story)
        else:
            story.hub.pass_time(_until_something(story, left))
    said = ", ".join(f"{name} {value}" for name, value in left.items() if value)
    statuses = [f"{one['status']} {one['amount']} {one['problem'] or ''}" for one in story.payouts(f"status in {OPEN}")]
    story.violations.append(f"nothing-stuck: after all this time there is still {said}; {statuses}")


def _come_back(story: Story) -> None:
    """Play the hour after a restore: work goes on with payouts off, and then the list is matched."""
    restore(story)
    sent = story.bank.sent
    for _ in range(3):
        _turn(story, _left(story, False))
        story.hub.pass_time(timedelta(minutes=16))  # so that no request can be on the way any more
    if story.bank.sent != sent:
        story.violations.append("off-means-off: a payout was sent while payouts were off")
    match(story)


def _is_to_be_returned(story: Story) -> bool:
    back = [one.reference for one in story.bank.entries if one.came_back]
    return bool(back) and bool(story.payouts(f"status = 'paid' and reference in ({str(back)[1:-1]})"))


def _turn(story: Story, left: dict[str, Any]) -> None:
    story.hub.set_clock()  # where nobody has asked the database anything, it does not know yet what time it is
    _work_off(story)
    if story.mode.sweeps and left["unsent"]:
        story.tick("sweep-outbox")
    if not story.mode.looks_again:  # the person is the net
        story.sqs.replay_dead()
        for payout in story.payouts("status in ('queued', 'unknown')"):
            story.call("Bo", "POST", "/payouts/{payout_id}/retry", {"payout_id": str(payout["id"])})
        for payout in story.payouts("status = 'sending' and lease_until < lab.now()"):
            body = {"tenant_id": str(story.tenant.id), "payout_id": str(payout["id"])}
            story.sqs.send_anew("payouts", body)
    elif left["look_at"] is not None and left["look_at"] <= story.hub.now:
        story.tick("payouts-to-look-at")
    _work_off(story)
    if story.mode.has_files:
        files.work_off(story)
    if look_after(story):
        _work_off(story)


def _work_off(story: Story) -> None:
    is_busy = True
    while is_busy:
        is_busy = False
        for queue in QUEUES:
            is_busy = story.deliver(queue) or is_busy


def _next_hour(story: Story) -> None:
    story.hub.pass_time(timedelta(hours=1, seconds=1))
    story.tick("advance-payouts")
    story.tick("final-payouts")


def _left(story: Story, patient: bool) -> dict[str, Any]:
    tenant = story.tenant
    values = {
        "id": tenant.id,
        "patient": patient,
        "minimum": tenant.minimum,
        "currency": tenant.currency,
        "rate": tenant.rate,
    }
    found = story.world.admin.execute(_LEFT.encode(), values, prepare=True).fetchone()
    assert found is not None
    return found


def _until_something(story: Story, left: dict[str, Any]) -> timedelta:
    moments: list[datetime | None] = [story.sqs.next_visible()]
    moments += [due for due, _ in story.bank.on_the_way]
    moments.append(story.files.next_moment())
    if story.mode.looks_again:
        moments.append(left["look_at"])
    if left["review"]:
        moments.append(story.hub.now + timedelta(hours=25))
    if left["unsent"] and story.mode.sweeps:
        moments.append(story.hub.now + timedelta(seconds=61))
    if not story.mode.looks_again and left["open"]:
        moments.append(story.hub.now + timedelta(hours=3))
    waits = [moment - story.hub.now for moment in moments if moment is not None]
    return max(min(waits, default=timedelta(minutes=10)), timedelta(0)) + timedelta(seconds=1)
