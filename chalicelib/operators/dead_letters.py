"""Commands: dead-letter queues. List their messages with personal data redacted, replay them, or delete them.

Beside the consumers' queues there is `schedules`, for schedules that could not be run. Its messages are never replayed:
the next run of the schedule does their work.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer

from chalicelib.backing import queues
from chalicelib.backing.settings import settings
from chalicelib.entry.registry import CONSUMERS
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.operators import scopes
from chalicelib.operators.terminal import AsJson, print_json, print_table

T = TypeVar("T")
dead_letters_app = typer.Typer(help="Messages that failed too often: see them, replay them.", no_args_is_help=True)

MaybeQueue = Annotated[str | None, typer.Argument(help="Only this queue, such as balances; else all.")]
OnlyOne = Annotated[str | None, typer.Option("--id", help="Only the message of this id, as `list` shows it.")]
SCHEDULES = "schedules"
VISIBILITY_TIMEOUT = 60  # seconds for which a received message is hidden from others
PROGRESS_EVERY = 100  # messages between two lines of progress
# Shown unredacted: ids, dates, months, moments, and the ARNs of rules and functions.
_HARMLESS = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d{2}(-\d{2}([T ][\d:.]+(Z|\+00:00)?)?)?"
    r"|arn:aws[\w-]*:(events|lambda):[\w-]+:\d+:(rule/|function:)[\w:$-]+"
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message received from a dead-letter queue; `queue` is the one it came from, `url` the dead-letter queue's."""

    queue: str
    url: str
    id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, str]


def receive(queue: str) -> Iterator[DeadLetter]:
    """Yield each message of a dead-letter queue once; it is hidden from others meanwhile.

    The caller deletes it or puts it back; otherwise it becomes visible again after a minute.
    """
    try:
        url, seen = queues.url_of(queue + queues.DEAD), set[str]()
    except queues.client().exceptions.QueueDoesNotExist:
        if queue == SCHEDULES:  # the local stack has none: its log has the failures
            return
        raise
    while True:
        answer = queues.client().receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=VISIBILITY_TIMEOUT,
            WaitTimeSeconds=1,  # long polling asks all servers of SQS, not a sample
            MessageSystemAttributeNames=["All"],
        )
        messages = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
        if not messages:
            return
        for message in messages:
            seen.add(message["MessageId"])
            yield DeadLetter(
                queue, url, message["MessageId"], message["ReceiptHandle"], message["Body"], message["Attributes"]
            )


def put_back(dead_letter: DeadLetter) -> None:
    """Make a message visible in its dead-letter queue again."""
    try:
        queues.client().change_message_visibility(
            QueueUrl=dead_letter.url, ReceiptHandle=dead_letter.receipt_handle, VisibilityTimeout=0
        )
    except queues.client().exceptions.MessageNotInflight:
        return


def replay(dead_letter: DeadLetter) -> None:
    """Send a message to its queue again, then delete it here: a crash in between sends it twice."""
    group = dead_letter.attributes.get("MessageGroupId")  # a message group per tenant: fair queues
    queues.client().send_message(
        QueueUrl=queues.url_of(dead_letter.queue),
        MessageBody=dead_letter.body,
        **({"MessageGroupId": group} if group else {}),
    )
    _delete(dead_letter)


def _delete(dead_letter: DeadLetter) -> None:
    queues.client().delete_message(QueueUrl=dead_letter.url, ReceiptHandle=dead_letter.receipt_handle)


def _process(queue: str, only: str | None, work: Callable[[DeadLetter], None]) -> int:
    """Apply `work` to each message, or to one only; print progress on stderr. Return how many it was."""
    count, others = 0, []
    for dead_letter in receive(queue):
        if only and dead_letter.id != only:
            others.append(dead_letter)
            continue
        work(dead_letter)
        count += 1
        if count % PROGRESS_EVERY == 0:
            typer.echo(f"{queue}: {count} so far", err=True)
    for dead_letter in others:
        put_back(dead_letter)
    return count


