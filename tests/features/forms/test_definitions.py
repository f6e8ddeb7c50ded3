"""What a form may be made of, and what is refused when it is saved: each place, all at once."""

from typing import Any

import pytest

from chalicelib.features.forms.definitions.field_rules import lay_out
from chalicelib.features.forms.definitions.field_schemas import FIELDS
from chalicelib.kernel.errors import Invalid

COLORS = [{"label": "Red", "value": "red"}, {"label": "Blue", "value": "blue"}]
OTHERS = [
    {"field_name": "n", "field_type": "number"},
    {"field_name": "ticked", "field_type": "checkbox"},
    {"field_name": "color", "field_type": "dropdown", "options": COLORS},
    {"field_name": "paper", "field_type": "file"},
    {"field_name": "home", "field_type": "address"},
]


def lay_out_fields(values: list[dict[str, Any]]) -> list[Any]:
    return lay_out(FIELDS.validate_python([{"field_label": "F", **one} for one in values], strict=False))


def wrong(values: list[dict[str, Any]]) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        lay_out_fields(values)
    return [(place.pointer, place.detail) for place in refused.value.places]


class TestLaidOut:
    def test_keeps_the_order_of_the_list(self) -> None:
        shown = lay_out_fields([{"field_name": name, "field_type": "text"} for name in "cab"])
        assert [(one.field_name, one.field_order) for one in shown] == [("c", 1), ("a", 2), ("b", 3)]

    def test_prefers_an_order_that_is_said(self) -> None:
        shown = lay_out_fields(
            [
                {"field_name": "c", "field_type": "text", "field_order": 9},
                {"field_name": "b", "field_type": "text"},
                {"field_name": "a", "field_type": "text", "field_order": 0},
            ]
        )
        assert [(one.field_name, one.field_order) for one in shown] == [("a", 1), ("b", 2), ("c", 3)]

    @pytest.mark.parametrize(
        ("field", "place", "values"),
        [
            ({"field_type": "dropdown"}, "options", "a dropdown needs at least one option"),
            ({"field_type": "dropdown", "options": []}, "options", "a dropdown needs at least one option"),
            ({"field_type": "text", "options": COLORS}, "options",
             "a field of type text has no options; take dropdown or checkbox"),
            ({"field_type": "dropdown", "options": [*COLORS, {"label": "R", "value": "red"}]}, "options/2/value",
             "there is another option with the value red"),
            ({"field_type": "date", "validation": {"max_length": 5}}, "validation/max_length",
             "does not apply to a field of type date"),
            ({"field_type": "number", "validation": {"min": 2, "max": 1}}, "validation/max",
             "is less than min, so no value would do"),
            ({"field_type": "date", "validation": {"min_date": "2026-01-02", "max_date": "2026-01-01"}},
             "validation/max_date", "is less than min_date, so no value would do"),
            ({"field_type": "number", "validation_rule": "[0-9]+"}, "validation_rule",
             "is a pattern, and does not apply to a field of type number"),
            ({"field_type": "text", "validation_rule": "a", "validation": {"pattern": "b"}}, "validation_rule",
             "differs from the pattern in validation; say it once"),
            ({"field_type": "text", "validation_rule": "(a"}, "validation_rule",
             "is not a pattern that we take: unclosed group"),
            ({"field_type": "text", "validation": {"pattern": "(?=a)b"}}, "validation/pattern",
             "is not a pattern that we take: look-around, including look-ahead and look-behind, is not supported"),
            ({"field_type": "text", "validation_rule": r"(a)\1"}, "validation_rule",
             "is not a pattern that we take: backreferences are not supported"),
            ({"field_type": "text", "validation_rule": "a)|(?:b"}, "validation_rule",
             "is not a pattern that we take: unopened group"),
            ({"field_type": "text", "validation_rule": r"(\w{1,100}){1,100}"}, "validation_rule",
             "is not a pattern that we take: SchemaError: Compiled regex exceeds size limit of 10485760 bytes."),
            ({"visible_if": {"field": "nobody", "is_set": True}}, "visible_if/field", "there is no field nobody"),
            ({"required_if": {"field": "f", "is_set": True}}, "required_if/field",
             "is this very field; name another one"),
            ({"visible_if": {"field": "n"}}, "visible_if",
             "needs one of equals, in and is_set, and not more than one"),
            ({"visible_if": {"field": "n", "equals": 1, "is_set": True}}, "visible_if",
             "needs one of equals, in and is_set, and not more than one"),
            ({"visible_if": {"field": "n", "equals": "1"}}, "visible_if/equals", "n is a number"),
            ({"visible_if": {"field": "ticked", "equals": "yes"}}, "visible_if/equals", "ticked is true or false"),
            ({"required_if": {"field": "color", "in": ["red", "green"]}}, "required_if/in/1",
             "is not among the options of color"),
            ({"required_if": {"field": "color", "equals": True}}, "required_if/equals",
             "is not among the options of color"),
            ({"visible_if": {"field": "paper", "is_set": True}}, "visible_if/field",
             "is a file, and conditions cannot ask for files"),
            ({"visible_if": {"field": "home", "equals": "x"}}, "visible_if/field",
             "is an address, which can only be asked whether it is_set"),
        ],
    )  # fmt: skip
    def test_refuses(self, field: dict[str, Any], place: str, values: str) -> None:
        assert wrong([*OTHERS, {"field_name": "f", "field_type": "text", **field}]) == [(f"/fields/5/{place}", values)]

    def test_refuses_a_name_twice(self) -> None:
        assert wrong([{"field_name": "a", "field_type": "text"}] * 2) == [
            ("/fields/1/field_name", "there is another field a")
        ]

    def test_refuses_a_circle_at_each_field_of_it(self) -> None:
        places = wrong(
            [
                {"field_name": "a", "field_type": "text", "visible_if": {"field": "b", "is_set": True}},
                {"field_name": "b", "field_type": "text", "visible_if": {"field": "c", "is_set": True}},
                {"field_name": "c", "field_type": "text", "visible_if": {"field": "a", "is_set": True}},
                {"field_name": "d", "field_type": "text", "visible_if": {"field": "a", "is_set": True}},
            ]
        )
        assert [place for place, _ in places] == [
            "/fields/0/visible_if",
            "/fields/1/visible_if",
            "/fields/2/visible_if",
        ]
        assert {detail for _, detail in places} == {
            "goes round in a circle: whether this field is shown depends on itself"
        }

    def test_takes_two_that_are_required_unless_the_other_is_there(self) -> None:
        assert (
            len(
                lay_out_fields(
                    [
                        {
                            "field_name": "phone",
                            "field_type": "phone",
                            "required_if": {"field": "mail", "is_set": False},
                        },
                        {
                            "field_name": "mail",
                            "field_type": "email",
                            "required_if": {"field": "phone", "is_set": False},
                        },
                    ]
                )
            )
            == 2
        )

    def test_refuses_patterns_that_are_too_large_together(self) -> None:
        many = [{"field_name": f"f{n}", "field_type": "text", "validation_rule": r"\w{1,20}"} for n in range(40)]
        with pytest.raises(Invalid, match="too large together"):
            lay_out_fields(many)
        assert len(lay_out_fields(many[:4])) == 4

    def test_refuses_more_text_than_256_kb(self) -> None:
        options = [{"label": "x" * 200, "value": f"{n:0200}"} for n in range(200)]
        many = [{"field_name": f"f{n}", "field_type": "dropdown", "options": options} for n in range(4)]
        with pytest.raises(Invalid, match="more than 256 KB"):
            lay_out_fields(many)
        assert len(lay_out_fields(many[:2])) == 2
