"""When a payout is looked at again, and until when its key may be used."""

from datetime import datetime, timedelta

LEASE = timedelta(minutes=2)  # a call takes at most 30 s; a worker that is slower has lost its right to send
# A request may lie on the way for 30 minutes, and a worker's clock may be 10 behind: no key is used so near its end.
MARGIN = timedelta(minutes=45)
NUDGE = timedelta(minutes=5)  # a queued payout that nobody took by then is sent to the queue again
AFTER_PAID = timedelta(hours=24)  # money comes back within days; one more look finds most of it
LADDER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
PATIENCE = timedelta(hours=72)  # then a person decides


def next_look(looks: int) -> timedelta:
    """Return how long to wait after so many looks in vain; the last rung repeats."""
    return LADDER[min(looks, len(LADDER) - 1)]


def may_send(*, now: datetime, claimed_at: datetime, first_sent_at: datetime, keeps_for: timedelta | None) -> bool:
    """Return, directly before a call, whether sending is still safe.

    A worker may have slept since its claim: for longer than its lease, and somebody else has the payout; or for so
    long that the provider has forgotten the key, and would pay a second time.
    """
    if now - claimed_at > LEASE / 2:
        return False
    return keeps_for is None or now - first_sent_at < keeps_for - MARGIN


def may_resend(*, now: datetime, first_sent_at: datetime, keeps_for: timedelta | None) -> bool:
    """Return whether a doubtful payout may be sent again under its key."""
    return keeps_for is not None and now - first_sent_at < keeps_for - MARGIN - LEASE
