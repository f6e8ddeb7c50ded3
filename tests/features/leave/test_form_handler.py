"""Leave asked for with a form: submitting asks, deciding the submission decides the leave."""

from typing import Any

import pytest

from tests.features.leave.conftest import Office, day
from tests.support.api import Reply
from tests.support.people import sql

pytestmark = pytest.mark.usefixtures("database")

TYPE = {
    "field_name": "leave_type",
    "field_label": "Leave Type",
    "field_type": "dropdown",
    "is_required": True,
    "options": [{"label": "Annual Leave", "value": "annual"}, {"label": "Sick", "value": "sick"}],
}
START = {"field_name": "start_date", "field_label": "Start Date", "field_type": "date", "is_required": True}
END = {"field_name": "end_date", "field_label": "End Date", "field_type": "date"}
HALF = {
    "field_name": "end_half",
    "field_label": "Until",
    "field_type": "dropdown",
    "options": [{"label": "Noon", "value": "First"}, {"label": "Evening", "value": "second"}],
}
REASON = {"field_name": "reason", "field_label": "Reason", "field_type": "textarea"}


def form(office: Office, *fields: dict[str, Any]) -> Reply:
    body = {
        "name": "Leave Request Form",
        "form_type": "leave_request",
        "fields": list(fields or (TYPE, START, END, HALF, REASON)),
    }
    return office.cast.hr.post("/forms", body)


def submit(office: Office, form_id: str, **data: Any) -> Reply:
    said = {"leave_type": "annual", "start_date": "2026-01-05", **data}
    return office.rahim.post(f"/forms/{form_id}/submit", {"submission_data": said, "attachments": []})


@pytest.fixture(name="form_id")
def _form_id(office: Office) -> str:
    office.allocate(3, of="Annual Leave")
    return str(form(office).json["id"])


class TestDefinition:
    def test_takes_the_fields_that_leave_needs(self, office: Office) -> None:
        assert form(office).status == 201

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ((START,), "needs the field leave_type (dropdown, required)"),
            ((TYPE,), "needs the field start_date (date, required)"),
            ((TYPE, {**START, "is_required": False}), "needs the field start_date (date, required)"),
            ((TYPE, {**START, "field_type": "text"}), "start_date of a leave request is a date, not a text"),
            ((TYPE, START, {**END, "field_type": "number"}), "end_date of a leave request is a date, not a number"),
        ],
    )
    def test_refuses_what_leave_cannot_do_with(
        self, office: Office, fields: tuple[dict[str, Any], ...], said: str
    ) -> None:
        reply = form(office, *fields)
        assert (reply.status, said in reply.json["detail"]) == (422, True)


class TestSubmit:
    def test_asks_for_the_leave(self, office: Office, form_id: str) -> None:
        made = submit(office, form_id, end_date="2026-01-07", end_half="First", reason="Vacation").json
        [found] = office.rahim.ok("GET", "/leave-requests")["items"]
        assert {name: found[name] for name in ("start_date", "end_date", "end_half", "days", "reason", "status")} == {
            "start_date": "2026-01-05",
            "end_date": "2026-01-07",
            "end_half": "first",
            "days": 2.5,
            "reason": "Vacation",
            "status": "pending",
        }
        assert found["submission_id"] == made["id"]
        assert office.balances() == [{"allocated": 3.0, "pending": 2.5, "remaining": 0.5}]
        assert office.told(office.boss_id) == ["leave_requested"]

    def test_is_for_one_day_if_no_other_is_said(self, office: Office, form_id: str) -> None:
        assert submit(office, form_id).status == 201
        assert office.balances() == [{"allocated": 3.0, "pending": 1.0, "remaining": 2.0}]

    @pytest.mark.parametrize("as_", ["id", "name", "NAME"])
    def test_knows_a_leave_type_by_id_or_by_name(self, office: Office, as_: str) -> None:
        office.allocate(3, of="Annual Leave")
        value = {"id": office.types["Annual Leave"], "name": "Annual Leave", "NAME": "ANNUAL LEAVE"}[as_]
        made = form(office, {**TYPE, "options": [{"label": "My days", "value": value}]}, START).json
        assert submit(office, made["id"], leave_type=value).status == 201

    @pytest.mark.parametrize(
        ("data", "pointer", "said"),
        [
            ({"leave_type": "sick"}, "/submission_data/leave_type", '"sick" is no leave type'),
            ({"end_date": "2026-01-04"}, "/submission_data/end_date", "is before start_date"),
            ({"start_date": "2026-01-09"}, "/submission_data/start_date", "there is no working day"),
            ({"start_date": "1999-01-09"}, "/submission_data/start_date", "The leave cannot be asked for"),
        ],
    )
    def test_says_in_the_form_s_words_what_is_wrong(
        self, office: Office, form_id: str, data: dict[str, str], pointer: str, said: str
    ) -> None:
        reply = submit(office, form_id, **data)
        assert (reply.status, reply.json["errors"][0]["pointer"], said in reply.json["detail"]) == (422, pointer, True)
        assert sql(office.cast, "select * from form_submissions") == []

    def test_leaves_nothing_behind_where_too_few_days_are_left(self, office: Office, form_id: str) -> None:
        reply = submit(office, form_id, end_date="2026-01-08")
        assert (reply.status, reply.json["type"]) == (409, "urn:wagebook:problem:balance-too-low")
        assert sql(office.cast, "select * from form_submissions") == []


