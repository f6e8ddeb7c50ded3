"""Definitions: what can be measured, what is refused and where, and trying one before it is kept."""

from typing import Any
from uuid import uuid4

import pytest

from tests.features.kpis.conftest import JANUARY, Office
from tests.support.cast import Cast
from tests.support.people import sql
from tests.support.stack import at

pytestmark = pytest.mark.usefixtures("database")

NEW = {"name": "Sales", "source": "manual_entry"}


class TestAdd:
    def test_gives_the_whole_definition(self, office: Office) -> None:
        definition = office.define("Customer rating", description="By the survey", unit="points")
        assert {**definition, "id": 0, "created_by": 0, "created_at": 0} == {
            "id": 0,
            "code": "customer_rating",
            "name": "Customer rating",
            "description": "By the survey",
            "metric_type": "numeric",
            "target": 120.0,
            "unit": "points",
            "weight": 20.0,
            "scale": None,
            "source": "manual_entry",
            "metric": None,
            "formula": None,
            "is_active": True,
            "created_by": 0,
            "created_at": 0,
            "version": 1,
            "direction": "higher_is_better",
        }
        assert office.cast.hr.ok("GET", f"/kpi-definitions/{definition['id']}") == definition
        assert office.rahim.ok("GET", "/kpi-definitions")["items"] == [definition]
        assert office.audited() == ["kpi_definition.added"]

    @pytest.mark.parametrize(
        ("name", "code"), [("Customer rating", "customer_rating"), ("  5 stars! ", "kpi_5_stars"), ("মূল্যায়ন", "kpi")]
    )
    def test_makes_a_code_of_the_name(self, office: Office, name: str, code: str) -> None:
        assert office.define(name)["code"] == code
        assert office.define(f"{name}.")["code"] == f"{code}_2"

    def test_takes_yes_as_the_target_of_a_boolean_and_1_to_5_as_the_scale_of_a_rating(self, office: Office) -> None:
        definition = office.define("Certified", metric_type="boolean", target=None)
        assert (definition["target"], definition["scale"]) == (1.0, None)
        definition = office.define("Rated", metric_type="rating", target=4)
        assert definition["scale"] == {"min": 1.0, "max": 5.0}

    @pytest.mark.parametrize(
        ("overrides", "pointer", "detail"),
        [
            ({"source": "formula"}, "/formula", "is missing"),
            ({"source": "system_metric"}, "/metric", "is missing"),
            ({"formula": "1"}, "/formula", "does not belong to the source manual_entry"),
            ({"source": "formula", "formula": "1", "metric": "late_count"}, "/metric", "does not belong"),
            ({"source": "system_metric", "metric": "height"}, "/metric", "Input should be 'attendance_rate'"),
            ({"source": "system_metric", "metric": "late_count", "metric_type": "rating"}, "/metric_type", "numeric"),
            ({"metric_type": "text", "target": 1}, "/target", "has no target"),
            ({"metric_type": "boolean", "target": 2}, "/target", "the target of a boolean KPI is 1"),
            ({"metric_type": "rating", "target": 6}, "/target", "is not on the scale, which goes from 1 to 5"),
            ({"metric_type": "rating", "scale": {"min": 5, "max": 5}}, "/scale/max", "is not above min"),
            ({"scale": {"min": 1, "max": 5}}, "/scale", "only a rating"),
            ({"weight": 100.5}, "/weight", "less than or equal to 100"),
            ({"weight": -1}, "/weight", "greater than or equal to 0"),
            ({"code": "Not A Code"}, "/code", "pattern"),
        ],
    )
    def test_refuses_what_cannot_be_scored(
        self, office: Office, overrides: dict[str, Any], pointer: str, detail: str
    ) -> None:
        reply = office.cast.hr.post("/kpi-definitions", {**NEW, **overrides})
        assert (reply.status, [one["pointer"] for one in reply.json["errors"]]) == (422, [pointer]), reply.text
        assert detail in reply.json["errors"][0]["detail"]

    def test_refuses_a_formula_with_its_place_and_a_caret(self, office: Office) -> None:
        text = "present_days / workin_days"
        reply = office.cast.hr.post("/kpi-definitions", {**NEW, "source": "formula", "formula": text})
        [error] = reply.json["errors"]
        assert (reply.status, error["pointer"]) == (422, "/formula")
        message, shown, caret = error["detail"].split("\n")
        assert "at character 16" in message
        assert "working_days" in message
        assert (shown, caret.index("^")) == (text, 15)

    @pytest.mark.parametrize(
        ("kind", "text", "status"),
        [
            ("numeric", "late_count + 1", 201),
            ("numeric", "late_count < 2", 422),
            ("boolean", "late_count < 2", 201),
            ("boolean", "late_count", 422),
            ("numeric", "base_salary", 422),  # pay is not measured
        ],
    )
    def test_wants_a_number_of_a_formula_and_yes_or_no_of_a_boolean_one(
        self, office: Office, kind: str, text: str, status: int
    ) -> None:
        reply = office.cast.hr.post(
            "/kpi-definitions", {**NEW, "source": "formula", "formula": text, "metric_type": kind}
        )
        assert reply.status == status, reply.text

    def test_refuses_a_name_and_a_code_that_are_taken(self, office: Office) -> None:
        office.define("Sales", code="sales")
        assert office.cast.hr.post("/kpi-definitions", {**NEW, "code": "other"}).status == 409
        assert office.cast.hr.post("/kpi-definitions", {**NEW, "name": "Other", "code": "sales"}).status == 409

    def test_is_for_hr(self, office: Office) -> None:
        assert [one.post("/kpi-definitions", NEW).status for one in (office.boss, office.rahim)] == [403, 403]


