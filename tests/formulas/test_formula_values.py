"""What formulas give, worked by hand."""

import pytest

from tests.formulas.computing import step, value


class TestArithmetic:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0.15 * 10000", "1500.00"),
            ("15% * 10000", "1500.00"),
            ("0.1 + 0.2", "0.3"),
            ("12345678901234567890 * 12345678901234567890", "152415787532388367501905199875019052100"),
            ("2 + 3 * 4", "14"),
            ("(2 + 3) * 4", "20"),
            ("10 - 4 - 3", "3"),
            ("100 / 10 / 5", "2.0000000000"),
            ("-2 * -3", "6"),
            ("2 - -3", "5"),
            ("--5", "5"),
            ("-(2 + 3)", "-5"),
            ("0 * -1", "0"),
            ("100%", "1.00"),
            ("12.5%", "0.125"),
        ],
    )
    def test_is_exact(self, text, expected):
        assert value(text) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("1 / 3", "0.3333333333"),
            ("2 / 3", "0.6666666667"),
            ("-2 / 3", "-0.6666666667"),
            ("2 / -3", "-0.6666666667"),
            ("1 / 8", "0.1250000000"),
            ("1 / 20000000000", "0.0000000001"),  # half of the last place
            ("-1 / 20000000000", "-0.0000000001"),
            ("1 / 20000000001", "0.0000000000"),  # just less than half
            ("3 / 20000000000", "0.0000000002"),  # here half to even would agree, in the next it would not
            ("5 / 20000000000", "0.0000000003"),
            ("10000 / 3 * 3", "9999.9999999999"),
        ],
    )
    def test_divides_to_ten_places_with_halves_away_from_zero(self, text, expected):
        assert value(text) == expected

    def test_rounds_a_quotient_once(self):
        # 0.33333333334999999999...: rounded first to fewer digits and then again, it would end in 4
        assert value("a / b", a="33333333334999999999999999999999999999999999", b=10**44) == "0.3333333333"


class TestFunctions:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("ROUND(2.5)", "3"),
            ("ROUND(-2.5)", "-3"),
            ("ROUND(3.5)", "4"),
            ("ROUND(2.4999999999)", "2"),
            ("ROUND(2.345, 2)", "2.35"),
            ("ROUND(-2.345, 2)", "-2.35"),
            ("ROUND(7, 2)", "7.00"),
            ("ROUND(1250, -2)", "1300"),
            ("ROUND(-49, -2)", "0"),
            ("ROUND(-0.4)", "0"),
            ("FLOOR(2.9)", "2"),
            ("FLOOR(-2.1)", "-3"),
            ("CEIL(2.1)", "3"),
            ("CEIL(-2.9)", "-2"),
            ("CEIL(-0.9)", "0"),
            ("ABS(-5.5)", "5.5"),
            ("MIN(3, 1, 2)", "1"),
            ("MAX(3, 1, 2)", "3"),
            ("SUM(1, 2, 3.5)", "6.5"),
            ("IF(2 > 1, 10, 20)", "10"),
            ("IF(2 < 1, 10, 20)", "20"),
        ],
    )
    def test_give(self, text, expected):
        assert value(text) == expected

    @pytest.mark.parametrize(
        ("amount", "expected"),
        [(-5, "0"), (0, "0"), (25000, "0.00"), (25001, "0.10"), (50000, "2500.00"), (60000, "4500.00")],
    )
    def test_bracket_taxes_each_part_at_its_rate(self, amount, expected):
        # 60,000: nothing on 25,000, 10 % of 25,000 = 2,500, 20 % of 10,000 = 2,000
        assert value("BRACKET(a, 0, 0%, 25000, 10%, 50000, 20%)", a=amount) == expected

    def test_bracket_gives_nothing_below_its_first_threshold(self):
        assert value("BRACKET(a, 1000, 5%)", a=999) == "0"
        assert value("BRACKET(a, 1000, 5%)", a=1100) == "5.00"

    def test_are_known_in_either_case(self):
        assert value("max(1, Min(5, 7)) + ROUND(1.5)") == "7"


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "holds"),
        [
            ("1 < 2", True), ("2 <= 2", True), ("1 > 2", False), ("2 >= 3", False), ("1 = 1.00", True),
            ("1 <> 1.0", False), ("not 1 = 2", True), ("not (1 = 1 and 2 = 2)", False),
            ("1 = 1 or 1 = 2 and 1 = 3", True),  # and binds tighter
            ("(1 = 1 or 1 = 2) and 1 = 3", False), ("1 = 2 AND 1 = 1 Or 1 = 1", True), ("not 1 = 1 or 1 = 1", True),
            ("1 + 1 = 2 and 2 * 3 > 5", True), ("1 = 2 or 1 = 3 or 1 = 1", True), ("1 = 1 and 2 = 2 and 1 = 3", False),
            ("IF(1 = 1, 2 = 2, 2 = 3)", True),
        ],
    )  # fmt: skip
    def test_hold_or_not(self, condition, holds):
        assert value(f"IF({condition}, 1, 0)") == ("1" if holds else "0")


