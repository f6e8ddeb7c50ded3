"""Formulas by the million: `python -m tests.formulas.fuzz --count 1000000 --seed 1 [--workers 2]`.

Each case is made from the seed and its number, so `--seed 1 --only 4711` repeats one. A case fails if the product
crashes, raises anything but FormulaError, accepts what must be refused, refuses what must be accepted, does anything
that Python's audit events tell of (imports, files, code) while computing, or differs from the model.
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from random import Random

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from chalicelib import formulas
from tests.formulas import model
from tests.formulas.generator import NAMES, Trees, Writing, value
from tests.formulas.wrong import REFUSED, garbage, mutilated

CHUNK = 2000
_watching = False


class Fault(AssertionError):
    """What a case showed to be wrong."""


def run(seed: int, number: int) -> list[str]:
    """Run one case and say what it came to, one word for each formula."""
    chance = Random(f"{seed}/{number}")
    inputs = chance.sample(NAMES, chance.randrange(1, 5))
    drawn = chance.random()
    if drawn < 0.76:
        return _agree(chance, inputs, trace=number % 4 == 0)
    if drawn < 0.84:
        kind = chance.choice(sorted(REFUSED))
        text = REFUSED[kind](chance, inputs)
        if (formula := checked(text, inputs)) is not None:
            raise Fault(f"accepted, though {kind}: {formula.text!r}")
        return [f"refused: {kind}"]
    kind = "garbage" if drawn > 0.97 else "mutilated"
    text = garbage(chance) if kind == "garbage" else mutilated(chance, _texts(chance, inputs)[1])
    formula = checked(text, inputs)
    if formula is None:
        return [f"refused: {kind}"]
    _compute(inputs, [formulas.FormulaStep("x", formula)], [value(chance) for _ in inputs], [None])
    return [f"{kind}, yet well-formed"]


def _texts(chance: Random, names: list[str]) -> tuple[tuple, str]:
    tree = Trees(chance, names).number()
    return tree, Writing(chance).text(tree)


def _agree(chance: Random, inputs: list[str], *, trace: bool) -> list[str]:
    """Compute some steps, which may use each other, and hold them against the model."""
    names, steps, trees = list(inputs), [], []
    for number in range(chance.choice((1, 1, 2, 3))):
        tree, text = _texts(chance, names)
        formula = checked(text, names)
        if formula is None:
            raise Fault(f"refused, though well-formed: {text!r}")
        least = chance.choice((None, None, Decimal(0), Decimal(-7)))
        steps.append(formulas.FormulaStep(f"step{number}", formula, chance.choice((None, None, 0, 2, 3)), least))
        trees.append(tree)
        names.append(f"step{number}")
    values = [value(chance) for _ in inputs]
    given = [value(chance) if chance.random() < 0.05 else None for _ in steps]
    found, warnings = _compute(inputs, steps, values, given)
    known = {name: None if each is None else Fraction(each) for name, each in zip(inputs, values, strict=True)}
    said = []
    for number, step in enumerate(steps):
        instead, least = given[number], step.at_least
        expected, why = model.step(
            trees[number],
            known,
            given=None if instead is None else Fraction(instead),
            places=step.places,
            at_least=None if least is None else Fraction(least),
        )
        got = found[number]
        told = {(warning.code, warning.name) for warning in warnings if warning.step == step.name}
        if (None if got is None else Fraction(got)) != expected or told != why:
            raise Fault(f"{step!r} of {known}: {got} {told}, by the model {expected} {why}")
        if got is not None:
            _presentable(got, step)
        known[step.name] = expected
        said.append("agreed" if got is not None else f"agreed on none: {', '.join(sorted({code for code, _ in why}))}")
    if trace and given[0] is None:
        _traced(steps[0], dict(zip(inputs, values, strict=True)), trees[0])
    return said


def checked(text: str, names: list[str]) -> formulas.CheckedFormula | None:
    """Check a text, and see that a refusal is one that can be shown."""
    try:
        return formulas.check(text, names=names)
    except formulas.FormulaError as error:
        line, caret = error.pointed.encode().decode().split("\n")
        if not error.detail or not 0 <= error.position <= len(text) or caret.strip() != "^" or len(line) > 120:
            raise Fault(f"a poor refusal of {text!r}: {error!r}") from error
        return None


def _compute(inputs: list, steps: list, values: list, given: list) -> tuple[list, list]:
    global _watching
    program = formulas.compile_steps(inputs, steps)
    with formulas.exactly():
        _watching = True
        try:
            found, warnings = program(values, given)
        finally:
            _watching = False
    if not all(each is None or type(each) is Decimal for each in found) or len(found) != len(steps):
        raise Fault(f"strange results: {found!r}")
    return found, warnings


def _presentable(got: Decimal, step: formulas.FormulaStep) -> None:
    """See that a number is written as people write it: no -0, no exponent, as many places as asked for."""
    places = -got.as_tuple().exponent
    if (not got and got.is_signed()) or places < 0 or places != (step.places if step.places is not None else places):
        raise Fault(f"an odd number of {step!r}: {got!r}")


def _traced(step: formulas.FormulaStep, values: dict, tree: tuple) -> None:
    """See that the trace ends with what the formula gives before it is rounded."""
    known = {name: None if each is None else Fraction(each) for name, each in values.items()}
    expected = model.Model(known).of(tree).value
    last = formulas.trace(step.formula, values)[-1]
    if (None if last.value is None else Fraction(last.value)) != expected:
        raise Fault(f"the trace of {step!r} of {values} ends with {last}, by the model {expected}")


def cases(seed: int, numbers: range) -> Counter[str]:
    """Run some cases and count what they came to; a fault says how to repeat it."""
    said: Counter[str] = Counter()
    for number in numbers:
        try:
            said.update(run(seed, number))
        except Exception as error:
            raise Fault(f"--seed {seed} --only {number}: {type(error).__name__}: {error}") from error
    return said


def _audited(event: str, _arguments: tuple) -> None:
    if _watching:
        raise Fault(f"while computing: {event}")


def _work(task: tuple[int, range]) -> Counter[str]:
    return cases(*task)


def _results(seed: int, count: int, workers: int) -> Iterator[Counter[str]]:
    tasks = [(seed, range(at, min(at + CHUNK, count))) for at in range(0, count, CHUNK)]
    if workers == 1:
        sys.addaudithook(_audited)
        yield from map(_work, tasks)
        return
    with multiprocessing.Pool(workers, sys.addaudithook, (_audited,)) as pool:
        yield from pool.imap_unordered(_work, tasks)


def main() -> None:
    """Run so many cases and print what they came to; it fails on the first fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.formulas.fuzz", description=main.__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="repeat one case")
    options = parser.parse_args()
    if options.only is not None:
        print(run(options.seed, options.only))
        return
    said: Counter[str] = Counter()
    began = time.monotonic()
    bars = (TextColumn("formulas"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*bars, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("", total=options.count)
        try:
            for counted in _results(options.seed, options.count, options.workers):
                said += counted
                progress.advance(bar, CHUNK)
        except Fault as fault:
            progress.stop()
            sys.exit(f"A fault after {said.total():,} formulas. {fault}")
    print(
        f"{options.count:,} cases of seed {options.seed}, {said.total():,} formulas, {time.monotonic() - began:,.0f} s"
    )
    for what, number in sorted(said.items(), key=lambda item: (-item[1], item[0])):
        print(f"{number:>10,} {what}")


if __name__ == "__main__":
    main()
