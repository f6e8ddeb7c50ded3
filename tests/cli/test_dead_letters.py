"""Messages that failed too often: seen without anything personal, and sent back."""

import json
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.backing import queues
from tests.cli.conftest import Cli
from tests.support.cast import Cast, tenant

QUEUE = "balances"


@pytest.fixture(name="acme", scope="module")
def _acme(cli: Cli) -> Cast:
    return tenant("Acme")


def _bury(sqs: Any, body: dict[str, Any]) -> None:
    sqs.send_message(
        QueueUrl=queues.url_of(QUEUE + queues.DEAD), MessageBody=json.dumps(body), MessageGroupId=body["tenant_id"]
    )


def _left(sqs: Any, queue: str) -> int:
    names = ["ApproximateNumberOfMessages"]
    found = sqs.get_queue_attributes(QueueUrl=queues.url_of(queue), AttributeNames=names)["Attributes"]
    return int(found[names[0]])


class TestList:
    def test_shows_ids_and_dates_and_hides_text(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        job_id = str(uuid4())
        _bury(sqs, {"tenant_id": str(acme.id), "job_id": job_id, "as_of": "2026-01-31", "months": ["2026-01"],
                    "to": "rahim@acme.example", "who": {"name": "Rahim Uddin"}, "chunk": 2})  # fmt: skip
        found = cli("dead-letters", "list", "--json").json
        assert len(found) == 1
        assert (found[0]["queue"], found[0]["tenant"], found[0]["receives"]) == (QUEUE, acme.slug, 1)
        assert found[0]["body"] == {
            "job_id": job_id, "as_of": "2026-01-31", "months": ["2026-01"], "chunk": 2,
            "to": "(18 characters)", "who": {"name": "(11 characters)"},
        }  # fmt: skip
        printed = cli("dead-letters", "list", QUEUE).out
        assert found[0]["id"] in printed
        assert "Rahim" not in printed

    def test_leaves_them_where_they_are(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        for number in range(12):
            _bury(sqs, {"tenant_id": str(acme.id), "chunk": number})
        found = cli("dead-letters", "list", QUEUE, "--json").json
        assert sorted(one["body"]["chunk"] for one in found) == list(range(12))
        assert _left(sqs, QUEUE + queues.DEAD) == 12

    def test_shows_what_is_no_message_of_ours(self, cli: Cli, sqs: Any) -> None:
        sqs.send_message(QueueUrl=queues.url_of(QUEUE + queues.DEAD), MessageBody="hello Rahim")
        found = cli("dead-letters", "list", QUEUE, "--json").json
        assert found[0]["body"] == "(11 characters)"

    def test_says_which_queues_there_are(self, cli: Cli, sqs: Any) -> None:
        said = cli("dead-letters", "list", "nothing")
        assert said.code == 1
        assert said.err.startswith("There is no queue nothing. There are: attachment-removal, balances, ")

    def test_says_when_there_are_none(self, cli: Cli, sqs: Any) -> None:
        assert cli("dead-letters", "list").out == "No dead letters.\n"


class TestReplay:
    def test_sends_all_back_once(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        bodies = [{"tenant_id": str(acme.id), "chunk": number} for number in range(12)]
        for body in bodies:
            _bury(sqs, body)
        replayed = cli("dead-letters", "replay", QUEUE, "--json").json["replayed"]
        assert replayed == {QUEUE: 12}
        assert _left(sqs, QUEUE + queues.DEAD) == 0
        found = [sqs.receive_message(QueueUrl=queues.url_of(QUEUE), MaxNumberOfMessages=10,
                                     MessageSystemAttributeNames=["All"]) for _ in range(2)]  # fmt: skip
        groups = {one["Attributes"]["MessageGroupId"] for batch in found for one in batch["Messages"]}
        assert groups == {str(acme.id)}
        chunks = [json.loads(one["Body"])["chunk"] for batch in found for one in batch["Messages"]]
        assert sorted(chunks) == list(range(12))
        assert cli("dead-letters", "replay", QUEUE).out == "balances: 0 replayed\n"


class TestWithoutQueues:
    def test_says_so_in_one_line(self, cli: Cli, sqs: Any) -> None:
        sqs.delete_queue(QueueUrl=queues.url_of(QUEUE + queues.DEAD))
        queues.url_of.cache_clear()
        said = cli("dead-letters", "list", QUEUE)
        assert said.code == 1
        assert said.err.count("\n") == 1
        assert "Is `make run` running?" in said.err
