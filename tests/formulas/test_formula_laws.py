"""Laws of the language, for any numbers; and thousands of generated formulas against the model."""

import ast
from collections import Counter
from decimal import Decimal
from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.formulas import compile_steps, compiler, exactly, trace
from tests.formulas import fuzz, model
from tests.formulas.computing import step

whole = st.integers(-(10**12), 10**12)
numbers = st.builds(lambda digits, places: Decimal(digits).scaleb(-places), whole, st.integers(0, 10))


def computed(text: str, **values: Decimal) -> Decimal:
    """Compute what has a value."""
    found, warnings = step(text, **values)
    assert found is not None
    assert warnings == []
    return found


class TestNumbers:
    @settings(deadline=None)
    @given(numbers, numbers, numbers)
    def test_add_and_multiply_without_loss(self, a, b, c):
        assert computed("a * (b + c) - a * b - a * c", a=a, b=b, c=c) == 0
        assert Fraction(computed("a * b + c", a=a, b=b, c=c)) == Fraction(a) * Fraction(b) + Fraction(c)

    @settings(deadline=None)
    @given(numbers, numbers.filter(bool))
    @example(Decimal(1), Decimal(20_000_000_000))
    @example(Decimal("-0.00000000005"), Decimal(1))
    def test_divide_to_within_half_of_the_tenth_place(self, a, b):
        quotient = Fraction(computed("a / b", a=a, b=b))
        off = abs(quotient) - abs(Fraction(a) / Fraction(b))
        assert abs(off) <= Fraction(1, 2 * 10**10)
        assert off != -Fraction(1, 2 * 10**10), "a half goes away from zero"
        assert (quotient * 10**10).denominator == 1

    @settings(deadline=None)
    @given(numbers, st.integers(0, 10))
    def test_round_to_the_nearest_with_halves_away_from_zero(self, a, places):
        rounded = Fraction(computed(f"ROUND(a, {places})", a=a))
        off = (abs(rounded) - abs(Fraction(a))) * 10**places
        assert -Fraction(1, 2) < off <= Fraction(1, 2)

    @settings(deadline=None)
    @given(numbers, numbers)
    def test_bracket_never_falls_and_never_takes_more_than_its_highest_rate(self, a, b):
        text = "BRACKET(a, 0, 5%, 1000, 12.5%, 50000, 40%)"
        low, high = sorted((a, b))
        tax = [computed(text, a=low), computed(text, a=high)]
        assert 0 <= tax[1] - tax[0] <= (high - low) * Decimal("0.4")

    @settings(deadline=None)
    @given(numbers, numbers)
    def test_min_and_max_are_the_two_in_order(self, a, b):
        assert [computed("MIN(a, b)", a=a, b=b), computed("MAX(a, b)", a=a, b=b)] == sorted((a, b))
        assert computed("IF(a < b, a, b)", a=a, b=b) == min(a, b)
        assert computed("FLOOR(a) + CEIL(-a)", a=a) == 0


class TestTexts:
    @settings(max_examples=500, deadline=None)
    @given(st.text(max_size=60) | st.text("ab1.%+-*/()<>=, \n", max_size=60))
    def test_are_refused_or_computed_and_nothing_else(self, text):
        formula = fuzz.checked(text, ["a", "b", "ab"])  # sees to it that a refusal can be shown
        if formula is not None:
            assert trace(formula, dict.fromkeys(formula.uses, Decimal(1)))

    @settings(max_examples=50, deadline=None)
    @given(st.integers(0, 10**6))
    def test_become_code_of_a_few_known_forms(self, number):
        sources: list[str] = []
        compiler.compile = lambda source, *rest: sources.append(source) or compile(source, *rest)  # type: ignore[attr-defined]
        try:
            fuzz.run(0, number)
        finally:
            del compiler.compile  # type: ignore[attr-defined]
        for source in sources:
            for node in ast.walk(ast.parse(source)):
                assert not isinstance(node, (ast.Import, ast.ImportFrom, ast.Lambda, ast.ClassDef, ast.While, ast.For))
                if isinstance(node, ast.Attribute):
                    assert node.attr in ("append", "prec", "quantize", "__abs__")
                if isinstance(node, ast.Constant):
                    assert isinstance(node.value, int | None), "numbers and texts are constants of the namespace"


class TestGenerated:
    def test_formulas_agree_with_the_model(self):
        said = fuzz.cases(2026, range(3000))
        assert sum(number for what, number in said.items() if what.startswith("agreed")) > 3000
        for what in ("missing", "division_by_zero", "too_large"):
            assert said[f"agreed on none: {what}"] > 20
        for kind in ("ill-typed", "unknown", "oversized", "chained", "mutilated", "garbage"):
            assert said[f"refused: {kind}"] > 20
        assert said["mutilated, yet well-formed"] > 20

    def test_are_the_same_for_the_same_seed(self):
        again: list[Counter[str]] = [fuzz.cases(1, range(50)) for _ in range(2)]
        assert again[0] == again[1]
        assert again[0] != fuzz.cases(2, range(50))


class TestModel:
    """The model itself, on numbers worked by hand: it is what all else is held against."""

    def test_knows_what_fits(self):
        assert model.fits(Fraction(10**60 - 1))
        assert not model.fits(Fraction(10**60))
        assert model.fits(Fraction(1, 10**59))
        assert not model.fits(Fraction(1, 10**60))
        assert not model.fits(Fraction(1, 3))
        assert not model.fits(10**30 + Fraction(1, 10**30))

    def test_rounds_halves_away_from_zero(self):
        assert [model.rounded(Fraction(n, 2), 0) for n in (-5, -3, -1, 1, 3, 5)] == [-3, -2, -1, 1, 2, 3]
        assert model.rounded(Fraction(1250), -2) == 1300
        assert model.rounded(Fraction(2, 3), 10) == Fraction(6666666667, 10**10)

    def test_says_why_there_is_nothing(self):
        tree = ("binary", "+", ("binary", "/", ("name", "a"), ("number", "0", Fraction(0))), ("name", "b"))
        assert model.step(tree, {"a": Fraction(1), "b": None}) == (None, {("division_by_zero", None), ("missing", "b")})


def test_programs_take_values_as_they_come_from_the_database():
    program = compile_steps(["a"], [])
    with exactly():
        assert program([Decimal("1.50")], []) == ([], [])
