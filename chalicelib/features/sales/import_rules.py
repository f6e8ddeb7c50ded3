"""From rows of a file to sales that can be added, sales that are there, and what is wrong with the others. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from chalicelib.entry.rows import RowError
from chalicelib.features.sales.import_schemas import SaleRow
from chalicelib.features.sales.rules import SaidSale, differences, is_other, too_fine
from chalicelib.kernel.money import rounded

Line = tuple[int, SaidSale]


@dataclass(frozen=True, slots=True)
class KnownSeller:
    """Whom a row can be about."""

    user_id: UUID
    employee_no: str | None
    email: str | None


@dataclass(slots=True)
class SortedSales:
    """The sales of a file, sorted out."""

    fresh: list[Line] = field(default_factory=list)
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)


def read(
    rows: Iterable[tuple[int, SaleRow]], people: Iterable[KnownSeller], *, currency: str
) -> tuple[list[Line], list[RowError]]:
    """Return each row's person and check its amount; a row that says no currency is in `currency`."""
    known: dict[str, dict[Any, UUID]] = {"employee_no": {}, "user_id": {}, "email": {}}
    for person in people:
        for column, by in known.items():
            by[getattr(person, column)] = person.user_id
    said: list[Line] = []
    errors: list[RowError] = []
    for line, row in rows:
        user_id, wrong = _person(row, known)
        in_currency = row.currency or currency
        if (detail := too_fine(row.earning, in_currency)) is not None:
            wrong.append(("earning", detail))
        errors += [RowError(line=line, column=column, detail=detail) for column, detail in wrong]
        if user_id is not None and not wrong:
            earning = rounded(row.earning, in_currency)
            said.append((line, SaidSale(user_id, row.brand, row.external_id, earning, in_currency, row.occurred_at)))
    return said, errors


def _person(row: SaleRow, known: Mapping[str, Mapping[Any, UUID]]) -> tuple[UUID | None, list[tuple[str | None, str]]]:
    named = {column: value for column in known if (value := getattr(row, column)) is not None}
    if not named:
        return None, [(None, "says for nobody: give employee_no, user_id or email")]
    found = {column: known[column].get(value) for column, value in named.items()}
    for column, user_id in found.items():
        if user_id is None:
            return None, [(column, f"there is no person with the {column} {named[column]}")]
    if len(set(found.values())) > 1:
        return None, [(None, f"{' and '.join(found)} are of different people")]
    return next(iter(found.values())), []


def sort_out(said: Iterable[Line], *, there: Mapping[str, Mapping[str, Any]]) -> SortedSales:
    """Return sales that are new from those that are there, by external id, and from those told otherwise.

    Of rows with the same external id the first counts; the others are it once more, or wrong.
    """
    made = SortedSales()
    first: dict[str, Line] = {}
    for line, sale in said:
        if sale.external_id is None:
            made.fresh.append((line, sale))
        elif (known := there.get(sale.external_id)) is not None:
            if differ := differences(sale, known):
                made.errors.append(RowError(line=line, column="external_id", detail=is_other(differ, known)))
            else:
                made.unchanged += 1
        elif (before := first.setdefault(sale.external_id, (line, sale))) == (line, sale):
            made.fresh.append((line, sale))
        elif differ := differences(sale, asdict(before[1])):
            detail = f"{sale.external_id} stands on line {before[0]} already, with other content: {', '.join(differ)}"
            made.errors.append(RowError(line=line, column="external_id", detail=detail))
        else:
            made.unchanged += 1
    return made
