"""Validation of a component version: the fields that its calculation needs, and none of the others."""

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
MAX_CODE_LENGTH = 60
_FIELDS = {
    Calculation.FIXED: ("amount", "currency"),
    Calculation.PERCENTAGE: ("percent", "base"),
    Calculation.FORMULA: ("formula",),
    Calculation.DYNAMIC: (),
}
NAMES = tuple(name for names in _FIELDS.values() for name in names)
_REMEDY = {
    Calculation.FIXED: "a fixed payment type has an amount",
    Calculation.PERCENTAGE: "a percentage has percent, and the base that it is of",
    Calculation.FORMULA: "a formula has nothing but its formula",
    Calculation.DYNAMIC: "a dynamic payment type is given its amounts in each payroll run",
}
_RESERVED_CODES = {ADJUSTMENTS, *formulas.RESERVED}


def make_code(requested: str | None, *, name: str) -> str:
    """Return the code of a new component: the requested one, or one made from its name."""
    code, pointer = requested or _code_from_name(name), "/code" if requested else "/name"
    if not code:
        raise invalid("/code", f"none can be made out of the name {name}; say one, such as performance_bonus")
    if code in VARIABLES:
        raise invalid(pointer, f"say another code than {code}: formulas know it already, as {VARIABLES[code]}")
    if code in _RESERVED_CODES:
        raise invalid(pointer, f"say another code than {code}: it is a word of formulas")
    return code


def _code_from_name(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    code = re.sub(r"[^a-z0-9]+", "_", plain)[:MAX_CODE_LENGTH].strip("_")
    return code if code[:1].isalpha() else ""


def complete_version(
    calculation: Calculation, fields: Mapping[str, Any], *, currency: str, names: Collection[str]
) -> dict[str, Any]:
    """Validate the fields of a version and return all of them, with None for those that it has not.

    `currency` is the default of an amount; `names` are those that a formula or base may use. Raises Invalid.
    """
    values: dict[str, Any] = {name: fields.get(name) for name in NAMES}
    for name, value in values.items():
        if value is not None and name not in _FIELDS[calculation]:
            raise invalid(f"/{name}", f"leave it out: {_REMEDY[calculation]}")
    for name in _FIELDS[calculation][:1]:
        if values[name] is None:
            raise invalid(f"/{name}", f"is missing: {_REMEDY[calculation]}")
    match calculation:
        case Calculation.FIXED:
            values["currency"] = values["currency"] or currency
            values["amount"] = check_amount(values["amount"], values["currency"])
        case Calculation.PERCENTAGE:
            values["base"] = values["base"] or DEFAULT_BASE
            check_formula(values["base"], names=names, pointer="/base")
        case Calculation.FORMULA:
            check_formula(values["formula"], names=names, pointer="/formula")
    return values


def pointer_of(calculation: Calculation) -> str:
    """Return the JSON pointer of the field that a component is computed from."""
    return "/base" if calculation is Calculation.PERCENTAGE else f"/{calculation}"


def check_formula(text: str, *, names: Collection[str], pointer: str = "/formula") -> formulas.CheckedFormula:
    """Parse a formula that may use only these names. Raises Invalid."""
    try:
        return formulas.check(text, names=names)
    except formulas.FormulaError as error:
        raise invalid_formula(error, pointer=pointer) from None


def invalid_formula(error: formulas.FormulaError, *, pointer: str = "/formula") -> Invalid:
    """Make the error of an invalid formula, which points at its place."""
    return invalid(pointer, f"{error.detail} At character {error.position + 1}:\n{error.pointed}")


def check_amount(amount: Decimal, currency: str) -> Decimal:
    """Return an amount with the decimals of its currency. Raises Invalid for more."""
    if not fits(amount, currency):
        raise invalid("/amount", too_fine(currency))
    return abs(rounded(amount, currency))  # abs: of -0
