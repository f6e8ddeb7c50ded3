"""What spreadsheets would run is quoted, and nothing else."""

import pytest

from chalicelib.entry.sheets import escape_formula


class TestSafe:
    @pytest.mark.parametrize("said", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "－1"])
    def test_quotes_what_begins_like_a_formula(self, said: str) -> None:
        assert escape_formula(said) == "'" + said

    @pytest.mark.parametrize("said", ["", " ", "Rahim", "1-2", "a=b", "'=1", "ঢাকা"])
    def test_leaves_everything_else(self, said: str) -> None:
        assert escape_formula(said) == said
