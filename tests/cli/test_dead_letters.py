"""Messages that failed too often: seen without anything personal, and sent back."""

import json
from time import time
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest

from chalicelib.backing import queues
from chalicelib.entry.registry import CONSUMERS
from chalicelib.operators.dead_letters import SCHEDULES, VISIBILITY_TIMEOUT, receive, replay
from tests.cli.conftest import Cli
from tests.support.cast import Cast, tenant

QUEUE = "balances"


@pytest.fixture(name="acme", scope="module")
def _acme(cli: Cli) -> Cast:
    return tenant("Acme")


def _bury(sqs: Any, body: dict[str, Any], queue: str = QUEUE) -> str:
    group = {"MessageGroupId": body["tenant_id"]} if "tenant_id" in body else {}
    url = queues.url_of(queue + queues.DEAD)
    return str(sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body), **group)["MessageId"])


def _left(sqs: Any, queue: str) -> int:
    names = ["ApproximateNumberOfMessages"]
    listed = sqs.get_queue_attributes(QueueUrl=queues.url_of(queue), AttributeNames=names)["Attributes"]
    return int(listed[names[0]])


def _hidden(sqs: Any, queue: str) -> int:
    names = ["ApproximateNumberOfMessagesNotVisible"]
    listed = sqs.get_queue_attributes(QueueUrl=queues.url_of(queue), AttributeNames=names)["Attributes"]
    return int(listed[names[0]])


