"""Human text is of one kind, whichever way it comes in and whatever it is about."""

import json
from typing import Any

import pytest

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key
from tests.support.people import employee, row, sql

DIRTY = "\ufeff  Ra\u200bhim\u00a0 \x1b[31mUd\u0007din\x1b[0m \u200e"
RAHIM = "Rahim Uddin"
YAPHALA = "র\u200d্যাব"  # Bengali: without the joiner it is spelled otherwise
MIRAVAM = "می\u200cروم"
TURNED = "rahim\u202emoc.emca"
CSV = {"headers": {"content-type": "text/csv"}}
ACCOUNT = {"kind": "account", "account_number": "1234567890", "bank_name": "Sonali Bank", "country": "BD"}


def calls(acme: Cast, text: str) -> dict[str, tuple[str, str, dict[str, Any], str]]:
    """Give a call for each kind of text: method, path, body, and the field of the reply that gives it back."""
    rahim = employee(acme, name="P", employee_no=f"E-{text[:5]}")
    return {
        "a person": ("POST", "/users", {"name": text}, "name"),
        "a department": ("POST", "/departments", {"name": text}, "name"),
        "a branch": ("POST", "/branches", {"name": text}, "name"),
        "a holiday": ("POST", "/holidays", {"date": "2026-01-05", "name": text}, "name"),
        "a shift": ("POST", "/shifts", {"name": text, "start": "09:00", "end": "18:00"}, "name"),
        "a leave type": ("POST", "/leave-types", {"name": text}, "name"),
        "a component": (
            "POST",
            "/payment-types",
            {"name": text, "category": "earning", "calculation": "fixed", "amount": "1.00", "code": "c"},
            "name",
        ),
        "a sale's brand": ("POST", "/sales", {"user_id": str(rahim), "earning": "1", "brand": text}, "brand"),
        "a sale's id": ("POST", "/sales", {"user_id": str(rahim), "earning": "1", "external_id": text}, "external_id"),
        "a reason": (
            "POST",
            "/payroll-adjustments",
            {"user_id": str(rahim), "kind": "bonus", "amount": "1.00", "reason": text, "effective_date": "2026-01-05"},
            "reason",
        ),
        "a holder": ("PUT", f"/users/{rahim}/payout-destination", {**ACCOUNT, "holder": text}, "holder"),
        "a form": (
            "POST",
            "/forms",
            {
                "name": text,
                "form_type": "custom",
                "fields": [{"field_name": "a", "field_label": "A", "field_type": "text"}],
            },
            "name",
        ),
        "a KPI": ("POST", "/kpi-definitions", {"name": text, "code": "k", "source": "manual_entry"}, "name"),
        "the tenant": ("PATCH", "/tenant", {"name": text}, "name"),
    }


class TestEveryKind:
    @pytest.mark.parametrize(("text", "kept"), [(DIRTY, RAHIM), (YAPHALA, YAPHALA), (MIRAVAM, MIRAVAM)])
    def test_is_cleaned_and_keeps_what_spelling_needs(self, acme: Cast, text: str, kept: str) -> None:
        found = {
            what: acme.admin.ok(method, path, body)[field]
            for what, (method, path, body, field) in calls(acme, text).items()
        }
        assert found == dict.fromkeys(found, kept)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (TURNED, "turns the direction of text around (U+202E)"),
            ("a\ue000b", "private-use character"),
            ("\ufeff\u200b \u00a0", "at least 1 character"),
            ("\u200d", "at least 1 character"),
        ],
    )
    def test_is_refused_with_the_reason(self, acme: Cast, text: str, reason: str) -> None:
        for what, (method, path, body, field) in calls(acme, text).items():
            reply = acme.admin.call(method, path, body)
            errors = reply.json.get("errors", [])
            assert (what, reply.status, [error["pointer"] for error in errors]) == (what, 422, [f"/{field}"])
            assert reason in errors[0]["detail"], what

    def test_counts_the_length_of_what_is_kept(self, acme: Cast) -> None:
        assert acme.hr.ok("POST", "/users", {"name": "\ufeff" * 50 + "x" * 200})["name"] == "x" * 200
        too_long = acme.hr.post("/users", {"name": "x" * 201})
        assert too_long.json["errors"] == [{"pointer": "/name", "detail": "String should have at most 200 characters"}]


