"""Teams come from a current employment, requests go up past managers who left, and a login outlives its employment."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from chalicelib.backing import clock
from chalicelib.identity.permissions import Role
from tests.identity.conftest import Issuer, bearing
from tests.support.api import Api
from tests.support.cast import Cast, key
from tests.support.people import employee, row, sql

NOW = datetime(2026, 1, 7, 6, tzinfo=UTC)
PAY_OF_ONES_OWN = (
    "balances.read",
    "payslips.read",
    "payouts.read",
    "adjustments.read",
    "sales.read",
    "destinations.read",
    "salaries.read",
)


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


class Company:
    """A director above a manager above Rahim, each with a key; HR is a member who is an employee too."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.director = employee(cast, name="Director", employee_no="D-1")
        self.manager = employee(cast, name="Manager", employee_no="M-1", manager_id=self.director)
        self.rahim = employee(cast, name="Rahim", employee_no="R-1", manager_id=self.manager)
        self.officer = employee(cast, name="Officer", employee_no="O-1")
        row(cast, "members", {"email": "hr@acme.example", "role": "hr", "user_id": self.officer})
        self.as_director = key(cast.id, Role.MANAGER, self.director)
        self.as_manager = key(cast.id, Role.MANAGER, self.manager)
        self.as_rahim = key(cast.id, Role.EMPLOYEE, self.rahim)

    def leave(self, user_id: UUID, on: str) -> None:
        sql(
            self.cast, "update employments set left_on = :on where user_id = :id", on=date.fromisoformat(on), id=user_id
        )

    def names(self, api: Api, query: str = "") -> list[str]:
        return [item["name"] for item in api.ok("GET", f"/users{query}")["items"]]

    def asked_of(self) -> list[UUID]:
        """Return who is notified of a request of Rahim's."""
        kind = self.cast.hr.ok("POST", "/leave-types", {"name": f"Casual {datetime.now(UTC).timestamp()}"})["id"]
        self.cast.hr.ok(
            "POST",
            "/leave-allocations",
            {"user_id": str(self.rahim), "leave_type_id": kind, "cycle_start_date": "2026-01-01", "allocated_days": 5},
        )
        request_id = self.as_rahim.ok(
            "POST", "/leave-requests", {"leave_type_id": kind, "start_date": "2026-01-12", "end_date": "2026-01-12"}
        )["id"]
        rows = sql(self.cast, "select distinct user_id from notification_logs where entity_id = :id", id=request_id)
        self.as_rahim.ok("PATCH", f"/leave-requests/{request_id}", {"status": "cancelled"})
        return [one.user_id for one in rows]


@pytest.fixture(name="company")
def _company(acme: Cast) -> Company:
    return Company(acme)


class TestTeam:
    def test_is_everybody_under_a_manager(self, company: Company) -> None:
        assert company.names(company.as_manager) == ["Manager", "Rahim"]
        assert company.names(company.as_director) == ["Director", "Manager", "Rahim"]

    def test_of_a_manager_who_left_passes_to_who_is_above(self, company: Company) -> None:
        company.leave(company.manager, "2026-01-06")
        assert company.as_manager.get("/users").status == 401  # their key ended
        assert company.names(company.as_director) == ["Director", "Manager", "Rahim"]

    def test_lasts_through_the_last_day(self, company: Company) -> None:
        company.leave(company.manager, "2026-01-07")
        assert company.names(company.as_manager) == ["Manager", "Rahim"]

    def test_of_a_manager_who_has_not_joined_yet_is_only_themselves(self, company: Company) -> None:
        sql(company.cast, "update employments set joined_on = '2026-01-08' where user_id = :id", id=company.manager)
        assert company.names(company.as_manager) == ["Manager"]

    def test_of_a_circle_ends(self, company: Company) -> None:
        sql(
            company.cast,
            "update employments set manager_id = :rahim where user_id = :director",
            rahim=company.rahim,
            director=company.director,
        )
        assert sorted(company.names(company.as_manager)) == ["Director", "Manager", "Rahim"]
        for one in (company.manager, company.director):
            company.leave(one, "2026-01-06")
        assert company.asked_of() == [company.officer]


class TestRequests:
    def test_go_to_the_manager(self, company: Company) -> None:
        assert company.asked_of() == [company.manager]

    def test_go_up_one_level_when_the_manager_left(self, company: Company) -> None:
        company.leave(company.manager, "2026-01-06")
        assert company.asked_of() == [company.director]

    def test_go_to_hr_at_last_and_to_admins_where_there_is_none(self, company: Company) -> None:
        company.leave(company.manager, "2026-01-06")
        company.leave(company.director, "2026-01-06")
        assert company.asked_of() == [company.officer]
        sql(company.cast, "update members set role = 'tenant_admin'")
        assert company.asked_of() == [company.officer]
        company.leave(company.officer, "2026-01-06")
        assert company.asked_of() == []

    def test_are_decided_by_who_is_above_and_no_longer_by_who_left(self, company: Company) -> None:
        body = {"start_date": "2026-01-05", "end_date": "2026-01-05"}
        request_id = company.as_rahim.ok("POST", "/on-duty", body)["id"]
        company.leave(company.manager, "2026-01-06")
        assert company.as_manager.patch(f"/on-duty/{request_id}", {"status": "approved"}).status == 401
        assert company.as_director.patch(f"/on-duty/{request_id}", {"status": "approved"}).status == 200


