"""@scheduled and @consumes: the doors of time and of queues.

They are decorators on the function itself, because in Lambda a blueprint's event handler is imported without
`app.py`, so no middleware of the app would ever run for it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any
from uuid import UUID

from chalice import Blueprint

from chalicelib.backing import cells, clock, outbox, queues
from chalicelib.backing.log import count, logger
from chalicelib.entry.problems import fault_of
from chalicelib.entry.registry import CONSUMERS, SCHEDULES, Consumer, Schedule
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin, Scope
from chalicelib.kernel.errors import Misdirected

WhenFailed = Callable[..., None]
MessagesIn = Callable[[Any], Sequence[dict[str, Any]]]
# Faults that are no fact about the message: somebody else has the rows; or they are in another cell, and the message
# stays in the dead-letter queue until it is handed over.
COMES_BACK = ("busy", "misdirected")


@dataclass(frozen=True, slots=True)
class SideEffect:
    """Something to do outside, between two transactions: what a message's work returns when it has to ask a stranger.

    `call` is made after the commit and holds no transaction. `settle(scope, answer)` then has one of its own, and may
    give the next errand. A process may die anywhere between, so what is committed before the call must say that it
    may have been made.
    """

    call: Callable[[], Any]
    settle: Callable[[Scope, Any], "SideEffect | None"]


def scheduled(
    blueprint: Blueprint, expression: str, *, name: str
) -> Callable[[Callable[..., int]], Callable[..., Any]]:
    """Make a function a scheduled one. It is handed `now`, finds who is due, and counts what it sent."""

    def register(function: Callable[..., int]) -> Callable[..., Any]:
        SCHEDULES[name] = Schedule(name, expression, function)

        @wraps(function)
        def handler(event: Any) -> dict[str, int]:
            logger.thread_safe_append_keys(schedule=name, request_id=event.to_dict().get("id"))
            sent = function(now=clock.now())
            logger.info("scheduled", found=sent)
            count("Scheduled", sent, schedule=name)
            return {"found": sent}

        registered: Callable[..., Any] = blueprint.schedule(expression, name=name)(handler)
        return registered

    return register


def consumes(
    blueprint: Blueprint,
    queue: str,
    *,
    batch_size: int = 10,
    at_once: int | None = None,
    messages_in: MessagesIn | None = None,
    when_failed: WhenFailed | None = None,
    while_suspended: bool = False,
) -> Callable[[Callable[..., SideEffect | None]], Callable[..., Any]]:
    """Make a function a queue's consumer, called once per message as `function(scope, message=...)`.

    A message is one transaction, or an errand between two. One that fails rests and comes back, alone; the others of
    its batch are done. After `MAX_RECEIVES` tries it goes to the dead-letter queue. A Fault is a fact, and would be
    the same the next time: it is logged and the message is done. `at_once` bounds how many batches are worked on at
    the same time. `when_failed` is told, in a transaction of its own, when a message will not be tried again.

    What comes from AWS itself is worded by AWS: `messages_in` finds in such a body the messages for us, each with the
    `tenant_id` that it concerns; there may be several, of several tenants, or none. Each is worked on by itself, and
    where one has to be tried again, all are: doing one twice must change nothing.

    While a tenant is suspended, its messages are put back into the outbox, and come again when it is active; those of
    a queue that works `while_suspended` are done, for what becomes known about the past has to be written down. So are
    those worded by AWS, which cannot be put back.

    A tenant that lives in another cell is suspended here for good, so its messages are put back, too. Of the queues
    that go on they come again, and end as dead letters: here nobody may do them.
    """

    def register(function: Callable[..., SideEffect | None]) -> Callable[..., Any]:
        CONSUMERS[queue] = Consumer(queue, function, while_suspended or messages_in is not None)

        @wraps(function)
        def handler(event: Any) -> dict[str, list[dict[str, str]]]:
            failed = []
            for record in event.to_dict()["Records"]:
                if not _isolate_failure(
                    partial(_consume_record, function, queue, record, messages_in, when_failed), queue
                ):
                    failed.append({"itemIdentifier": record["messageId"]})
            return {"batchItemFailures": failed}

        registered: Callable[..., Any] = blueprint.on_sqs_message(
            queues.configured_name(queue),
            batch_size=batch_size,
            name=f"consume_{queue.replace('-', '_')}",
            maximum_concurrency=at_once,
        )(handler)
        return registered

    return register


def _isolate_failure(consume: Callable[[], bool], queue: str) -> bool:
    """Work on one record of a batch; whatever goes wrong around it fails that record and none of its neighbours."""
    try:
        return consume()
    except Exception:
        logger.exception("failed outside its work", queue=queue)
        count("Failed", queue=queue)
        return False


def _consume_record(
    function: Callable[..., SideEffect | None],
    queue: str,
    record: dict[str, Any],
    messages_in: MessagesIn | None,
    when_failed: WhenFailed | None,
) -> bool:
    if messages_in is None:
        return _consume_message(function, queue, record, when_failed)
    try:
        messages = messages_in(json.loads(record["body"]))
    except Exception:
        logger.exception("not worded as expected", queue=queue, message_id=record["messageId"])
        count("Failed", queue=queue)
        queues.back_off(
            queue, receipt=record["receiptHandle"], receives=int(record["attributes"]["ApproximateReceiveCount"])
        )
        return False
    # every one is tried, whatever became of those before it
    done = [_consume_message(function, queue, record, when_failed, message) for message in messages]
    return all(done)


def _consume_message(
    function: Callable[..., SideEffect | None],
    queue: str,
    record: dict[str, Any],
    when_failed: WhenFailed | None,
    parsed_message: dict[str, Any] | None = None,
) -> bool:
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    message: dict[str, Any] = {}
    logger.thread_safe_append_keys(request_id=record["messageId"], queue=queue, receives=receives, tenant=None)
    try:
        message = json.loads(record["body"]) if parsed_message is None else parsed_message
        rests = None if CONSUMERS[queue].while_suspended else queue
        if not process_message(
            function, message, name=queue, origin=Origin(request_id=record["messageId"]), rests=rests
        ):
            count("Parked", queue=queue)
            return True
    except Exception as error:
        fault = fault_of(error)
        if fault is not None and fault.kind not in COMES_BACK:
            logger.warning("done, not to be tried again", problem=fault.kind, detail=fault.detail)
            count("Refused", queue=queue)
            _notify_failure(when_failed, message, fault.detail)
            return True
        last = receives >= queues.MAX_RECEIVES
        if fault is not None and not last:  # somebody else has it: no alarm, the next try finds it done
            logger.info(fault.kind, detail=fault.detail)
        else:
            logger.exception("failed", will_be_tried_again=not last)
            count("Failed", queue=queue)
        if last:
            _notify_failure(
                when_failed,
                message,
                f"It failed {receives} times; see the logs for message {record['messageId']}.",
            )
        queues.back_off(queue, receipt=record["receiptHandle"], receives=receives)
        return False
    count("Consumed", queue=queue)
    return True


def _notify_failure(when_failed: WhenFailed | None, message: dict[str, Any], why: str) -> None:
    if when_failed is None or "tenant_id" not in message:
        return
    try:
        with job_scope(UUID(message["tenant_id"]), name="queue", now=clock.now(), origin=Origin("-")) as scope:
            if cells.is_here(scope.tenant.cell):  # elsewhere it may have gone well
                when_failed(scope, message=message, why=why)
    except Exception:  # telling is a courtesy; the dead-letter queue holds the message either way
        logger.exception("could not be told")


def process_message(
    function: Callable[..., SideEffect | None],
    message: dict[str, Any],
    *,
    name: str,
    origin: Origin,
    send: Callable[[list[outbox.Message]], Any] = outbox.send,
    rests: str | None = None,
) -> bool:
    """Do one message's work: its transaction, and each errand that follows from it with its own.

    `name` is who does it, for the audit; `send` is handed what each commit leaves to be sent. Where `rests` names its
    queue and the tenant is suspended, it is kept for later, and the answer is no.
    """
    tenant_id, is_parked = UUID(message["tenant_id"]), False

    def begin(scope: Scope) -> SideEffect | None:
        nonlocal is_parked
        if rests and not scope.tenant.is_active:
            is_parked = True
            outbox.park(scope.session, tenant_id=tenant_id, queue=rests, body=message)
            return None
        if not cells.is_here(scope.tenant.cell):
            raise Misdirected(scope.tenant.cell)
        return function(scope, message=message)

    def transact(work: Callable[[Scope], SideEffect | None]) -> SideEffect | None:
        with job_scope(tenant_id, name=name, now=clock.now(), origin=origin) as scope:
            logger.thread_safe_append_keys(tenant=scope.tenant.slug)
            side_effect = work(scope)
            for last in scope.at_commit:
                last()
        send(scope.outgoing)
        return side_effect

    side_effect = transact(begin)
    while side_effect is not None:
        side_effect = transact(partial(_settle, side_effect.settle, side_effect.call()))
    return not is_parked


def _settle(settle: Callable[[Scope, Any], SideEffect | None], answer: Any, scope: Scope) -> SideEffect | None:
    return settle(scope, answer)
