"""Requests and replies of webhooks."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from chalicelib.backing import outside
from chalicelib.entry.paging import PageQuery
from chalicelib.features.webhooks.rules import DeliveryStatus, EventType
from chalicelib.kernel.schema import UNSET, Input, LongText, Output, Version


def _check_url(url: str) -> str:
    outside.parse_target(url)
    return url


def _sort_unique(events: list[EventType]) -> list[EventType]:
    return sorted(set(events))


def _explain_events(value: Any, handler: ValidatorFunctionWrapHandler) -> object:
    # pydantic reports each form of a union in turn, at places that no caller has written
    try:
        return handler(value)
    except ValidationError:
        raise ValueError(f'must be "all", or a list of {", ".join(EventType)}') from None


Url = Annotated[
    str,
    Field(min_length=1, max_length=500, description="https://, on port 443 or 8443, at a host of the public internet"),
    AfterValidator(_check_url),
]
Events = Annotated[
    Literal["all"] | Annotated[list[EventType], Field(min_length=1, max_length=50), AfterValidator(_sort_unique)],
    WrapValidator(_explain_events),
]


class NewEndpoint(Input):
    """A system of yours that wants to hear what happens; `all` includes what is added later."""

    url: Url
    events: Events = "all"
    description: LongText | None = None


class EndpointPatch(Input):
    """What may be changed about an endpoint. While it is disabled, nothing is published to it."""

    url: Url = UNSET
    events: Events = UNSET
    description: LongText | None = None
    enabled: bool = UNSET


class Endpoint(Output):
    """A system of yours that hears what happens; its secret is not shown again."""

    id: UUID
    url: str
    events: Literal["all"] | list[str]
    description: str | None
    enabled: bool
    disabled_because: str | None = Field(description="why we disabled it; null where one of you did")
    failing_since: datetime | None = Field(description="the first failure since the last success")
    old_secret_until: datetime | None = Field(description="until then deliveries are signed with the old secret too")
    created_at: datetime
    version: Version


class EndpointWithSecret(Endpoint):
    """An endpoint with its secret: the only time it is shown. A repeated answer (Idempotency-Key) has null there."""

    secret: str | None


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    endpoint_id: UUID | None = None
    status: DeliveryStatus | None = None


class Delivery(Output):
    """Telling one endpoint of one event."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID = Field(description="the webhook-id: the same however often it is sent")
    type: str
    status: DeliveryStatus
    attempts_made: int
    next_attempt_at: datetime | None = Field(description="null once it is delivered or failed")
    problem: str | None = Field(description="why the last attempt failed")
    created_at: datetime
    settled_at: datetime | None


class DeliveryAttempt(Output):
    """One time that it was sent; `ms` is null while nobody knows how it went."""

    number: int
    at: datetime
    status_code: int | None
    ms: int | None
    response: str | None = Field(description="how the answer's body begins")
    problem: str | None


class WholeDelivery(Delivery):
    """A delivery with what it says and how each attempt went."""

    payload: dict[str, Any]
    attempts: list[DeliveryAttempt]