def _map_queues(names: Sequence[str], work: Callable[[str], T]) -> list[T]:
    """Apply `work` to all queues at once: polling an empty one takes a second."""
    queues.client()  # made before the threads that share it
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        return list(pool.map(work, names))


def redact(value: Any) -> Any:
    """Return a message's value with texts redacted; ids, dates and numbers stay."""
    if isinstance(value, dict):
        return {name: redact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [redact(item) for item in value[:3]] + ([f"and {len(value) - 3} more"] if len(value) > 3 else [])
    if isinstance(value, str) and not _HARMLESS.fullmatch(value):
        return f"({len(value)} characters)"
    return value


def _select_queues(queue: str | None, *, with_schedules: bool = True) -> list[str]:
    """Return the queue asked for, or all there are. Raises NotFound."""
    settings()  # names the local stack's queues; before the consumers are registered
    import chalicelib.blueprints  # noqa: F401  # registers the consumers

    known = sorted(CONSUMERS) + [SCHEDULES] * with_schedules
    if queue is None:
        return known
    if queue not in known:
        raise NotFound(f"There is no queue {queue}. There are: {', '.join(known)}.")
    return [queue]


def _describe(dead_letter: DeadLetter, slugs: dict[str, str]) -> dict[str, Any]:
    """Return a message as it is printed: its tenant by slug, its body redacted."""
    try:
        body = json.loads(dead_letter.body)
    except ValueError:
        body = dead_letter.body
    tenant = str(body.pop("tenant_id", "")) if isinstance(body, dict) else ""
    sent = datetime.fromtimestamp(int(dead_letter.attributes["SentTimestamp"]) / 1000, UTC)
    return {
        "id": dead_letter.id,
        "queue": dead_letter.queue,
        "tenant": slugs.get(tenant, tenant),
        "sent": f"{sent:%Y-%m-%d %H:%M:%S}Z",
        "receives": int(dead_letter.attributes["ApproximateReceiveCount"]),
        "body": redact(body),
    }


@dead_letters_app.command("list")
def list_dead_letters(queue: MaybeQueue = None, as_json: AsJson = False) -> None:
    """List the messages that failed too often. Text inside them is hidden.

    Example: dead-letters list balances
    """
    slugs = {str(tenant.id): tenant.slug for tenant in scopes.get_tenants()}
    dead_letters = [
        dead_letter
        for of_queue in _map_queues(_select_queues(queue), lambda name: list(receive(name)))
        for dead_letter in of_queue
    ]
    rows = [_describe(dead_letter, slugs) for dead_letter in dead_letters]
    for dead_letter in dead_letters:
        put_back(dead_letter)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row["body"] = json.dumps(row["body"])
    print_table(rows, columns=("id", "queue", "tenant", "sent", "receives", "body"), empty="No dead letters.")


@dead_letters_app.command("replay")
def replay_dead_letters(queue: MaybeQueue = None, only: OnlyOne = None, as_json: AsJson = False) -> None:
    """Send messages that failed too often back to their queue, once the cause is mended.

    Stopped in the middle, say it again: a message may be sent twice then, and doing one twice changes nothing.

    Example: dead-letters replay balances
    """
    names = _select_queues(queue, with_schedules=False)
    counts = _map_queues(names, lambda name: _process(name, only, replay))
    _print_counts("replayed", dict(zip(names, counts, strict=True)), as_json)


@dead_letters_app.command("forget")
def forget_dead_letters(
    queue: Annotated[str, typer.Argument(help="Which queue, such as balances.")],
    only: OnlyOne = None,
    as_json: AsJson = False,
) -> None:
    """Delete dead letters for good: of schedules all of them, of any other queue one by its id.

    Example: dead-letters forget schedules
    """
    [name] = _select_queues(queue)
    if only is None and name != SCHEDULES:
        raise Invalid(f"Say which message of {name} with --id: whatever it asks for will not be done.")
    _print_counts("forgotten", {name: _process(name, only, _delete)}, as_json)


def _print_counts(what: str, counts: dict[str, int], as_json: bool) -> None:
    if as_json:
        print_json({what: counts})
    else:
        typer.echo(", ".join(f"{name}: {count} {what}" for name, count in counts.items()))
