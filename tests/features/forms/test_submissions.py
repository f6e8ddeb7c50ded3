"""Submitting forms over HTTP, drafts, review, and who sees what."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.features.forms.definitions import kinds as definition_kinds
from chalicelib.features.forms.definitions.kinds import FormType
from chalicelib.identity.permissions import Role
from chalicelib.kernel.errors import Conflict
from tests.support.api import Api
from tests.support.cast import Cast, key, tenant
from tests.support.people import employee, row, sql

pytestmark = pytest.mark.usefixtures("database")

FIELDS = [
    {"field_name": "title", "field_label": "Title", "field_type": "text", "is_required": True},
    {"field_name": "score", "field_label": "Score", "field_type": "number", "validation": {"min": 1, "max": 5}},
]
PAPER = {"field_name": "paper", "field_label": "Paper", "field_type": "file", "is_required": True}
LEAVE: dict[str, Any] = {
    "submission_data": {"leave_type": "annual", "start_date": "2026-02-01", "reason": "Vacation"},
    "attachments": [],
}
LEAVE_FIELDS = [
    {"field_name": "leave_type", "field_label": "Leave Type", "field_type": "dropdown", "is_required": True,
     "options": [{"label": "Annual Leave", "value": "annual"}]},
    {"field_name": "start_date", "field_label": "Start Date", "field_type": "date", "is_required": True},
    {"field_name": "reason", "field_label": "Reason", "field_type": "textarea"},
]  # fmt: skip
GOOD = {"submission_data": {"title": "Work", "score": 4.5}}


@dataclass
class Office:
    """One tenant at work: Rahim, his manager, a manager of others, and a form."""

    cast: Cast
    boss_id: UUID = field(init=False)
    rahim_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.boss_id = employee(self.cast, name="Boss", employee_no="E-1")
        self.rahim_id = employee(self.cast, name="Rahim", employee_no="E-2", manager_id=self.boss_id)
        self.boss = key(self.cast.id, Role.MANAGER, self.boss_id)
        self.rahim = key(self.cast.id, Role.EMPLOYEE, self.rahim_id)
        self.form_id = self.form()

    def form(self, fields: Any = FIELDS, **more: Any) -> str:
        """Make a form that nothing follows from."""
        body = {"name": f"Form {uuid4()}", "form_type": "appraisal", "fields": fields, **more}
        return self.cast.hr.ok("POST", "/forms", body)["id"]

    def submitted(self, by: Api | None = None, body: Any = None) -> dict[str, Any]:
        """Submit the form."""
        return (by or self.rahim).ok("POST", f"/forms/{self.form_id}/submit", body or GOOD)

    def file(self, form_id: str, *, user_id: UUID | None = None, field_name: str = "paper", name: str = "a.pdf") -> str:
        """Put a file there that was found clean."""
        return str(
            row(
                self.cast,
                "form_attachments",
                {
                    "form_id": form_id,
                    "user_id": user_id or self.rahim_id,
                    "field_name": field_name,
                    "file_name": name,
                    "content_type": "application/pdf",
                    "size_bytes": 5,
                    "status": "clean",
                    "sha256": "0" * 64,
                    "scanned_by": "none",
                    "checked_at": "2026-01-05T00:00:00Z",
                    "created_at": "2026-01-05T00:00:00Z",
                },
            )
        )

    def audited(self) -> list[str]:
        """Return what was done to submissions, in order."""
        rows = sql(self.cast, "select action from audit_logs where entity_type = 'form_submission' order by seq")
        return [one.action for one in rows]


@pytest.fixture(name="acme")
def _acme() -> Office:
    return Office(tenant("Acme"))


@pytest.fixture(name="zenith")
def _zenith() -> Cast:
    return tenant("Zenith")


@pytest.fixture(scope="module", name="shared")
def _shared(database: object) -> Office:
    return Office(tenant("Acme"))


@dataclass
class Spy:
    """A handler that remembers its calls, and refuses them on request."""

    calls: list[Any] = field(default_factory=list)
    refuses: bool = False

    def check_definition(self, scope: Any, *, fields: Any) -> None:
        self.calls.append(("checked", [one["field_name"] for one in fields]))

    def submitted(self, scope: Any, *, submission: Any) -> None:
        self.calls.append(("submitted", submission.user_id, submission.data, submission.status))
        self._refuse()

    def decided(self, scope: Any, *, submission: Any, to: Any, notes: Any) -> None:
        self.calls.append(("decided", submission.status, to, notes))
        self._refuse()

    def _refuse(self) -> None:
        if self.refuses:
            raise Conflict("There are no days left.")


@pytest.fixture(name="spy")
def _spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    spy = Spy()
    monkeypatch.setitem(definition_kinds._HANDLERS, FormType.LEAVE_REQUEST, spy)
    return spy


class TestSubmit:
    def test_keeps_what_was_said_with_its_version(self, acme: Office) -> None:
        submission = acme.submitted()
        assert {
            name: submission[name]
            for name in (
                "user_id",
                "form_id",
                "version_number",
                "submission_data",
                "status",
                "reviewed_at",
                "notes",
                "attachments",
                "version",
            )
        } == {
            "user_id": str(acme.rahim_id),
            "form_id": acme.form_id,
            "version_number": 1,
            "submission_data": {"title": "Work", "score": 4.5},
            "status": "submitted",
            "reviewed_at": None,
            "notes": None,
            "attachments": [],
            "version": 1,
        }
        assert submission["submitted_at"] is not None
        acme.cast.hr.ok("PATCH", f"/forms/{acme.form_id}", {"fields": FIELDS[:1]})
        seen = acme.rahim.ok("GET", f"/forms/submissions/{submission['id']}")
        assert (seen["version_number"], [one["field_name"] for one in seen["fields"]]) == (1, ["title", "score"])
        assert acme.submitted(body={"submission_data": {"title": "x"}})["version_number"] == 2
        assert acme.audited() == ["form_submission.submitted"] * 2

    def test_tells_every_wrong_value_at_once(self, acme: Office) -> None:
        reply = acme.rahim.post(f"/forms/{acme.form_id}/submit", {"submission_data": {"score": 6}})
        assert (reply.status, reply.json["errors"]) == (
            422,
            [
                {"pointer": "/submission_data/title", "detail": "is required"},
                {"pointer": "/submission_data/score", "detail": "must be at most 5"},
            ],
        )
        assert acme.rahim.ok("GET", f"/forms/{acme.form_id}/submissions")["items"] == []

    @pytest.mark.parametrize(
        ("data", "status"),
        [('{"title": "x", "title": "y"}', 400), ('{"title": "\\u0000"}', 422), ('{"title": "\\ud800"}', 422),
         ('{"title": "x", "score": NaN}', 400), ('{"title": "x", "score": 1e999}', 422), ("[]", 422), ("null", 422),
         ('{"title": ' + "[" * 40 + "]" * 40 + "}", 400), ('{"title": "x", "score": ' + "9" * 5000 + "}", 400)],
    )  # fmt: skip
    def test_refuses_odd_json(self, acme: Office, data: str, status: int) -> None:
        path = f"/forms/{acme.form_id}/submit"
        assert acme.rahim.post(path, f'{{"submission_data": {data}}}').status == status
        draft = acme.rahim.post(path, f'{{"draft": true, "submission_data": {data}}}').status
        assert draft == status

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        data=st.dictionaries(
            st.sampled_from(["title", "score", "tick", "home", "day", "pick", "other", ""]) | st.text(max_size=5),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(max_size=20)
                | st.sampled_from(["2026-01-05", "a", "12.50", "x@y.zz"]),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from(["line1", "city", "country"]) | st.text(max_size=3), inner, max_size=4
                    )
                ),
                max_leaves=6,
            ),
        ),
        draft=st.booleans(),
    )
    def test_answers_any_json_without_an_error_of_ours(self, shared: Office, data: dict[str, Any], draft: bool) -> None:
        if not hasattr(shared, "odd"):
            shared.odd = shared.form(
                [  # type: ignore[attr-defined]
                    *FIELDS,
                    {"field_name": "tick", "field_label": "T", "field_type": "checkbox"},
                    {
                        "field_name": "home",
                        "field_label": "H",
                        "field_type": "address",
                        "visible_if": {"field": "tick", "equals": True},
                    },
                    {
                        "field_name": "day",
                        "field_label": "D",
                        "field_type": "date",
                        "required_if": {"field": "score", "in": [1, 2]},
                    },
                    {
                        "field_name": "pick",
                        "field_label": "P",
                        "field_type": "checkbox",
                        "options": [{"label": "A", "value": "a"}],
                        "visible_if": {"field": "title", "equals": "a"},
                    },
                ]
            )
        reply = shared.rahim.post(f"/forms/{shared.odd}/submit", {"submission_data": data, "draft": draft})  # type: ignore[attr-defined]
        assert reply.status in (201, 400, 413, 422), reply.text
        if reply.status == 201:
            path = f"/forms/submissions/{reply.json['id']}"
            assert json.dumps(shared.rahim.ok("GET", path)["submission_data"])

    def test_needs_a_person(self, acme: Office) -> None:
        reply = acme.cast.hr.post(f"/forms/{acme.form_id}/submit", GOOD)
        assert (reply.status, reply.json["detail"]) == (
            403,
            "Only a person can submit a form; your key does not act for one.",
        )

    def test_is_refused_where_the_form_is_out_of_use(self, acme: Office) -> None:
        acme.submitted()
        acme.cast.hr.ok("PATCH", f"/forms/{acme.form_id}", {"is_active": False})
        reply = acme.rahim.post(f"/forms/{acme.form_id}/submit", GOOD)  # who has submitted it still may know of it
        assert (reply.status, reply.json["detail"]) == (409, "This form is not in use any more.")
        assert len(acme.rahim.ok("GET", f"/forms/{acme.form_id}/submissions")["items"]) == 1
        other = key(acme.cast.id, Role.EMPLOYEE, employee(acme.cast, employee_no="E-9"))
        assert other.post(f"/forms/{acme.form_id}/submit", GOOD).status == 404

    def test_is_refused_to_people_of_another_branch(self, acme: Office) -> None:
        berlin = row(acme.cast, "branches", {"name": "Berlin"})
        form_id = acme.form(branch_id=str(berlin))
        assert acme.rahim.post(f"/forms/{form_id}/submit", GOOD).status == 404
        hr = key(acme.cast.id, Role.HR, acme.boss_id)
        reply = hr.post(f"/forms/{form_id}/submit", GOOD)
        assert (reply.status, reply.json["detail"]) == (409, "This form is for the people of another branch.")

    def test_is_repeated_by_its_idempotency_key(self, acme: Office) -> None:
        first, second = (
            acme.rahim.ok("POST", f"/forms/{acme.form_id}/submit", GOOD, headers={"idempotency-key": "k"})
            for _ in range(2)
        )
        assert first == second


class TestFiles:
    def test_are_taken_in(self, acme: Office) -> None:
        form_id = acme.form([PAPER])
        file_id = acme.file(form_id)
        submission = acme.rahim.ok(
            "POST", f"/forms/{form_id}/submit", {"submission_data": {}, "attachments": [file_id]}
        )
        assert submission["attachments"] == [
            {
                "id": file_id,
                "field_name": "paper",
                "file_name": "a.pdf",
                "content_type": "application/pdf",
                "size_bytes": 5,
            }
        ]
        twice = acme.rahim.post(f"/forms/{form_id}/submit", {"attachments": [file_id]})
        assert (twice.status, twice.json["errors"][0]["pointer"]) == (422, "/attachments/0")

    def test_that_are_required_have_to_be_there(self, acme: Office) -> None:
        reply = acme.rahim.post(f"/forms/{acme.form([PAPER])}/submit", {"submission_data": {}})
        assert (reply.status, reply.json["errors"]) == (
            422,
            [
                {
                    "pointer": "/submission_data/paper",
                    "detail": "needs a file: upload it, and put its id into attachments",
                }
            ],
        )

    def test_of_somebody_else_are_not_there(self, acme: Office) -> None:
        form_id = acme.form([PAPER])
        for asked in (acme.file(form_id, user_id=acme.boss_id), str(uuid4())):
            for draft in (False, True):
                reply = acme.rahim.post(f"/forms/{form_id}/submit", {"attachments": [asked], "draft": draft})
                assert (reply.status, reply.json["errors"][0]) == (
                    404,
                    {"pointer": "/attachments/0", "detail": "is not there, or not yours"},
                )

    def test_of_a_draft_are_taken_in_when_it_is_submitted(self, acme: Office) -> None:
        form_id = acme.form([PAPER])
        file_id = acme.file(form_id)
        submission = acme.rahim.ok("POST", f"/forms/{form_id}/submit", {"attachments": [file_id], "draft": True})
        assert (submission["attachment_ids"], submission["attachments"]) == ([file_id], [])
        done = acme.rahim.ok("PATCH", f"/forms/submissions/{submission['id']}", {"status": "submitted"})
        assert (done["attachment_ids"], [one["id"] for one in done["attachments"]]) == ([], [file_id])


class TestDraft:
    def test_is_kept_unchecked_and_submitted_later(self, acme: Office) -> None:
        draft = acme.submitted(body={"submission_data": {"score": 99}, "draft": True})
        path = f"/forms/submissions/{draft['id']}"
        assert (draft["status"], draft["submitted_at"]) == ("draft", None)
        reply = acme.rahim.patch(path, {"status": "submitted"})
        assert [one["pointer"] for one in reply.json["errors"]] == ["/submission_data/title", "/submission_data/score"]
        kept = acme.rahim.ok("PATCH", path, {"submission_data": {"title": "Work"}})
        assert (kept["status"], kept["submission_data"]) == ("draft", {"title": "Work"})
        done = acme.rahim.ok("PATCH", path, {"status": "submitted"}, headers={"if-match": '"2"'})
        assert (done["status"], done["version"]) == ("submitted", 3)
        assert acme.audited() == ["form_submission.drafted"] * 2 + ["form_submission.submitted"]

    def test_is_its_owners_alone(self, acme: Office) -> None:
        path = f"/forms/submissions/{acme.submitted(body={'draft': True})['id']}"
        for other in (acme.boss, acme.cast.hr, acme.cast.admin):
            assert other.get(path).status == 404
            assert other.patch(path, {"status": "approved"}).status == 404
            assert other.ok("GET", f"/forms/{acme.form_id}/submissions")["items"] == []
            assert other.ok("GET", f"/forms/{acme.form_id}/submissions?status=draft")["items"] == []
        assert len(acme.rahim.ok("GET", f"/forms/{acme.form_id}/submissions?status=draft")["items"]) == 1

    def test_is_submitted_by_the_version_of_that_day(self, acme: Office) -> None:
        draft = acme.submitted(body={**GOOD, "draft": True})
        acme.cast.hr.ok("PATCH", f"/forms/{acme.form_id}", {"fields": FIELDS[:1]})
        path = f"/forms/submissions/{draft['id']}"
        reply = acme.rahim.patch(path, {"status": "submitted"})
        assert reply.json["errors"] == [{"pointer": "/submission_data/score", "detail": "is not a field of this form"}]
        done = acme.rahim.ok("PATCH", path, {"status": "submitted", "submission_data": {"title": "Work"}})
        assert done["version_number"] == 2

    @pytest.mark.parametrize(("body", "status"), [
        ({"submission_data": {"nobody": 1}}, 422), ({"notes": "x"}, 422), ({"status": "approved"}, 409),
        ({"status": "draft"}, 422),
    ])  # fmt: skip
    def test_refuses(self, acme: Office, body: dict[str, Any], status: int) -> None:
        path = f"/forms/submissions/{acme.submitted(body={'draft': True})['id']}"
        assert acme.rahim.patch(path, body).status == status

    def test_is_submitted_once_by_two_at_once(self, acme: Office) -> None:
        path = f"/forms/submissions/{acme.submitted(body={**GOOD, 'draft': True})['id']}"
        with ThreadPoolExecutor(4) as pool:
            statuses = sorted(pool.map(lambda _: acme.rahim.patch(path, {"status": "submitted"}).status, range(4)))
        assert statuses[0] == 200
        assert set(statuses[1:]) <= {403, 409, 422}
        assert acme.audited().count("form_submission.submitted") == 1


class TestReview:
    @pytest.mark.parametrize(
        ("moves", "status"),
        [(["approved"], 200), (["rejected"], 200), (["under_review", "approved"], 200),
         (["under_review", "rejected"], 200), (["under_review", "under_review"], 409), (["approved", "rejected"], 409),
         (["approved", "under_review"], 409), (["rejected", "approved"], 409), (["submitted"], 409)],
    )  # fmt: skip
    def test_moves_as_it_may(self, acme: Office, moves: list[str], status: int) -> None:
        path = f"/forms/submissions/{acme.submitted()['id']}"
        for to in moves:
            reply = acme.boss.patch(path, {"status": to, "notes": f"to {to}"})
        assert reply.status == status
        if status == 200:
            review = {name: reply.json[name] for name in ("status", "notes", "reviewed_by")}
            assert review == {"status": to, "notes": f"to {to}", "reviewed_by": str(acme.boss_id)}
            assert acme.audited()[-1] == f"form_submission.{to}"

    def test_is_the_managers_and_hrs_and_nobodys_own(self, acme: Office) -> None:
        path = f"/forms/submissions/{acme.submitted()['id']}"
        other = key(acme.cast.id, Role.MANAGER, employee(acme.cast, employee_no="E-8"))
        assert other.get(path).status == other.patch(path, {"status": "approved"}).status == 404
        reply = acme.rahim.patch(path, {"status": "approved"})
        assert reply.status == 403
        assert reply.json["detail"].startswith("Nobody decides their own submission.")
        mine = f"/forms/submissions/{acme.submitted(by=acme.boss)['id']}"
        assert acme.boss.patch(mine, {"status": "approved"}).status == 403
        assert acme.rahim.get(mine).status == 404
        assert acme.cast.hr.ok("PATCH", mine, {"status": "approved", "notes": "fine"})["reviewed_by"] is None
        assert acme.boss.ok("PATCH", path, {"status": "approved"})["status"] == "approved"

    def test_never_changes_what_was_submitted(self, acme: Office) -> None:
        path = f"/forms/submissions/{acme.submitted()['id']}"
        for caller in (acme.rahim, acme.boss):
            reply = caller.patch(path, {"submission_data": {"title": "Other"}})
            assert (reply.status, reply.json["detail"]) == (
                409,
                "This submission is submitted; what was submitted is not changed any more.",
            )

    def test_needs_a_status(self, acme: Office) -> None:
        reply = acme.boss.patch(f"/forms/submissions/{acme.submitted()['id']}", {"notes": "hm"})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/status")

    def test_refuses_a_stale_version(self, acme: Office) -> None:
        path = f"/forms/submissions/{acme.submitted()['id']}"
        acme.boss.ok("PATCH", path, {"status": "under_review"})
        assert acme.boss.patch(path, {"status": "approved"}, headers={"if-match": '"1"'}).status == 412

    def test_is_won_by_one_of_two_at_once(self, acme: Office) -> None:
        for _ in range(5):
            path = f"/forms/submissions/{acme.submitted()['id']}"
            moves = [(acme.boss, "approved"), (acme.cast.hr, "rejected")] * 2
            with ThreadPoolExecutor(4) as pool:
                statuses = list(
                    pool.map(lambda move, path=path: move[0].patch(path, {"status": move[1]}).status, moves)
                )
            assert sorted(statuses) == [200, 409, 409, 409]
        assert len([one for one in acme.audited() if one != "form_submission.submitted"]) == 5

    def test_tells_the_person_once(self, acme: Office) -> None:
        path = f"/forms/submissions/{acme.submitted()['id']}"
        acme.boss.ok("PATCH", path, {"status": "under_review"})
        assert notified(acme) == []
        acme.boss.ok("PATCH", path, {"status": "rejected", "notes": "Too late"})
        assert notified(acme) == [("form_decided", acme.rahim_id)]


class TestHandler:
    def test_hears_of_everything_and_tells_the_person_itself(self, acme: Office, spy: Spy) -> None:
        acme.form_id = acme.form(LEAVE_FIELDS, form_type="leave_request")
        path = f"/forms/submissions/{acme.submitted(body=LEAVE)['id']}"
        acme.boss.ok("PATCH", path, {"status": "under_review"})
        acme.boss.ok("PATCH", path, {"status": "approved", "notes": "Approved by HR Manager"})
        assert spy.calls == [
            ("checked", ["leave_type", "start_date", "reason"]),
            ("submitted", acme.rahim_id, LEAVE["submission_data"], "submitted"),
            ("decided", "approved", "approved", "Approved by HR Manager"),
        ]
        assert notified(acme) == []

    def test_is_asked_once_a_draft_is_submitted(self, acme: Office, spy: Spy) -> None:
        acme.form_id = acme.form(LEAVE_FIELDS, form_type="leave_request")
        draft = acme.submitted(body={**LEAVE, "draft": True})
        assert [one[0] for one in spy.calls] == ["checked"]
        acme.rahim.ok("PATCH", f"/forms/submissions/{draft['id']}", {"status": "submitted"})
        assert [one[0] for one in spy.calls] == ["checked", "submitted"]

    def test_refuses_for_the_whole_transaction(self, acme: Office, spy: Spy) -> None:
        acme.form_id = acme.form(LEAVE_FIELDS, form_type="leave_request")
        submission = acme.submitted(body=LEAVE)
        spy.refuses = True
        reply = acme.rahim.post(f"/forms/{acme.form_id}/submit", LEAVE)
        assert (reply.status, reply.json["detail"]) == (409, "There are no days left.")
        assert acme.boss.patch(f"/forms/submissions/{submission['id']}", {"status": "approved"}).status == 409
        [kept] = acme.rahim.ok("GET", f"/forms/{acme.form_id}/submissions")["items"]
        assert (kept["id"], kept["status"]) == (submission["id"], "submitted")
        assert acme.audited() == ["form_submission.submitted"]


class TestList:
    def test_is_paged_by_skip_or_cursor(self, acme: Office) -> None:
        ids = [acme.submitted()["id"] for _ in range(5)]
        acme.boss.ok("PATCH", f"/forms/submissions/{ids[0]}", {"status": "approved"})
        path = f"/forms/{acme.form_id}/submissions"

        def page(query: str) -> tuple[list[str], str | None]:
            found = acme.boss.ok("GET", f"{path}?{query}")
            return [one["id"] for one in found["items"]], found["next_cursor"]

        assert page("status=submitted&skip=0&limit=10") == (ids[1:], None)
        assert page("status=submitted&skip=3&limit=10") == (ids[4:], None)
        first, cursor = page("limit=2")
        assert first == ids[:2]
        assert page(f"limit=2&cursor={cursor}")[0] == ids[2:4]
        assert page("limit=2&skip=2")[0] == ids[2:4]
        assert acme.boss.get(f"{path}?skip=1&cursor={cursor}").status == 422
        assert acme.boss.get(f"{path}?skip=-1").status == 422

    def test_is_of_those_within_reach(self, acme: Office) -> None:
        mine, boss = acme.submitted()["id"], acme.submitted(by=acme.boss)["id"]
        other = key(acme.cast.id, Role.EMPLOYEE, employee(acme.cast, employee_no="E-7"))
        third = acme.submitted(by=other)["id"]
        path = f"/forms/{acme.form_id}/submissions"

        def seen(caller: Api) -> list[str]:
            return [one["id"] for one in caller.ok("GET", path)["items"]]

        assert seen(acme.rahim) == [mine]
        assert seen(acme.boss) == [mine, boss]
        assert seen(acme.cast.hr) == [mine, boss, third]


class TestStranger:
    @pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"status": "approved"})])
    def test_gets_404(self, acme: Office, zenith: Cast, method: str, body: Any) -> None:
        answers = {
            zenith.admin.call(method, f"/forms/submissions/{asked}", body).json["detail"]
            for asked in (acme.submitted()["id"], uuid4())
        }
        assert answers == {"There is no such submission."}


def notified(office: Office) -> list[tuple[str, UUID]]:
    """Return who was told of what, each once."""
    rows = sql(office.cast, "select distinct kind, user_id from notification_logs order by 1")
    return [(one.kind, one.user_id) for one in rows]
