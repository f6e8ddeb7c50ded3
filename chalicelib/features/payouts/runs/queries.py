"""Reads of payouts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, and_, func, select, text

from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.entry.paging import RowPage, page_rows
from chalicelib.features.payouts.delivery import providers
from chalicelib.features.payouts.models import payout_events, payouts
from chalicelib.features.payouts.runs import participants, schemas
from chalicelib.features.payouts.runs.schemas import PayoutQuery
from chalicelib.features.people.destinations.models import payout_destinations
from chalicelib.features.people.destinations.queries import CHANGED_AT
from chalicelib.features.people.users.queries import get_user
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.states import IN_FLIGHT, PayoutStatus
from chalicelib.ledger.models import entries

# Why what is owed to an employee cannot be paid now, or null; over the alias d (destination).
BLOCKED_BY = statement(__file__, "blocked_by")
_UNPAID_DEBTS = text(statement(__file__, "unpaid_debts").replace("{blocked_by}", BLOCKED_BY))
_LINES = text("select * from payout_lines(:tenant_id, :payout_id) order by number")
P = TypeVar("P", bound=schemas.Payout)


@dataclass(frozen=True, slots=True)
class ShownDestination:
    """The bank details that a payout goes to, masked."""

    kind: str
    holder: str | None
    masked: str
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedPayout:
    """A payout with its destination, as it is listed; models.payouts says what each column means."""

    id: UUID
    user_id: UUID
    amount: Decimal
    currency: str
    status: str
    kind: str
    payroll_run_id: UUID | None
    payslip_id: UUID | None
    job_id: UUID | None
    provider: str
    reference: str
    provider_reference: str | None
    problem: str | None
    batch_id: UUID | None
    bank: Mapping[str, Any] | None
    prepared_by: str
    approved_by: str | None
    created_at: datetime
    settled_at: datetime | None
    destination_kind: str | None
    destination_holder: str | None
    destination_masked: str | None
    destination_changed_at: datetime | None

    @property
    def destination(self) -> ShownDestination | None:
        if self.destination_kind is None or self.destination_masked is None:
            return None
        return ShownDestination(
            self.destination_kind, self.destination_holder, self.destination_masked, self.destination_changed_at
        )


@dataclass(frozen=True, slots=True)
class PaidLine:
    """A ledger line that a payout pays; negative where it nets what the employee owed."""

    subject_id: UUID
    event: str
    amount: Decimal
    booked_at: datetime


@dataclass(frozen=True, slots=True)
class PayoutEventRow:
    """An event in a payout's history; `status` is the status after it."""

    at: datetime
    what: str
    status: str
    fence: int
    detail: str | None
    actor: str


@dataclass(frozen=True, slots=True)
class ProviderAttempt:
    """What was done under one claim, and what came of it; None while nobody knows."""

    number: int
    what: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class PayoutPosting:
    """A line that was posted for a payout."""

    event: str
    debit: str
    credit: str
    amount: Decimal
    currency: str
    booked_at: datetime


@dataclass(frozen=True, slots=True)
class EmployeePayouts:
    """The sums of an employee's payouts in one currency."""

    currency: str
    in_flight: Decimal
    paid_total: Decimal


@dataclass(frozen=True, slots=True)
class _CurrencySum:
    """The payouts of a run in one currency, and how many of them await approval."""

    currency: str
    payouts: int
    held: int
    amount: Decimal


def load_payouts(scope: Scope, query: PayoutQuery) -> RowPage[schemas.Payout]:
    """Read one page of payouts, oldest first."""
    select_payouts = _select_with_destination().where(
        payouts.c.tenant_id == scope.tenant_id, scope.within("payouts.read", payouts.c.user_id)
    )
    if query.user_id is not None:
        get_user(scope, query.user_id, "payouts.read")
        select_payouts = select_payouts.where(payouts.c.user_id == query.user_id)
    if query.status is not None:
        select_payouts = select_payouts.where(payouts.c.status == query.status)
    if query.provider is not None:
        select_payouts = select_payouts.where(payouts.c.provider == query.provider)
    page = page_rows(scope, select_payouts, kind=ListedPayout, key=payouts.c.id, query=query)
    refusals = participants.explain_refusals(scope, {payout.id: payout.status for payout in page.items})
    return page.map(lambda payout: _to_reply(schemas.Payout, payout, refusals[payout.id]))


def get_payout(scope: Scope, payout_id: UUID) -> schemas.WholePayout:
    """Read one payout with its lines, attempts, events and ledger, or raise NotFound."""
    payout = rows.first(
        ListedPayout,
        scope.session.execute(
            _select_with_destination().where(
                payouts.c.tenant_id == scope.tenant_id,
                payouts.c.id == payout_id,
                scope.within("payouts.read", payouts.c.user_id),
            )
        ),
    )
    if payout is None:
        raise NotFound("There is no such payout.")
    events = _load_events(scope, payout_id)
    refusals = participants.explain_refusals(scope, {payout_id: payout.status})
    return _to_reply(
        schemas.WholePayout,
        payout,
        refusals[payout_id],
        lines=rows.every(
            PaidLine, scope.session.execute(_LINES, {"tenant_id": scope.tenant_id, "payout_id": payout_id})
        ),
        attempts=_list_attempts(events),
        events=events,
        ledger=_load_postings(scope, payout_id),
    )


