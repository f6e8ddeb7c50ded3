"""Input is parsed in one way: every field of every input model has one of the kernel's types."""

import datetime as dt
import types
import typing
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

import app  # noqa: F401  # registers every endpoint, and with them every model
from chalicelib.entry.rows import RowInput
from chalicelib.features.people.calendar import schemas as calendar_schemas
from chalicelib.kernel import moments, numbers, schema
from chalicelib.kernel.policy import PayPolicy

# Texts that are not written by people: they have a pattern, or one of these reasons.
VERBATIM = {
    "cursor": "given out by a list, and checked when it is read back",
    "kind": "a word of ours, compared and never kept",
    "entity_type": "a word of ours, compared and never kept",
    "entity_id": "an id of any entity, compared and never kept",
    "action": "a word of ours, compared and never kept",
    "because": "a word of ours, compared and never kept",
    "formula": "a program, wrong at a place that the answer names",
    "expiry_date_formula": "a formula, read by its own parser",
    "pattern": "a regular expression, read by its own parser",
    "validation_rule": "a regular expression, read by its own parser",
    "iban": "checked and written anew by the rules of destinations",
    "bic": "checked and written anew by the rules of destinations",
    "account_number": "checked and written anew by the rules of destinations",
    "bank_code": "checked and written anew by the rules of destinations",
    "branch_code": "checked and written anew by the rules of destinations",
    "country": "one of a list",
    "subdivision": "one of a list, by the calendar of holidays",
    "timezone": "one of a list",
    "content_type": "one of a list",
    "header": "written to the bank byte for byte, so refused rather than changed",
    "constant": "written to the bank byte for byte, so refused rather than changed",
    "url": "an address, checked as one",
    "submission_data": "names of fields, each of which the form must have; its values are checked by their fields",
}
# Decimals that are no money: they may be JSON numbers.
NO_MONEY = {
    "hours": "overtime", "ot_hours": "overtime", "extra_days": "days", "days": "days", "allocated_days": "days",
    "days_per_year": "days", "carryover_limit": "days", "payable_units": "days of a shift", "percent": "a rate",
    "min": "a bound of a form's number or a KPI's scale",
    "max": "a bound of a form's number or a KPI's scale", "target": "a KPI's measure", "weight": "a KPI's weight",
    "value": "a KPI's measure",
}  # fmt: skip
MONEY_READERS = {numbers.read_amount, numbers.read_signed_amount}
DAY_READERS = {moments.read_day, moments._read_life_day}


def models() -> list[type[BaseModel]]:
    def below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
        for child in model.__subclasses__():
            yield child
            yield from below(child)

    classes = {*below(schema.Input), *below(RowInput), PayPolicy}
    return sorted(
        (one for one in classes if one.__module__.startswith("chalicelib.")), key=lambda one: one.__qualname__
    )


def leaves(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[tuple[Any, list[Any]]]:
    """Yield each plain type within an annotation, with its constraints and validators."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner, *more = typing.get_args(annotation)
        yield from leaves(inner, (*metadata, *more))
    elif origin in (typing.Union, types.UnionType, list, dict, tuple):
        for inner in typing.get_args(annotation):
            yield from leaves(inner, metadata if origin in (typing.Union, types.UnionType) else ())
    else:
        flat: list[Any] = []
        for one in metadata:
            flat += [one, *one.metadata] if isinstance(one, FieldInfo) else [one]
        yield annotation, flat


def readers(metadata: list[Any]) -> set[Any]:
    return {one.func for one in metadata if isinstance(one, BeforeValidator)}


def wrong(model: type[BaseModel], name: str, field: FieldInfo) -> Iterator[str]:
    for kind, metadata in leaves(field.annotation, tuple(field.metadata)):
        place, read = f"{model.__qualname__}.{name}", readers(metadata)
        if kind is str:
            is_clean = bool(read & {schema.CLEAN_LINE.func, schema.CLEAN_LINES.func})
            has_pattern = any(getattr(one, "pattern", None) for one in metadata)
            if not is_clean and not has_pattern and name not in VERBATIM:
                yield f"{place}: a bare str; use Text, LongText, Reason, Search, or say why not"
        elif kind is Decimal:
            if read & MONEY_READERS:
                continue
            if numbers.read_number not in read:
                yield f"{place}: a bare Decimal; use MoneyIn and its like, or NUMBER"
            elif name not in NO_MONEY and not any(getattr(one, "le", None) == 1 for one in metadata):  # 1: a rate
                yield f"{place}: is it money? then use MoneyIn and its like; else say what it is"
        elif kind is dt.date and not read & DAY_READERS:
            yield f"{place}: a bare date; use Day or LifeDay"
        elif kind is dt.datetime and moments.read_moment not in read:
            yield f"{place}: a bare datetime; use Moment"
        elif kind is dt.time and calendar_schemas._parse_time not in read:
            yield f"{place}: a bare time; use TimeIn"


class TestFields:
    def test_are_of_the_kinds_that_the_kernel_has(self) -> None:
        violations = [
            violation
            for model in models()
            for name, field in model.model_fields.items()
            for violation in wrong(model, name, field)
        ]
        assert violations == []

    def test_are_all_seen(self) -> None:
        assert {"NewUser", "SaleRow", "EmployeeImportRow", "PolicyPatch", "PayPolicy", "IbanInput", "AnswerRow"} <= {
            model.__qualname__ for model in models()
        }

    @pytest.mark.parametrize(
        ("annotation", "expected"),
        [
            (str, "a bare str"), (str | None, "a bare str"), (list[str], "a bare str"), (dict[str, Decimal], "a bare"),
            (Decimal, "a bare Decimal"), (dt.date | None, "a bare date"), (dt.datetime, "a bare datetime"),
            (typing.Annotated[Decimal, schema.NUMBER], "is it money?"),
        ],
    )  # fmt: skip
    def test_of_another_kind_would_be_named(self, annotation: Any, expected: str) -> None:
        model = type("Some", (BaseModel,), {"__annotations__": {"amount": annotation}})
        violations = list(wrong(model, "amount", model.model_fields["amount"]))
        assert violations
        assert expected in violations[0]

    def test_have_no_exception_that_is_not_needed(self) -> None:
        names = {name for model in models() for name in model.model_fields}
        assert {*VERBATIM, *NO_MONEY} <= names
