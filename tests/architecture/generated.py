"""Hypothesis strategies for valid and invalid values of an OpenAPI schema."""

import copy
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from chalicelib.entry.paging import encode_cursor

Schema = dict[str, Any]

READABLE = st.characters(exclude_categories=["Cs", "Cc"])
# Values that often cause failures: extremes, other types, texts with a meaning elsewhere.
JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**31,
    2**63,
    -(2**63) - 1,
    10**400,
    1e308,
    -0.0,
    5e-324,
    "",
    " ",
    "x",
    "x" * 300,
    "\x00",
    "a\x00b",
    "\ud800",
    "😀",
    "NaN",
    "Infinity",
    "1e400",
    "1e-400",
    "1E+14",
    "-1",
    "0.005",
    "١٢",
    "1_000",
    "0x1F",
    "null",
    "true",
    "2026-02-30",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "2026-01-01T00:00:00Z",
    "20260101",
    20260101,
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "25:00",
    "24:00",
    "00:00:60",
    "+09:00",
    "00000000-0000-0000-0000-000000000000",
    "urn:uuid:00000000-0000-0000-0000-000000000000",
    "{x}",
    "%",
    "_",
    "\\",
    "'; drop table users; --",
    "../..",
    "=1+1",
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"$ref": "x"},
    [1] * 300,
]
DATES = [
    "2026-01-05",
    "2026-01-05",
    "2026-01-05",
    "2026-01-06",
    "2026-01-01",
    "2026-01-31",
    "2026-02-01",
    "2025-12-31",
    "2026-01-12",
    "2000-01-01",
    "2100-12-31",
]
# Cursors of lists, and invented ones.
CURSORS = [
    *map(
        encode_cursor,
        [
            0,
            1,
            2**62,
            2**63,
            -1,
            True,
            None,
            1.5,
            "",
            "x",
            "2026-01-01",
            "2026-01-01/x",
            "\x00",
            "x" * 36,
            "0" * 36,
            [],
            {},
            "2026-13-01",
        ],
    ),
    "",
    "x",
    "====",
    "\x00",
    "é",
    "W10",
    "LTE=",
    "A" * 200,
]
MOMENTS = ["2026-01-05T03:00:00Z", "2026-01-05T18:00:00+06:00", "2000-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"]


