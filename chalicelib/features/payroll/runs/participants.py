"""Participants of a payroll run, and whether the caller may approve it (four-eyes principle).

A regular run pays everybody, its approver too, so only those are barred who calculated it, or decided a part of their
own pay since the last approved run. An off-cycle run also bars those who created it or gave it amounts, and its payees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import four_eyes
from chalicelib.backing import rows
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.run_rows import PayrollRunRow
from chalicelib.features.payroll.runs.schemas import PayrollRun, Summary
from chalicelib.four_eyes import Participants, Participation
from chalicelib.four_eyes.own_pay import DECIDED
from chalicelib.identity.scope import Scope
from chalicelib.kernel.states import PayrollStatus

# Whether the caller decided their own pay since a run was last approved, as only a sole admin may.
_DECIDED_OWN_PAY = text("""
    select exists (
        select from audit_logs a
        where a.tenant_id = :tenant_id and a.entity_type = 'user' and a.action = :decided
          and a.entity_id = any(cast(:own_ids as text[]))
          and a.at > coalesce((
              select max(r.approved_at) from payroll_runs r
              where r.tenant_id = :tenant_id and r.kind = 'regular'
          ), '-infinity'))""")

# One row per off-cycle run: whether it pays the caller, and who gave it its amounts.
_OFF_CYCLE = text("""
    select r.id,
        array(
            select p.user_id from payslips p
            where p.tenant_id = :tenant_id and p.run_id = r.id and p.user_id = any(:own_ids)) as payees,
        array(
            select unnest(a.given_by_ids) from payroll_amounts a
            where a.tenant_id = :tenant_id and a.run_id = r.id) as gave,
        array(
            select unnest(j.created_by_ids) from payslip_one_offs o
            join payroll_adjustments j on j.tenant_id = :tenant_id and j.id = o.adjustment_id
            where o.tenant_id = :tenant_id and o.run_id = r.id) as adjusted
    from payroll_runs r where r.tenant_id = :tenant_id and r.id = any(:run_ids)""")


@dataclass(frozen=True, slots=True)
class OffCycleParticipants:
    """The ids of those who took part in an off-cycle run, or whom it pays."""

    id: UUID
    payees: list[UUID]  # of the caller's
    gave: list[UUID]
    adjusted: list[UUID]


def load_participants(scope: Scope, run: PayrollRunRow) -> list[Participants]:
    """Return the participants of a run that is to be approved, as far as they concern the caller."""
    return _load_participants(scope, [run])[run.id]


def to_replies(scope: Scope, runs: Sequence[PayrollRunRow]) -> list[PayrollRun]:
    """Return runs as callers see them, with whether the caller may approve each, and why not."""
    waiting = [run for run in runs if run.status == PayrollStatus.CALCULATED]
    participants = _load_participants(scope, waiting) if waiting and "payroll.approve" in scope.grants else {}
    enforced = four_eyes.is_enforced(scope)
    return [_to_reply(run, because=_find_obstacle(scope, run, participants), is_enforced=enforced) for run in runs]


def _to_reply(run: PayrollRunRow, *, because: str | None, is_enforced: bool) -> PayrollRun:
    return PayrollRun(
        id=run.id,
        month=run.month,
        kind=RunKind(run.kind),
        title=run.title,
        status=PayrollStatus(run.status),
        user_ids=run.user_ids,
        payment_type_ids=run.payment_type_ids,
        job_id=run.job_id,
        summary=None if run.summary is None else Summary.model_validate(run.summary),
        created_by=run.created_by,
        created_at=run.created_at,
        calculated_by=run.calculated_by,
        calculated_at=run.calculated_at,
        approved_by=run.approved_by,
        may_approve=because is None,
        because=because,
        four_eyes=is_enforced if run.four_eyes is None else run.four_eyes,
        approved_at=run.approved_at,
        posted_at=run.posted_at,
        paid_by=run.paid_by,
        paid_at=run.paid_at,
        cancelled_by=run.cancelled_by,
        cancelled_at=run.cancelled_at,
        cancel_reason=run.cancel_reason,
    )


def _find_obstacle(scope: Scope, run: PayrollRunRow, participants: dict[UUID, list[Participants]]) -> str | None:
    if "payroll.approve" not in scope.grants:
        return f"The role {scope.actor.role} may not approve (it needs payroll.approve)."
    if run.status != PayrollStatus.CALCULATED:
        return f"It is {run.status}; a run is approved once it is calculated."
    return four_eyes.why_not(scope, participants[run.id])


def _load_participants(scope: Scope, runs: Sequence[PayrollRunRow]) -> dict[UUID, list[Participants]]:
    run_ids, own_ids = [run.id for run in runs], sorted(scope.actor.all_ids)
    values: dict[str, Any] = {"tenant_id": scope.tenant_id, "run_ids": run_ids}
    own: list[UUID] = []
    if (
        own_ids
        and scope.session.execute(
            _DECIDED_OWN_PAY, {**values, "decided": DECIDED, "own_ids": [str(one) for one in own_ids]}
        ).scalar_one()
    ):
        own = own_ids
    off_cycle: dict[UUID, OffCycleParticipants] = {}
    if own_ids and any(run.kind == RunKind.OFF_CYCLE for run in runs):
        result = scope.session.execute(_OFF_CYCLE, {**values, "own_ids": own_ids})
        off_cycle = {row.id: row for row in rows.every(OffCycleParticipants, result)}
    participants = {}
    for run in runs:
        # the code before 2026-12, which may still run during a deployment, wrote the person alone
        calculated = [*run.calculated_by_ids, *filter(None, [run.calculated_by_user_id])]
        participants[run.id] = [
            Participants(Participation.CALCULATED, calculated),
            Participants(Participation.OWN_FIGURE, own),
        ]
        if run.kind == RunKind.OFF_CYCLE and own_ids:
            row = off_cycle[run.id]
            participants[run.id] += [
                Participants(Participation.MADE_RUN, run.created_by_ids),
                Participants(Participation.GAVE_AMOUNT, row.gave),
                Participants(Participation.MADE_ADJUSTMENT, row.adjusted),
                Participants(Participation.PAYEE, row.payees),
            ]
    return participants