class TestChange:
    def test_changes_what_is_said_and_keeps_the_rest(self, office: Office) -> None:
        definition = office.formula("late_count")
        path = f"/kpi-definitions/{definition['id']}"
        changed = office.cast.hr.ok("PATCH", path, {"formula": "late_count * 2", "target": None})
        assert changed == {**definition, "formula": "late_count * 2", "target": None, "version": 2}
        assert office.cast.hr.ok("PATCH", path, {"formula": "late_count * 2"})["version"] == 2
        assert office.audited() == ["kpi_definition.added", "kpi_definition.changed"]

    def test_refuses_an_old_version(self, office: Office) -> None:
        definition = office.define()
        reply = office.cast.hr.patch(f"/kpi-definitions/{definition['id']}", {"weight": 1}, headers={"if-match": '"7"'})
        assert reply.status == 412

    @pytest.mark.parametrize(
        ("patch", "pointer"),
        [({"formula": "nothing"}, "/formula"), ({"metric": "late_count"}, "/metric"),
         ({"scale": {"min": 1, "max": 2}}, "/scale"), ({"source": "manual_entry"}, "/source"),
         ({"metric_type": "text"}, "/metric_type"), ({"code": "other"}, "/code")],
    )  # fmt: skip
    def test_checks_as_adding_does_and_keeps_what_a_kpi_is(
        self, office: Office, patch: dict[str, Any], pointer: str
    ) -> None:
        definition = office.formula("late_count")
        reply = office.cast.hr.patch(f"/kpi-definitions/{definition['id']}", patch)
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer)


class TestList:
    def test_filters(self, office: Office) -> None:
        office.define("One")
        office.metric("late_count", is_active=False)
        names = lambda query: [one["name"] for one in office.cast.hr.ok("GET", f"/kpi-definitions{query}")["items"]]  # noqa: E731 - one line, used below
        assert names("?is_active=true") == ["One"]
        assert names("?source=system_metric") == ["late_count"]
        assert names("") == ["One", "late_count"]


class TestNestedChange:
    def test_of_one_end_of_a_scale_keeps_the_other(self, office: Office) -> None:
        definition = office.define("Rated", metric_type="rating", target=4)
        path = f"/kpi-definitions/{definition['id']}"
        assert office.cast.hr.ok("PATCH", path, {"scale": {"max": 10}})["scale"] == {"min": 1.0, "max": 10.0}
        assert office.cast.hr.ok("PATCH", path, {"scale": {"min": 2}})["scale"] == {"min": 2.0, "max": 10.0}
        reply = office.cast.hr.patch(path, {"scale": {"min": 10}})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/scale/max")