class Strategies:
    """Strategies of one document. `ids` are tried for any UUID, `named` are ids by the name of the field."""

    def __init__(self, document: dict[str, Any], ids: Sequence[str], named: dict[str, Sequence[str]]) -> None:
        self.schemas = document["components"]["schemas"]
        self.ids = st.one_of(st.sampled_from(list(ids)), st.uuids().map(str))
        self.named = {field: st.one_of(st.sampled_from(list(some)), self.ids) for field, some in named.items()}

    def of_field(self, name: str, schema: Schema) -> st.SearchStrategy[Any]:
        """Return valid values of a field, by its name and schema."""
        if name == "cursor":
            return st.one_of(st.sampled_from(CURSORS), self.ids.map(encode_cursor))
        if name in self.named and "array" not in str(schema):
            return self.named[name]
        return self.valid(schema)

    def valid(self, schema: Schema) -> st.SearchStrategy[Any]:
        """Return valid values of a schema."""
        if "$ref" in schema:
            return self.valid(self.schemas[schema["$ref"].rpartition("/")[2]])
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return st.one_of([self.valid(one) for one in schema[union]])
        strategy = getattr(self, f"_{schema.get('type', 'anything')}")(schema)
        if "examples" in schema:
            return st.one_of(st.sampled_from(schema["examples"]), strategy)
        return strategy

    def mutated(self, name: str, schema: Schema) -> st.SearchStrategy[Any]:
        """Return values that are invalid in one place: another value, one missing, or one too many."""
        return mutate(self.of_field(name, schema))

    def _object(self, schema: Schema) -> st.SearchStrategy[Any]:
        required = schema.get("required", [])
        parts = {name: self.of_field(name, part) for name, part in schema.get("properties", {}).items()}
        return st.fixed_dictionaries(
            {name: parts[name] for name in required},
            optional={name: part for name, part in parts.items() if name not in required},
        )

    def _array(self, schema: Schema) -> st.SearchStrategy[Any]:
        low = schema.get("minItems", 0)
        return st.lists(
            self.valid(schema.get("items", {})), min_size=low, max_size=min(schema.get("maxItems", 4), low + 4)
        )

    def _string(self, schema: Schema) -> st.SearchStrategy[Any]:
        if (form := schema.get("format")) == "uuid":
            return self.ids
        if form == "date":
            return st.one_of(st.sampled_from(DATES), st.dates().map(str))
        if form == "date-time":
            return st.one_of(
                st.sampled_from(MOMENTS), st.datetimes(timezones=st.timezones()).map(lambda m: m.isoformat())
            )
        if form == "time":
            return st.one_of(st.sampled_from(["09:00", "18:00:00", "00:00"]), st.times().map(str))
        if "pattern" in schema:
            return st.from_regex(schema["pattern"], fullmatch=True).filter(
                lambda t: len(t) <= schema.get("maxLength", 999)
            )
        low, high = schema.get("minLength", 0), schema.get("maxLength", 300)
        return st.one_of(st.text(READABLE, min_size=low, max_size=min(high, 20)), st.just("x" * high))

    def _integer(self, schema: Schema) -> st.SearchStrategy[Any]:
        return st.integers(schema.get("minimum"), schema.get("maximum"))

    def _number(self, schema: Schema) -> st.SearchStrategy[Any]:
        low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
        return st.one_of(
            st.integers(0, 24),
            st.sampled_from([0.5, 2.25]),
            st.floats(low, high, allow_nan=False, allow_infinity=False),
        )

    def _boolean(self, schema: Schema) -> st.SearchStrategy[Any]:
        return st.booleans()

    def _null(self, schema: Schema) -> st.SearchStrategy[Any]:
        return st.none()

    def _anything(self, schema: Schema) -> st.SearchStrategy[Any]:
        return st.sampled_from(JUNK)


def mutate(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return the values mutated in one place."""
    return st.tuples(values, st.randoms(use_true_random=False), st.sampled_from(JUNK)).map(_mutated)


def rows(columns: Sequence[str], ids: Sequence[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return rows of an import: known columns, some with meaningful values."""
    cell = st.one_of(
        st.sampled_from([*DATES, *ids, "Rahim", "E-1", "09:00", "18:00", "present", "480", "15000.00", "first"]),
        st.sampled_from(JUNK),
    )
    return st.lists(st.dictionaries(st.sampled_from([*columns, "nonsense"]), cell, max_size=8), max_size=5)


def as_csv(table: list[dict[str, Any]]) -> str:
    """Write rows as CSV without quoting, as careless users do."""
    names = list(dict.fromkeys(name for row in table for name in row))
    lines = [",".join(names), *(",".join(str(row.get(name, "")) for name in names) for row in table)]
    return "\n".join(lines)


def as_json(value: Any) -> str:
    """Write a value as JSON."""
    return json.dumps(value)


def _mutated(drawn: tuple[Any, Any, Any]) -> Any:
    value, random, junk = copy.deepcopy(drawn[0]), drawn[1], drawn[2]
    places = list(_places(value))
    if not places or random.random() < 0.1:
        return junk
    holder, place = random.choice(places)
    way = random.random()
    if way < 0.7:
        holder[place] = junk
    elif way < 0.85:
        del holder[place]
    elif isinstance(holder, dict):
        holder[random.choice(["nonsense", "", "tenant_id", "id", "\x00", "\ud800"])] = junk
    else:
        holder += [junk] * 3
    return value


def _places(value: Any) -> Any:
    """Yield the path to every value within a value."""
    for place in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, place
        yield from _places(value[place])
