"""Jobs asked for from the terminal: done by whoever consumes the queue, or here; waited for either way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from chalicelib.backing import clock, queues
from chalicelib.entry import registry
from chalicelib.features.pay_register import calculation as pay_register_calculation
from chalicelib.features.pay_register import nightly_job
from infra.local import lambda_events
from tests.cli.conftest import Cli
from tests.support.cast import Cast, tenant
from tests.support.people import employee


@pytest.fixture(name="acme", scope="module")
def _acme(cli: Cli) -> Cast:
    made = tenant("Acme")
    for number in range(3):
        employee(made, name=f"Rahim {number}", employee_no=f"E-{number}")
    return made


@pytest.fixture(name="small_chunks")
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pay_register_calculation, "CHUNK_EMPLOYEES", 1)


@contextmanager
def _consuming(sqs: Any) -> Iterator[None]:
    """Somebody who takes messages from the queues and hands them to the product, as Lambda does."""
    from chalicelib.features.pay_register import consumers

    handlers = {nightly_job.QUEUE: nightly_job.compute_night, pay_register_calculation.QUEUE: consumers.compute_chunk}
    over = threading.Event()

    def follow() -> None:
        while not over.wait(0.05):
            for queue, handler in handlers.items():
                found = sqs.receive_message(QueueUrl=queues.url_of(queue), MessageSystemAttributeNames=["All"])
                for message in found.get("Messages", []):
                    arn = f"arn:aws:sqs:eu-central-1:123456789012:{queue}"
                    event = lambda_events.queue_event([message], arn)
                    if not handler(event, lambda_events.Context("test"))["batchItemFailures"]:
                        sqs.delete_message(QueueUrl=queues.url_of(queue), ReceiptHandle=message["ReceiptHandle"])

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class TestRun:
    def test_is_done_here_where_asked(self, cli: Cli, acme: Cast, root: psycopg.Connection) -> None:
        result = cli("jobs", "run", "balance", "--tenant", acme.slug, "--inline", "--json")
        assert (result.code, result.json["status"]) == (0, "succeeded")
        assert (result.json["done"], result.json["total"]) == (3, 3)
        yesterday = clock.yesterday(datetime.now(ZoneInfo("UTC")), "Asia/Dhaka")
        assert result.json["parameters"]["as_of"] == yesterday.isoformat()
        assert root.execute("select count(*) from outbox where sent_at is null").fetchone() == (0,)

    @pytest.mark.usefixtures("small_chunks")
    def test_does_chunks_here_too(self, cli: Cli, acme: Cast, root: psycopg.Connection) -> None:
        result = cli("jobs", "run", "balance", "--tenant", acme.slug, "--inline", "--date", "2026-01-31", "--json")
        assert result.json["status"] == "succeeded"
        assert "2026-01" in result.json["result"]["months"]
        counted = root.execute(
            "select count(*) from job_chunks where job_id = %s and done_at is not null", [result.json["id"]]
        )
        assert counted.fetchone() == (3,)
        rows = root.execute("select count(*) from pay_registers where month = '2026-01'").fetchone()
        assert rows == (3,)

    @pytest.mark.usefixtures("small_chunks")
    def test_waits_for_whoever_consumes_the_queue(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        with _consuming(sqs):
            result = cli("jobs", "run", "balance", "--tenant", acme.slug, "--date", "2026-02-28")
        assert result.code == 0, result.out
        outcome = result.out.splitlines()[-1]  # before it are the metrics of the consumer, which prints here too
        assert outcome.startswith(f"balance for {acme.slug}: succeeded in ")
        assert "2026-02" in outcome

    def test_says_that_nobody_consumes_the_queue(self, cli: Cli, acme: Cast, sqs: Any) -> None:
        result = cli("jobs", "run", "balance", "--tenant", acme.slug, "--patience", "0.5")
        assert result.code == 1
        assert "is `make run` running?" in result.err
        assert "still queued" in result.out
        waiting = sqs.get_queue_attributes(
            QueueUrl=queues.url_of(nightly_job.QUEUE), AttributeNames=["ApproximateNumberOfMessages"]
        )
        assert waiting["Attributes"]["ApproximateNumberOfMessages"] == "1"

    def test_ends_with_one_when_the_job_failed(self, cli: Cli, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any, **__: Any) -> None:
            raise RuntimeError("the disk is full")

        monkeypatch.setitem(registry.CONSUMERS, nightly_job.QUEUE, registry.Consumer(nightly_job.QUEUE, broken))
        result = cli("jobs", "run", "balance", "--tenant", acme.slug, "--inline")
        assert result.code == 1
        assert "the disk is full" in result.err
        latest = cli("jobs", "list", "--tenant", acme.slug, "--limit", "1", "--json").json[0]
        assert latest["status"] == "failed"
        assert "RuntimeError" in latest["error"]

    def test_refuses_a_day_that_is_not_over(self, cli: Cli, acme: Cast) -> None:
        result = cli("jobs", "run", "balance", "--tenant", acme.slug, "--date", "2099-01-01", "--inline")
        assert result.code == 1
        assert "is not over yet in Asia/Dhaka" in result.err

    def test_says_which_jobs_there_are(self, cli: Cli, acme: Cast) -> None:
        result = cli("jobs", "run", "nothing", "--tenant", acme.slug)
        assert result.code == 1
        assert result.err == (
            "There is no job nothing. There are: balance, leave-expiry, kpi, advance-payouts, final-payouts.\n"
        )


class TestList:
    def test_shows_the_latest_first(self, cli: Cli, acme: Cast) -> None:
        cli("jobs", "run", "balance", "--tenant", acme.slug, "--inline")
        found = cli("jobs", "list", "--json").json
        assert [one["created_at"] for one in found] == sorted((one["created_at"] for one in found), reverse=True)
        assert found[0]["id"] in cli("jobs", "list").out
