"""Moments and dates near the ends of time, and numbers that are none: refused with their place, never a 500."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from chalicelib.backing import clock
from tests.support.cast import Cast, tenant
from tests.support.people import branch, employee, shift

pytestmark = pytest.mark.usefixtures("database")

MOMENTS = ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "9999-12-31T00:00:00+14:00", "0001-01-01T00:00:00Z",
           "0001-01-01T00:00:00+14:00", "2101-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
           "10000-01-01T00:00:00Z", "2026-01-05T09:00:00+99:99")  # fmt: skip
DATES = ("9999-12-31", "0001-01-01", "2101-01-01", "1999-12-31", "0000-01-01", "10000-01-01", "2026-02-30")
CSV = {"headers": {"content-type": "text/csv"}}


@pytest.fixture(name="acme", scope="module")
def _acme(database: object) -> Cast:
    return tenant("Acme")


@pytest.fixture(autouse=True, scope="module")
def _frozen() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: datetime(2026, 1, 7, 6, tzinfo=UTC))
        yield


@pytest.fixture(name="guard", scope="module", params=["Pacific/Kiritimati", "Pacific/Niue"])
def _guard(acme: Cast, request: pytest.FixtureRequest) -> UUID:
    """Employ a night worker at the edge of the world's dates, since long before ours."""
    zone = request.param
    night = shift(acme, "22:00", "06:00", late=len(zone))
    return employee(
        acme,
        employee_no=zone,
        joined_on=date(1, 1, 1),
        shift_id=night,
        branch_id=branch(acme, name=zone, timezone=zone),
    )


class TestMoments:
    @pytest.mark.parametrize("at", MOMENTS)
    def test_of_punches_are_refused(self, acme: Cast, guard: UUID, at: str) -> None:
        for reply in (
            acme.hr.post(f"/users/{guard}/checkin", {"at": at}),
            acme.hr.patch(f"/users/{guard}/checkout", {"at": at}),
        ):
            assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/at")

    @pytest.mark.parametrize("at", MOMENTS)
    @pytest.mark.parametrize("column", ["check_in", "check_out"])
    def test_of_records_are_refused(self, acme: Cast, guard: UUID, column: str, at: str) -> None:
        times = {"check_in": "22:00", column: at}
        reply = acme.hr.put(f"/users/{guard}/attendance/2026-01-05", {**times, "reason": "x"})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, f"/{column}")
        row = {"user_id": str(guard), "date": "2026-01-05", **times}
        text = f"user_id,date,check_in,check_out\n{guard},2026-01-05,{times['check_in']},{times.get('check_out', '')}\n"
        for report in (
            acme.hr.ok("POST", "/attendance/import", [row]),
            acme.hr.ok("POST", "/attendance/import", text, **CSV),
        ):
            assert (report["added"], [error["column"] for error in report["errors"]]) == (0, [column])


class TestDates:
    @pytest.mark.parametrize("day", DATES)
    def test_are_refused(self, acme: Cast, guard: UUID, day: str) -> None:
        body = {"check_in": "22:00", "check_out": "06:00", "reason": "x"}
        assert acme.hr.put(f"/users/{guard}/attendance/{day}", body).status == 422
        assert acme.hr.delete(f"/users/{guard}/attendance/{day}?reason=x").status == 422
        for times in ({"check_in": "22:00", "check_out": "06:00"}, {"check_in": f"{day}T22:00:00Z"}):
            report = acme.hr.ok("POST", "/attendance/import", [{"user_id": str(guard), "date": day, **times}])
            assert (report["added"], [error["column"] for error in report["errors"]]) == (0, ["date"])
        for dates in ((day, day), (day, "2026-01-05"), ("2026-01-05", day)):
            duty = {"user_id": str(guard), "start_date": dates[0], "end_date": dates[1]}
            assert acme.hr.post("/on-duty", duty).status == 422
        assert acme.hr.post("/overtime", {"user_id": str(guard), "date": day, "hours": 1}).status == 422
        assert acme.hr.get(f"/users/{guard}/attendance?month={day[:-3]}").status == (200 if "2026" in day else 422)

    def test_of_our_first_and_last_day_are_answered(self, acme: Cast, guard: UUID) -> None:
        body = {"check_in": "00:05", "check_out": "06:00", "reason": "x"}
        assert acme.hr.put(f"/users/{guard}/attendance/2000-01-01", body).status == 200
        assert acme.hr.put(f"/users/{guard}/attendance/2100-12-31", body).status == 422  # lies in the future
        report = acme.hr.ok(
            "POST", "/attendance/import", [{"user_id": str(guard), "date": "2000-01-02", "check_in": "06:00"}]
        )
        assert report["errors"] == []


class TestMinutes:
    @pytest.mark.parametrize("minutes", ["1_000", "5_40", "٥٤٠", "1e3", "-1", "+540", "540.5", "99999", True, 540.5])
    def test_that_are_no_whole_number_are_refused(self, acme: Cast, guard: UUID, minutes: object) -> None:
        row = {"user_id": str(guard), "date": "2026-01-05", "worked_minutes": minutes}
        report = acme.hr.ok("POST", "/attendance/import", [row])
        assert (report["added"], [error["column"] for error in report["errors"]]) == (0, ["worked_minutes"])

    @pytest.mark.parametrize("minutes", [540, "540", "540.0", 540.0])
    def test_are_taken_as_sheets_write_them(self, acme: Cast, guard: UUID, minutes: object) -> None:
        row = {"user_id": str(guard), "date": "2026-01-04", "worked_minutes": minutes}
        assert acme.hr.ok("POST", "/attendance/import", [row])["errors"] == []
