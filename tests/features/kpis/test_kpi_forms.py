"""Appraisals: an approved submission enters the values of KPIs that are entered by hand."""

from typing import Any

import pytest

from chalicelib.identity.permissions import Role
from tests.features.kpis.conftest import Office
from tests.support.api import Reply
from tests.support.cast import Cast, key
from tests.support.people import employee, sql
from tests.support.stack import at

pytestmark = pytest.mark.usefixtures("database")

RATING = {"field_name": "kpi_rating", "field_label": "Rating", "field_type": "number"}
PERSON = {"field_name": "employee_no", "field_label": "Who", "field_type": "text"}
WORDS = {"field_name": "comment", "field_label": "Comment", "field_type": "textarea"}
DAY = "2026-01-20T12:00:00+06:00"


def form(office: Office, *fields: dict[str, Any], **overrides: Any) -> Reply:
    body = {"name": "Review", "form_type": "appraisal", "fields": list(fields), **overrides}
    return office.cast.hr.post("/forms", body)


def submit(office: Office, form_id: str, by: Any = None, **data: Any) -> Reply:
    with at(DAY):
        body = {"submission_data": data, "attachments": []}
        reply: Reply = (by or office.rahim).post(f"/forms/{form_id}/submit", body)
    return reply


def decide(office: Office, submission: Reply, status: str = "approved", by: Any = None) -> Reply:
    assert submission.status == 201, submission.text
    path = f"/forms/submissions/{submission.json['id']}"
    reply: Reply = (by or office.boss).patch(path, {"status": status, "notes": "As agreed"})
    return reply


@pytest.fixture(name="rating")
def _rating(office: Office) -> dict[str, Any]:
    return office.define("Rating", metric_type="rating", target=5)


@pytest.fixture(name="form_id")
def _form_id(office: Office, rating: dict[str, Any]) -> str:
    return str(form(office, RATING, PERSON, WORDS).json["id"])


class TestDefinition:
    def test_takes_fields_that_fit_their_kpis_and_any_others(self, office: Office, rating: object) -> None:
        office.define("Certified", metric_type="boolean", target=None)
        office.define("Behaviour", metric_type="text", target=None)
        dropdown = {
            "field_name": "kpi_rating",
            "field_label": "Rating",
            "field_type": "dropdown",
            "options": [{"label": "Good", "value": "4"}, {"label": "Bad", "value": "1.5"}],
        }
        certified = {"field_name": "kpi_certified", "field_label": "?", "field_type": "checkbox"}
        behaviour = {"field_name": "kpi_behaviour", "field_label": "?", "field_type": "textarea"}
        assert form(office, dropdown, certified, behaviour, WORDS).status == 201
        assert form(office, WORDS, name="Other").status == 201

    @pytest.mark.parametrize(
        ("field", "detail"),
        [
            ({"field_name": "kpi_height"}, "the field kpi_height names a KPI, and there is none with the code height"),
            ({"field_type": "text"}, "the field kpi_rating enters Rating, and is a dropdown or number then"),
            ({"field_name": "kpi_late_count"}, "would enter late_count, which is calculated"),
            ({"field_type": "dropdown", "options": [{"label": "Best", "value": "6"}]}, "has an option 6"),
            ({"field_type": "dropdown", "options": [{"label": "Best", "value": "best"}]}, "has an option best"),
        ],
    )
    def test_refuses_a_field_that_could_enter_nothing(
        self, office: Office, rating: object, field: dict[str, Any], detail: str
    ) -> None:
        office.metric("late_count")
        reply = form(office, {**RATING, **field})
        assert (reply.status, detail in reply.json["detail"]) == (422, True), reply.text


class TestSubmit:
    @pytest.mark.parametrize(
        ("data", "pointer"),
        [({"kpi_rating": 7}, "/submission_data/kpi_rating"),
         ({"kpi_rating": 3, "employee_no": "E-99"}, "/submission_data/employee_no")],
    )  # fmt: skip
    def test_refuses_what_could_not_be_entered(
        self, office: Office, form_id: str, data: dict[str, Any], pointer: str
    ) -> None:
        reply = submit(office, form_id, **data)
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer)

    def test_enters_nothing_yet(self, office: Office, rating: dict[str, Any], form_id: str) -> None:
        assigned = office.assign(rating)
        assert submit(office, form_id, kpi_rating=4).status == 201
        assert office.come_out(assigned) == (None, None, None)


