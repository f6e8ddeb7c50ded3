"""Formula injection: cells that a spreadsheet would run are quoted, no others."""

import pytest

from chalicelib.entry.sheets import escape_formula


class TestSafe:
    @pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "－1"])
    def test_quotes_what_begins_like_a_formula(self, cell: str) -> None:
        assert escape_formula(cell) == "'" + cell

    @pytest.mark.parametrize("cell", ["", " ", "Rahim", "1-2", "a=b", "'=1", "ঢাকা"])
    def test_leaves_everything_else(self, cell: str) -> None:
        assert escape_formula(cell) == cell
