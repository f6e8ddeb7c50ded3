"""The signature of Standard Webhooks, held against the specification's own example; and the ladder."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.features.webhooks import rules
from chalicelib.features.webhooks.rules import DELIVERY_MOVES, DeliveryStatus, EventType
from chalicelib.kernel.states import PAYOUT_MOVES, PayoutStatus

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class TestHeaders:
    def test_are_those_of_the_official_test_vector(self) -> None:
        at = datetime.fromtimestamp(1614265330, UTC)
        headers = rules.headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek", body='{"test": 2432232314}', at=at, signed_with=[SECRET]
        )
        assert headers == {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }

    def test_hold_one_signature_for_each_secret(self) -> None:
        at = datetime.fromtimestamp(1614265330, UTC)
        headers = rules.headers("m", body="{}", at=at, signed_with=[rules.new_secret(), SECRET])
        newest, older = headers["webhook-signature"].split(" ")
        assert newest != older
        assert older == rules.headers("m", body="{}", at=at, signed_with=[SECRET])["webhook-signature"]


def test_secrets_are_of_the_length_that_the_specification_asks_for() -> None:
    secrets_ = {rules.new_secret() for _ in range(50)}
    assert len(secrets_) == 50
    assert {len(base64.b64decode(secret.removeprefix("whsec_"))) for secret in secrets_} == {32}


@pytest.mark.parametrize(("tries", "wait"), [
    (1, timedelta(seconds=5)), (2, timedelta(minutes=5)), (3, timedelta(minutes=30)), (4, timedelta(hours=2)),
    (5, timedelta(hours=5)), (6, timedelta(hours=10)), (7, timedelta(hours=14)), (8, timedelta(hours=20)),
    (9, timedelta(hours=24)), (10, None), (11, None),
])  # fmt: skip
def test_the_ladder(tries: int, wait: timedelta | None) -> None:
    assert rules.RETRY.wait_after(tries) == wait


def test_a_call_ends_well_before_its_lease_and_two_of_them_before_lambda_does() -> None:
    assert timedelta(seconds=rules.CALL_SECONDS) * 2 < timedelta(seconds=29) < rules.RETRY.lease


def test_events_are_states_that_a_payout_can_come_to() -> None:
    reached = {to for moves in PAYOUT_MOVES.values() for to in moves}
    assert {PayoutStatus(event.removeprefix("payout.")) for event in EventType} == reached - {"sending", "queued"}


def test_only_a_replay_begins_again() -> None:
    assert {(since, to) for since, moves in DELIVERY_MOVES.items() for to in moves} == {
        (DeliveryStatus.PENDING, DeliveryStatus.DELIVERED),
        (DeliveryStatus.PENDING, DeliveryStatus.FAILED),
        (DeliveryStatus.DELIVERED, DeliveryStatus.PENDING),
        (DeliveryStatus.FAILED, DeliveryStatus.PENDING),
    }
