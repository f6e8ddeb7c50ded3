"""Posting of approved payslips to the ledger, in chunks of employees; idempotent, so it may be killed and repeated.

A payslip's gross G less its deductions D and its taxes T is its net N; arrears of earlier periods are signed lines of
these sums, so each may be below 0. Among D is what earlier payslips had left below 0 (C, carried over), which nobody
else is owed. A payslip is posted as

    1  wage_cost    to  payable              max(N, 0)
    2  wage_cost    to  taxes_withheld       T
    3  wage_cost    to  deductions_withheld  D - C
    4  wage_cost    to  pay_carried          C
    5  pay_carried  to  wage_cost            max(-N, 0)

so that each authority is owed what was really withheld, also for the earlier periods, and what is carried waits in
pay_carried from the payslip that left it until the one that takes it back. What is below 0 goes the other way. Lines 1
and 5 are N together, so wage_cost's debits less its credits are N + T + (D - C) + C = G: each period's cost, with the
differences that corrections made, and nothing that is only carried.

A run that was calculated before December 2026 may have arrears as one line of their net, up in G or down (A) in D;
behind it stand the differences of its gross (g), deductions (d) and taxes (t). There line 2 is T + t and line 3 is
D - A - C + d, and wage_cost gets G - A + d + t, which is the period's own gross and g.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.features.payouts.runs import earmark_actions
from chalicelib.features.payouts.runs.earmark_actions import Earmark
from chalicelib.features.payroll.approval import queries
from chalicelib.features.payroll.documents import actions as document_actions
from chalicelib.identity.scope import Scope
from chalicelib.jobs import progress
from chalicelib.jobs.chunks import load_chunks
from chalicelib.jobs.progress import JobChunk
from chalicelib.ledger import accounts

QUEUE = JOB = "payroll-posting"
CHUNK_PEOPLE = 1000  # some three thousand lines, under the lock of the tenant's own accounts until they are committed

_CANDIDATES = "select user_id from payslips where tenant_id = :tenant_id and run_id = :run_id"

_PEOPLE = text("""
    select user_id, id as payslip_id, currency, net as amount from payslips
    where tenant_id = :tenant_id and run_id = :run_id and user_id between :first and :last""")

_POST = text(statement(__file__, "post"))

_POSTED = text("""
    update payroll_runs set posted_at = :now
    where tenant_id = :tenant_id and id = :run_id and posted_at is null""")


def begin(scope: Scope, job_id: UUID, *, run_id: UUID) -> None:
    """Post a run that this transaction approves: at once if it fits one chunk, else chunk by chunk."""
    chunks = load_chunks(scope, _CANDIDATES, {"run_id": run_id}, size=CHUNK_PEOPLE)
    message = {"job_id": str(job_id), "run_id": str(run_id)}
    progress.fan_out(
        scope,
        job_id,
        chunks=chunks,
        queue=QUEUE,
        message=message,
        do=lambda chunk: do_chunk(scope, message, chunk),
        finish=lambda: _finish(scope, job_id, run_id),
    )


def do_chunk(scope: Scope, message: dict[str, Any], chunk: JobChunk) -> None:
    """Post one chunk; the last one finishes the job."""
    job_id, run_id = UUID(message["job_id"]), UUID(message["run_id"])
    booked = post(scope, run_id=run_id, chunk=chunk)
    if progress.finish_chunk(scope, job_id, number=chunk.number, changed=booked):
        _finish(scope, job_id, run_id)


def post(scope: Scope, *, run_id: UUID, chunk: JobChunk) -> int:
    """Lock the accounts of a range of employees, post their payslips, and count the new ledger lines."""
    where = {"tenant_id": scope.tenant_id, "run_id": run_id, "first": chunk.first_user_id, "last": chunk.last_user_id}
    earmarks = rows.every(Earmark, scope.session.execute(_PEOPLE, where))
    user_ids = [earmark.user_id for earmark in earmarks]
    accounts.open_for(scope, user_ids=user_ids, currencies=[earmark.currency for earmark in earmarks])
    accounts.lock_for(scope, user_ids=user_ids)
    booked = scope.session.execute(_POST, {**where, "now": scope.now}).rowcount
    # reserve the amounts for the run's own payment
    earmark_actions.reserve(scope, payroll_run_id=run_id, earmarks=earmarks)
    return booked


def _finish(scope: Scope, job_id: UUID, run_id: UUID) -> None:
    scope.session.execute(_POSTED, {"tenant_id": scope.tenant_id, "run_id": run_id, "now": scope.now})
    document_actions.request(scope, run_id=run_id)
    totals = queries.sum_payslips(scope, run_id)
    progress.finish(
        scope,
        job_id,
        result={
            "payslips": sum(one["payslips"] for one in totals),
            "amounts": {one["currency"]: str(one["pays"]) for one in totals},
        },
    )
