"""What is measured of a person: from register and sales, over cycles that begin and end anywhere."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.features.kpis.rules import METRICS, EmployeeSpan
from chalicelib.features.kpis.scores import measurement
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from tests.features.kpis.conftest import Office, open_office
from tests.support.cast import Cast
from tests.support.people import employee, row, sql
from tests.support.stack import at

pytestmark = pytest.mark.usefixtures("database")

# Two months, by hand: days off are the 2nd, 3rd, 9th, 10th, 16th and 17th, and nobody is spared after that.
#           1   2   3   4   5   6   7   8   9  10  11  12  13  14  15  16  17  18  19  20  21 ...
JANUARY = (
    "PP  WW  WW  PP  PA  LL  UP  OO  WW  WW  PP  AA  HH  PP  PP  WW  WW  PP  PP  PP  PP".replace(" ", "") + "PP" * 10
)
FEBRUARY = "PP" * 10 + "AA" * 5 + "--" * 13


def measure(
    office: Office, first: str, last: str, metrics: Collection[str] = METRICS, cast: Cast | None = None
) -> tuple[dict[str, float], list[str]]:
    """Measure Rahim, and leave out what is zero."""
    span = EmployeeSpan(str(office.rahim_id), date.fromisoformat(first), date.fromisoformat(last))
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with job_scope((cast or office.cast).id, name="test", now=now, origin=Origin("-")) as scope:
        measurement_ = measurement.measure(scope, spans=[span], metrics=metrics)[span]
    return {name: float(value) for name, value in sorted(measurement_.values.items()) if value}, measurement_.notes


class TestDays:
    def test_are_cut_out_of_a_month(self, office: Office) -> None:
        office.register(JANUARY)
        # 4 to 13 January: two days off, a holiday, 7 working days; present 4th, half 5th, half 7th, 8th (od) and 11th
        assert measure(office, "2026-01-04", "2026-01-13")[0] == {
            "present_days": 4.0,
            "absent_days": 1.5,
            "leave_days": 1.5,
            "paid_leave_days": 1.0,
            "lop_days": 0.5,
            "od_days": 1.0,
            "holidays": 1.0,
            "week_offs": 2.0,
            "working_days": 7.0,
            "attendance_rate": 57.1428571429,
        }

    def test_of_a_whole_month_are_the_registers_own_sums(self, office: Office) -> None:
        office.register(
            JANUARY,
            ot_hours=Decimal("7.5"),
            late_count=3,
            late_minutes=44,
            early_out_count=2,
            early_out_minutes=31,
            extra_days=1,
        )
        values, notes = measure(office, "2026-01-01", "2026-01-31")
        assert values == {
            "present_days": 21.0,
            "absent_days": 1.5,
            "leave_days": 1.5,
            "paid_leave_days": 1.0,
            "lop_days": 0.5,
            "od_days": 1.0,
            "holidays": 1.0,
            "week_offs": 6.0,
            "working_days": 24.0,
            "extra_days": 1.0,
            "ot_hours": 7.5,
            "late_count": 3.0,
            "late_minutes": 44.0,
            "early_out_count": 2.0,
            "early_out_minutes": 31.0,
            "attendance_rate": 87.5,
        }
        assert notes == []

    def test_go_on_over_months_and_count_no_day_that_is_not_over(self, office: Office) -> None:
        office.register(JANUARY)
        office.register(FEBRUARY, month="2026-02", as_of="2026-02-15")
        # 30 and 31 January, 1 to 10 February present, 11 to 15 absent; the rest is to come
        values, notes = measure(office, "2026-01-30", "2026-02-15")
        assert (values["present_days"], values["absent_days"], values["working_days"]) == (12.0, 5.0, 17.0)
        assert notes == []

    def test_with_packed_values_are_looked_up_day_by_day(self, office: Office) -> None:
        # late on the 1st (5 minutes), the 14th (9) and the 31st (30); overtime on the 14th and 15th; an extra half day
        office.register(
            JANUARY,
            day_late=[5, 130009, 300030],
            late_count=3,
            late_minutes=44,
            day_ot=[130150, 140250],
            ot_hours=4,
            day_extra=[140050],
            extra_days=Decimal("0.5"),
            day_early_out=[130007],
            early_out_count=1,
            early_out_minutes=7,
        )
        names = {"late_count", "late_minutes", "ot_hours", "extra_days", "early_out_count", "early_out_minutes"}
        cut = lambda first, last: {  # noqa: E731 - one line, used below
            name: value for name, value in measure(office, first, last)[0].items() if name in names
        }
        assert cut("2026-01-01", "2026-01-13") == {"late_count": 1.0, "late_minutes": 5.0}
        assert cut("2026-01-14", "2026-01-30") == {
            "late_count": 1.0,
            "late_minutes": 9.0,
            "ot_hours": 4.0,
            "extra_days": 0.5,
            "early_out_count": 1.0,
            "early_out_minutes": 7.0,
        }
        assert cut("2026-01-15", "2026-01-31") == {
            "late_count": 1.0,
            "late_minutes": 30.0,
            "ot_hours": 2.5,
            "extra_days": 0.5,
        }

    def test_that_the_register_does_not_know_count_as_nothing_and_are_told(self, office: Office) -> None:
        office.register(JANUARY)
        values, [note] = measure(office, "2026-01-31", "2026-02-10")
        assert (values["present_days"], values["working_days"]) == (1.0, 1.0)
        assert note.startswith("the pay register of 10 of 11 days was never computed; they count as nothing")

    def test_outside_the_employment_are_no_working_days(self, office: Office) -> None:
        sql(
            office.cast,
            "update employments set joined_on = '2026-01-20', left_on = '2026-01-29' where user_id = :id",
            id=office.rahim_id,
        )
        office.register("--" * 19 + "PP" * 9 + "AA" + "--" * 2)
        values, notes = measure(office, "2026-01-01", "2026-01-31")
        assert (values["working_days"], values["attendance_rate"], notes) == (10.0, 90.0, [])

    def test_of_nobody_employed_are_none_and_the_rate_has_no_value(self, office: Office) -> None:
        seller = row(office.cast, "users", {"name": "Seller"})
        span = EmployeeSpan(str(seller), date(2026, 1, 1), date(2026, 1, 31))
        with job_scope(office.cast.id, name="test", now=datetime(2026, 3, 1, tzinfo=UTC), origin=Origin("-")) as scope:
            measured = measurement.measure(scope, spans=[span], metrics=METRICS)[span]
        assert (measured.values["attendance_rate"], measured.values["present_days"], measured.notes) == (None, 0, [])

    def test_come_from_the_register_as_it_is_really_computed(self) -> None:
        office = open_office(cycle_start_day=26)  # the period January ends on the 25th
        rows = [{"employee_no": "E-2", "date": f"2026-01-{day:02}", "status": "present"} for day in (25, 26, 27, 28)]
        rows[2] |= {"status": "half_day"}
        with at("2026-01-31T12:00:00+06:00"):
            office.cast.hr.ok("POST", "/attendance/import", {"rows": rows})
            office.cast.hr.ok("POST", "/pay-register/2026-01/sync", {"user_ids": [str(office.rahim_id)]})
            office.cast.hr.ok("POST", "/pay-register/2026-02/sync", {"user_ids": [str(office.rahim_id)]})
        # 25 (Sunday) to 30 January; the 30th is a Friday
        values, notes = measure(office, "2026-01-25", "2026-01-30")
        assert values == {
            "present_days": 3.5,
            "absent_days": 1.5,
            "week_offs": 1.0,
            "working_days": 5.0,
            "attendance_rate": 70.0,
        }
        assert notes == []

    def test_of_a_stranger_are_none(self, office: Office, zenith: Cast) -> None:
        office.register(JANUARY)
        assert measure(office, "2026-01-01", "2026-01-31", cast=zenith)[0] == {}


class TestSales:
    def sell(self, office: Office, at_: str, earning: str = "40.00", *status: str, **overrides: Any) -> None:
        sale = row(
            office.cast,
            "sales",
            {
                "user_id": office.rahim_id,
                "earning": Decimal(earning),
                "currency": "BDT",
                "occurred_at": at_,
                "created_by": "test",
                "created_at": at_,
                **overrides,
            },
        )
        for revision, one in enumerate(status, start=1):
            row(
                office.cast,
                "sale_decisions",
                {
                    "sale_id": sale,
                    "revision": revision,
                    "status": one,
                    "reason": "x",
                    "decided_by": "test",
                    "decided_at": at_,
                },
                returning="revision",
            )

    def test_count_once_they_are_approved_on_their_day_in_the_tenants_zone(self, office: Office) -> None:
        self.sell(office, "2025-12-31T23:59:59+06:00", "1.00", "approved")
        self.sell(office, "2026-01-01T00:00:00+06:00", "10.00", "approved")
        self.sell(office, "2026-01-31T23:59:59+06:00", "20.50", "approved")
        self.sell(office, "2026-02-01T00:00:00+06:00", "2.00", "approved")
        self.sell(office, "2026-01-10T12:00:00+06:00", "4.00")
        self.sell(office, "2026-01-10T12:00:00+06:00", "8.00", "declined")
        self.sell(office, "2026-01-10T12:00:00+06:00", "16.00", "approved", "declined")
        self.sell(office, "2026-01-10T12:00:00+06:00", "32.00", "declined", "approved")
        values, _ = measure(office, "2026-01-01", "2026-01-31")
        assert (values["sales_value"], values["sales_count"]) == (62.5, 3.0)

    def test_in_other_currencies_are_told_and_left_out(self, office: Office) -> None:
        day = "2026-01-10T12:00:00+06:00"
        self.sell(office, day, "40.00", "approved")
        for earning in ("3.00", "4.50"):
            self.sell(office, day, earning, "approved", currency="USD")
        values, notes = measure(office, "2026-01-01", "2026-01-31", {"sales_value", "sales_count"})
        assert (values["sales_value"], values["sales_count"]) == (40.0, 3.0)
        assert notes == ["sales_value is in BDT; sales of 7.50 USD are left out"]
        assert measure(office, "2026-01-01", "2026-01-31", {"sales_count"})[1] == []


class TestLaw:
    """Any cut of any months is what counting its days one by one comes to."""

    CODES = "PALUOHW-"

    @pytest.fixture(scope="class", name="acme")
    def _acme(self, database: object) -> Office:
        return open_office()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        halves=st.lists(st.sampled_from(CODES), min_size=2 * 59, max_size=2 * 59),
        first=st.integers(0, 58),
        length=st.integers(0, 58),
        late=st.lists(st.integers(0, 30), unique=True, max_size=8),
    )
    def test_of_cycles(self, acme: Office, halves: list[str], first: int, length: int, late: list[int]) -> None:
        sql(acme.cast, "delete from pay_registers")
        text = "".join(halves)
        acme.register(text[:62], late_count=len(late), day_late=[10000 * day + 7 for day in sorted(late)])
        acme.register(text[62:], month="2026-02")
        last = min(first + length, 58)
        start = date(2026, 1, 1)
        values, _ = measure(
            acme, str(start + timedelta(days=first)), str(start + timedelta(days=last)), METRICS - {"sales_value"}
        )
        inside = text[2 * first : 2 * last + 2]
        days = lambda codes: sum(half in codes for half in inside) / 2  # noqa: E731 - one line, used below
        model = {
            "present_days": days("PO"),
            "od_days": days("O"),
            "absent_days": days("A"),
            "paid_leave_days": days("L"),
            "lop_days": days("U"),
            "leave_days": days("LU"),
            "holidays": days("H"),
            "week_offs": days("W"),
            "working_days": days("PALUO"),
            "late_count": float(sum(first <= day <= last for day in late)),
        }
        model["late_minutes"] = 7.0 * model["late_count"] if not (first == 0 and last >= 30) else 0.0
        if model["working_days"]:
            model["attendance_rate"] = round(100 * model["present_days"] / model["working_days"], 10)
        assert values == pytest.approx({name: value for name, value in model.items() if value})


class TestMany:
    def test_are_measured_in_one_statement_each_over_their_own_days(self, office: Office) -> None:
        karim = employee(office.cast, employee_no="E-3", name="Karim")
        office.register(JANUARY)
        office.register("AA" * 31, of=karim)
        spans = [
            EmployeeSpan(str(who), date(2026, 1, first), date(2026, 1, last))
            for who in (office.rahim_id, karim)
            for first, last in ((1, 5), (4, 5))
        ]
        with job_scope(office.cast.id, name="test", now=datetime(2026, 3, 1, tzinfo=UTC), origin=Origin("-")) as scope:
            measured = measurement.measure(scope, spans=reversed(spans), metrics={"present_days", "absent_days"})
        assert [
            (float(measured[span].values["present_days"] or 0), float(measured[span].values["absent_days"] or 0))
            for span in spans
        ] == [(2.5, 0.5), (1.5, 0.5), (0, 5), (0, 2)]
