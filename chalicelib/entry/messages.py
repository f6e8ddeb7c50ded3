"""@scheduled and @consumes: the entry points of schedules and queues.

They are decorators on the function itself: in Lambda a blueprint's event handler is imported without `app.py`, so no
middleware of the app would run for it.

A message takes this path:
1. `consumes` registers the queue's handler; each record of a batch is handled by itself (`_isolate_failure`)
2. `_consume_message` decides what becomes of it: done, retried after a growing delay, or a dead letter message
3. `process_message` runs the function in the tenant's transaction, parks the message of a suspended tenant
4. a SideEffect that the function returns is called after the commit, and its answer settled in a second transaction
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
# Faults that are retried: another transaction has the rows; or the tenant is in another cell, and the message stays in
# the dead-letter queue until it is moved there.
RETRIED_FAULTS = ("busy", "misdirected")


@dataclass(frozen=True, slots=True)
class SideEffect:
    """An external call between two transactions: claim, commit, call, settle.

    `call` runs after the commit, with no transaction open. `settle(scope, answer)` runs in a transaction of its own
    and may return the next side effect. The process may die at any point, so what is committed before the call must
    record that the call may have been made.
    """

    call: Callable[[], Any]
    settle: Callable[[Scope, Any], "SideEffect | None"]


def scheduled(
    blueprint: Blueprint, expression: str, *, name: str
) -> Callable[[Callable[..., int]], Callable[..., Any]]:
    """Make a function a schedule: it is called with `now`, sends a message for each unit due, and counts them."""

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
    uses: tuple[str, ...] = (),
) -> Callable[[Callable[..., SideEffect | None]], Callable[..., Any]]:
    """Make a function a queue's consumer, called once per message as `function(scope, message=...)`.

    A message is one transaction, or two with a SideEffect between. One that fails is retried alone, after a growing
    delay; the others of its batch are done. After `MAX_RECEIVES` attempts it goes to the dead-letter queue. A Fault
    would be the same on the next attempt, so it is logged and the message is done. `at_once` is the largest number of
    batches in work at the same time. `when_failed` is called, in a transaction of its own, when a message will not be
    tried again.

    AWS's own events have bodies of AWS's form: `messages_in` returns our messages in such a body, each with its
    `tenant_id`; there may be several, of several tenants, or none. Each is handled by itself. If one has to be tried
    again, all are, so handling one twice must change nothing.

    While a tenant is suspended, its messages are parked in the outbox and sent again when it is active. A queue with
    `while_suspended` goes on, as what becomes known about the past must be recorded; so do AWS's events, which cannot
    be parked.

    `uses` names what the function needs of AWS beside queues and the database, each by its module in `backing` (files,
    vault, mail, push): its role in AWS is allowed that and nothing else. A test holds it against what the code imports.

    A tenant of another cell is suspended here for good, so its messages are parked, too. Those of queues that go on
    are retried and end as dead letter messages: nothing in this cell may process them.
    """

    def register(function: Callable[..., SideEffect | None]) -> Callable[..., Any]:
        CONSUMERS[queue] = Consumer(queue, function, while_suspended or messages_in is not None, uses)

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
    """Handle one record of a batch; an error outside its transaction fails this record and no other."""
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
    """Handle one record of SQS, which is one message or an event of AWS with several; False: it has to come again."""
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
    # each is tried, even if one before it failed
    done = [_consume_message(function, queue, record, when_failed, message) for message in messages]
    return all(done)


def _consume_message(
    function: Callable[..., SideEffect | None],
    queue: str,
    record: dict[str, Any],
    when_failed: WhenFailed | None,
    parsed_message: dict[str, Any] | None = None,
) -> bool:
    """Handle one message and decide what becomes of it; False: it has to come again after a delay."""
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    message: dict[str, Any] = {}
    logger.thread_safe_append_keys(request_id=record["messageId"], queue=queue, receives=receives, tenant=None)
    try:
        message = json.loads(record["body"]) if parsed_message is None else parsed_message
        park_in = None if CONSUMERS[queue].while_suspended else queue
        if not process_message(
            function, message, name=queue, origin=Origin(request_id=record["messageId"]), park_in=park_in
        ):
            count("Parked", queue=queue)
            return True
    except Exception as error:
        fault = fault_of(error)
        if fault is not None and fault.kind not in RETRIED_FAULTS:
            logger.warning("done, not to be tried again", problem=fault.kind, detail=fault.detail)
            count("Refused", queue=queue)
            _notify_failure(when_failed, message, fault.detail)
            return True
        last = receives >= queues.MAX_RECEIVES
        if fault is not None and not last:  # another transaction has it: no alarm, the next attempt finds it done
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
    """Call the consumer's `when_failed`, such as a job's `progress.fail`, in a transaction of its own."""
    if when_failed is None or "tenant_id" not in message:
        return
    try:
        with job_scope(UUID(message["tenant_id"]), name="queue", now=clock.now(), origin=Origin("-")) as scope:
            if cells.is_here(scope.tenant.cell):  # elsewhere it may have gone well
                when_failed(scope, message=message, why=why)
    except Exception:  # this is a courtesy: the dead-letter queue has the message either way
        logger.exception("could not be told")


def process_message(
    function: Callable[..., SideEffect | None],
    message: dict[str, Any],
    *,
    name: str,
    origin: Origin,
    send: Callable[[list[outbox.Message]], Any] = outbox.send,
    park_in: str | None = None,
) -> bool:
    """Process one message: its transaction, then each side effect that follows, settled in a transaction of its own.

    `name` is the actor in the audit; `send` is called with the messages of each commit. If the tenant is suspended and
    `park_in` names the message's queue, the message is parked in the outbox and False is returned.
    """
    tenant_id, is_parked = UUID(message["tenant_id"]), False

    def begin(scope: Scope) -> SideEffect | None:
        nonlocal is_parked
        if park_in and not scope.tenant.is_active:
            is_parked = True
            outbox.park(scope.session, tenant_id=tenant_id, queue=park_in, body=message)
            return None
        if not cells.is_here(scope.tenant.cell):
            raise Misdirected(scope.tenant.cell)
        return function(scope, message=message)

    def transact(work: Callable[[Scope], SideEffect | None]) -> SideEffect | None:
        with job_scope(tenant_id, name=name, now=clock.now(), origin=origin) as scope:
            logger.thread_safe_append_keys(tenant=scope.tenant.slug)
            side_effect = work(scope)
            for write in scope.at_commit:
                write()
        send(scope.outgoing)
        return side_effect

    side_effect = transact(begin)
    while side_effect is not None:
        side_effect = transact(partial(_settle, side_effect.settle, side_effect.call()))
    return not is_parked


def _settle(settle: Callable[[Scope, Any], SideEffect | None], answer: Any, scope: Scope) -> SideEffect | None:
    return settle(scope, answer)
