"""Laws of expiry over chance: no day is lost or made, money is for encashed days, a plan is what happens."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from chalicelib.features.leave.expiry import nightly_job as expiry_nightly_job
from chalicelib.features.leave.expiry import queries as expiry_queries
from chalicelib.features.periods.windows import EmployeeFilter
from tests.features.leave.expiry_cases import allocation, book, leave_type, rule, scope_of
from tests.support.cast import Cast, tenant
from tests.support.people import employee, row, sql

ACTIONS = ("delete", "convert_to_cash", "transfer_to_next_cycle")
EVERYBODY = EmployeeFilter.everybody()
FIRST = date(2026, 1, 25)


def halves(chance: random.Random, most: Decimal) -> Decimal:
    """Choose some of so many days, by the half."""
    return Decimal(chance.randint(0, int(most * 2))) / 2


class Company:
    """A tenant with people whose days of three leave types expire, and what happened to them."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.cast: Cast = tenant("Acme")
        limits = (None, 0, Decimal("2.5"))
        self.types = [
            leave_type(
                self.cast,
                rule(self.cast, action, notification_days=[5, 2]),
                action,
                carryover_limit=self.chance.choice(limits),
            )
            for action in ACTIONS
        ]
        self.people = [self._person(number) for number in range(4)]
        for person in self.people:
            for type_id in self.types:
                end = FIRST + timedelta(days=self.chance.randint(0, 8))
                days = halves(self.chance, Decimal(12))
                allocation(
                    self.cast,
                    person,
                    type_id,
                    str(days),
                    begins=str(end - timedelta(days=59)),
                    ends=str(end),
                    pending=str(halves(self.chance, days)),
                )
        self.given = self.total("allocated_days")
        self.steps = 0

    def _person(self, number: int) -> UUID:
        person = employee(self.cast, employee_no=f"E-{number}")
        if number:  # one has no salary: their days stay where they would be money
            frequency = ("monthly", "weekly", "daily")[number - 1]
            row(
                self.cast,
                "salaries",
                {
                    "user_id": person,
                    "amount": self.chance.randint(1, 9999),
                    "currency": "BDT",
                    "frequency": frequency,
                    "effective_from": "2025-01-01",
                },
                returning="user_id",
            )
        return person

    def total(self, expression: str) -> Decimal:
        found: Decimal = sql(self.cast, f"select coalesce(sum({expression}), 0) from leave_allocations")[0][0]
        return found

    def request(self) -> None:
        """Decide some held days, ask for some that are left, or take back some that were used."""
        self.steps += 1
        one = self.chance.choice(
            sql(
                self.cast,
                "select id, pending_days, used_days, remaining_days, expires_on from leave_allocations order by id",
            )
        )
        what = self.chance.choice(("ask", "approve", "reject", "cancel"))
        bucket, other, most = {
            "ask": ("pending", None, one.remaining_days),
            "approve": ("pending", "used", one.pending_days),
            "reject": ("pending", None, one.pending_days),
            "cancel": ("used", None, one.used_days),
        }[what]
        days = halves(self.chance, most)
        if not days:
            return
        book(self.cast, one.id, bucket, str(days if what == "ask" else -days), f"{what}/{self.steps}")
        if other:
            book(self.cast, one.id, other, str(days), f"{what}/{self.steps}")

    def night(self, day: date) -> dict[str, Any]:
        with scope_of(self.cast) as scope:
            planned = expiry_queries.simulate(scope, as_of=day)
            done = expiry_nightly_job.expire(scope, as_of=day, employee_filter=EVERYBODY)
            assert expiry_nightly_job.warn(scope, as_of=day, employee_filter=EVERYBODY) == planned["warnings"]
        for name in ("allocations", "lapsed_days", "encashed_days", "transferred_days"):
            assert done[name] == planned[name]
        assert len(done["problems"]) == planned["problems"]
        return done

    def check(self) -> None:
        gone = ("pending", "used", "lapsed", "encashed", "transferred", "remaining")
        columns = " - ".join(f"{bucket}_days" for bucket in gone)
        off = sql(self.cast, f"select id from leave_allocations where allocated_days + carried_days - {columns} <> 0")
        assert off == []
        assert self.total("allocated_days") == self.given
        assert self.total("carried_days") == self.total("transferred_days")
        paid = sql(
            self.cast, "select coalesce(sum(cast(explanation ->> 'days' as numeric)), 0) from payroll_adjustments"
        )
        assert paid[0][0] == self.total("encashed_days")
        amounts = sql(self.cast, "select amount, explanation from payroll_adjustments")
        for amount, why in amounts:
            exact = Decimal(why["rate"]) * Decimal(why["days"]) / Decimal(why.get("working_days", "1"))
            assert abs(amount - exact) <= Decimal("0.005")


@pytest.mark.usefixtures("database")
class TestNights:
    @pytest.mark.parametrize("seed", range(6))
    def test_neither_lose_nor_make_a_day_whatever_happens_between_them(self, seed: int) -> None:
        company = Company(seed)
        for number in range(12):
            day = FIRST + timedelta(days=number)
            for _ in range(company.chance.randint(0, 6)):
                company.request()
            if company.chance.random() < 0.8:  # else the night is missed
                company.night(day)
                again = company.night(day)
                assert again["lapsed_days"] + again["encashed_days"] + again["transferred_days"] == 0
            company.check()
        company.night(FIRST + timedelta(days=60))
        company.check()
        # what is left after its last day is held by a request, or could not be paid
        left = sql(
            company.cast,
            "select distinct user_id from leave_allocations where expires_on < '2026-03-26' and remaining_days > 0",
        )
        assert {one.user_id for one in left} <= {company.people[0]}

    def test_in_pieces_come_to_the_same_as_at_once(self) -> None:
        whole, pieces = Company(7), Company(7)
        day = FIRST + timedelta(days=9)
        at_once = whole.night(day)
        one_by_one = []
        with scope_of(pieces.cast) as scope:
            for person in pieces.people:
                one_by_one.append(
                    expiry_nightly_job.expire(scope, as_of=day, employee_filter=EmployeeFilter.one(person))
                )
        for name in ("lapsed_days", "encashed_days", "transferred_days", "allocations"):
            assert sum(one[name] for one in one_by_one) == at_once[name]
        amounts = [sql(one.cast, "select amount from payroll_adjustments order by amount") for one in (whole, pieces)]
        assert amounts[0] == amounts[1]
        assert len(amounts[0]) > 0
