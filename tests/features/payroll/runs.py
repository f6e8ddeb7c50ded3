"""Calculated runs and their payslips put straight into the database, for tests about what becomes of them."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from unittest import mock
from uuid import UUID

from chalicelib.backing import queues
from chalicelib.features.payroll.runs import snapshot as run_snapshot
from chalicelib.features.payroll.runs import summaries as run_summaries
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.queries import get_run
from infra.local import lambda_events
from tests.ledger.books import at_work
from tests.support.cast import Cast
from tests.support.payouts import once
from tests.support.people import row, sql

MONTH = "2026-01"
D = Decimal


def period(cast: Cast, month: str = MONTH, status: str = "open") -> None:
    """Make a calendar month's pay period whose register was computed up to its end just now."""
    sql(
        cast,
        "insert into pay_periods (tenant_id, month, start_on, end_on, status, changed_at, computed_at, computed_as_of)"
        " select :tenant_id, :month, day, day + interval '1 month - 1 day', :status, now(), now(),"
        "   day + interval '1 month - 1 day' from cast(:month || '-01' as date) day on conflict do nothing",
        tenant_id=cast.id,
        month=month,
        status=status,
    )


def calculated(cast: Cast, *, month: str = MONTH, kind: str = "regular", by: str = "accountant", **more: Any) -> UUID:
    """Make a run that was calculated just now, with what is in force, and has no payslips yet."""
    period(cast, month)
    year, number = map(int, month.split("-"))
    with at_work(cast) as scope:
        made = run_snapshot.take_snapshot(
            scope, kind=RunKind(kind), on=date(year, number, 28), type_ids=more.get("payment_type_ids")
        )
    values = {
        "month": month,
        "kind": kind,
        "status": "calculated",
        "calculation": 1,
        "calculated_by": by,
        "created_by": by,
        "plan": json.dumps(made.to_json(), default=str),
        "created_at": "2026-02-01",
        **_now(cast),
        **more,
    }
    run_id: UUID = row(cast, "payroll_runs", values)
    return run_id


def payslip(
    cast: Cast,
    run_id: UUID,
    user_id: UUID,
    *,
    salary: str = "0.00",
    deductions: str | None = "0.00",
    taxes: str = "0.00",
    one_offs: Sequence[dict[str, Any]] = (),
    currency: str = "BDT",
    given: dict[str, Any] | None = None,
) -> UUID:
    """Make a person's payslip: what its loan and its tax come to is said, its one-offs come on top."""
    sides = {
        category: sum((D(one["amount"]) for one in one_offs if one["category"] == category), D(0))
        for category in ("earning", "deduction", "tax", "benefit")
    }
    gross, deducted = D(salary) + sides["earning"], D(deductions or 0) + sides["deduction"]
    taxed = D(taxes) + sides["tax"]
    [(names, categories)] = sql(
        cast,
        "select plan -> 'inputs', jsonb_path_query_array(plan, '$.components[*].category') from payroll_runs"
        " where id = :id",
        id=run_id,
    )
    totals = {"deduction": deductions, "tax": taxes}
    amounts = [totals.pop(category, "0.00") for category in categories]
    assert not {*totals.values()} - {"0.00", None}, "the run's plan has no component for it"
    payslip_id: UUID = row(
        cast,
        "payslips",
        {
            "run_id": run_id,
            "user_id": user_id,
            "currency": currency,
            "inputs": [D(salary) if name == "earned_salary" else D(0) for name in names],
            "amounts": [None if amount is None else D(amount) for amount in amounts],
            "given": json.dumps(given) if given else None,
            "gross": gross,
            "deductions": deducted,
            "taxes": taxed,
            "benefits": sides["benefit"],
            "net": gross - deducted - taxed,
            "calculated_at": sql(cast, "select calculated_since from payroll_runs where id = :id", id=run_id)[0][0],
        },
    )
    for number, one in enumerate(one_offs, start=1):
        row(
            cast,
            "payslip_one_offs",
            {"run_id": run_id, "user_id": user_id, "number": number, "name": one["kind"], **one},
            returning="number",
        )
    return payslip_id


