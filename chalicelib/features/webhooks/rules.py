"""What can be subscribed to, the retry schedule of a delivery, and its signature (Standard Webhooks 1.0.0)."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from standardwebhooks.webhooks import Webhook

from chalicelib.delivery.retry import RetrySchedule


class EventType(StrEnum):
    """What an endpoint can ask for."""

    PAYOUT_CANCELLED = "payout.cancelled"
    PAYOUT_FAILED = "payout.failed"
    PAYOUT_PAID = "payout.paid"
    PAYOUT_RETURNED = "payout.returned"
    PAYOUT_REVIEW = "payout.review"
    PAYOUT_UNKNOWN = "payout.unknown"


PING = "ping"  # sent on request to one endpoint, whatever it subscribed to


class DeliveryStatus(StrEnum):
    """The state of a delivery: one event to one endpoint."""

    PENDING = "pending"  # to be sent, being sent, or to be retried
    DELIVERED = "delivered"
    FAILED = "failed"  # attempted as often as the schedule says, or not to be attempted any more


DELIVERY_MOVES: Mapping[DeliveryStatus, frozenset[DeliveryStatus]] = {
    DeliveryStatus.PENDING: frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}),
    # a replay
    DeliveryStatus.DELIVERED: frozenset({DeliveryStatus.PENDING}),
    DeliveryStatus.FAILED: frozenset({DeliveryStatus.PENDING}),
}

RETRY = RetrySchedule(
    # The specification's own example. Its first five seconds are the next round of the sweep.
    waits=(
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
        timedelta(hours=14),
        timedelta(hours=20),
        timedelta(hours=24),
    ),
    lease=timedelta(seconds=60),
    resend_after=timedelta(minutes=5),
)
CALL_SECONDS = 10.0  # from resolving the host to the last byte of the answer
DISABLE_AFTER = timedelta(days=5)  # an endpoint that only failed for so long is disabled
OVERLAP = timedelta(hours=24)  # for so long the secret before a rotation signs, too
KEPT_FOR = timedelta(days=30)  # then an event and its deliveries are deleted
MOST_ENDPOINTS = 20  # of a tenant


def new_secret() -> str:
    """Return a random secret in the form that receivers' libraries take."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(event_id: str, *, body: str, at: datetime, signed_with: Sequence[str]) -> dict[str, str]:
    """Sign one attempt with every secret that is valid; a receiver needs to know one of them."""
    signatures = [Webhook(secret).sign(event_id, at, body) for secret in signed_with]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