def _select_with_destination() -> Select[Any]:
    """Select payouts with the bank details that each goes to."""
    table = payout_destinations
    shown = (table.c.kind, table.c.holder, table.c.masked, CHANGED_AT)
    return select(payouts, *(column.label(f"destination_{column.name}") for column in shown)).select_from(
        payouts.outerjoin(table, and_(table.c.tenant_id == payouts.c.tenant_id, table.c.id == payouts.c.destination_id))
    )


def _to_reply(reply: type[P], payout: ListedPayout, because: str | None, **parts: Sequence[object]) -> P:
    """Return a payout as callers see it; `because` is why the caller may not approve it."""
    names = schemas.Payout.model_fields.keys() - {"may_approve", "because"}
    values = {name: getattr(payout, name) for name in names}
    return reply(**values, may_approve=because is None, because=because, **parts)


def _load_postings(scope: Scope, payout_id: UUID) -> list[PayoutPosting]:
    return rows.every(
        PayoutPosting,
        scope.session.execute(
            select(entries)
            .where(entries.c.tenant_id == scope.tenant_id, entries.c.subject_id == payout_id)
            .order_by(entries.c.number)
        ),
    )


def _load_events(scope: Scope, payout_id: UUID) -> list[PayoutEventRow]:
    return rows.every(
        PayoutEventRow,
        scope.session.execute(
            select(payout_events)
            .where(payout_events.c.tenant_id == scope.tenant_id, payout_events.c.payout_id == payout_id)
            .order_by(payout_events.c.number)
        ),
    )


def _list_attempts(events: Sequence[PayoutEventRow]) -> list[ProviderAttempt]:
    """Return an attempt for each claim: what was done under it, and what the answer was."""
    answers = {event.fence: event for event in events if event.what == "answered"}
    claims = [event for event in events if event.what in ("sent", "asked")]
    return [_to_attempt(claim, answers.get(claim.fence)) for claim in claims]


def _to_attempt(claim: PayoutEventRow, answer: PayoutEventRow | None) -> ProviderAttempt:
    if answer is None:
        return ProviderAttempt(claim.fence, claim.what, claim.at, None, None, None)
    return ProviderAttempt(claim.fence, claim.what, claim.at, answer.at, answer.status, answer.detail)


def sum_run(scope: Scope, job_id: UUID) -> dict[str, Any]:
    """Sum up what a run made, as its job's result: payouts, how many are held, and the amount in each currency."""
    sums = rows.every(
        _CurrencySum,
        scope.session.execute(
            select(
                payouts.c.currency,
                func.count().label("payouts"),
                func.count().filter(payouts.c.status == PayoutStatus.HELD).label("held"),
                func.sum(payouts.c.amount).label("amount"),
            )
            .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.job_id == job_id)
            .group_by(payouts.c.currency)
            .order_by(payouts.c.currency)
        ),
    )
    return {
        "payouts": sum(in_currency.payouts for in_currency in sums),
        "held": sum(in_currency.held for in_currency in sums),
        "amounts": {in_currency.currency: str(in_currency.amount) for in_currency in sums},
    }


def destination_values(scope: Scope) -> dict[str, Any]:
    """Return the parameters of blocked_by.sql: how the tenant's policy says that employees are paid."""
    policy = scope.tenant.policy
    return {
        "needs_destination": providers.get_abilities(policy.payout_provider).needs_destination,
        "payable_kinds": providers.list_payable_kinds(policy.payout_provider),
        "is_manual_without_account": policy.manual_without_bank_account,
        "now": scope.now,
    }


def count_unpaid_debts(scope: Scope) -> dict[str, int]:
    """Count the debts that a run leaves unpaid, by reason; reasons without any are left out."""
    counts = scope.session.execute(
        _UNPAID_DEBTS,
        {
            "tenant_id": scope.tenant_id,
            "currency": scope.tenant.currency,
            "minimum": scope.tenant.policy.minimum_payout,
            **destination_values(scope),
        },
    )
    return {reason: debts for reason, debts in counts.mappings().one().items() if debts}


def sum_employee_payouts(scope: Scope, user_id: UUID) -> dict[str, EmployeePayouts]:
    """Sum an employee's payouts by currency: on their way, and arrived."""
    amount = payouts.c.amount
    sums = rows.every(
        EmployeePayouts,
        scope.session.execute(
            select(
                payouts.c.currency,
                func.coalesce(func.sum(amount).filter(payouts.c.status.in_(IN_FLIGHT)), 0).label("in_flight"),
                func.coalesce(func.sum(amount).filter(payouts.c.status == PayoutStatus.PAID), 0).label("paid_total"),
            )
            .where(payouts.c.tenant_id == scope.tenant_id, payouts.c.user_id == user_id)
            .group_by(payouts.c.currency)
        ),
    )
    return {in_currency.currency: in_currency for in_currency in sums}
