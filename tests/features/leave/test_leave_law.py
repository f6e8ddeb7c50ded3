"""Laws of leave over chance: whatever is asked, decided, shortened, corrected and expired, no day is lost or made."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chalicelib.features.leave.allocations import actions as allocation_actions
from chalicelib.features.leave.allocations.schemas import NewAllocation
from chalicelib.features.leave.expiry import nightly_job as expiry_nightly_job
from chalicelib.features.leave.requests import actions as request_actions
from chalicelib.features.leave.requests.schemas import NewRequest
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin, Scope
from chalicelib.kernel.errors import BalanceTooLow, Conflict, Invalid
from chalicelib.kernel.halves import Half
from chalicelib.kernel.states import RequestStatus
from chalicelib.operators import checks
from tests.features.leave.conftest import NOW
from tests.features.leave.expiry_cases import leave_type, rule
from tests.support.cast import Cast, tenant
from tests.support.people import employee, row

pytestmark = pytest.mark.usefixtures("database")

ACTIONS = ("delete", "convert_to_cash", "transfer_to_next_cycle")
BUCKETS = ("allocated", "carried", "pending", "used", "lapsed", "encashed", "transferred")


class Story:
    """One person's leave for some weeks, at random, and what it must have come to by plain arithmetic."""

    def __init__(self, scope: Scope, user_id: UUID, type_ids: list[UUID], chance: random.Random) -> None:
        self.scope, self.user_id, self.type_ids, self.chance = scope, user_id, type_ids, chance
        self.requests: dict[UUID, dict[str, Any]] = {}
        self.given = dict.fromkeys(type_ids, Decimal(0))
        self.verbs: list[Callable[[], None]] = [
            self.allocate,
            self.correct,
            *[self.ask] * 5,
            *[self.approve] * 4,
            self.reject,
            self.cancel,
            self.cancel,
            self.shorten,
            self.shorten,
            self.night,
            self.later,
        ]
        self.done: list[str] = []

    def allocate(self) -> None:
        start = date(2026, 1, 1) + timedelta(days=self.chance.choice((0, 20, 40)))
        new = NewAllocation(
            user_id=self.user_id,
            leave_type_id=self.chance.choice(self.type_ids),
            cycle_start_date=start,
            cycle_end_date=start + timedelta(days=19),
            allocated_days=self.halves(6),
        )
        allocation_actions.allocate(self.scope, new=new)
        self.given[new.leave_type_id] += new.allocated_days or 0

    def correct(self) -> None:
        found = self.rows(
            "select id, leave_type_id, allocated_days from leave_allocations where user_id = :user_id"
            " order by leave_type_id, cycle_start_on"
        )
        if found:
            one, days = self.chance.choice(found), self.halves(6)
            allocation_actions.correct(self.scope, allocation_id=one.id, patch={"allocated_days": days}, if_match=None)
            self.given[one.leave_type_id] += days - one.allocated_days

    def ask(self) -> None:
        start = date(2026, 1, 4) + timedelta(days=self.chance.randint(0, 50))
        there = [type_id for type_id, days in self.given.items() if days]
        new = NewRequest(
            user_id=self.user_id,
            leave_type_id=self.chance.choice(there or self.type_ids),
            start_date=start,
            end_date=start + timedelta(days=self.chance.randint(0, 4)),
            start_half=self.chance.choice(list(Half)),
            end_half=self.chance.choice(list(Half)),
        )
        made = request_actions.request_leave(self.scope, new=new)
        self.requests[made.id] = made

    def approve(self) -> None:
        self.decide(RequestStatus.APPROVED, RequestStatus.PENDING)

    def reject(self) -> None:
        self.decide(RequestStatus.REJECTED, RequestStatus.PENDING)

    def cancel(self) -> None:
        self.decide(RequestStatus.CANCELLED, RequestStatus.PENDING, RequestStatus.APPROVED)

    def shorten(self) -> None:
        if one := self.some(RequestStatus.APPROVED):
            length = (one.end_date - one.start_date).days
            first = self.chance.randint(0, length)
            given = {
                "start_date": one.start_date + timedelta(days=first),
                "end_date": one.start_date + timedelta(days=self.chance.randint(first, length)),
            }
            self.requests[one.id] = request_actions.shorten(self.scope, request_id=one.id, patch=given, if_match=None)

    def night(self) -> None:
        expiry_nightly_job.expire(
            self.scope, as_of=self.scope.now.date(), employee_filter=EmployeeFilter.one(self.user_id)
        )

    def later(self) -> None:
        self.scope.now += timedelta(days=self.chance.randint(1, 20))

    def decide(self, to: RequestStatus, *of: RequestStatus) -> None:
        if one := self.some(*of):
            self.requests[one.id] = request_actions.decide(
                self.scope, request_id=one.id, to=to, notes=None, if_match=None
            )

    def some(self, *of: RequestStatus) -> Any:
        found = [one for one in self.requests.values() if one.status in of]
        return self.chance.choice(found) if found else None

    def halves(self, most: int) -> Decimal:
        return Decimal(self.chance.randint(0, 2 * most)) / 2

    def rows(self, statement: str, **values: Any) -> list[Any]:
        said = {"user_id": self.user_id, **values}
        return list(self.scope.session.execute(text(statement), said))

    def step(self) -> None:
        verb = self.chance.choice(self.verbs)
        before = self.buckets()
        try:
            verb()
        except (BalanceTooLow, Conflict, Invalid) as refused:
            self.done.append(f"{verb.__name__}: {refused.detail}")
            assert self.buckets() == before
        else:
            self.done.append(verb.__name__)
        self.check()

    def buckets(self) -> dict[UUID, dict[str, Decimal]]:
        """Sum the entries by leave type, and hold each allocation's columns against its own."""
        found = self.rows("""
            select a.id, a.leave_type_id, a.remaining_days, to_jsonb(a) as said,
                coalesce((select jsonb_object_agg(bucket, days) from (
                    select bucket, sum(days) as days from leave_entries e
                    where e.tenant_id = a.tenant_id and e.allocation_id = a.id group by bucket) s), '{}') as booked
            from leave_allocations a where a.user_id = :user_id""")
        sums = {type_id: dict.fromkeys((*BUCKETS, "remaining"), Decimal(0)) for type_id in self.type_ids}
        for one in found:
            booked = {bucket: Decimal(str(one.booked.get(bucket, 0))) for bucket in BUCKETS}
            assert booked == {bucket: Decimal(str(one.said[f"{bucket}_days"])) for bucket in BUCKETS}
            assert min(*booked.values(), one.remaining_days) >= 0
            for bucket, days in (*booked.items(), ("remaining", one.remaining_days)):
                sums[one.leave_type_id][bucket] += days
        return sums

    def check(self) -> None:
        adjusted = self.rows(
            "select coalesce(sum(cast(explanation ->> 'days' as numeric)), 0) as days"
            " from payroll_adjustments where user_id = :user_id"
        )[0].days
        encashed = Decimal(0)
        for type_id, sums in self.buckets().items():
            gone = sum(sums[bucket] for bucket in ("pending", "used", "lapsed", "encashed", "transferred"))
            assert sums["allocated"] + sums["carried"] == gone + sums["remaining"], self.done
            assert sums["allocated"] == self.given[type_id], self.done
            assert sums["carried"] == sums["transferred"], self.done
            for bucket, status in (("pending", RequestStatus.PENDING), ("used", RequestStatus.APPROVED)):
                of_requests = [
                    one.days for one in self.requests.values() if one.status == status and one.leave_type_id == type_id
                ]
                assert sums[bucket] == sum(of_requests), self.done
            encashed += sums["encashed"]
        assert encashed == adjusted, self.done
        counted = self.rows("select count(*) as halves from leave_days where user_id = :user_id and is_counted")
        used = [one.days for one in self.requests.values() if one.status == RequestStatus.APPROVED]
        assert counted[0].halves == 2 * sum(used), self.done


