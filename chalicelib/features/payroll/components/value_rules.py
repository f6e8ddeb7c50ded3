"""What a payment type's calculation needs, and nothing of the others: checked when it is said."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from chalicelib import formulas
from chalicelib.features.payroll.components.rules import VARIABLES, Calculation
from chalicelib.features.payroll.runs.snapshot import ADJUSTMENTS
from chalicelib.features.people.users.actions import too_fine
from chalicelib.kernel.errors import Invalid, invalid
from chalicelib.kernel.money import fits, rounded

DEFAULT_BASE = "earned_salary"
LONGEST_CODE = 60
_OF = {
    Calculation.FIXED: ("amount", "currency"),
    Calculation.PERCENTAGE: ("percent", "base"),
    Calculation.FORMULA: ("formula",),
    Calculation.DYNAMIC: (),
}
NAMES = tuple(name for names in _OF.values() for name in names)
_REMEDY = {
    Calculation.FIXED: "a fixed payment type has an amount",
    Calculation.PERCENTAGE: "a percentage has percent, and the base that it is of",
    Calculation.FORMULA: "a formula has nothing but its formula",
    Calculation.DYNAMIC: "a dynamic payment type is given its amounts in each payroll run",
}
_TAKEN = {ADJUSTMENTS, *formulas.RESERVED}


def code_of(said: str | None, *, name: str) -> str:
    """Return the code that a payment type is to have, made out of its name if none is said."""
    code, pointer = said or _code_from(name), "/code" if said else "/name"
    if not code:
        raise invalid("/code", f"none can be made out of the name {name}; say one, such as performance_bonus")
    if code in VARIABLES:
        raise invalid(pointer, f"say another code than {code}: formulas know it already, as {VARIABLES[code]}")
    if code in _TAKEN:
        raise invalid(pointer, f"say another code than {code}: it is a word of formulas")
    return code


def _code_from(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    code = re.sub(r"[^a-z0-9]+", "_", plain)[:LONGEST_CODE].strip("_")
    return code if code[:1].isalpha() else ""


def complete(
    calculation: Calculation, said: Mapping[str, Any], *, currency: str, names: Collection[str]
) -> dict[str, Any]:
    """Check what a version says, and give all of it, with None for what it has not.

    `currency` is the one of an amount where none is said; `names` are what its formula or base may use.
    """
    values: dict[str, Any] = {name: said.get(name) for name in NAMES}
    for name, value in values.items():
        if value is not None and name not in _OF[calculation]:
            raise invalid(f"/{name}", f"leave it out: {_REMEDY[calculation]}")
    for name in _OF[calculation][:1]:
        if values[name] is None:
            raise invalid(f"/{name}", f"is missing: {_REMEDY[calculation]}")
    match calculation:
        case Calculation.FIXED:
            values["currency"] = values["currency"] or currency
            values["amount"] = money(values["amount"], values["currency"])
        case Calculation.PERCENTAGE:
            values["base"] = values["base"] or DEFAULT_BASE
            read(values["base"], names=names, pointer="/base")
        case Calculation.FORMULA:
            read(values["formula"], names=names, pointer="/formula")
    return values


def pointer_of(calculation: Calculation) -> str:
    """Return the place at which it is said what a payment type is computed from."""
    return "/base" if calculation is Calculation.PERCENTAGE else f"/{calculation}"


def read(text: str, *, names: Collection[str], pointer: str = "/formula") -> formulas.CheckedFormula:
    """Read a formula that uses no names but these."""
    try:
        return formulas.check(text, names=names)
    except formulas.FormulaError as error:
        raise refused(error, pointer=pointer) from None


def refused(error: formulas.FormulaError, *, pointer: str = "/formula") -> Invalid:
    """Make the answer to a wrong formula, with its place pointed at."""
    return invalid(pointer, f"{error.detail} At character {error.position + 1}:\n{error.pointed}")


def money(amount: Decimal, currency: str) -> Decimal:
    """Return an amount with the decimals of its currency, and refuse one with more."""
    if not fits(amount, currency):
        raise invalid("/amount", too_fine(currency))
    return abs(rounded(amount, currency))  # there is a -0, too
