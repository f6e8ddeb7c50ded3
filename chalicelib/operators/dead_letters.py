"""Commands: messages that failed too often, shown without anything personal, and sent back for another try."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, TypeVar

import typer

from chalicelib.backing import queues
from chalicelib.backing.settings import settings
from chalicelib.entry.registry import CONSUMERS
from chalicelib.kernel.errors import NotFound
from chalicelib.operators import scopes
from chalicelib.operators.terminal import AsJson, print_json, print_table

T = TypeVar("T")
dead_letters_app = typer.Typer(help="Messages that failed too often: see them, replay them.", no_args_is_help=True)

MaybeQueue = Annotated[str | None, typer.Argument(help="Only this queue, such as balances; else all.")]
HELD = 60  # seconds for which a message that we look at is hidden from others who look
# What may be shown as it is: ids, dates, months, moments and single words of ours.
_HARMLESS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d{2}(-\d{2}([T ][\d:.]+(Z|\+00:00)?)?)?")


def letters_of(queue: str) -> Iterator[dict[str, Any]]:
    """This will take the messages out of a dead-letter queue's sight, one after the other, each once.

    Whoever takes them deletes them or puts them back; left alone, they are seen again after a minute.
    """
    url, seen = queues.url_of(queue + queues.DEAD), set[str]()
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
    """This will let a message be seen again in its dead-letter queue."""
    queues.client().change_message_visibility(
        QueueUrl=letter["url"], ReceiptHandle=letter["ReceiptHandle"], VisibilityTimeout=0
    )


def replay(letter: dict[str, Any]) -> None:
    """This will send a message to its queue again and then delete it here: a crash between the two sends it twice."""
    group = letter["Attributes"].get("MessageGroupId")  # a tenant's messages wait in a line of their own
    queues.client().send_message(
        QueueUrl=queues.url_of(letter["queue"]),
        MessageBody=letter["Body"],
        **({"MessageGroupId": group} if group else {}),
    )
    queues.client().delete_message(QueueUrl=letter["url"], ReceiptHandle=letter["ReceiptHandle"])


def _replay_all(queue: str) -> int:
    count = 0
    for letter in letters_of(queue):
        replay(letter)
        count += 1
    return count


def _of_each(names: Sequence[str], work: Callable[[str], T]) -> list[T]:
    """This will work on all queues at once: an empty one takes a second to say so."""
    queues.client()  # made once, then used by all
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        return list(pool.map(work, names))


def told(value: Any) -> Any:
    """This will give a message's value without anything personal: ids, dates and numbers as they are, text hidden."""
    if isinstance(value, dict):
        return {name: told(one) for name, one in value.items()}
    if isinstance(value, list):
        return [told(one) for one in value[:3]] + ([f"and {len(value) - 3} more"] if len(value) > 3 else [])
    if isinstance(value, str) and not _HARMLESS.fullmatch(value):
        return f"({len(value)} characters)"
    return value


def _queues(queue: str | None) -> list[str]:
    settings()  # of the local stack say where the queues are, and before the consumers are registered
    import chalicelib.blueprints  # noqa: F401  # registers the consumers

    if queue is None:
        return sorted(CONSUMERS)
    if queue not in CONSUMERS:
        raise NotFound(f"There is no queue {queue}. There are: {', '.join(sorted(CONSUMERS))}.")
    return [queue]


def _shown(letter: dict[str, Any], slugs: dict[str, str]) -> dict[str, Any]:
    try:
        body = json.loads(letter["Body"])
    except ValueError:
        body = letter["Body"]
    tenant = str(body.pop("tenant_id", "")) if isinstance(body, dict) else ""
    return {
        "id": letter["MessageId"],
        "queue": letter["queue"],
        "tenant": slugs.get(tenant, tenant),
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
    print_table(rows, columns=("id", "queue", "tenant", "receives", "body"), empty="No dead letters.")


@dead_letters_app.command("replay")
def replay_letters(queue: MaybeQueue = None, as_json: AsJson = False) -> None:
    """Send messages that failed too often back to their queue, once the cause is mended.

    Example: dead-letters replay balances
    """
    names = _queues(queue)
    counts = dict(zip(names, _of_each(names, _replay_all), strict=True))
    if as_json:
        print_json({"replayed": counts})
    else:
        typer.echo(", ".join(f"{name}: {count} replayed" for name, count in counts.items()))
