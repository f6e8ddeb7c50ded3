"""What follows from what calls were told, in literal numbers."""

from collections import Counter

import pytest

from infra.labs.load.figures import Answer, Summary, dues, of_neighbours, of_overload, percentile, recovery


def answers(*calls: tuple[float, float, int], has_retry_after: bool = True) -> list[Answer]:
    """Make calls of (due, seconds, status)."""
    return [Answer("GET /me", due, seconds, status, has_retry_after=has_retry_after) for due, seconds, status in calls]


def summary(seconds: list[float], refused: int = 0, *, over: float = 10.0, wrong: int = 0) -> Summary:
    errors = Counter({"500 sale": wrong}) if wrong else Counter[str]()
    return Summary(
        over, len(seconds) + refused + wrong, sorted(seconds), Counter({503: refused} if refused else {}), errors
    )


class TestPercentile:
    def test_is_the_nearest_rank(self) -> None:
        hundred = [float(number) for number in range(1, 101)]
        assert [percentile(hundred, percent) for percent in (50, 95, 99, 100)] == [50, 95, 99, 100]
        assert percentile([1.0, 2.0, 3.0], 50) == 2.0
        assert percentile([7.0], 1) == 7.0

    def test_of_nothing_answered_is_no_time_at_all(self) -> None:
        assert percentile([], 50) == float("inf")


class TestDues:
    def test_come_by_chance_at_the_rate_and_are_the_same_for_a_seed(self) -> None:
        found = list(dues(100, 50, seed=7))
        assert found == sorted(found) == list(dues(100, 50, seed=7))
        assert 4_700 < len(found) < 5_300
        assert 0 < found[0] < found[-1] < 100
        assert found != list(dues(100, 50, seed=8))


class TestSummary:
    def test_tells_accepted_refused_and_wrong_apart(self) -> None:
        seen = Summary.of(answers((0, 0.2, 200), (1, 0.1, 201), (2, 0.01, 503), (3, 0.01, 429), (4, 1.0, 500)), 5)
        assert (seen.offered, list(seen.accepted), seen.per_second) == (5, [0.1, 0.2], 0.4)
        assert seen.refused == {503: 1, 429: 1}
        assert seen.errors == {"500 GET /me ": 1}

    def test_takes_a_refusal_that_does_not_say_when_to_come_back_for_wrong(self) -> None:
        seen = Summary.of(answers((0, 0.2, 503), has_retry_after=False), 5)
        assert (seen.refused, seen.errors) == ({}, {"503 GET /me ": 1})

    def test_takes_a_connection_that_broke_for_wrong(self) -> None:
        assert Summary.of([Answer("sale", 0, 1, 0, "ConnectionResetError")], 5).errors == {
            "no answer sale ConnectionResetError": 1
        }


class TestRecovery:
    def test_is_when_a_stretch_of_calls_is_as_quick_as_normal(self) -> None:
        slow = [(10 + nth / 10, 0.9, 200) for nth in range(20)]
        quick = [(12 + nth / 10, 0.1, 200) for nth in range(60)]
        assert recovery(answers(*slow, *quick), 10, 0.1, 18) == 2.0

    def test_takes_one_and_a_half_times_for_normal_and_no_more(self) -> None:
        assert recovery(answers((10, 0.15, 200), (11, 0.15, 200)), 10, 0.1, 12) == 0.0
        assert recovery(answers((10, 0.16, 200), (11, 0.16, 200)), 10, 0.1, 12) is None

    def test_has_not_come_while_anybody_is_refused(self) -> None:
        refused = [(10 + nth, 0.01, 503) for nth in range(3)]
        quick = [(10.5 + nth / 2, 0.1, 200) for nth in range(20)]
        assert recovery(answers(*refused, *quick), 10, 0.1, 20) == 2.5

    def test_is_not_seen_where_nothing_was_called(self) -> None:
        assert recovery([], 10, 0.1, 20) is None


class TestOfOverload:
    @pytest.mark.parametrize(
        ("over", "after", "missed"),
        [
            (summary([0.1] * 500, 2000), 2.0, []),
            (summary([0.1] * 334, 2000), 2.0, []),
            (summary([0.1] * 333, 2000), 2.0, ["accepted under overload"]),
            (summary([0.1] * 490 + [1.1] * 10, 2000), 2.0, ["accepted are answered within"]),
            (summary([0.1] * 500, 2000), 10.5, ["back to normal after"]),
            (summary([0.1] * 500, 2000), None, ["back to normal after"]),
            (summary([0.1] * 500, 2000, wrong=1), 2.0, ["errors in all phases"]),
            (
                summary([], 2500),
                None,
                ["accepted under overload", "accepted are answered within", "back to normal after"],
            ),
        ],
    )
    def test_names_what_was_missed(self, over: Summary, after: float | None, missed: list[str]) -> None:
        calm = summary([0.1] * 500)
        verdicts = of_overload(100.0, over, after, (calm, over, calm))
        assert [one.what for one in verdicts if not one.met] == missed


class TestOfNeighbours:
    @pytest.mark.parametrize(
        ("during", "missed"),
        [
            (summary([0.149] * 100), []),
            (summary([0.1] * 90 + [0.61] * 10), ["others' mean, during against calm"]),
            (summary([0.1] * 49 + [0.151] * 51), ["others' median, during against calm"]),
            (summary([0.1] * 99, 1), []),
            (summary([0.1] * 98, 2), ["others' requests refused"]),
        ],
    )  # fmt: skip
    def test_names_what_was_missed(self, during: Summary, missed: list[str]) -> None:
        verdicts = of_neighbours(summary([0.1] * 100), during, summary([0.1], 5000))
        assert [one.what for one in verdicts if not one.met] == missed

    def test_counts_the_noisy_ones_errors_too(self) -> None:
        calm = summary([0.1] * 100)
        assert [one.met for one in of_neighbours(calm, calm, summary([0.1], wrong=3))] == [False, True, True, True]
