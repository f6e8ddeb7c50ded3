"""Figures of a load: percentiles, recovery, verdicts. Pure functions, without clock or network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from random import Random

REFUSING = (429, 503)  # with Retry-After; without it they are failures like any other
SLOWER = 1.5  # times the normal; what is above it has not recovered, or was slowed too much
LEAST = 1 / 3  # of the capacity: callers and refusals take the same cores, which in AWS others have
WINDOW, STEP = 2.0, 0.5  # seconds of calls judged together for recovery, and from one window to the next


@dataclass(frozen=True, slots=True)
class Answer:
    """One call: when it was due (CLOCK_MONOTONIC, which processes share), how long it took from then, its status."""

    what: str
    due: float
    seconds: float
    status: int
    problem: str = ""
    has_retry_after: bool = False  # the answer had Retry-After
    who: int = 0  # the tenant's number
    late: float = 0.0  # seconds of these that passed before it was sent: the load's own fault

    @property
    def failed(self) -> bool:
        return not 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        return self.status in REFUSING and self.has_retry_after


@dataclass(frozen=True)
class Summary:
    """The calls of a phase, summed up."""

    seconds: float
    offered: int
    accepted: Sequence[float]  # their seconds, in order of size
    refused: Counter[int]
    errors: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, answers: Iterable[Answer], seconds: float) -> Summary:
        """Sum up the calls of a phase of so many seconds."""
        answers = list(answers)
        wrong = (one for one in answers if one.failed and not one.refused)
        return cls(
            seconds=seconds,
            offered=len(answers),
            accepted=sorted(one.seconds for one in answers if not one.failed),
            refused=Counter(one.status for one in answers if one.refused),
            errors=Counter(f"{one.status or 'no answer'} {one.what} {one.problem}"[:200] for one in wrong),
        )

    def at(self, percent: float) -> float:
        """Return the percentile of the seconds of accepted calls."""
        return percentile(self.accepted, percent)

    @property
    def mean(self) -> float:
        return sum(self.accepted) / len(self.accepted) if self.accepted else float("inf")

    @property
    def per_second(self) -> float:
        return len(self.accepted) / self.seconds


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return a percentile by the nearest rank; infinity where there is no value."""
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else float("inf")


def dues(seconds: float, per_second: float, seed: int) -> Iterator[float]:
    """Yield the moments of a Poisson process, as of many independent callers."""
    random, due = Random(seed), 0.0
    while (due := due + random.expovariate(per_second)) < seconds:
        yield due


def recovery(answers: Iterable[Answer], ended: float, normal: float, until: float) -> float | None:
    """Return the seconds from the end of an overload until calls are answered as before, or None.

    As before: within 1.5 times `normal`, the 95th percentile before, and none refused; `until` is where the load ends.
    """
    later = sorted((one for one in answers if one.due >= ended), key=lambda one: one.due)
    after = 0.0
    while ended + after + WINDOW <= until:
        within = [one for one in later if after <= one.due - ended < after + WINDOW]
        is_calm = within and not any(one.failed for one in within)
        if is_calm and percentile(sorted(one.seconds for one in within), 95) <= SLOWER * normal:
            return after
        after += STEP
    return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure beside its limit."""

    what: str
    seen: str
    limit: str
    met: bool


def of_overload(capacity: float, over: Summary, after: float | None, phases: Sequence[Summary]) -> list[Verdict]:
    """Judge an overload: accepted calls are answered in time, the rest get Retry-After, and the stack recovers."""
    errors = sum((one.errors for one in phases), Counter[str]())
    return [
        Verdict("errors in all phases", _first(errors), "none: 2xx, or 429 or 503 with Retry-After", not errors),
        Verdict(
            "accepted under overload",
            f"{over.per_second / capacity:.0%} of the capacity",
            f">= {LEAST:.0%}",
            over.per_second >= LEAST * capacity,
        ),
        Verdict("accepted are answered within", f"p99 {over.at(99) * 1000:.0f} ms", "<= 1000 ms", over.at(99) <= 1.0),
        Verdict(
            "back to normal after",
            "not seen" if after is None else f"{after:.1f} s",
            "<= 10 s",
            after is not None and after <= 10,
        ),
    ]


def of_neighbours(calm: Summary, during: Summary, noisy: Summary) -> list[Verdict]:
    """Judge how a noisy tenant affects the others."""
    errors = calm.errors + during.errors + noisy.errors
    ratios = [("median", during.at(50) / calm.at(50)), ("mean", during.mean / calm.mean)]
    return [
        Verdict("errors in all phases", _first(errors), "none", not errors),
        *(
            Verdict(f"others' {name}, during against calm", f"{ratio:.2f}", f"<= {SLOWER}", ratio <= SLOWER)
            for name, ratio in ratios
        ),
        Verdict(
            "others' requests refused",
            f"{during.refused.total()} of {during.offered}",
            "<= 1%",
            during.refused.total() <= 0.01 * during.offered,
        ),
    ]


def _first(errors: Counter[str]) -> str:
    if not errors:
        return "none"
    [(what, times)] = errors.most_common(1)
    return f"{errors.total()}, {times} times {what}"