class TestPreview:
    # 1 January 2026 is a Thursday; Friday and Saturday are off: 8 working days until the 12th. Absent on the 4th.
    HALVES = "PP" + "WWWW" + "AA" + "PPPPPPPP" + "WWWW" + "PPPP" + "--" * 19

    def preview(self, office: Office, **overrides: Any) -> Any:
        office.register(self.HALVES)
        with at("2026-01-13T12:00:00+06:00"):
            return office.cast.hr.ok(
                "POST", "/kpi-definitions/preview", {"user_id": str(office.rahim_id), **JANUARY, **overrides}
            )

    def test_computes_for_a_real_person_and_shows_how(self, office: Office) -> None:
        preview = self.preview(office, formula="100 * present_days / working_days", target=95, weight=20)
        assert {name: preview[name] for name in ("value", "achievement", "weighted", "inputs", "as_of")} == {
            # 7 of 8 days; 87.5 / 95 x 100 = 92.105...; 87.5 / 95 x 20 = 18.421...
            "value": 87.5,
            "achievement": 92.11,
            "weighted": 18.42,
            "inputs": {"present_days": 7.0, "working_days": 8.0},
            "as_of": "2026-01-12",
        }
        assert [(one["expression"], one["value"]) for one in preview["trace"]][-1] == (
            "100 * present_days / working_days",
            87.5,
        )
        assert {one["expression"]: one["value"] for one in preview["trace"]}["100 * present_days"] == 700.0

    def test_measures_what_the_system_does(self, office: Office) -> None:
        preview = self.preview(office, metric="attendance_rate")
        assert (preview["value"], preview["achievement"], preview["trace"]) == (87.5, None, [])

    def test_counts_yes_as_1(self, office: Office) -> None:
        assert self.preview(office, formula="absent_days <= 1", metric_type="boolean", target=1)["achievement"] == 100.0

    def test_says_why_there_is_no_value(self, office: Office) -> None:
        preview = self.preview(office, formula="1 / late_count")
        assert (preview["value"], preview["warnings"]) == (None, ["the formula divides by zero"])

    @pytest.mark.parametrize("more", [{}, {"target": 95, "weight": 20}])
    @pytest.mark.parametrize("formula", [
        "999999999999 * 999999999999 * 999999999999", "999999999999999 * " * 3 + "99999999999999",
        "999999999999999 * " * 4 + "1", "1 / 999999999999999 / 999999999999999",
        "0 - 999999999999999 * 999999999999999",
    ])  # fmt: skip
    def test_answers_for_a_value_too_large_to_keep(self, office: Office, formula: str, more: dict[str, Any]) -> None:
        preview = self.preview(office, formula=formula, **more)
        assert preview["value"] is not None or preview["warnings"]

    def test_writes_nothing(self, office: Office) -> None:
        self.preview(office, metric="late_count")
        assert sql(office.cast, "select 1 from kpi_scores union all select 1 from audit_logs") == []

    @pytest.mark.parametrize(
        ("overrides", "pointer"),
        [({}, "/formula"), ({"formula": "1", "metric": "late_count"}, "/formula"), ({"formula": "height"}, "/formula"),
         ({"metric": "late_count", "cycle_end": "2025-12-31"}, "/cycle_end"),
         ({"metric": "late_count", "cycle_end": "2027-01-02"}, "/cycle_end")],
    )  # fmt: skip
    def test_refuses_what_cannot_be_tried(self, office: Office, overrides: dict[str, Any], pointer: str) -> None:
        body = {"user_id": str(office.rahim_id), **JANUARY, **overrides}
        reply = office.cast.hr.post("/kpi-definitions/preview", body)
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer), reply.text


class TestStranger:
    def test_finds_nothing(self, office: Office, zenith: Cast) -> None:
        definition = office.define()
        assert zenith.hr.ok("GET", "/kpi-definitions")["items"] == []
        for definition_id in (definition["id"], str(uuid4())):
            assert zenith.hr.get(f"/kpi-definitions/{definition_id}").status == 404
            assert zenith.hr.patch(f"/kpi-definitions/{definition_id}", {"weight": 1}).status == 404
        for user_id in (office.rahim_id, uuid4()):
            body = {"metric": "late_count", "user_id": str(user_id), **JANUARY}
            assert zenith.hr.post("/kpi-definitions/preview", body).status == 404
