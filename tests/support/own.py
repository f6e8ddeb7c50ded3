"""Things of one employee that another user decides: requests, payouts, runs; and how a list reports a refused row."""

from itertools import count
from typing import Any
from uuid import UUID

from tests.support import payslips
from tests.support.api import Api, Reply
from tests.support.cast import Cast
from tests.support.people import row, sql

_numbers = count(1)


def leave_request(cast: Cast, user_id: UUID) -> UUID:
    """Make a pending leave request of one day."""
    leave_type = row(cast, "leave_types", {"name": f"Annual {next(_numbers)}"})
    request_id: UUID = row(
        cast,
        "leave_requests",
        {"user_id": user_id, "leave_type_id": leave_type, "start_on": "2026-01-05", "end_on": "2026-01-05", "days": 1},
    )
    return request_id


def payout(cast: Cast, user_id: UUID, status: str, **more: Any) -> UUID:
    """Make a payout of 1.00, prepared by nobody."""
    values = {
        "currency": "BDT",
        "amount": 1,
        "after_number": 0,
        "through_number": 1,
        "kind": "final",
        "provider": "simulated",
        "reference": f"r{next(_numbers)}",
        "status": status,
        "prepared_by": "schedule",
    }
    begins = status if status == "held" else "queued"
    batch_id = more.pop("batch_id", None)
    payout_id: UUID = row(cast, "payouts", {"user_id": user_id, **values, **more, "status": begins})
    if batch_id is not None:
        sql(
            cast,
            "update payouts set status = 'sending', batch_id = :batch_id where id = :id",
            batch_id=batch_id,
            id=payout_id,
        )
    for step in {"paid": ("sending", "paid"), "review": ("sending", "review")}.get(status, ()):
        sql(cast, "update payouts set status = :step where id = :id and status <> :step", step=step, id=payout_id)
    return payout_id


def own_run(cast: Cast, user_id: UUID, **more: Any) -> UUID:
    """Make a calculated off-cycle run that pays one person."""
    run_id = payslips.run(cast, status="calculated", kind="off_cycle", components=(), **more)
    payslips.payslip(cast, run_id, user_id, amounts=(), totals=("5.00", "0.00", "0.00", "0.00"))
    return run_id


def own_answer(cast: Cast, api: Api, user_id: UUID, *, path: str | None = None) -> Reply:
    """Make a bank file that paid one person, and upload an answer that says the money came back."""
    batch_id = row(
        cast,
        "payout_batches",
        {
            "number": next(_numbers),
            "format": "delimited",
            "file_name": "a.csv",
            "file_sha256": "",
            "file_key": f"tenants/{cast.id}/a.csv",
            "payouts": 1,
            "totals": "[]",
            "execution_on": "2026-01-05",
            "created_by": "hr:x",
            "created_at": "2026-01-05",
        },
    )
    reference = f"own{next(_numbers)}"
    payout(cast, user_id, "paid", batch_id=batch_id, provider="bank_file", reference=reference)
    return api.post(path or f"/payouts/batches/{batch_id}/answer", [{"reference": reference, "status": "returned"}])


def refusal_in(report: dict[str, Any]) -> str:
    """Return why the one row or item of a list was refused; fails where it was done."""
    done = [report.get(name) for name in ("added", "written", "people") if report.get(name)]
    assert not done, report
    if "counts" in report:
        [item] = report["items"]
        assert item["result"] == "forbidden", report
        return str(item["detail"])
    if "skipped" in report:
        return str(report["skipped"][0]["detail"])
    return str(report["errors"][0]["detail"])