class TestList:
    def test_shows_ids_and_dates_and_hides_text(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        job_id = str(uuid4())
        _bury(
            sqs,
            {
                "tenant_id": str(acme.id),
                "job_id": job_id,
                "as_of": "2026-01-31",
                "months": ["2026-01"],
                "to": "rahim@acme.example",
                "who": {"name": "Rahim Uddin"},
                "chunk": 2,
            },
        )
        listed = cli("dead-letters", "list", "--json").json
        assert len(listed) == 1
        assert (listed[0]["queue"], listed[0]["tenant"], listed[0]["receives"]) == (QUEUE, acme.slug, 1)
        assert listed[0]["body"] == {
            "job_id": job_id,
            "as_of": "2026-01-31",
            "months": ["2026-01"],
            "chunk": 2,
            "to": "(18 characters)",
            "who": {"name": "(11 characters)"},
        }
        printed = cli("dead-letters", "list", QUEUE).out
        assert listed[0]["id"] in printed
        assert "Rahim" not in printed

    def test_leaves_them_where_they_are(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        for number in range(12):
            _bury(sqs, {"tenant_id": str(acme.id), "chunk": number})
        listed = cli("dead-letters", "list", QUEUE, "--json").json
        assert sorted(one["body"]["chunk"] for one in listed) == list(range(12))
        assert _left(sqs, QUEUE + queues.DEAD) == 12

    def test_shows_what_is_no_message_of_ours(self, cli: Cli, sqs: Any) -> None:
        sqs.send_message(QueueUrl=queues.url_of(QUEUE + queues.DEAD), MessageBody="hello Rahim")
        listed = cli("dead-letters", "list", QUEUE, "--json").json
        assert listed[0]["body"] == "(11 characters)"

    def test_that_took_too_long_leaves_them_where_they_are_too(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        _bury(sqs, {"tenant_id": str(acme.id)})
        gone = sqs.exceptions.MessageNotInflight({}, "ChangeMessageVisibility")
        with mock.patch.object(sqs, "change_message_visibility", side_effect=gone):
            assert len(cli("dead-letters", "list", QUEUE, "--json").json) == 1

    def test_says_which_queues_there_are(self, cli: Cli, sqs: Any) -> None:
        result = cli("dead-letters", "list", "nothing")
        assert result.code == 1
        assert result.err.startswith("There is no queue nothing. There are: attachment-removal, balances, ")

    def test_says_when_there_are_none(self, cli: Cli, sqs: Any) -> None:
        assert cli("dead-letters", "list").out == "No dead letters.\n"


class TestReplay:
    def test_sends_all_back_once(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        bodies = [{"tenant_id": str(acme.id), "chunk": number} for number in range(12)]
        for body in bodies:
            _bury(sqs, body)
        replayed = cli("dead-letters", "replay", QUEUE, "--json").json["replayed"]
        assert replayed == {QUEUE: 12}
        assert (_left(sqs, QUEUE + queues.DEAD), _hidden(sqs, QUEUE + queues.DEAD)) == (0, 0)
        listed = [
            sqs.receive_message(
                QueueUrl=queues.url_of(QUEUE), MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
            )
            for _ in range(2)
        ]
        groups = {one["Attributes"]["MessageGroupId"] for batch in listed for one in batch["Messages"]}
        assert groups == {str(acme.id)}
        chunks = [json.loads(one["Body"])["chunk"] for batch in listed for one in batch["Messages"]]
        assert sorted(chunks) == list(range(12))
        assert cli("dead-letters", "replay", QUEUE).out == "balances: 0 replayed\n"

    def test_of_every_queue_sends_back_to_the_one_it_came_from(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        for queue in CONSUMERS:
            _bury(sqs, {"tenant_id": str(acme.id), "of": queue}, queue)
        replayed = cli("dead-letters", "replay", "--json").json["replayed"]
        assert replayed == dict.fromkeys(CONSUMERS, 1)
        for queue in CONSUMERS:
            assert (_left(sqs, queue), _left(sqs, queue + queues.DEAD)) == (1, 0)
            [message] = sqs.receive_message(QueueUrl=queues.url_of(queue))["Messages"]
            assert json.loads(message["Body"])["of"] == queue

    def test_that_dies_in_the_middle_loses_nothing_and_goes_on(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        for number in range(3):
            _bury(sqs, {"tenant_id": str(acme.id), "chunk": number})
        letter = next(receive(QUEUE))
        with mock.patch.object(sqs, "delete_message", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            replay(letter)
        assert (_left(sqs, QUEUE), _hidden(sqs, QUEUE + queues.DEAD)) == (1, 3)
        with mock.patch("moto.sqs.models.unix_time_millis", return_value=(time() + VISIBILITY_TIMEOUT + 1) * 1000):
            assert cli("dead-letters", "replay", QUEUE).out == "balances: 3 replayed\n"
        got = sqs.receive_message(QueueUrl=queues.url_of(QUEUE), MaxNumberOfMessages=10)["Messages"]
        assert sorted(json.loads(one["Body"])["chunk"] for one in got) == [0, 0, 1, 2]

    def test_of_one_by_its_id_leaves_the_others(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        ids = [_bury(sqs, {"tenant_id": str(acme.id), "chunk": number}) for number in range(3)]
        assert cli("dead-letters", "replay", QUEUE, "--id", ids[1]).out == "balances: 1 replayed\n"
        assert (_left(sqs, QUEUE), _left(sqs, QUEUE + queues.DEAD)) == (1, 2)

    def test_of_many_says_how_far_it_is(self, cli: Cli, acme: Cast, sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("chalicelib.operators.dead_letters.PROGRESS_EVERY", 5)
        for number in range(12):
            _bury(sqs, {"tenant_id": str(acme.id), "chunk": number})
        result = cli("dead-letters", "replay", QUEUE, "--json")
        assert result.json == {"replayed": {QUEUE: 12}}
        assert result.err == "balances: 5 so far\nbalances: 10 so far\n"

    def test_of_schedules_is_refused(self, cli: Cli, sqs: Any) -> None:
        result = cli("dead-letters", "replay", SCHEDULES)
        assert (result.code, result.out) == (1, "")


class TestSchedules:
    RULE = "arn:aws:events:eu-central-1:123456789012:rule/wagebook-dev-balance"

    @pytest.fixture(autouse=True)
    def _buried(self, sqs: Any) -> None:
        sqs.create_queue(QueueName=queues.configured_name(SCHEDULES + queues.DEAD))
        _bury(sqs, {"source": "aws.events", "resources": [self.RULE], "time": "2026-01-31T00:45:00Z"}, SCHEDULES)

    def test_that_could_not_be_run_are_listed_by_their_rule(self, cli: Cli) -> None:
        [listed] = cli("dead-letters", "list", "--json").json
        assert (listed["queue"], listed["tenant"]) == (SCHEDULES, "")
        assert listed["body"] == {"source": "(10 characters)", "resources": [self.RULE], "time": "2026-01-31T00:45:00Z"}

    def test_are_forgotten_as_the_next_round_does_it_all(self, cli: Cli, sqs: Any) -> None:
        assert cli("dead-letters", "forget", SCHEDULES).out == "schedules: 1 forgotten\n"
        assert (_left(sqs, SCHEDULES + queues.DEAD), _hidden(sqs, SCHEDULES + queues.DEAD)) == (0, 0)


class TestForget:
    def test_of_a_consumers_queue_wants_the_id(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        ids = [_bury(sqs, {"tenant_id": str(acme.id), "chunk": number}) for number in range(2)]
        result = cli("dead-letters", "forget", QUEUE)
        assert (result.code, _left(sqs, QUEUE + queues.DEAD)) == (1, 2)
        assert "--id" in result.err
        assert cli("dead-letters", "forget", QUEUE, "--id", ids[0], "--json").json == {"forgotten": {QUEUE: 1}}
        [left] = cli("dead-letters", "list", QUEUE, "--json").json
        assert left["id"] == ids[1]


class TestWithoutQueues:
    def test_says_so_in_one_line(self, cli: Cli, sqs: Any) -> None:
        sqs.delete_queue(QueueUrl=queues.url_of(QUEUE + queues.DEAD))
        queues.url_of.cache_clear()
        result = cli("dead-letters", "list", QUEUE)
        assert result.code == 1
        assert result.err.count("\n") == 1
        assert "Is `make run` running?" in result.err