def adjustment(cast: Cast, user_id: UUID, amount: str = "500.00") -> dict[str, Any]:
    """Add an open adjustment and give the line that pays it."""
    adjustment_id = row(
        cast,
        "payroll_adjustments",
        {
            "user_id": user_id,
            "kind": "bonus" if D(amount) > 0 else "fine",
            "amount": D(amount),
            "currency": "BDT",
            "reason": "Eid",
            "effective_on": "2026-01-10",
            "created_by": "hr",
            "created_at": "2026-01-10",
        },
    )
    return {
        "kind": "adjustment",
        "category": "earning" if D(amount) > 0 else "deduction",
        "amount": abs(D(amount)),
        "adjustment_id": adjustment_id,
    }


def late(code: str, category: str, amount: str, *, month: str = "2025-12") -> dict[str, Any]:
    """Return the line of what a component of an earlier period comes to more, or less."""
    return {"kind": "arrears", "category": category, "amount": D(amount), "month": month, "code": code}


def arrears(gross: str, deductions: str = "0.00", taxes: str = "0.00", *, month: str = "2025-12") -> dict[str, Any]:
    """Return the one net line of what an earlier period comes to more, or less, as until December 2026."""
    net = D(gross) - D(deductions) - D(taxes)
    return {
        "kind": "arrears",
        "category": "earning" if net >= 0 else "deduction",
        "amount": abs(net),
        "month": month,
        "gross": D(gross),
        "deductions": D(deductions),
        "taxes": D(taxes),
    }


def carried(payslip_id: UUID, amount: str) -> dict[str, Any]:
    """Return the line that deducts what an earlier payslip had left."""
    return {"kind": "carried_over", "category": "deduction", "amount": D(amount), "payslip_id": payslip_id}


def components(cast: Cast) -> None:
    """Define one deduction and one tax for everybody, so that payslips may have both."""
    for code, category in (("loan", "deduction"), ("tax", "tax")):
        type_id = row(
            cast,
            "payment_types",
            {"code": code, "name": code.title(), "category": category, "calculation": "fixed", "applies_to_all": True},
        )
        row(
            cast,
            "payment_type_versions",
            {
                "type_id": type_id,
                "number": 1,
                "effective_from": "2025-01-01",
                "amount": 0,
                "currency": "BDT",
                "created_by": "hr",
                "created_at": "2025-01-01",
            },
            returning="number",
        )


def concluded(cast: Cast, run_id: UUID) -> UUID:
    """Have a run say what its payslips come to, as its calculation does at its end."""
    sql(cast, "update payroll_runs set status = 'draft' where id = :id", id=run_id)
    with at_work(cast) as scope:
        run_summaries.store_summary(scope, get_run(scope, run_id), previous_run_id=None)
    return run_id


def approve(cast: Cast, run_id: UUID) -> dict[str, Any]:
    """Approve a run and give the job that books it, as far as it is."""
    said = cast.admin.ok("POST", f"/payroll-runs/{run_id}/approve", headers=once())
    return dict(cast.admin.ok("GET", said["status_url"]))


def run_of(cast: Cast, run_id: UUID) -> Any:
    """Read a run's row."""
    [found] = sql(cast, "select * from payroll_runs where id = :id", id=run_id)
    return found


def period_of(cast: Cast, month: str = MONTH) -> Any:
    """Read a period's row."""
    [found] = sql(cast, "select * from pay_periods where month = :month", month=month)
    return found


def booked(cast: Cast, payslip_id: UUID) -> list[str]:
    """Return what was booked for a payslip."""
    rows = sql(cast, "select * from ledger_entries where subject_id = :id order by line", id=payslip_id)
    return [f"{one.line} {one.debit} to {one.credit} {one.amount}" for one in rows]


def deliver(*bodies: dict[str, Any]) -> list[str]:
    """Hand messages of the posting's queue to their consumer as Lambda does, and give those that failed."""
    from chalicelib.features.payroll.approval import consumers as approval_consumers

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
    event = lambda_events.queue_event(records, "arn:aws:sqs:eu-central-1:123456789012:wagebook-payroll-posting")
    with mock.patch.object(queues, "back_off"):
        answer = approval_consumers.post_payslips(event, lambda_events.Context("test"))
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


def _now(cast: Cast) -> dict[str, Any]:
    [(moment,)] = sql(cast, "select clock_timestamp()")
    return {"calculated_since": moment, "calculated_at": moment}