@pytest.fixture(name="acme", scope="module")
def _acme(database: object) -> Cast:
    return tenant("Acme")


@pytest.fixture(name="type_ids", scope="module")
def _type_ids(acme: Cast) -> list[UUID]:
    return [
        leave_type(
            acme,
            rule(acme, action, expire_after_days=after),
            f"To {action}",
            allow_carryover=True,
            carryover_limit=Decimal("2.5"),
        )
        for action, after in zip(ACTIONS, (0, 5, 10), strict=True)
    ]


@pytest.mark.parametrize("tens", range(20))
def test_ten_interleavings_lose_and_make_no_day(acme: Cast, type_ids: list[UUID], tens: int) -> None:
    done: list[str] = []
    for seed in range(10 * tens, 10 * tens + 10):
        chance = random.Random(seed)
        user_id = employee(acme, employee_no=f"E-{seed}")
        row(
            acme,
            "salaries",
            {
                "user_id": user_id,
                "amount": 15000,
                "currency": "BDT",
                "frequency": "monthly",
                "effective_from": date(2025, 1, 1),
            },
            returning="user_id",
        )
        with suppress(_Undone), job_scope(acme.id, name="test", now=NOW, origin=Origin("-")) as scope:
            story = Story(scope, user_id, type_ids, chance)
            story.allocate()
            for _ in range(14):
                story.step()
            found = checks.check_tenant(scope.session, "leave", acme.id)
            assert (found.wrong, found.problems) == (0, [])
            done += story.done
            raise _Undone  # so that the next one's check has only its own to look at
    words = {one for one in done if ":" not in one}
    assert words >= {"ask", "approve", "cancel", "night", "correct"}
    assert any("remain" in one for one in done)


class _Undone(Exception):
    pass