class TestWithoutManager:
    def test_lists_whose_manager_has_left(self, company: Company) -> None:
        assert company.names(company.cast.hr, "?without_manager=true") == []
        company.leave(company.manager, "2026-01-06")
        assert company.names(company.cast.hr, "?without_manager=true") == ["Rahim"]
        assert company.names(company.as_director, "?without_manager=true") == ["Rahim"]
        assert "Rahim" not in company.names(company.cast.hr, "?without_manager=false")
        company.leave(company.rahim, "2026-01-06")
        assert company.names(company.cast.hr, "?without_manager=true") == []


class TestOneself:
    def test_includes_an_employees_reads_for_every_role(self, company: Company) -> None:
        granted = company.as_manager.ok("GET", "/me")["permissions"]
        assert {name: granted.get(name) for name in PAY_OF_ONES_OWN} == dict.fromkeys(PAY_OF_ONES_OWN, "self")

    def test_shows_managers_their_own_pay_only(self, company: Company) -> None:
        for who in (company.manager, company.rahim):
            row(
                company.cast,
                "salaries",
                {
                    "user_id": who,
                    "amount": 15000,
                    "currency": "BDT",
                    "frequency": "monthly",
                    "effective_from": date(2025, 1, 1),
                },
                returning="user_id",
            )
        mine, other = company.manager, company.rahim
        for path in ("salaries", "balance", "statement", "payout-destination"):
            reply = company.as_manager.get(f"/users/{mine}/{path}")
            assert reply.status == (404 if path == "payout-destination" else 200), path
            assert company.as_manager.get(f"/users/{other}/{path}").status == 404, path
        salaries = {item["name"]: item["salary"] for item in company.as_manager.ok("GET", "/users")["items"]}
        assert salaries["Manager"]["amount"] == "15000"
        assert salaries["Rahim"] is None


class TestAfterTheExit:
    @pytest.fixture(name="login")
    def _login(self, company: Company, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Api:
        monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, 7, 6, tzinfo=UTC))
        company.cast.admin.ok(
            "POST", "/members", {"email": "rahim@acme.example", "role": "manager", "user_id": str(company.rahim)}
        )
        return bearing(issuer.token())

    def test_a_login_reads_its_own_data_and_changes_nothing(self, company: Company, login: Api) -> None:
        assert login.get(f"/users/{company.rahim}/statement").status == 200
        company.leave(company.rahim, "2026-01-06")
        for path in ("", "/statement", "/balance", "/salaries"):
            assert login.get(f"/users/{company.rahim}{path}").status == 200, path
        me = login.ok("GET", "/me")
        assert me["role"] == "employee"
        assert set(me["permissions"].values()) <= {"self", "all"}
        assert {name for name, reach in me["permissions"].items() if reach == "all"} == {"me.read", "tenant.read"}
        assert all(name.endswith(".read") for name in me["permissions"])
        assert login.post(f"/users/{company.rahim}/checkin").status == 403
        assert login.post("/on-duty", {"start_date": "2026-01-05", "end_date": "2026-01-05"}).status == 403
        assert login.get("/branches").status == 403

    def test_keys_of_the_person_and_made_by_them_end(self, company: Company, issuer: Issuer) -> None:
        company.cast.admin.ok(
            "POST", "/members", {"email": "rahim@acme.example", "role": "tenant_admin", "user_id": str(company.rahim)}
        )
        key = bearing(issuer.token()).ok("POST", "/api-keys", {"name": "till", "role": "hr"})
        assert (company.as_rahim.get("/me").status, Api(key["key"]).get("/me").status) == (200, 200)
        company.leave(company.rahim, "2026-01-06")
        for ended in (company.as_rahim, Api(key["key"])):
            reply = ended.get("/me")
            assert (reply.status, "left" in reply.json["detail"]) == (401, True)
        assert company.as_manager.get("/me").status == 200

    def test_the_last_admin_cannot_leave(self, company: Company) -> None:
        cast = company.cast
        boss = cast.admin.ok(
            "POST", "/members", {"email": "boss@acme.example", "role": "tenant_admin", "user_id": str(company.director)}
        )
        job = {"employee_no": "D-1", "joined_on": "2025-01-01"}
        reply = cast.hr.put(f"/users/{company.director}/employment", {**job, "left_on": "2026-01-31"})
        assert (reply.status, "last admin" in reply.json["detail"]) == (409, True)
        cast.admin.ok("POST", "/members", {"email": "other@acme.example", "role": "tenant_admin"})
        cast.hr.ok("PUT", f"/users/{company.director}/employment", {**job, "left_on": "2026-01-06"})
        other = sql(cast, "select id from members where email = 'other@acme.example'")[0].id
        demoted = cast.admin.patch(f"/members/{other}", {"role": "hr"})
        assert demoted.status == 409  # the one who left is no admin any more
        assert cast.admin.patch(f"/members/{boss['id']}", {"status": "disabled"}).status == 200
