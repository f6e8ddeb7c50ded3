"""Exact decimals: nothing is rounded unless the formula says so, and what does not fit is not a value.

A result has at most 60 digits, none beyond the 59th place, and is below 10^60. A quotient has 10 places. The context
traps whatever would be rounded silently, so a value is exact or an exception.

A division, `cut_off(a, b).quantize(TENTH_PLACE, HALF_UP, ROUNDING)`, is one rounding. The quotient is first cut off,
not rounded: with 62 digits of a quotient below 10^50 at least 11 places are right as they stand, and whether the 10th
is rounded away from zero depends on the 11th alone. A quotient of 10^50 or more has no room for 10 places: it does not
fit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)

PRECISION = 60
ZERO = Decimal(0)
TENTH_PLACE = Decimal("1E-10")
BEYOND = (Inexact, InvalidOperation)  # what the contexts raise when a result does not fit; Overflow is an Inexact

_EXACT = Context(
    prec=PRECISION,
    Emax=PRECISION - 1,
    Emin=0,  # the smallest step is then 10^-59
    traps=[Inexact, Overflow, InvalidOperation, DivisionByZero, FloatOperation],
)
_FITS = [InvalidOperation]
ROUNDING = Context(prec=PRECISION, traps=_FITS)  # for value.quantize(unit, HALF_UP, ROUNDING), which may be inexact
HALF_UP = ROUND_HALF_UP  # away from zero
floor = Context(rounding=ROUND_FLOOR, traps=_FITS).to_integral_value
ceiling = Context(rounding=ROUND_CEILING, traps=_FITS).to_integral_value
cut_off = Context(prec=PRECISION + 2, rounding=ROUND_DOWN, traps=_FITS).divide

# What a generated function may use, and nothing else.
PUBLIC = ("BEYOND", "HALF_UP", "PRECISION", "ROUNDING", "TENTH_PLACE", "ZERO", "ceiling", "cut_off", "floor", "total")

# Of brackets: threshold, tax on all below it, rate; the highest first.
Brackets = tuple[tuple[Decimal, Decimal, Decimal], ...]


@contextmanager
def exactly() -> Iterator[None]:
    """Compute exactly inside: once around a batch of calls of programs."""
    with localcontext(_EXACT):
        yield


def zero_of(places: int) -> Decimal:
    """Return a zero with so many places, such as 0.00."""
    return Decimal((0, (0,), -places))


def total(*values: Decimal | None) -> Decimal:
    """Add up those that have a value."""
    return sum((value for value in values if value is not None), ZERO)


def brackets_of(thresholds: list[Decimal], rates: list[Decimal]) -> Brackets:
    """Prepare ascending thresholds and their rates."""
    below = ZERO
    brackets = []
    with exactly():
        for number, (threshold, rate) in enumerate(zip(thresholds, rates, strict=True)):
            if number:
                below += (threshold - thresholds[number - 1]) * rates[number - 1]
            brackets.append((threshold, below, rate))
    return tuple(reversed(brackets))
