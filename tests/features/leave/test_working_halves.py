"""`working_halves`, the calendar that leave is counted by, beside the register's own and beside the model's."""

from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from tests.model.chance import random_cases
from tests.model.workdays import counts_as_work, days_between, employed, period_of
from tests.support import cases as put
from tests.support.cast import Cast, tenant
from tests.support.people import employee, row, sql

pytestmark = pytest.mark.usefixtures("database")

JANUARY = (date(2026, 1, 1), date(2026, 1, 31))


def halves(session: Connection, tenant_id: UUID, user_id: UUID, first: date, last: date) -> list[int]:
    """Return what each day wants worked, as bits: 2 the first half, 1 the second."""
    rows = session.execute(
        text("select day, halves from working_halves(:tenant_id, :user_id, :first, :last) order by day"),
        {"tenant_id": tenant_id, "user_id": user_id, "first": first, "last": last},
    ).all()
    assert [found.day for found in rows] == days_between(first, last)
    return [found.halves for found in rows]


def of_january(acme: Cast, user_id: UUID, first: int = 1, last: int = 31) -> list[int]:
    rows = sql(
        acme,
        "select halves from working_halves(:of_tenant, :user_id, :first, :last) order by day",
        of_tenant=acme.id,
        user_id=user_id,
        first=date(2026, 1, first),
        last=date(2026, 1, last),
    )
    return [found.halves for found in rows]


@pytest.mark.parametrize("seed", range(12))
def test_are_the_working_halves_of_the_register_and_of_the_model(seed: int) -> None:
    cases = random_cases(Random(seed), 40)
    company = put.company(cases[0])
    first, last = period_of(cases[0].tenant, cases[0].month)
    with put.open_scope(company.id) as scope:
        user_ids = put.place(scope.session, company.id, cases)
        put.compute(scope, cases, user_ids)
        masks = {
            found.user_id: found.working
            for found in scope.session.execute(
                text("select user_id, working from pay_registers where tenant_id = :id and month = :month"),
                {"id": company.id, "month": cases[0].month},
            )
        }
        days = days_between(first, last)
        for case, user_id in zip(cases, user_ids, strict=True):
            about = (case.tenant, case.employee, case.facts)
            found = halves(scope.session, company.id, user_id, first, last)
            assert found == [
                employed(case.employee, day)
                * (2 * counts_as_work(*about, day, "first") + counts_as_work(*about, day, "second"))
                for day in days
            ]
            if user_id in masks:
                of_register = [masks[user_id] >> 2 * (last - day).days & 3 for day in days]
                assert found == [
                    employed(case.employee, day) * bits for day, bits in zip(days, of_register, strict=True)
                ]
                of_calendar = scope.session.execute(
                    text("select halves from calendar_halves(:id, :user_id, :first, :last) order by day"),
                    {"id": company.id, "user_id": user_id, "first": first, "last": last},
                ).scalars()
                assert list(of_calendar) == of_register


class TestOfAnEmployee:
    def test_are_all_but_friday_and_saturday_in_january_2026(self) -> None:
        acme = tenant("Acme")
        found = of_january(acme, employee(acme))
        assert found[:10] == [3, 0, 0, 3, 3, 3, 3, 3, 0, 0]  # the 1st is a Thursday
        assert sum(found) == 21 * 3

    def test_are_none_before_joining_and_after_leaving_or_without_employment(self) -> None:
        acme = tenant("Acme")
        user_id = employee(acme, joined_on=date(2026, 1, 5), left_on=date(2026, 1, 7))
        assert of_january(acme, user_id, 4, 8) == [0, 3, 3, 3, 0]
        assert set(of_january(acme, row(acme, "users", {"name": "Guest"}))) == {0}

    def test_spare_a_half_holiday_and_what_a_roster_gives_off(self) -> None:
        acme = tenant("Acme")
        user_id = employee(acme)
        row(acme, "holidays", {"day": date(2026, 1, 5), "name": "Eid eve", "half": "second"})
        row(acme, "roster_days", {"user_id": user_id, "day": date(2026, 1, 6), "off": 2}, returning="day")
        row(acme, "roster_days", {"user_id": user_id, "day": date(2026, 1, 9), "off": 0}, returning="day")
        assert of_january(acme, user_id, 4, 9) == [3, 2, 1, 3, 3, 3]

    def test_are_nobody_s_of_another_tenant(self) -> None:
        acme, zenith = tenant("Acme"), tenant("Zenith")
        user_id = employee(acme)
        row(zenith, "holidays", {"day": date(2026, 1, 5), "name": "Elsewhere"})
        assert of_january(acme, user_id, 5, 5) == [3]
        assert (
            sql(
                zenith,
                "select * from working_halves(:of_tenant, :user_id, :day, :day)",
                of_tenant=acme.id,
                user_id=user_id,
                day=JANUARY[0],
            )
            == []
        )

    def test_may_span_years(self) -> None:
        acme = tenant("Acme")
        with put.open_scope(acme.id) as scope:
            first = date(2026, 1, 1)
            assert len(halves(scope.session, acme.id, employee(acme), first, first + timedelta(days=730))) == 731
