"""Until when days may be used, by the rules that say so; worked by hand."""

from datetime import date

import pytest

from chalicelib.features.leave.expiry.rules import expires_on, next_cycle
from chalicelib.kernel.errors import Invalid
from tests.features.leave.expiry_cases import allocation, leave_type
from tests.support.cast import Cast, tenant
from tests.support.people import employee, sql


def last_day(formula: str, cycle_end: str) -> str:
    return str(expires_on(cycle_end=date.fromisoformat(cycle_end), expire_after_days=None, formula=formula))


class TestExpiresOn:
    def test_is_the_cycles_end_unless_said(self) -> None:
        assert expires_on(cycle_end=date(2026, 12, 31), expire_after_days=None, formula=None) == date(2026, 12, 31)
        assert expires_on(cycle_end=date(2026, 12, 31), expire_after_days=0, formula=None) == date(2026, 12, 31)

    def test_is_so_many_days_later(self) -> None:
        assert expires_on(cycle_end=date(2026, 12, 31), expire_after_days=90, formula=None) == date(2027, 3, 31)
        assert last_day("cycle_end + 90 days", "2026-12-31") == "2027-03-31"
        assert last_day("  Cycle_End+1 day ", "2028-02-28") == "2028-02-29"

    def test_is_so_many_months_later_and_ends_with_a_month_too_short(self) -> None:
        assert last_day("cycle_end + 3 months", "2026-12-31") == "2027-03-31"
        assert last_day("cycle_end + 2 months", "2026-12-31") == "2027-02-28"
        assert last_day("cycle_end + 3 months", "2027-11-30") == "2028-02-29"
        assert last_day("cycle_end + 1 month", "2026-04-30") == "2026-05-30"

    def test_is_the_first_such_day_after_the_cycles_end(self) -> None:
        assert last_day("03-31", "2026-12-31") == "2027-03-31"
        assert last_day("03-31", "2026-03-30") == "2026-03-31"
        assert last_day("03-31", "2026-03-31") == "2027-03-31"  # after it, not on it

    def test_takes_28_february_for_the_29th_where_there_is_none(self) -> None:
        assert last_day("02-29", "2026-12-31") == "2027-02-28"
        assert last_day("02-29", "2027-12-31") == "2028-02-29"
        assert last_day("02-29", "2027-02-28") == "2028-02-29"

    @pytest.mark.parametrize(
        ("formula", "said"),
        [
            ("cycle_end - 3 days", 'at character 11: expected "+", found "- 3 days"'),
            ("cycle_end + x", 'at character 13: expected a number, found "x"'),
            ("cycle_end + 3 years", 'at character 15: expected "days" or "months", found "years"'),
            ("cycle_end + 3 days, please", 'at character 19: expected nothing more, found ", please"'),
            ("cycle_end + 3661 days", "at character 13: 3661 is more than 3660 days"),
            ("cycle_end + 121 months", "at character 13: 121 is more than 120 months"),
            ("cycle_end", 'at character 10: expected "+", found the end'),
            ("year_end + 3 days", 'at character 1: expected "cycle_end" or a month and day'),
            ("13-01", "at character 1: there is no month 13"),
            ("02-30", "at character 4: month 02 has no day 30"),
            ("3-31", 'at character 1: "3-31" is not a month and day of two digits each'),
            ("03-31-2026", 'at character 6: expected nothing more, found "-2026"'),
            ("٠٣-٣١", "at character 1: "),
        ],
    )
    def test_refuses_anything_else_with_the_place_and_the_remedy(self, formula: str, said: str) -> None:
        with pytest.raises(Invalid) as refused:
            last_day(formula, "2026-12-31")
        assert refused.value.detail.startswith(said)
        assert refused.value.detail.endswith('or a month and day such as "03-31"')


class TestNextCycle:
    @pytest.mark.parametrize(
        ("cycle", "following"),
        [
            (("2026-01-01", "2026-12-31"), ("2027-01-01", "2027-12-31")),
            (("2027-07-01", "2028-06-30"), ("2028-07-01", "2029-06-30")),
            (("2026-11-01", "2026-11-30"), ("2026-12-01", "2026-12-31")),
            (("2026-02-15", "2026-05-14"), ("2026-05-15", "2026-08-14")),
            (("2026-03-01", "2026-03-10"), ("2026-03-11", "2026-03-20")),
            (("2027-01-01", "2027-12-31"), ("2028-01-01", "2028-12-31")),  # 366 days: as many months
        ],
    )
    def test_begins_the_day_after_and_is_as_long(self, cycle: tuple[str, str], following: tuple[str, str]) -> None:
        start, end = next_cycle(*map(date.fromisoformat, cycle))
        assert (str(start), str(end)) == following


@pytest.fixture(name="acme")
def _acme(database: object) -> Cast:
    return tenant("Acme")


