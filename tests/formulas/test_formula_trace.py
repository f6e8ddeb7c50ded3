"""Traces: how a formula came to its value."""

from decimal import Decimal

from chalicelib.formulas import ValueKind, check, trace


def traced(text: str, /, **values: int | str | None) -> list[tuple[str, str | bool | None, str | None]]:
    """Trace a formula and word its values."""
    found = trace(
        check(text, names=list(values)),
        {name: None if value is None else Decimal(value) for name, value in values.items()},
    )
    return [(part, format(value, "f") if isinstance(value, Decimal) else value, why) for part, value, why in found]


class TestTrace:
    def test_gives_each_part_innermost_first(self):
        assert traced("(base - 100)\n * 10%", base=500) == [
            ("base", "500", None),
            ("base - 100", "400", None),
            ("(base - 100) * 10%", "40.00", None),
        ]

    def test_gives_conditions_and_leaves_out_what_was_not_computed(self):
        assert traced("IF(days > 20 or a / 0 > 1, days * 2, b)", days=21, a=1, b=None) == [
            ("days", "21", None),
            ("days > 20", True, None),
            ("days > 20 or a / 0 > 1", True, None),
            ("days * 2", "42", None),
            ("IF(days > 20 or a / 0 > 1, days * 2, b)", "42", None),
        ]

    def test_says_at_which_part_a_value_was_lost(self):
        assert traced("a / 0 + b * 2", a=1, b=None) == [
            ("a", "1", None),
            ("a / 0", None, "division_by_zero"),
            ("b", None, "missing"),
            ("b * 2", None, None),
            ("a / 0 + b * 2", None, None),
        ]
        assert traced("-(a * a)", a="9" * 40)[1:] == [("a * a", None, "too_large"), ("-(a * a)", None, None)]

    def test_says_what_is_there_twice_once(self):
        assert [part for part, _, _ in traced("a * a + a  *  a", a=2)] == ["a", "a * a", "a * a + a * a"]

    def test_of_a_plain_number_is_that_number(self):
        assert traced("15%") == [("15%", "0.15", None)]
        assert traced("0 * -1")[-1] == ("0 * -1", "0", None)

    def test_may_end_in_yes_or_no(self):
        assert trace(check("2 > 1", names=[], yields=ValueKind.YES_NO), {})[-1] == ("2 > 1", True, None)