class TestDecide:
    def test_approving_enters_the_value_of_whoever_submitted(
        self, office: Office, rating: dict[str, Any], form_id: str
    ) -> None:
        assigned = office.assign(rating)
        submission = submit(office, form_id, kpi_rating=4)
        assert decide(office, submission).status == 200
        assert office.come_out(assigned) == (4.0, 80.0, 16.0)
        entered = office.score(assigned)["entered"]
        assert (entered["submission_id"], entered["note"]) == (submission.json["id"], "As agreed")
        assert "kpi_score.entered" in office.audited()
        notifications = sql(office.cast, "select user_id, kind from notification_logs where channel = 'in_app'")
        assert [tuple(one) for one in notifications] == [(office.rahim_id, "form_decided")]

    def test_rejecting_enters_nothing(self, office: Office, rating: dict[str, Any], form_id: str) -> None:
        assigned = office.assign(rating)
        assert decide(office, submit(office, form_id, kpi_rating=4), "rejected").status == 200
        assert office.come_out(assigned) == (None, None, None)

    def test_enters_the_value_of_whom_it_is_about(self, office: Office, rating: dict[str, Any], form_id: str) -> None:
        assigned = office.assign(rating)
        submission = submit(office, form_id, by=office.boss, kpi_rating=4.5, employee_no="E-2")
        assert decide(office, submission, by=office.cast.hr).status == 200
        assert office.come_out(assigned) == (4.5, 90.0, 18.0)

    def test_needs_a_cycle_that_holds_the_day_of_submission_and_says_which(
        self, office: Office, rating: dict[str, Any], form_id: str
    ) -> None:
        office.assign(rating, cycle_start="2026-01-21", cycle_end="2026-02-20")
        submission = submit(office, form_id, kpi_rating=4)
        refused = decide(office, submission)
        assert (refused.status, "no Rating in a cycle that holds 2026-01-20" in refused.json["detail"]) == (409, True)
        assigned = office.assign(rating, cycle_start="2026-01-20", cycle_end="2026-01-20")
        assert decide(office, submission).status == 200
        assert office.come_out(assigned)[0] == 4.0

    def test_is_not_for_whom_it_is_about_nor_for_a_stranger_to_them(
        self, office: Office, rating: dict[str, Any], form_id: str
    ) -> None:
        assigned = office.assign(rating)
        # Rahim's own, by HR that acts for him: he submitted it
        assert (
            decide(
                office, submit(office, form_id, kpi_rating=5), by=key(office.cast.id, Role.HR, office.rahim_id)
            ).status
            == 403
        )
        # about Rahim, submitted by somebody else, and decided by Rahim as HR
        about = submit(office, form_id, by=office.boss, kpi_rating=5, employee_no="E-2")
        assert decide(office, about, by=key(office.cast.id, Role.HR, office.rahim_id)).status == 403
        # about Rahim, submitted by a person of another manager, and decided by that one
        lead = employee(office.cast, name="Lead", employee_no="E-8")
        friend = employee(office.cast, name="Friend", employee_no="E-9", manager_id=lead)
        of_friend = submit(
            office, form_id, by=key(office.cast.id, Role.EMPLOYEE, friend), kpi_rating=5, employee_no="E-2"
        )
        refused = decide(office, of_friend, by=key(office.cast.id, Role.MANAGER, lead))
        assert (refused.status, refused.json["detail"]) == (
            403,
            "This appraisal is about somebody whom you do not score.",
        )
        assert office.come_out(assigned) == (None, None, None)

    def test_leaves_forms_without_a_kpi_as_they_were(self, office: Office) -> None:
        created = form(office, WORDS).json
        assert decide(office, submit(office, created["id"], comment="Fine")).status == 200

    def test_takes_no_kpi_of_a_stranger(self, office: Office, zenith: Cast, rating: object) -> None:
        reply = zenith.hr.post("/forms", {"name": "Review", "form_type": "appraisal", "fields": [RATING]})
        assert (reply.status, "there is none with the code rating" in reply.json["detail"]) == (422, True)