class TestRules:
    def test_are_added_and_listed_as_they_were_said(self, acme: Cast) -> None:
        made = acme.hr.ok(
            "POST",
            "/leave-expiry-rules",
            {"name": "Quarter", "expiry_date_formula": "03-31", "auto_expire_action": "convert_to_cash"},
        )
        assert made == {
            "id": made["id"],
            "name": "Quarter",
            "description": None,
            "expire_after_days": None,
            "expiry_date_formula": "03-31",
            "notification_days": [30, 14, 7, 1],
            "auto_expire_action": "convert_to_cash",
            "is_active": True,
            "version": 1,
        }
        assert acme.hr.ok("GET", "/leave-expiry-rules")["items"] == [made]
        assert acme.hr.ok("GET", f"/leave-expiry-rules/{made['id']}") == made

    def test_warn_at_each_step_once_the_widest_first(self, acme: Cast) -> None:
        made = acme.hr.ok("POST", "/leave-expiry-rules", {"name": "A", "notification_days": [1, 30, 7, 30]})
        assert made["notification_days"] == [30, 7, 1]
        none = acme.hr.ok("POST", "/leave-expiry-rules", {"name": "B", "notification_days": []})
        assert none["notification_days"] == []

    @pytest.mark.parametrize(
        ("body", "pointer", "said"),
        [
            ({"expiry_date_formula": "cycle_end + x"}, "/expiry_date_formula", "at character 13"),
            ({"expiry_date_formula": "03-31", "expire_after_days": 9}, "/expiry_date_formula", "send null for the one"),
            ({"expire_after_days": -1}, "/expire_after_days", "greater than or equal to 0"),
            ({"notification_days": [400]}, "/notification_days/0", "less than or equal to 366"),
            ({"auto_expire_action": "burn"}, "/auto_expire_action", "delete"),
        ],
    )
    def test_that_cannot_be_are_refused_with_the_place(
        self, acme: Cast, body: dict[str, object], pointer: str, said: str
    ) -> None:
        reply = acme.hr.post("/leave-expiry-rules", {"name": "Bad", **body})
        assert reply.status == 422
        [error] = reply.json["errors"]
        assert error["pointer"] == pointer
        assert said in error["detail"]

    def test_are_not_changed_by_who_saw_another_version(self, acme: Cast) -> None:
        made = acme.hr.ok("POST", "/leave-expiry-rules", {"name": "A"})
        path = f"/leave-expiry-rules/{made['id']}"
        assert acme.hr.ok("PATCH", path, {"expire_after_days": 5}, headers={"if-match": '"1"'})["version"] == 2
        assert acme.hr.patch(path, {"expire_after_days": 6}, headers={"if-match": '"1"'}).status == 412
        assert acme.hr.ok("PATCH", path, {"expire_after_days": 5})["version"] == 2  # says nothing new

    def test_of_another_tenant_are_not_there(self, acme: Cast) -> None:
        made = acme.hr.ok("POST", "/leave-expiry-rules", {"name": "A"})
        zenith = tenant("Zenith")
        assert zenith.hr.get(f"/leave-expiry-rules/{made['id']}").status == 404
        assert zenith.hr.patch(f"/leave-expiry-rules/{made['id']}", {"name": "Mine"}).status == 404
        assert zenith.hr.ok("GET", "/leave-expiry-rules")["items"] == []


class TestChange:
    def test_moves_the_last_day_of_what_has_not_expired_yet(self, acme: Cast) -> None:
        made = acme.hr.ok("POST", "/leave-expiry-rules", {"name": "A"})
        annual, other = leave_type(acme, made["id"]), leave_type(acme, None, "Other")
        rahim = employee(acme)
        open_, gone = (
            allocation(acme, rahim, annual),
            allocation(acme, rahim, annual, begins="2024-01-01", ends="2024-12-31"),
        )
        untouched = allocation(acme, rahim, other, expires=None)
        sql(acme, "update leave_allocations set expired_at = now() where id = :id", id=gone)
        path = f"/leave-expiry-rules/{made['id']}"

        def until() -> list[str]:
            found = dict(sql(acme, "select id, cast(expires_on as text) from leave_allocations"))  # type: ignore[arg-type]
            return [found[id_] for id_ in (open_, gone, untouched)]

        acme.hr.ok("PATCH", path, {"expiry_date_formula": "cycle_end + 3 months"})
        assert until() == ["2026-04-30", "2024-12-31", None]
        acme.hr.ok("PATCH", path, {"expiry_date_formula": None, "expire_after_days": 10})
        assert until() == ["2026-02-10", "2024-12-31", None]
        acme.hr.ok("PATCH", path, {"is_active": False})
        assert until() == [None, "2024-12-31", None]
        acme.hr.ok("PATCH", path, {"is_active": True})
        assert until() == ["2026-02-10", "2024-12-31", None]
