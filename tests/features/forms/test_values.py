"""What people fill in, checked by a form's definition: each type good and bad, conditions, files, bounds."""

import time
from typing import Any

import pytest

from chalicelib.features.forms.definitions.field_rules import lay_out
from chalicelib.features.forms.definitions.field_schemas import FIELDS, FormField
from chalicelib.features.forms.submissions import value_rules as submission_value_rules
from chalicelib.kernel.errors import Invalid, TooLarge

COLORS = [{"label": "Red", "value": "red"}, {"label": "Blue", "value": "blue"}]
HOME = {"line1": "House 7", "city": "Dhaka", "country": "BD"}


def fields(*values: dict[str, Any]) -> list[FormField]:
    return lay_out(FIELDS.validate_python([{"field_label": "F", **one} for one in values], strict=False))


def one(kind: str, **more: Any) -> list[FormField]:
    return fields({"field_name": "f", "field_type": kind, **more})


def wrong(form: list[FormField], data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        submission_value_rules.validate_values(form, data)
    return {place.pointer.removeprefix("/submission_data/"): place.detail for place in refused.value.places}


class TestType:
    @pytest.mark.parametrize(
        ("kind", "more", "value"),
        [
            ("text", {}, "Vacation"),
            ("text", {"validation": {"min_length": 3, "max_length": 3}}, "abc"),
            ("text", {"validation": {"max_length": 5}}, "ঢাকা"),
            ("text", {"validation": {"pattern": "[A-Z]{2}[0-9]+"}}, "AB12"),
            ("text", {"validation_rule": "^[A-Z]{2}$"}, "AB"),
            ("textarea", {}, "two\nlines"),
            ("textarea", {}, "x" * 10_000),
            ("email", {}, "Rahim@acme.example"),
            ("number", {}, 0),
            ("number", {}, -2.5),
            ("number", {}, "-12.50"),
            ("number", {}, "123456789012345678901234567890"),
            ("number", {"validation": {"min": 1, "max": 5}}, 5),
            ("number", {"validation": {"max": 0.3}}, "0.3"),
            ("date", {}, "2026-02-28"),
            ("date", {"validation": {"min_date": "2026-01-01", "max_date": "2026-01-01"}}, "2026-01-01"),
            ("dropdown", {"options": COLORS}, "red"),
            ("checkbox", {}, False),
            ("checkbox", {"is_required": True}, True),
            ("checkbox", {"options": COLORS}, ["blue", "red"]),
            ("phone", {}, "+8801712345678"),
            ("phone", {}, "(02) 955-1234"),
            ("address", {}, HOME),
            ("address", {}, {**HOME, "line2": "Road 3", "postal_code": "1207"}),
        ],
    )
    def test_takes(self, kind: str, more: dict[str, Any], value: Any) -> None:
        assert submission_value_rules.validate_values(one(kind, **more), {"f": value}) == {"f": value}

    @pytest.mark.parametrize(
        ("kind", "more", "value", "detail"),
        [
            ("text", {}, 5, "must be a text"),
            ("text", {}, ["a"], "must be a text"),
            ("text", {}, "x" * 1001, "must have at most 1,000 characters"),
            ("text", {"validation": {"min_length": 3}}, " ab ", "must have at least 3 characters"),
            ("text", {"validation": {"max_length": 1}}, "ab", "must have at most 1 character"),
            ("text", {"validation": {"pattern": "[A-Z]+"}}, "ABc", "must look like [A-Z]+"),
            ("text", {"validation": {"pattern": "a|b"}}, "xb", "must look like a|b"),
            ("text", {"validation_rule": "[0-9]{3}"}, "12", "must look like [0-9]{3}"),
            ("text", {"validation_rule": "[0-9]{3}"}, "123\nx", "must look like [0-9]{3}"),
            ("textarea", {}, "x" * 10_001, "must have at most 10,000 characters"),
            ("textarea", {"validation_rule": "x+"}, "x" * 1001, "must have at most 1,000 characters"),
            ("email", {}, "rahim", "must be an e-mail address such as rahim@acme.example"),
            ("email", {}, "a b@acme.example", "must be an e-mail address such as rahim@acme.example"),
            ("email", {"validation_rule": ".*@acme[.]example"}, "a@b.cd", "must look like .*@acme[.]example"),
            ("number", {}, True, 'must be a number such as 12.5 or "12.50"'),
            ("number", {}, {}, "is required"),
            ("number", {}, {"a": 1}, 'must be a number such as 12.5 or "12.50"'),
            ("number", {}, "1e5", 'must be a number such as 12.5 or "12.50", of at most 30 digits'),
            ("number", {}, "NaN", 'must be a number such as 12.5 or "12.50", of at most 30 digits'),
            ("number", {}, "١٢", 'must be a number such as 12.5 or "12.50", of at most 30 digits'),
            ("number", {}, 10**30, "has more than 30 digits"),
            ("number", {}, 1e300, "has more than 30 digits"),
            ("number", {}, 0.1234567890123456, "has more than 15 digits; send it as a text to keep them all"),
            ("number", {"validation": {"min": 1}}, 0.5, "must be at least 1"),
            ("number", {"validation": {"max": 5}}, "5.01", "must be at most 5"),
            ("number", {"validation": {"max": 0.3}}, "0.30000000000000001", "must be at most 0.3"),
            ("date", {}, "2026-02-29", "must be a date such as 2026-01-31"),
            ("date", {}, "20260131", "must be a date such as 2026-01-31"),
            ("date", {}, "2026-01-31T00:00:00Z", "must be a date such as 2026-01-31"),
            ("date", {}, 20260131, "must be a date such as 2026-01-31"),
            ("date", {"validation": {"min_date": "2026-01-02"}}, "2026-01-01", "must be on or after 2026-01-02"),
            ("date", {"validation": {"max_date": "2026-01-02"}}, "2026-01-03", "must be on or before 2026-01-02"),
            ("dropdown", {"options": COLORS}, "green", "must be one of: red, blue"),
            ("dropdown", {"options": COLORS}, "Red", "must be one of: red, blue"),
            ("dropdown", {"options": COLORS}, ["red"], "must be one of: red, blue"),
            ("checkbox", {}, "yes", "must be true or false"),
            ("checkbox", {}, 1, "must be true or false"),
            ("checkbox", {"is_required": True}, False, "must be ticked"),
            ("checkbox", {"options": COLORS}, "red", "must be a list of some of: red, blue"),
            ("checkbox", {"options": COLORS}, ["red", 1], "must be a list of some of: red, blue"),
            ("checkbox", {"options": COLORS}, ["red", ["red"]], "must be a list of some of: red, blue"),
            ("checkbox", {"options": COLORS}, ["red", "red"], "names an option twice"),
            ("phone", {}, "123456", "must be a phone number of 7 to 15 digits such as +880 1712-345678"),
            ("phone", {}, "1234567890123456", "must be a phone number of 7 to 15 digits such as +880 1712-345678"),
            ("phone", {}, "01712-34x678", "must be a phone number of 7 to 15 digits such as +880 1712-345678"),
            ("phone", {}, 1712345678, "must be a phone number of 7 to 15 digits such as +880 1712-345678"),
            ("address", {}, "House 7, Dhaka", "must be an object with line1, line2, city, postal_code, country"),
            ("address", {}, {**HOME, "planet": "x"},
             "has a part planet that no address has; the parts are line1, line2, city, postal_code, country"),
            ("file", {}, "contract.pdf", "is a file: upload it, and put its id into attachments instead"),
        ],
    )  # fmt: skip
    def test_refuses(self, kind: str, more: dict[str, Any], value: Any, detail: str) -> None:
        if detail == "is required":
            more = {**more, "is_required": True}
        assert wrong(one(kind, **more), {"f": value}) == {"f": detail}

    @pytest.mark.parametrize(("part", "value", "parts"), [
        ("line1", None, "is required"), ("city", " ", "is required"), ("country", 7, "must be a text"),
        ("postal_code", "1" * 21, "must have at most 20 characters"),
    ])  # fmt: skip
    def test_names_the_part_of_an_address(self, part: str, value: Any, parts: str) -> None:
        assert wrong(one("address"), {"f": {**HOME, part: value}}) == {f"f/{part}": parts}

    def test_folds_spaces_of_a_text_and_keeps_a_number_as_it_is(self) -> None:
        form = fields({"field_name": "a", "field_type": "text"}, {"field_name": "b", "field_type": "number"})
        assert submission_value_rules.validate_values(form, {"a": "  Cox's  Bazar ", "b": " 1.50 "}) == {
            "a": "Cox's Bazar",
            "b": "1.50",
        }


class TestRequired:
    @pytest.mark.parametrize("none", [None, "", "  ", [], {}])
    @pytest.mark.parametrize("kind", ["text", "email", "number", "date", "textarea", "phone", "address", "checkbox"])
    def test_is_not_met_by_nothing(self, kind: str, none: Any) -> None:
        form = one(kind, is_required=True)
        assert wrong(form, {}) == wrong(form, {"f": none}) == {"f": "is required"}
        assert submission_value_rules.validate_values(one(kind), {"f": none}) == {}

    def test_may_depend_on_another_field(self) -> None:
        form = fields(
            {"field_name": "kind", "field_type": "dropdown", "options": COLORS},
            {"field_name": "why", "field_type": "text", "required_if": {"field": "kind", "in": ["red"]}},
            {"field_name": "more", "field_type": "text", "required_if": {"field": "why", "is_set": False}},
        )
        assert wrong(form, {"kind": "red"}) == {"why": "is required", "more": "is required"}
        assert wrong(form, {"kind": "blue"}) == {"more": "is required"}
        assert submission_value_rules.validate_values(form, {"kind": "red", "why": "x"}) == {"kind": "red", "why": "x"}


class TestShown:
    FORM = fields(
        {"field_name": "has_car", "field_type": "checkbox"},
        {
            "field_name": "seats",
            "field_type": "number",
            "is_required": True,
            "visible_if": {"field": "has_car", "equals": True},
        },
        {
            "field_name": "trailer",
            "field_type": "text",
            "is_required": True,
            "visible_if": {"field": "seats", "equals": 5},
        },
    )

    def test_fields_are_checked_and_the_others_dropped(self) -> None:
        assert wrong(self.FORM, {"has_car": True}) == {"seats": "is required"}
        assert wrong(self.FORM, {"has_car": True, "seats": "5.0"}) == {"trailer": "is required"}
        whole = {"has_car": True, "seats": 5, "trailer": "big"}
        assert submission_value_rules.validate_values(self.FORM, whole) == whole
        # seats are not shown, so they are not five, so the trailer is not shown either
        assert submission_value_rules.validate_values(self.FORM, {**whole, "has_car": False}) == {"has_car": False}
        assert submission_value_rules.validate_values(self.FORM, {"seats": "no number", "trailer": 7}) == {}

    def test_by_one_of_several_ticked(self) -> None:
        form = fields(
            {"field_name": "colors", "field_type": "checkbox", "options": COLORS},
            {"field_name": "shade", "field_type": "text", "visible_if": {"field": "colors", "equals": "red"}},
        )
        assert (
            submission_value_rules.validate_values(form, {"colors": ["blue", "red"], "shade": "dark"})["shade"]
            == "dark"
        )
        assert "shade" not in submission_value_rules.validate_values(form, {"colors": ["blue"], "shade": "dark"})

    def test_decides_on_files_too(self) -> None:
        form = fields(
            {"field_name": "sick", "field_type": "checkbox"},
            {
                "field_name": "note",
                "field_type": "file",
                "is_required": True,
                "visible_if": {"field": "sick", "equals": True},
            },
        )

        def said(data: dict[str, Any], files: dict[str, Any]) -> str | None:
            try:
                submission_value_rules.check_files(form, data, files)
            except Invalid as error:
                return error.places[0].detail
            return None

        assert said({"sick": True}, {}) == "needs a file: upload it, and put its id into attachments"
        assert said({"sick": True}, {"note": [1]}) is None
        assert said({"sick": False}, {"note": [1]}) == "is not shown with these values, and takes no file"
        assert said({"sick": False}, {}) is None


class TestWhole:
    def test_tells_everything_at_once(self) -> None:
        form = fields(
            {"field_name": "a", "field_type": "date", "is_required": True},
            {"field_name": "b", "field_type": "email"},
            {"field_name": "c", "field_type": "text"},
        )
        assert wrong(form, {"b": "x", "c": 1}) == {
            "a": "is required",
            "b": "must be an e-mail address such as rahim@acme.example",
            "c": "must be a text",
        }

    def test_refuses_fields_that_are_not_there(self) -> None:
        assert wrong(one("text"), {"f": "x", "g/~": 1}) == {"g~1~0": "is not a field of this form"}

    def test_refuses_more_than_64_kb(self) -> None:
        with pytest.raises(TooLarge, match="more than 64 KB"):
            submission_value_rules.validate_values(one("textarea"), {"f": "x" * 65_536})

    def test_is_in_the_order_of_the_form(self) -> None:
        form = fields({"field_name": "a", "field_type": "text"}, {"field_name": "b", "field_type": "text"})
        assert list(submission_value_rules.validate_values(form, {"b": "2", "a": "1"})) == ["a", "b"]


class TestPattern:
    @pytest.mark.parametrize("pattern", [r"(a+)+", r"(a|aa)+", r"(.*a){20}", r"(x+x+)+y", r"([a-z]{1,90}){1,25}0"])
    def test_that_is_hostile_answers_in_time(self, pattern: str) -> None:
        form = one("text", validation={"pattern": pattern})
        started = time.perf_counter()
        assert wrong(form, {"f": "a" * 999 + "!"}) == {"f": f"must look like {pattern}"}
        assert time.perf_counter() - started < 5  # a backtracking engine would be at it for years

    def test_of_a_hundred_fields_answers_in_time(self) -> None:
        pattern = "([a-z]{1,40}){1,10}0"
        form = fields(*({"field_name": f"f{n}", "field_type": "text", "validation_rule": pattern} for n in range(20)))
        started = time.perf_counter()
        assert len(wrong(form, {f"f{n}": "a" * 999 + "!" for n in range(20)})) == 20
        assert time.perf_counter() - started < 5
