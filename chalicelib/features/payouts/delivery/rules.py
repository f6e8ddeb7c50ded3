"""The retry schedule of payouts in doubt, and until when an idempotency key may be used."""

from datetime import datetime, timedelta

LEASE = timedelta(minutes=2)  # a call takes at most 30 s; a worker that is slower has lost its right to send
# A request may lie on the way for 30 minutes, and a worker's clock may be 10 behind: no key is used so near its end.
KEY_MARGIN = timedelta(minutes=45)
RESEND_AFTER = timedelta(minutes=5)  # a queued payout that nobody claimed by then is sent to the queue again
RETURN_CHECK_AFTER = timedelta(hours=24)  # money comes back within days; asking once more finds most of it
RETRY_WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
GIVE_UP_AFTER = timedelta(hours=72)  # then a person decides


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts in vain; the last wait repeats."""
    return RETRY_WAITS[min(attempts, len(RETRY_WAITS) - 1)]


def may_send(*, now: datetime, claimed_at: datetime, first_sent_at: datetime, keeps_for: timedelta | None) -> bool:
    """Return, directly before a call, whether sending is still safe.

    A worker may have slept since its claim: for longer than its lease, and another worker has the payout; or for so
    long that the provider has forgotten the key, and would pay a second time.
    """
    if now - claimed_at > LEASE / 2:
        return False
    return keeps_for is None or now - first_sent_at < keeps_for - KEY_MARGIN


def may_resend(*, now: datetime, first_sent_at: datetime, keeps_for: timedelta | None) -> bool:
    """Return whether a payout in doubt may be sent again under its idempotency key."""
    return keeps_for is not None and now - first_sent_at < keeps_for - KEY_MARGIN - LEASE
