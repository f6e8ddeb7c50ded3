"""What is refused, where, and in which words."""

import time

import pytest

from chalicelib.formulas import REFERENCE, FormulaError, ValueKind, check
from chalicelib.formulas.functions import FUNCTIONS
from chalicelib.formulas.reference import OPERATORS
from tests.formulas.computing import value
from tests.formulas.wrong import HOSTILE

NAMES = ("base_salary", "earned_salary", "ot_hours", "a", "b", "c")


def refusal(text: str) -> FormulaError:
    """Return the refusal of a text."""
    with pytest.raises(FormulaError) as caught:
        check(text, names=NAMES)
    return caught.value


class TestPointed:
    @pytest.mark.parametrize(
        ("text", "detail", "caret"),
        [
            (
                "bse_salary * 2",
                "There is no value named bse_salary; did you mean base_salary?",
                "^",
            ),
            (
                "ot_hours * Base_Salary",
                "There is no value named Base_Salary; did you mean base_salary?",
                "           ^",
            ),
            ("a + zzz", "There is no value named zzz.", "    ^"),
            ("a + MXA(1, 2)", "There is no function MXA; did you mean MAX?", "    ^"),
            ("a +", "The formula ends here, where a number, a name or a function is expected.", "   ^"),
            ("", "The formula ends here, where a number, a name or a function is expected.", "^"),
            ("(a + b", "This bracket is never closed.", "^"),
            ("MAX(a, (b)", "This bracket is never closed.", "   ^"),
            ("a + b)", "This bracket closes nothing.", "     ^"),
            ("a b", "Before b an operator is missing, such as + or *.", "  ^"),
            ("2(a)", "Before ( an operator is missing, such as + or *.", " ^"),
            ("a(2)", "a is a value, not a function; to multiply, write *", " ^"),
            ("a * * b", "In place of * a number, a name or a function is expected.", "    ^"),
            ("a == b", "== has no place in a formula: write = to compare.", "  ^"),
            ("a != b", "!= has no place in a formula: write <> for 'is not equal to'.", "  ^"),
            ("a < b < c", "Comparisons are not chained; write a < b and b < c.", "      ^"),
            ("a × b", "U+00D7 (MULTIPLICATION SIGN) has no place in a formula: write *.", "  ^"),
            ("a ^ 2", "^ has no place in a formula: there are no powers; multiply.", "  ^"),
            ("MAX", "MAX is a function; write MAX(a, b, ...).", "^"),
            ("if a > 1", "IF is a function; write IF(condition, a, b).", "^"),
            ("IF(a > 1, b)", "This is too little for IF: write IF(condition, a, b).", "^"),
            ("FLOOR(a, b)", "FLOOR takes one argument: FLOOR(a).", "       ^"),
            ("and(a, b)", "Something is missing before and; write a and b.", "^"),
            (
                "1e5",
                "A number is digits and perhaps a decimal point, such as 1000 or 0.15; here letters follow it.",
                " ^",
            ),
            (
                "1,000",
                "A number does not begin with needless zeros, and has no separators of thousands.",
                "  ^",
            ),
            ("a + b > 1", "The result must be a number, and this is yes or no.", "^"),
            ("a + (b > 1)", "+ needs a number here, and this is yes or no.", "     ^"),
            ("IF(a, 1, 2)", "The condition of IF needs yes or no here, and this is a number.", "   ^"),
            (
                "IF(a = 1, 2, b = 1)",
                "Both results of IF are numbers or both are yes/no; here they are mixed.",
                "             ^",
            ),
            ("ROUND(a, b)", "The places of ROUND are a plain whole number from -10 to 10.", "         ^"),
            ("ROUND(a, 11)", "The places of ROUND are a plain whole number from -10 to 10.", "         ^"),
            ("BRACKET(a, 0, 10)", "A rate of BRACKET is at most 100%; ten percent is 10% or 0.1.", "              ^"),
            (
                "BRACKET(a, 5, 1%, 5, 2%)",
                "The thresholds of BRACKET ascend; this one is not above the one before it.",
                "                  ^",
            ),
            ("BRACKET(a, b, 1%)", "A threshold of BRACKET is a plain number, such as 25000.", "           ^"),
            ("BRACKET(a, 0, b)", "A rate of BRACKET is a plain number, such as 10%.", "              ^"),
        ],
    )
    def test_shows_the_place(self, text, detail, caret):
        error = refusal(text)
        assert error.detail == detail
        assert error.pointed == f"{text}\n{caret}"
        assert error.position == len(caret) - 1

    def test_shows_the_line_of_several(self):
        error = refusal("a +\n  bb * 2\n+ c")
        assert (error.position, error.pointed) == (6, "  bb * 2\n  ^")

    def test_shows_part_of_a_long_line(self):
        text = " + ".join(["a"] * 100) + " + x" + " + a" * 100
        error = refusal(text)
        assert error.position == 400
        assert error.pointed == f"...{text[325:425]}...\n{' ' * 78}^"

    def test_can_be_shown_whatever_the_text_holds(self):
        assert refusal("a + \ud800").pointed == "a + \N{REPLACEMENT CHARACTER}\n    ^"
        assert refusal("a\t+ \x00").pointed == "a + \N{REPLACEMENT CHARACTER}\n    ^"
        assert refusal("a + \ud800").detail == "U+D800 (a character without a name) has no place in a formula."
        assert refusal("\x07").detail == "U+0007 (a control character) has no place in a formula."

    def test_says_what_kind_is_wanted(self):
        assert check("a > 1", names=NAMES, yields=ValueKind.YES_NO).kind is ValueKind.YES_NO
        with pytest.raises(FormulaError, match="The result must be yes or no, and this is a number"):
            check("a", names=NAMES, yields=ValueKind.YES_NO)


