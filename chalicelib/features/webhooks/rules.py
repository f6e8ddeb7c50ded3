"""What may be listened to, when a delivery is tried again, and how it is signed (Standard Webhooks 1.0.0)."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from standardwebhooks.webhooks import Webhook


class EventType(StrEnum):
    """What an endpoint can ask for."""

    PAYOUT_CANCELLED = "payout.cancelled"
    PAYOUT_FAILED = "payout.failed"
    PAYOUT_PAID = "payout.paid"
    PAYOUT_RETURNED = "payout.returned"
    PAYOUT_REVIEW = "payout.review"
    PAYOUT_UNKNOWN = "payout.unknown"


PING = "ping"  # sent on request to one endpoint, whatever it listens to


class DeliveryStatus(StrEnum):
    """What became of telling one endpoint of one event."""

    PENDING = "pending"  # to be sent, being sent, or to be tried again
    DELIVERED = "delivered"
    FAILED = "failed"  # tried as often as we do, or not to be tried any more


DELIVERY_MOVES: Mapping[DeliveryStatus, frozenset[DeliveryStatus]] = {
    DeliveryStatus.PENDING: frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}),
    # a replay
    DeliveryStatus.DELIVERED: frozenset({DeliveryStatus.PENDING}),
    DeliveryStatus.FAILED: frozenset({DeliveryStatus.PENDING}),
}

# After each failed try; the specification's own example. Its first five seconds are the next round of the schedule.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MOST_TRIES = len(WAITS) + 1
JITTER = 0.2  # a wait is so much longer at most, so that what failed together does not come back together
TIME_OUT = 10.0  # seconds, from looking the host up to the last byte of the answer
LEASE = timedelta(seconds=60)  # a worker that did not come back by then never will
NUDGE = timedelta(minutes=5)  # a new delivery whose message nobody took by then is sent to the queue again
PATIENCE = timedelta(days=5)  # an endpoint that only failed for so long is disabled
OVERLAP = timedelta(hours=24)  # the secret before signs too for so long
KEPT_FOR = timedelta(days=30)  # then an event and its deliveries are forgotten
MOST_ENDPOINTS = 20  # of a tenant


def wait_after(tries: int) -> timedelta | None:
    """Return how long to wait after so many failed tries, or None where it is not tried again."""
    return WAITS[tries - 1] if tries < MOST_TRIES else None


def new_secret() -> str:
    """Make a secret in the form that receivers' libraries take."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(event_id: str, *, body: str, at: datetime, signed_with: Sequence[str]) -> dict[str, str]:
    """Sign one attempt with every secret that counts; a receiver needs to know one of them."""
    signatures = [Webhook(secret).sign(event_id, at, body) for secret in signed_with]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
