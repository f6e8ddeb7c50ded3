"""Sales and payouts as an office makes them, and ways to let time pass for them."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock
from uuid import uuid4

import psycopg

from chalicelib.backing import queues
from infra.local import lambda_events
from tests.support.cast import Cast
from tests.support.people import sql
from tests.support.stack import Stack


def seller(cast: Cast, behaviour: str | None = None, **more: Any) -> str:
    """Make a person who is paid from sales, and say how the simulated provider shall treat them."""
    to = {"payout_destination": {"kind": "simulated", "behaviour": behaviour}} if behaviour else {}
    return str(cast.admin.ok("POST", "/sales/user", {"name": "Mina", **to, **more})["id"])


def sale(cast: Cast, user_id: str, earning: str = "40.00", **more: Any) -> str:
    """Note a pending sale."""
    return str(cast.admin.ok("POST", "/sales", {"user_id": user_id, "earning": earning, **more})["id"])


def decide(cast: Cast, status: str, *sale_ids: str, **more: Any) -> dict[str, int]:
    """Decide sales alike, and count what became of them."""
    items = [{"sale_id": sale_id, "status": status, **more} for sale_id in sale_ids]
    return dict(cast.admin.ok("POST", "/reconcile", {"items": items})["counts"])


def policy(cast: Cast, **said: Any) -> None:
    """Set switches of the tenant's policy."""
    cast.admin.ok("PATCH", "/tenant", {"policy": said})


def once() -> dict[str, str]:
    """Return headers that tell one request from another."""
    return {"idempotency-key": str(uuid4())}


def start(cast: Cast, kind: str) -> str:
    """Start a run, by hand of the admin."""
    return str(cast.admin.ok("POST", f"/payouts/{kind}/run", headers=once())["job_id"])


def run(cast: Cast, running: Stack, kind: str) -> dict[str, Any]:
    """Run advances or finals, and everything that follows at once; it gives what the job tells."""
    job_id = start(cast, kind)
    running.drain()
    job = cast.admin.ok("GET", f"/jobs/{job_id}")
    assert job["status"] == "succeeded", job
    return dict(job["result"])


def earned(cast: Cast, user_id: str, earning: str = "40.00", **more: Any) -> str:
    """Note a sale and approve it, so that the person is owed its earning."""
    made = sale(cast, user_id, earning, **more)
    assert decide(cast, "approved", made) == {"ok": 1}
    return made


def paid(cast: Cast, running: Stack, behaviour: str | None = None, earning: str = "40.00") -> dict[str, Any]:
    """Let somebody earn 40.00 and run the finals, and give their payout."""
    user_id = seller(cast, behaviour)
    earned(cast, user_id, earning)
    run(cast, running, "final")
    return only(cast, user_id)


def listed(cast: Cast, query: str = "") -> list[tuple[str, str]]:
    """Return the amount and status of each payout, oldest first."""
    return [(one["amount"], one["status"]) for one in cast.admin.ok("GET", f"/payouts{query}")["items"]]


def only(cast: Cast, user_id: str) -> dict[str, Any]:
    """Read the one payout of a person."""
    [found] = cast.admin.ok("GET", f"/payouts?user_id={user_id}")["items"]
    return whole(cast, found["id"])


def whole(cast: Cast, payout_id: str) -> dict[str, Any]:
    """Read a payout with all that belongs to it."""
    return dict(cast.admin.ok("GET", f"/payouts/{payout_id}"))


def steps(payout: dict[str, Any]) -> list[str]:
    """Notify a payout's history in words: what happened, and what it was then."""
    return [f"{event['what']} {event['status']}" for event in payout["events"]]


def payable(cast: Cast, user_id: str, currency: str = "BDT") -> Decimal:
    """Return what a person is owed; negative is what they owe."""
    rows = sql(
        cast,
        "select -balance as owed from ledger_accounts where kind = 'payable' and user_id = :user_id"
        " and currency = :currency",
        user_id=user_id,
        currency=currency,
    )
    return rows[0].owed if rows else Decimal(0)


def books(cast: Cast) -> dict[str, Decimal]:
    """Return what each kind of account comes to, those of all people together; what is zero is left out."""
    rows = sql(cast, "select kind, currency, sum(balance) as sum from ledger_accounts group by 1, 2")
    return {f"{row.kind} {row.currency}": row.sum for row in rows if row.sum}


def moved(cast: Cast) -> list[tuple[Decimal, str]]:
    """Return the simulated provider's own list."""
    rows = sql(cast, "select amount, status from simulated_movements order by id")
    return [(row.amount, row.status) for row in rows]


def pass_time(cast: Cast, **gone: float) -> None:
    """Let time pass for all payouts of a tenant: the database's clock cannot be set, so they grow older."""
    sql(
        cast,
        "update payouts set look_at = look_at - :gone, lease_until = lease_until - :gone,"
        " first_sent_at = first_sent_at - :gone, unknown_since = unknown_since - :gone where tenant_id = :tenant_id",
        gone=timedelta(**gone),
        tenant_id=cast.id,
    )


def look(running: Stack) -> int:
    """Let the sweep of payouts find what is due, and do it."""
    found = running.tick("payouts-to-look-at")["found"]
    running.drain()
    return int(found)


def deliver(*bodies: dict[str, Any]) -> list[str]:
    """Hand messages of the runs' queue to their consumer as Lambda does, and give those that failed."""
    records = [
        {
            "MessageId": f"m{n}",
            "ReceiptHandle": f"r{n}",
            "Body": json.dumps(body),
            "MD5OfBody": "",
            "Attributes": {"ApproximateReceiveCount": "1"},
        }
        for n, body in enumerate(bodies)
    ]
    from chalicelib.features.payouts.runs import consumers as run_consumers

    event = lambda_events.queue_event(records, "arn:aws:sqs:eu-central-1:123456789012:wagebook-payout-runs")
    with mock.patch.object(queues, "back_off"):
        answer = run_consumers.run_payouts(event, lambda_events.Context("test"))
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


def taken(running: Stack, queue: str) -> list[dict[str, Any]]:
    """Take all messages off a queue."""
    found: list[dict[str, Any]] = []
    while got := running.sqs.receive_message(QueueUrl=queues.url_of(queue), MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in got]
        for message in got:
            running.sqs.delete_message(QueueUrl=queues.url_of(queue), ReceiptHandle=message["ReceiptHandle"])
    return found


class RestorePoint:
    """The books as they are now, to go back to; the simulated provider's own are not among them."""

    TABLES = (
        "payouts",
        "payout_events",
        "ledger_accounts",
        "ledger_entries",
        "sales",
        "pending_sales",
        "sale_decisions",
        "outbox",
        "jobs",
        "job_chunks",
    )

    def __init__(self, root: psycopg.Connection) -> None:
        self.root = root
        for table in self.TABLES:
            root.execute(f"drop table if exists kept_{table}")
            root.execute(f"create temporary table kept_{table} as table {table}")

    def restore(self) -> None:
        """Bring the books back to how they were."""
        self.root.execute("set session_replication_role = replica")
        for table in self.TABLES:
            names = self.root.execute(
                "select string_agg(attname, ', ') from pg_attribute where attrelid = %s::regclass and attnum > 0"
                " and not attisdropped and attgenerated = ''",
                [table],
            ).fetchone()[0]  # type: ignore[index]
            self.root.execute(f"delete from {table}")  # type: ignore[arg-type]
            self.root.execute(f"insert into {table} ({names}) overriding system value select {names} from kept_{table}")  # type: ignore[arg-type]
        self.root.execute("set session_replication_role = origin")