class TestMissing:
    @pytest.mark.parametrize("text", ["a + 1", "2 * a", "-a", "ABS(a)", "ROUND(a)", "BRACKET(a, 0, 5%)", "a / 2"])
    def test_goes_through_arithmetic_and_is_named(self, text):
        assert step(text, a=None) == (None, [("missing", "a")])

    def test_names_all_that_are_missing_once(self):
        assert step("a + b * a + c", a=None, b=None, c=1) == (None, [("missing", "a"), ("missing", "b")])

    def test_is_skipped_by_min_max_and_sum(self):
        assert value("MIN(a, 5)", a=None) == "5"
        assert value("MAX(-3, a, b)", a=None, b=-7) == "-3"
        assert value("SUM(a, 5)", a=None) == "5"
        assert value("SUM(a, b)", a=None, b=None) == "0"

    def test_makes_min_and_max_missing_if_all_are(self):
        assert step("MAX(a, b)", a=None, b=None) == (None, [("missing", "a"), ("missing", "b")])
        assert step("MAX(a, 1) + MIN(b)", a=None, b=None) == (None, [("missing", "b")])

    def test_makes_if_missing_where_the_condition_is(self):
        assert step("IF(a > 1, 2, 3)", a=None) == (None, [("missing", "a")])

    def test_of_a_side_not_chosen_does_not_matter(self):
        assert value("IF(a = 1, 2, b)", a=1, b=None) == "2"
        assert step("IF(a = 1, 2, b)", a=0, b=None) == (None, [("missing", "b")])

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ("a = 1 and 1 = 2", "0"), ("1 = 2 and a = 1", "0"), ("a = 1 and 1 = 1", None), ("1 = 1 and a = 1", None),
            ("a = 1 or 1 = 1", "1"), ("1 = 1 or a = 1", "1"), ("a = 1 or 1 = 2", None), ("not a = 1", None),
            ("a = 1 and 1 = 1 and 1 = 2", "0"), ("a <> a", None),
        ],
    )  # fmt: skip
    def test_decides_nothing_that_is_decided_anyway(self, condition, expected):
        found, warnings = step(f"IF({condition}, 1, 0)", a=None)
        assert (None if found is None else str(found)) == expected
        assert warnings == ([("missing", "a")] if expected is None else [])


class TestNoValue:
    @pytest.mark.parametrize("text", ["1 / 0", "a / (a - a)", "5 + 1 / 0 * 2", "ROUND(1 / 0)", "MIN(1 / 0)"])
    def test_by_division_by_zero(self, text):
        assert step(text, a=3) == (None, [("division_by_zero", None)])

    def test_is_skipped_but_told_where_there_is_another(self):
        assert step("MAX(a / 0, 5)", a=1) == (5, [("division_by_zero", None)])

    def test_is_not_told_of_what_was_not_computed(self):
        assert value("IF(a = 0, 0, 1 / a)", a=0) == "0"
        assert value("IF(a = 0 or 1 / a > 2, 7, 8)", a=0) == "7"

    def test_by_too_many_digits(self):
        assert value("a * a", a="9" * 30) == "9" * 29 + "8" + "0" * 29 + "1"
        assert step("a * a", a="9" * 31) == (None, [("too_large", None)])
        assert step("a * 10", a="1" + "0" * 59) == (None, [("too_large", None)])
        assert step("a * a", a="0." + "0" * 29 + "1") == (None, [("too_large", None)])  # 60 places
        assert step("a + b", a="1" + "0" * 40, b="0." + "0" * 29 + "1") == (None, [("too_large", None)])
        assert step("a / 0.1", a="1" + "0" * 49) == (None, [("too_large", None)])
        assert value("a / 0.1", a="1" + "0" * 48) == "1" + "0" * 49 + ".0000000000"
        assert step("MAX(a * a, 1)", a="9" * 31) == (1, [("too_large", None)])
