"""The bench of formulas, as small as it gets: it runs, and its three ways compute the same."""

from collections.abc import Iterator
from contextlib import contextmanager

from infra.labs.bench import formulas
from infra.labs.bench.measures import ReportStep


@contextmanager
def quietly(_what: str, _steps: int) -> Iterator[ReportStep]:
    """Watch without a word."""
    yield lambda _now: None


class TestFormulas:
    def test_gives_a_line_for_each_way(self):
        lines, number = formulas.measured("tiny", quietly)
        assert number == 200
        assert [line.of for line in lines] == ["", "this / compiled", "this / compiled"]
        assert all("/s" in line.measured for line in lines)

    def test_computes_the_same_in_all_ways(self):
        rows = formulas.people(20)
        assert formulas.compiled(rows) == formulas.each_time(rows) == formulas.by_eval(rows)
