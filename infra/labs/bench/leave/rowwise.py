"""The row-at-a-time yardstick, by psycopg, prepared: one allocation per transaction, read, decided in Python, written.

It books what the product books, in the same tables with the same trigger, with the same SQL function for the calendar.
"""

import time
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Self
from uuid import UUID

import psycopg

CENT = Decimal("0.01")


def choose(admin_url: str, number: int) -> list[tuple[UUID, UUID]]:
    """Return a sample of allocations from all tenants."""
    with psycopg.connect(admin_url) as admin:
        return admin.execute(
            "select tenant_id, id from leave_allocations order by md5(id::text) limit %s", [number]
        ).fetchall()


class Clerk:
    """A connection of the application role that processes one allocation at a time."""

    def __init__(self, url: str) -> None:
        self._app = psycopg.connect(url, autocommit=True, prepare_threshold=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._app.close()

    def rate(self, allocations: Sequence[tuple[UUID, UUID]], as_of: date, *, warm: int) -> float:
        """Process allocations and return how many a second, after a warm-up."""
        began = time.perf_counter()
        for place, (tenant_id, allocation_id) in enumerate(allocations):
            if place == warm:
                began = time.perf_counter()
            self.process(tenant_id, allocation_id, as_of)
        return (len(allocations) - warm) / (time.perf_counter() - began)

    def process(self, tenant_id: UUID, allocation_id: UUID, as_of: date) -> None:
        """Send an allocation's warning, or expire it, if that is due."""
        self._app.execute(f"begin; set local app.tenant_id = '{tenant_id}'".encode(), prepare=False)
        row = self._one(_READ, tenant_id, allocation_id)
        user_id, type_id, cycle_end, expires_on, remaining, expired_at, limit, action, steps = row
        left = (expires_on - as_of).days
        due = [step for step in steps if step >= left]
        if remaining > 0 and left >= 0 and due:
            self._warn(tenant_id, user_id, allocation_id, min(due), remaining, expires_on, as_of)
        elif left < 0 and expired_at is None:
            cause = f"expiry/{as_of}"
            if remaining > 0 and action == "delete":
                self._book(tenant_id, allocation_id, "lapsed", remaining, cause)
            elif remaining > 0 and action == "convert_to_cash":
                self._pay(tenant_id, user_id, allocation_id, remaining, expires_on, cause)
            elif remaining > 0:
                self._carry(tenant_id, user_id, type_id, allocation_id, remaining, limit, cycle_end, cause)
            self._app.execute(_EXPIRED, [tenant_id, allocation_id])
        self._app.execute("commit")

    def _warn(self, tenant_id: UUID, user_id: UUID, allocation_id: UUID, step: int, *values: Any) -> None:
        if self._one(_WARNING, tenant_id, allocation_id, step, *values) is None:
            return
        person = self._one(_PERSON, tenant_id, user_id)
        for channel, status in (("in_app", "sent"), ("email", "pending")):
            notification = self._one(
                _NOTICE, tenant_id, user_id, channel, f"{allocation_id}/{step}", status, status, person[0]
            )
            if channel == "email" and notification is not None:
                self._app.execute(_MESSAGE, [tenant_id, notification[0]])

    def _pay(self, tenant_id: UUID, user_id: UUID, allocation_id: UUID, days: Decimal, on: date, cause: str) -> None:
        amount, currency, frequency = self._one(_SALARY, tenant_id, user_id, on)
        span = {"monthly": (on.replace(day=1), on), "weekly": (date(2026, 1, 31), date(2026, 2, 6))}.get(frequency)
        divisor = self._one(_WORKING, tenant_id, user_id, *span)[0] / 2 if span else 1
        worth = (days * amount / Decimal(divisor)).quantize(CENT, ROUND_HALF_UP)
        self._book(tenant_id, allocation_id, "encashed", days, cause)
        self._app.execute(_ADJUST, [tenant_id, user_id, worth, currency, on, f"{allocation_id}/{cause[7:]}"])
        self._app.execute(_AUDIT, [tenant_id, str(allocation_id)])

    def _carry(
        self,
        tenant_id: UUID,
        user_id: UUID,
        type_id: UUID,
        allocation_id: UUID,
        days: Decimal,
        limit: Decimal,
        cycle_end: date,
        cause: str,
    ) -> None:
        over = min(days, limit)
        following = self._one(_NEXT, tenant_id, user_id, type_id, cycle_end)
        if following is None:
            following = self._one(_MAKE, tenant_id, user_id, type_id)
        self._book(tenant_id, allocation_id, "transferred", over, cause)
        self._book(tenant_id, following[0], "carried", over, f"carried/{allocation_id}/{cause[7:]}")
        if days > over:
            self._book(tenant_id, allocation_id, "lapsed", days - over, cause)

    def _book(self, tenant_id: UUID, allocation_id: UUID, bucket: str, days: Decimal, cause: str) -> None:
        self._app.execute(_BOOK, [tenant_id, allocation_id, bucket, days, cause])

    def _one(self, query: str, *values: object) -> Any:
        return self._app.execute(query.encode(), values).fetchone()


_READ = """
    select a.user_id, a.leave_type_id, a.cycle_end_on, a.expires_on, a.remaining_days, a.expired_at, t.carryover_limit,
        r.action, r.notification_days
    from leave_allocations a
    join leave_types t on t.tenant_id = a.tenant_id and t.id = a.leave_type_id
    join leave_expiry_rules r on r.tenant_id = t.tenant_id and r.id = t.expiry_rule_id
    where a.tenant_id = %s and a.id = %s for no key update of a"""
_EXPIRED = "update leave_allocations set expired_at = now() where tenant_id = %s and id = %s"
_BOOK = """
    insert into leave_entries (tenant_id, allocation_id, bucket, days, cause, concerns_on, booked_at, booked_by)
    values (%s, %s, %s, %s, %s, current_date, now(), 'clerk')"""
_SALARY = """
    select amount, currency, frequency from salaries where tenant_id = %s and user_id = %s and effective_from <= %s
    order by effective_from desc limit 1"""
_WORKING = "select sum(bit_count(halves::integer::bit(2))) from calendar_halves(%s, %s, %s, %s)"
_ADJUST = """
    insert into payroll_adjustments (tenant_id, user_id, kind, amount, currency, reason, effective_on, explanation,
        source_type, source_id, created_by, created_at)
    values (%s, %s, 'leave_encashment', %s, %s, 'expired', %s, '{}', 'leave_expiry', %s, 'clerk', now())"""
_AUDIT = """
    insert into audit_logs (tenant_id, at, actor, action, entity_type, entity_id)
    values (%s, now(), 'clerk', 'payroll_adjustment.added', 'payroll_adjustment', %s)"""
_NEXT = """
    select id from leave_allocations where tenant_id = %s and user_id = %s and leave_type_id = %s
        and cycle_start_on > %s order by cycle_start_on limit 1"""
_MAKE = """
    insert into leave_allocations (tenant_id, user_id, leave_type_id, cycle_start_on, cycle_end_on, expires_on)
    values (%s, %s, %s, '2026-02-01', '2027-01-31', '2027-01-31') returning id"""
_WARNING = """
    insert into leave_warnings (tenant_id, allocation_id, step, is_told, days, expires_on, warned_on)
    values (%s, %s, %s, true, %s, %s, %s) on conflict do nothing returning step"""
_PERSON = "select email from users where tenant_id = %s and id = %s"
_NOTICE = """
    insert into notification_logs (tenant_id, user_id, kind, channel, cause, entity_type, entity_id, said, status,
        look_at, sent_to)
    values (%s, %s, 'leave_expiry_warning', %s, %s, 'leave_allocation', '', '{}', %s,
        case %s when 'pending' then now() end, %s)
    on conflict do nothing returning id"""
_MESSAGE = """
    insert into outbox (tenant_id, queue, body)
    values (%s, 'notifications', jsonb_build_object('notification_id', %s::uuid))"""
