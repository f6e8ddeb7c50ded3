"""Steps: formulas of a run, computed one after the other by one function."""

import decimal
from decimal import Decimal

import pytest

from chalicelib import formulas
from chalicelib.formulas import CycleError, FormulaStep, check, compile_steps, exactly, ordered, sum_of
from tests.formulas.computing import steps


class TestSteps:
    def test_use_what_earlier_ones_gave_as_it_was_rounded(self):
        found = steps({"third": "pay / 3", "thrice": "third * 3"}, {"pay": 100}, places=2)
        assert found == {"third": (Decimal("33.33"), []), "thrice": (Decimal("99.99"), [])}

    def test_round_halves_away_from_zero_to_their_places(self):
        assert str(steps({"x": "a"}, {"a": "2.675"}, places=2)["x"][0]) == "2.68"
        assert str(steps({"x": "a"}, {"a": "-2.675"}, places=2)["x"][0]) == "-2.68"
        assert str(steps({"x": "a"}, {"a": "2.5"}, places=0)["x"][0]) == "3"
        assert str(steps({"x": "a"}, {"a": "7"}, places=3)["x"][0]) == "7.000"
        assert str(steps({"x": "a"}, {"a": "-0.001"}, places=2)["x"][0]) == "0.00"
        assert str(steps({"x": "a"}, {"a": "1E+3"})["x"][0]) == "1000"

    def test_are_kept_at_a_least_value_with_a_warning(self):
        found = steps({"x": "a - 10", "y": "x + 1"}, {"a": 4}, places=2, at_least=0)
        assert found == {"x": (0, [("below", None)]), "y": (1, [])}
        assert str(found["x"][0]) == "0.00"
        assert steps({"x": "a"}, {"a": "-0.001"}, places=2, at_least=0)["x"] == (0, [])

    def test_take_a_given_value_in_the_place_of_a_formula(self):
        found = steps({"x": "1 / 0", "y": "x * 2"}, {"a": 1}, given={"x": "5.005"}, places=2, at_least=0)
        assert found == {"x": (Decimal("5.01"), []), "y": (Decimal("10.02"), [])}
        assert steps({"x": "a"}, {"a": 1}, given={"x": -3}, at_least=0)["x"] == (0, [("below", None)])

    def test_without_value_leave_those_that_need_them_without(self):
        found = steps({"x": "a / b", "y": "x + 1", "z": "MAX(x, 2)"}, {"a": 1, "b": 0}, places=2, at_least=0)
        assert found == {"x": (None, [("division_by_zero", None)]), "y": (None, [("missing", "x")]), "z": (2, [])}

    def test_too_large_for_their_places_have_no_value(self):
        assert steps({"x": "a"}, {"a": "9" * 58}, places=2)["x"][1] == []
        assert steps({"x": "a"}, {"a": "9" * 59}, places=2)["x"] == (None, [("too_large", None)])
        assert steps({"x": "a"}, {"a": "9" * 61})["x"] == (None, [("too_large", None)])

    def test_warn_of_the_same_once(self):
        assert steps({"x": "MAX(1 / a, 2 / a, 7)"}, {"a": 0})["x"] == (7, [("division_by_zero", None)])

    def test_may_be_named_anything(self):
        # a step's name is handed back in warnings and never becomes code
        name = "x'); import os; ('"
        program = compile_steps(["a"], [FormulaStep(name, check("a", names=["a"]))])
        with exactly():
            assert program([None], [None]) == ([None], [formulas.Warning(name, "missing", "a")])

    def test_refuse_what_only_a_programmer_can_get_wrong(self):
        one = check("a", names=["a"])
        with pytest.raises(ValueError, match="y uses a, which nothing before it gives"):
            compile_steps(["b"], [FormulaStep("y", one)])
        with pytest.raises(ValueError, match="a is there twice"):
            compile_steps(["a"], [FormulaStep("a", one)])
        with pytest.raises(ValueError, match="y gives yes or no"):
            compile_steps(["a"], [FormulaStep("y", check("a = 1", names=["a"], yields=formulas.ValueKind.YES_NO))])
        with pytest.raises(ValueError, match="not enough values"), exactly():
            compile_steps(["a"], [FormulaStep("y", one)])([], [None])

    def test_are_computed_exactly_or_not_at_all(self):
        program = compile_steps(["a"], [FormulaStep("y", check("a * a", names=["a"]))])
        with pytest.raises(RuntimeError, match="exactly"):
            program([Decimal(1)], [None])

    def test_leave_the_callers_decimals_alone(self):
        before = decimal.getcontext().copy()
        steps({"x": "1 / 3"}, {})
        assert repr(decimal.getcontext()) == repr(before)

    def test_sum_more_names_than_a_person_may_write(self):
        names = [f"component_number_{number}" for number in range(300)]
        program = compile_steps(names, [FormulaStep("gross", sum_of(names))])
        with exactly():
            assert program([Decimal(2), None] * 150, [None]) == ([Decimal(300)], [])


class TestOrdered:
    def test_puts_each_behind_what_it_uses(self):
        assert ordered({"net": ["gross", "tax"], "tax": ["gross"], "gross": ["pay"]}) == ["gross", "tax", "net"]

    def test_keeps_what_is_free_in_its_order(self):
        assert ordered({"b": ["x"], "c": [], "a": []}) == ["b", "c", "a"]

    @pytest.mark.parametrize(
        ("uses", "names", "sentence"),
        [
            ({"bonus": ["tax"], "tax": ["bonus"]}, ["bonus", "tax"], "bonus needs tax, tax needs bonus"),
            ({"a": ["a"]}, ["a"], "a needs itself"),
            (
                {"free": [], "a": ["b"], "b": ["free", "c"], "c": ["a"], "d": ["a"]},
                ["a", "b", "c"],
                "a needs b, b needs c, c needs a",
            ),
        ],
    )
    def test_names_a_cycle(self, uses, names, sentence):
        with pytest.raises(CycleError) as caught:
            ordered(uses)
        assert (caught.value.names, str(caught.value), caught.value.detail) == (names, sentence, sentence)