class TestImports:
    @pytest.mark.parametrize("is_csv", [True, False])
    def test_clean_as_single_calls_do(self, acme: Cast, is_csv: bool) -> None:
        values = {
            "name": DIRTY,
            "employee_no": "\ufeffE-7",
            "joined_on": "2026-01-01",
            "department": f"{YAPHALA}\u00a0",
        }
        body: Any = [values]
        if is_csv:
            body = "\ufeffname,\ufeffemployee_no,joined_on,department\n" + ",".join(values.values()) + "\n"
        path = "/users/import?create_missing=true"
        found = acme.admin.ok("POST", path, body, **(CSV if is_csv else {}))
        assert (found["added"], found["errors"], found["created"]["departments"]) == (1, [], [YAPHALA])
        assert acme.admin.ok("POST", path, body, **(CSV if is_csv else {}))["unchanged"] == 1
        assert [one["name"] for one in acme.hr.ok("GET", "/users?search=E-7")["items"]] == [RAHIM]

    def test_know_a_sale_again_whatever_was_around_its_id(self, acme: Cast) -> None:
        employee(acme)
        for external_id, added in (("A-1", 1), ("\ufeffA-1", 0), (" A-1\u00a0", 0), ("A-\u200b1", 0)):
            found = acme.hr.ok(
                "POST", "/sales/import", [{"employee_no": "E-1", "earning": "1", "external_id": external_id}]
            )
            assert (found["added"], found["errors"]) == (added, [])

    def test_refuse_a_turned_name_by_its_row(self, acme: Cast) -> None:
        rows = [
            {"name": TURNED, "employee_no": "E-1", "joined_on": "2026-01-01"},
            {"name": "Karim", "employee_no": "E-2", "joined_on": "2026-01-01"},
        ]
        found = acme.hr.ok("POST", "/users/import", rows)
        assert (found["added"], [(one["line"], one["column"]) for one in found["errors"]]) == (1, [(1, "name")])


class TestForms:
    FIELDS = (
        {"field_name": "line", "field_label": "Line", "field_type": "text", "is_required": True},
        {"field_name": "long", "field_label": "Long", "field_type": "textarea"},
        {
            "field_name": "pick",
            "field_label": "Pick",
            "field_type": "dropdown",
            "options": [{"label": YAPHALA, "value": f" {YAPHALA} "}],
        },
        {"field_name": "home", "field_label": "Home", "field_type": "address"},
    )

    def submit(self, acme: Cast, **data: Any) -> Any:
        form = acme.hr.ok("POST", "/forms", {"name": "F", "form_type": "custom", "fields": list(self.FIELDS)})
        me = key(acme.id, Role.EMPLOYEE, employee(acme))
        return me.post(f"/forms/{form['id']}/submit", {"submission_data": data})

    def test_clean_what_is_filled_in(self, acme: Cast) -> None:
        home = {"line1": f"{DIRTY}", "city": "Dhaka\ufeff", "country": "BD"}
        reply = self.submit(acme, line=DIRTY, long="a\u00a0 b\r\nc\ufeff", pick=f"{YAPHALA}\u00a0", home=home)
        assert reply.status == 201, reply.text
        assert reply.json["submission_data"] == {
            "line": RAHIM,
            "long": "a b\nc",
            "pick": YAPHALA,
            "home": {"line1": RAHIM, "city": "Dhaka", "country": "BD"},
        }

    def test_tell_what_is_refused_or_empty_at_its_place(self, acme: Cast) -> None:
        reply = self.submit(acme, line="\ufeff", long=TURNED, home={"line1": TURNED, "city": "x", "country": "BD"})
        assert reply.status == 422
        assert {error["pointer"]: error["detail"][:18] for error in reply.json["errors"]} == {
            "/submission_data/line": "is required",
            "/submission_data/long": "holds a character ",
            "/submission_data/home/line1": "holds a character ",
        }


class TestStored:
    def test_text_of_before_is_shown_and_not_a_500(self, acme: Cast) -> None:
        sql(
            acme,
            "update tenants set branding = cast(:branding as jsonb) where id = :id",
            id=acme.id,
            branding=json.dumps({"color": None, "footer": TURNED}),
        )
        assert acme.admin.ok("GET", "/tenant")["branding"]["footer"] == "rahimmoc.emca"
        field = {
            "field_name": "a",
            "field_label": TURNED,
            "field_type": "date",
            "validation": {"min_date": "0001-01-01"},
        }
        form = acme.hr.ok(
            "POST",
            "/forms",
            {
                "name": "F",
                "form_type": "custom",
                "fields": [{"field_name": "a", "field_label": "A", "field_type": "date"}],
            },
        )
        row(
            acme,
            "form_versions",
            {"form_id": form["id"], "number": 2, "fields": json.dumps([field]), "published_at": "2026-01-05"},
            returning="number",
        )
        me = key(acme.id, Role.EMPLOYEE, employee(acme))
        reply = me.post(f"/forms/{form['id']}/submit", {"submission_data": {"a": "1999-01-01"}})
        assert reply.status == 201, reply.text