class TestBounds:
    @pytest.mark.parametrize(
        ("fits", "too_much", "why"),
        [
            ("a" + " " * 1999, "a" + " " * 2000, "2,001 characters; at most 2,000"),
            ("(" * 24 + "a" + ")" * 24, "(" * 25 + "a" + ")" * 25, "nested more than 24 deep"),
            ("-" * 24 + "a", "-" * 25 + "a", "nested more than 24 deep"),
            ("+".join("a" * 150), "+".join("a" * 151), "more than 300 numbers"),
            ("1" * 20, "1" * 21, "at most 20 digits"),
            ("0." + "1" * 19, "0." + "1" * 20, "at most 20 digits"),
            ("MAX(" + ", ".join("a" * 50) + ")", "MAX(" + ", ".join("a" * 51) + ")", "at most 50 arguments"),
            ("base_salary", "b" * 65, "No name is longer than 64 letters"),
            (
                "BRACKET(a, " + ", ".join(f"{n}, 1%" for n in range(25)) + ")",
                "BRACKET(a, " + ", ".join(f"{n}, 1%" for n in range(26)) + ")",
                "at most 51 arguments",
            ),
            (
                "BRACKET(a, 0.0000000000000000001, 99.999999999999999999%, 99999999999999999999, 1%)",
                "BRACKET(a, 0.0000000000000000001%, 99.999999999999999999%, 99999999999999999999, 1%)",
                "more digits than can be computed",
            ),
        ],
    )
    def test_are_said(self, fits, too_much, why):
        check(fits, names=NAMES)
        assert why in refusal(too_much).detail

    @pytest.mark.parametrize(
        "text", ["(" * 10**6 + ")" * 10**6, "a+" * 10**6, "not " * 10**6, "1" * 10**7, "\x00" * 10**7]
    )
    def test_are_met_at_once(self, text):
        began = time.process_time()
        assert refusal(text).position == 2000
        assert time.process_time() - began < 0.5

    def test_leave_room_for_the_largest_that_is_allowed(self):
        deep = "IF(a > 1, " * 23 + "a" + ", b)" * 23
        assert value(deep, a=2, b=1) == "2"
        assert value(deep, a=1, b=5) == "5"
        assert value(" and ".join(["1 = 1"] * 4).join(("IF(", ", 3, 4)"))) == "3"
        assert value("+".join("a" * 150), a=2) == "300"


class TestSafety:
    @pytest.mark.parametrize("text", [text for text in sorted(HOSTILE) if text != "\n"])
    def test_refuses_what_is_not_of_the_language(self, text):
        refusal(text)
        refusal(f"a + {text}")

    @pytest.mark.parametrize("character", sorted("\u0430\uff11\u0661\u00b2\u2160\u00aa\u017f\u212a"))
    def test_knows_no_look_alikes(self, character):
        # among them a Cyrillic a, digits of other scripts, and letters that lower() would turn into k and s
        refusal(character)
        refusal(f"a{character}")
        refusal(f"1{character}")

    def test_keeps_words_of_python_and_of_the_compiler_out(self):
        for word in ("None", "True", "lambda", "import", "warnings", "values", "k0", "v0", "getcontext"):
            refusal(word)
            refusal(f"{word}(1)")


class TestReference:
    @pytest.mark.parametrize(
        ("example", "expected"),
        [(row[2], row[3]) for row in OPERATORS] + [(one.example, one.value) for one in FUNCTIONS.values()],
    )
    def test_has_examples_that_are_true(self, example, expected):
        found = value(example)
        assert found is not None
        assert (found.rstrip("0").rstrip(".") if "." in found else found) == expected

    def test_has_every_function(self):
        for name in ("IF", "MIN", "MAX", "SUM", "ROUND", "FLOOR", "CEIL", "ABS", "BRACKET"):
            assert f"`{name}(" in REFERENCE
