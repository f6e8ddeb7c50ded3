"""Designing forms over HTTP: versions, drafts, who sees which, and what cannot be."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib.features.forms.definitions import kinds as definition_kinds
from chalicelib.features.forms.definitions.kinds import FormType
from chalicelib.identity.permissions import Role
from chalicelib.kernel.errors import invalid
from tests.support.api import Api
from tests.support.cast import Cast, key, tenant
from tests.support.people import branch, employee, row, sql

pytestmark = pytest.mark.usefixtures("database")

SCORE = {
    "field_name": "score",
    "field_label": "Score",
    "field_type": "number",
    "is_required": True,
    "validation": {"min": 1, "max": 5},
}
RATING = {
    "field_name": "rating",
    "field_label": "Rating",
    "field_type": "dropdown",
    "options": [{"label": "Good", "value": "good"}, {"label": "Poor", "value": "poor"}],
}
# as the product's first description of forms sends it
AS_DESCRIBED = {
    "name": "Leave Request Form",
    "description": "Staff request for annual leave",
    "form_type": "leave_request",
    "fields": [
        {"field_name": "leave_type", "field_label": "Leave Type", "field_type": "dropdown", "is_required": True,
         "options": [{"label": "Annual Leave", "value": "annual"}, {"label": "Sick Leave", "value": "sick"}]},
        {"field_name": "start_date", "field_label": "Start Date", "field_type": "date", "is_required": True},
        {"field_name": "reason", "field_label": "Reason", "field_type": "textarea", "is_required": False},
    ],
}  # fmt: skip


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith() -> Cast:
    return tenant("Zenith")


def form(name: str = "Appraisal", **more: Any) -> dict[str, Any]:
    return {"name": name, "form_type": "appraisal", "fields": [SCORE], **more}


def person(acme: Cast, role: Role = Role.EMPLOYEE, **employment: Any) -> Api:
    return key(acme.id, role, employee(acme, employee_no=f"E-{uuid4()}", **employment))


def names(caller: Api, query: str = "") -> list[str]:
    return [one["name"] for one in caller.ok("GET", f"/forms{query}")["items"]]


class TestAdd:
    def test_publishes_at_once_what_the_description_sends(self, acme: Cast) -> None:
        created = acme.admin.ok("POST", "/forms", AS_DESCRIBED)
        assert (created["form_type"], created["is_active"], created["version_number"], created["version"]) == (
            "leave_request",
            True,
            1,
            1,
        )
        assert created["published_at"] is not None
        assert created["draft"] is None
        assert acme.admin.ok("GET", f"/forms/{created['id']}") == created
        assert [(one["field_name"], one["field_order"], one["is_required"]) for one in created["fields"]] == [
            ("leave_type", 1, True),
            ("start_date", 2, True),
            ("reason", 3, False),
        ]
        assert created["fields"][0]["options"] == AS_DESCRIBED["fields"][0]["options"]

    def test_may_begin_as_a_draft_that_only_designers_see(self, acme: Cast) -> None:
        created = acme.hr.ok("POST", "/forms", form(draft=True))
        assert (created["version_number"], created["published_at"], created["draft"]) == (None, None, created["fields"])
        rahim = person(acme)
        assert rahim.get(f"/forms/{created['id']}").status == 404
        assert names(rahim) == []
        assert names(acme.hr) == ["Appraisal"]
        assert rahim.post(f"/forms/{created['id']}/submit", {"submission_data": {"score": 3}}).status == 404

    def test_gives_back_what_was_said_of_each_field(self, acme: Cast) -> None:
        sent = {
            "field_name": "why",
            "field_label": "Why",
            "field_type": "text",
            "placeholder": "because",
            "help_text": "In a word.",
            "validation_rule": "[a-z]+",
            "validation": {"max_length": 20},
            "visible_if": {"field": "score", "in": [1, 2.5]},
            "required_if": {"field": "score", "equals": 1},
        }
        created = acme.hr.ok("POST", "/forms", form(fields=[SCORE, sent]))
        stored = created["fields"][1]
        assert {name: stored[name] for name in ("placeholder", "help_text", "validation_rule")} == {
            "placeholder": "because",
            "help_text": "In a word.",
            "validation_rule": "[a-z]+",
        }
        assert (stored["validation"]["max_length"], stored["visible_if"]["in"], stored["required_if"]["equals"]) == (
            20,
            [1, 2.5],
            1,
        )
        assert created["fields"][0]["validation"] | {} == {**created["fields"][0]["validation"], "min": 1, "max": 5}
        # what was given out can be sent back as it is
        again = acme.hr.ok("PATCH", f"/forms/{created['id']}", {"fields": created["fields"]})
        assert (again["version"], again["fields"]) == (1, created["fields"])

    @pytest.mark.parametrize(
        ("change", "pointer", "overrides"),
        [
            ({"fields": []}, "/fields", "List should have at least 1 item after validation, not 0"),
            ({"fields": [SCORE] * 101}, "/fields", "List should have at most 100 items after validation, not 101"),
            ({"fields": [{**SCORE, "field_name": "my score"}]}, "/fields/0/field_name",
             "String should match pattern '^[A-Za-z][A-Za-z0-9_]*$'"),
            ({"fields": [SCORE, SCORE]}, "/fields/1/field_name", "there is another field score"),
            ({"fields": [{**SCORE, "field_type": "range"}]}, "/fields/0/field_type",
             "Input should be 'text', 'email', 'number', 'date', 'textarea', 'dropdown', 'checkbox', 'file', 'phone'"
             " or 'address'"),
            ({"fields": [{**RATING, "options": RATING["options"] * 101}]}, "/fields/0/options",
             "List should have at most 200 items after validation, not 202"),
            ({"fields": [{**SCORE, "visible_if": {"field": "score", "equals": [1]}}]}, "/fields/0/visible_if/equals",
             "must be a text, a number, true or false"),
            ({"fields": [{**SCORE, "visible_if": {"field": "other", "is_set": True}}]}, "/fields/0/visible_if/field",
             "there is no field other"),
            ({"form_type": "exam"}, "/form_type",
             "Input should be 'leave_request', 'appraisal', 'application', 'feedback' or 'custom'"),
            ({"name": " "}, "/name", "String should have at least 1 character"),
        ],
    )  # fmt: skip
    def test_refuses_with_place_and_remedy(
        self, acme: Cast, change: dict[str, Any], pointer: str, overrides: str
    ) -> None:
        reply = acme.hr.post("/forms", form(**change))
        assert (reply.status, reply.json["errors"][0]) == (422, {"pointer": pointer, "detail": overrides})

    def test_refuses_a_name_twice_in_one_tenant_only(self, acme: Cast, zenith: Cast) -> None:
        acme.hr.ok("POST", "/forms", form())
        reply = acme.hr.post("/forms", form())
        assert (reply.status, reply.json["errors"]) == (409, [{"pointer": "/name", "detail": "must be unique"}])
        assert zenith.hr.post("/forms", form()).status == 201

    def test_asks_whoever_gives_the_type_its_meaning(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        class Strict:
            def check_definition(self, scope: Any, *, fields: Any) -> None:
                assert fields[0]["field_name"] == "score"
                raise invalid("/fields", "an exam needs a grade")

        monkeypatch.setitem(definition_kinds._HANDLERS, FormType.APPRAISAL, Strict())
        reply = acme.hr.post("/forms", form())
        assert (reply.status, reply.json["detail"]) == (422, "an exam needs a grade")
        assert names(acme.hr) == []

    def test_never_takes_a_type_for_one_without_a_meaning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(definition_kinds, "_HANDLERS", {})
        assert definition_kinds.handler_of(FormType.FEEDBACK) is None
        with pytest.raises(RuntimeError, match="leave_request"):
            definition_kinds.handler_of(FormType.LEAVE_REQUEST)

    def test_is_audited(self, acme: Cast) -> None:
        created = acme.hr.ok("POST", "/forms", form())
        [audited] = sql(
            acme,
            "select action, after from audit_logs where entity_type = 'form' and entity_id = :id",
            id=created["id"],
        )
        assert (audited.action, audited.after["name"], audited.after["version_number"]) == (
            "form.added",
            "Appraisal",
            1,
        )


class TestChange:
    def test_of_fields_makes_the_next_version(self, acme: Cast) -> None:
        created = acme.hr.ok("POST", "/forms", form())
        changed = acme.hr.ok("PATCH", f"/forms/{created['id']}", {"fields": [RATING, SCORE]})
        assert (changed["version_number"], changed["version"]) == (2, 2)
        assert [one["field_name"] for one in changed["fields"]] == ["rating", "score"]
        kept = sql(
            acme,
            "select number, jsonb_array_length(fields) as count from form_versions where form_id = :id order by number",
            id=created["id"],
        )
        assert [tuple(one) for one in kept] == [(1, 1), (2, 2)]

    def test_to_what_stands_already_changes_nothing(self, acme: Cast) -> None:
        created = acme.hr.ok("POST", "/forms", form())
        assert acme.hr.ok("PATCH", f"/forms/{created['id']}", {"name": "Appraisal", "fields": [SCORE]}) == created

    def test_may_wait_as_a_draft_until_it_is_published(self, acme: Cast) -> None:
        path = f"/forms/{acme.hr.ok('POST', '/forms', form())['id']}"
        rahim = person(acme)
        waiting = acme.hr.ok("PATCH", path, {"fields": [SCORE, RATING], "draft": True})
        assert (waiting["version_number"], len(waiting["fields"]), len(waiting["draft"])) == (1, 1, 2)
        assert (len(rahim.ok("GET", path)["fields"]), rahim.ok("GET", path)["draft"]) == (1, None)
        again = acme.hr.ok("PATCH", path, {"fields": [RATING], "draft": True})
        assert (len(again["draft"]), again["version_number"]) == (1, 1)
        published = acme.hr.ok("PATCH", path, {"draft": False})
        assert (published["version_number"], published["draft"]) == (2, None)
        assert [one["field_name"] for one in rahim.ok("GET", path)["fields"]] == ["rating"]
        assert acme.hr.ok("PATCH", path, {"draft": False}) == published

    def test_of_a_form_that_began_as_a_draft_keeps_it_one(self, acme: Cast) -> None:
        path = f"/forms/{acme.hr.ok('POST', '/forms', form(draft=True))['id']}"
        assert acme.hr.ok("PATCH", path, {"fields": [RATING]})["version_number"] is None
        assert acme.hr.ok("PATCH", path, {"draft": False})["version_number"] == 1

    def test_refuses_a_draft_without_fields(self, acme: Cast) -> None:
        path = f"/forms/{acme.hr.ok('POST', '/forms', form())['id']}"
        reply = acme.hr.patch(path, {"draft": True})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/draft")

    def test_refuses_a_stale_version(self, acme: Cast) -> None:
        path = f"/forms/{acme.hr.ok('POST', '/forms', form())['id']}"
        assert acme.hr.patch(path, {"name": "B"}, headers={"if-match": '"1"'}).headers["ETag"] == '"2"'
        assert acme.hr.patch(path, {"name": "C"}, headers={"if-match": '"1"'}).status == 412

    def test_of_a_published_version_is_refused_by_the_database(self, acme: Cast) -> None:
        created = acme.hr.ok("POST", "/forms", form())
        with pytest.raises(Exception, match="a published version of a form is never changed"):
            sql(acme, "update form_versions set fields = '[]' where form_id = :id", id=created["id"])

    def test_is_audited_with_what_it_was(self, acme: Cast) -> None:
        created = acme.hr.ok("POST", "/forms", form())
        acme.hr.ok("PATCH", f"/forms/{created['id']}", {"name": "Review", "is_active": False})
        [audited] = sql(acme, "select before, after from audit_logs where action = 'form.changed'")
        assert tuple(audited) == ({"name": "Appraisal", "is_active": True}, {"name": "Review", "is_active": False})


class TestList:
    def test_shows_people_what_is_in_use_for_their_branch(self, acme: Cast) -> None:
        berlin, munich = branch(acme), branch(acme, name="Munich")
        acme.hr.ok("POST", "/forms", form("All"))
        acme.hr.ok("POST", "/forms", form("Berlin", branch_id=str(berlin), form_type="feedback"))
        acme.hr.ok("POST", "/forms", form("Munich", branch_id=str(munich)))
        acme.hr.ok("POST", "/forms", form("Old", is_active=False))
        acme.hr.ok("POST", "/forms", form("Draft", draft=True))
        assert names(acme.hr) == ["All", "Berlin", "Munich", "Old", "Draft"]
        assert names(acme.hr, "?is_active=false") == ["Old"]
        assert names(acme.hr, "?form_type=feedback") == ["Berlin"]
        assert names(person(acme, branch_id=berlin)) == ["All", "Berlin"]
        assert names(person(acme)) == ["All"]
        boss_id: UUID = employee(acme, employee_no="Boss", branch_id=berlin)
        person(acme, branch_id=munich, manager_id=boss_id)
        assert names(key(acme.id, Role.MANAGER, boss_id)) == ["All", "Berlin", "Munich"]  # they review it

    def test_names_the_version_that_is_published(self, acme: Cast) -> None:
        path = f"/forms/{acme.hr.ok('POST', '/forms', form())['id']}"
        for fields in ([RATING], [SCORE], [RATING, SCORE]):
            acme.hr.ok("PATCH", path, {"fields": fields})
        acme.hr.ok("PATCH", path, {"fields": [SCORE], "draft": True})
        assert [one["version_number"] for one in acme.hr.ok("GET", "/forms")["items"]] == [4]


class TestStranger:
    @pytest.mark.parametrize(("method", "path", "body"), [
        ("GET", "", None), ("PATCH", "", {"name": "Mine"}), ("POST", "/submit", {}), ("GET", "/submissions", None),
        ("GET", "/submissions/export", None),
    ])  # fmt: skip
    def test_gets_404(self, acme: Cast, zenith: Cast, method: str, path: str, body: Any) -> None:
        created = acme.hr.ok("POST", "/forms", form())
        reply = zenith.admin.call(method, f"/forms/{created['id']}{path}", body)
        assert (reply.status, reply.json["detail"]) == (404, "There is no such form.")

    def test_cannot_give_a_form_to_anothers_branch(self, acme: Cast, zenith: Cast) -> None:
        of_acme = row(acme, "branches", {"name": "Theirs"})
        assert zenith.admin.post("/forms", form(branch_id=str(of_acme))).status == 404