class TestDecide:
    def test_is_the_same_as_deciding_the_leave(self, office: Office, form_id: str) -> None:
        made = submit(office, form_id).json
        said = {"status": "approved", "notes": "Approved by HR Manager"}
        assert office.boss.ok("PATCH", f"/forms/submissions/{made['id']}", said)["status"] == "approved"
        [found] = office.rahim.ok("GET", "/leave-requests")["items"]
        assert (found["status"], found["notes"]) == ("approved", "Approved by HR Manager")
        assert found["decided_by"] == str(office.boss_id)
        assert office.balances() == [{"allocated": 3.0, "used": 1.0, "remaining": 2.0}]
        assert day("2026-01", office.register(), "2026-01-05") == "LL"
        assert office.told(office.rahim_id) == ["leave_approved"]

    def test_gives_the_days_back_where_it_is_rejected(self, office: Office, form_id: str) -> None:
        made = submit(office, form_id).json
        office.boss.ok("PATCH", f"/forms/submissions/{made['id']}", {"status": "rejected"})
        assert office.balances() == [{"allocated": 3.0, "remaining": 3.0}]
        assert office.told(office.rahim_id) == ["leave_rejected"]

    def test_is_left_to_the_submission(self, office: Office, form_id: str) -> None:
        made = submit(office, form_id).json
        [found] = office.rahim.ok("GET", "/leave-requests")["items"]
        for status in ("approved", "rejected"):
            reply = office.boss.patch(f"/leave-requests/{found['id']}", {"status": status})
            assert (reply.status, f"PATCH /forms/submissions/{made['id']}" in reply.json["detail"]) == (409, True)
        assert office.balances() == [{"allocated": 3.0, "pending": 1.0, "remaining": 2.0}]

    def test_of_leave_that_was_cancelled_can_only_be_a_rejection(self, office: Office, form_id: str) -> None:
        made = submit(office, form_id).json
        [found] = office.rahim.ok("GET", "/leave-requests")["items"]
        office.decide(found, "cancelled", by=office.rahim)
        path = f"/forms/submissions/{made['id']}"
        assert office.boss.patch(path, {"status": "approved"}).status == 409
        assert office.boss.ok("PATCH", path, {"status": "rejected"})["status"] == "rejected"
        assert office.balances() == [{"allocated": 3.0, "remaining": 3.0}]

    def test_may_be_cancelled_and_shortened_afterwards_by_itself(self, office: Office, form_id: str) -> None:
        made = submit(office, form_id, end_date="2026-01-06").json
        office.boss.ok("PATCH", f"/forms/submissions/{made['id']}", {"status": "approved"})
        [found] = office.rahim.ok("GET", "/leave-requests")["items"]
        office.boss.ok("PATCH", f"/leave-requests/{found['id']}", {"end_date": "2026-01-05"})
        assert office.balances() == [{"allocated": 3.0, "used": 1.0, "remaining": 2.0}]
        office.decide(found, "cancelled")
        assert office.balances() == [{"allocated": 3.0, "remaining": 3.0}]
