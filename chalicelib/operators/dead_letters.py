"""Commands: messages that failed too often, shown without anything personal, sent back for another try, or forgotten.

Beside the consumers' there is the queue of schedules that could not be run (`schedules`). Nothing of it is sent again:
the next round does what the lost one did not.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
HELD = 60  # seconds for which a message that we look at is hidden from others who look
EVERY = 100  # messages after which to say how far it is
# What may be shown as it is: ids, dates, months, moments, and in what AWS words the rule or function that it is about.
_HARMLESS = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d{2}(-\d{2}([T ][\d:.]+(Z|\+00:00)?)?)?"
    r"|arn:aws[\w-]*:(events|lambda):[\w-]+:\d+:(rule/|function:)[\w:$-]+"
)


def letters_of(queue: str) -> Iterator[dict[str, Any]]:
    """Take the messages out of a dead-letter queue's sight, one after the other, each once.

    Whoever takes them deletes them or puts them back; left alone, they are seen again after a minute.
    """
    try:
        url, seen = queues.url_of(queue + queues.DEAD), set[str]()
    except queues.client().exceptions.QueueDoesNotExist:
        if queue == SCHEDULES:  # the local stack has none: what failed there is in its log
            return
        raise
    while True:
        answer = queues.client().receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HELD,
            WaitTimeSeconds=1,  # asks all of SQS, not a sample of its servers
            MessageSystemAttributeNames=["All"],
        )
        messages = [one for one in answer.get("Messages", []) if one["MessageId"] not in seen]
        if not messages:
            return
        for message in messages:
            seen.add(message["MessageId"])
            yield {"queue": queue, "url": url, **message}


def put_back(letter: dict[str, Any]) -> None:
    """Let a message be seen again in its dead-letter queue, if it is not by now."""
    try:
        queues.client().change_message_visibility(
            QueueUrl=letter["url"], ReceiptHandle=letter["ReceiptHandle"], VisibilityTimeout=0
        )
    except queues.client().exceptions.MessageNotInflight:
        return


def replay(letter: dict[str, Any]) -> None:
    """Send a message to its queue again and then delete it here: a crash between the two sends it twice."""
    group = letter["Attributes"].get("MessageGroupId")  # a tenant's messages wait in a line of their own
    queues.client().send_message(
        QueueUrl=queues.url_of(letter["queue"]),
        MessageBody=letter["Body"],
        **({"MessageGroupId": group} if group else {}),
    )
    _forget(letter)


def _forget(letter: dict[str, Any]) -> None:
    queues.client().delete_message(QueueUrl=letter["url"], ReceiptHandle=letter["ReceiptHandle"])


def _work_off(queue: str, only: str | None, work: Callable[[dict[str, Any]], None]) -> int:
    """Do something with each message, or with one only, and say on stderr how far it is."""
    count, others = 0, []
    for letter in letters_of(queue):
        if only and letter["MessageId"] != only:
            others.append(letter)
            continue
        work(letter)
        count += 1
        if count % EVERY == 0:
            typer.echo(f"{queue}: {count} so far", err=True)
    for letter in others:
        put_back(letter)
    return count


def _of_each(names: Sequence[str], work: Callable[[str], T]) -> list[T]:
    """Work on all queues at once: an empty one takes a second to say so."""
    queues.client()  # made once, then used by all
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        return list(pool.map(work, names))


def told(value: Any) -> Any:
    """Return a message's value without anything personal: ids, dates and numbers as they are, text hidden."""
    if isinstance(value, dict):
        return {name: told(one) for name, one in value.items()}
    if isinstance(value, list):
        return [told(one) for one in value[:3]] + ([f"and {len(value) - 3} more"] if len(value) > 3 else [])
    if isinstance(value, str) and not _HARMLESS.fullmatch(value):
        return f"({len(value)} characters)"
    return value


def _queues(queue: str | None, *, with_schedules: bool = True) -> list[str]:
    settings()  # of the local stack say where the queues are, and before the consumers are registered
    import chalicelib.blueprints  # noqa: F401  # registers the consumers

    known = sorted(CONSUMERS) + [SCHEDULES] * with_schedules
    if queue is None:
        return known
    if queue not in known:
        raise NotFound(f"There is no queue {queue}. There are: {', '.join(known)}.")
    return [queue]


def _shown(letter: dict[str, Any], slugs: dict[str, str]) -> dict[str, Any]:
    try:
        body = json.loads(letter["Body"])
    except ValueError:
        body = letter["Body"]
    tenant = str(body.pop("tenant_id", "")) if isinstance(body, dict) else ""
    sent = datetime.fromtimestamp(int(letter["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return {
        "id": letter["MessageId"],
        "queue": letter["queue"],
        "tenant": slugs.get(tenant, tenant),
        "sent": f"{sent:%Y-%m-%d %H:%M:%S}Z",
        "receives": int(letter["Attributes"]["ApproximateReceiveCount"]),
        "body": told(body),
    }


@dead_letters_app.command("list")
def list_letters(queue: MaybeQueue = None, as_json: AsJson = False) -> None:
    """List the messages that failed too often. Text inside them is hidden.

    Example: dead-letters list balances
    """
    slugs = {str(tenant.id): tenant.slug for tenant in scopes.get_tenants()}
    letters = [letter for found in _of_each(_queues(queue), lambda name: list(letters_of(name))) for letter in found]
    rows = [_shown(letter, slugs) for letter in letters]
    for letter in letters:
        put_back(letter)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row["body"] = json.dumps(row["body"])
    print_table(rows, columns=("id", "queue", "tenant", "sent", "receives", "body"), empty="No dead letters.")


@dead_letters_app.command("replay")
def replay_letters(queue: MaybeQueue = None, only: OnlyOne = None, as_json: AsJson = False) -> None:
    """Send messages that failed too often back to their queue, once the cause is mended.

    Stopped in the middle, say it again: a message may be sent twice then, and doing one twice changes nothing.

    Example: dead-letters replay balances
    """
    names = _queues(queue, with_schedules=False)
    counts = _of_each(names, lambda name: _work_off(name, only, replay))
    _tell("replayed", dict(zip(names, counts, strict=True)), as_json)


@dead_letters_app.command("forget")
def forget_letters(
    queue: Annotated[str, typer.Argument(help="Which queue, such as balances.")],
    only: OnlyOne = None,
    as_json: AsJson = False,
) -> None:
    """Delete dead letters for good: of schedules all of them, of any other queue one by its id.

    Example: dead-letters forget schedules
    """
    [name] = _queues(queue)
    if only is None and name != SCHEDULES:
        raise Invalid(f"Say which message of {name} with --id: whatever it asks for will not be done.")
    _tell("forgotten", {name: _work_off(name, only, _forget)}, as_json)


def _tell(what: str, counts: dict[str, int], as_json: bool) -> None:
    if as_json:
        print_json({what: counts})
    else:
        typer.echo(", ".join(f"{name}: {count} {what}" for name, count in counts.items()))
