"""From rows of a file to sales that can be added, sales that exist, and what is wrong with the others. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chalicelib.entry.rows import RowError
from chalicelib.features.sales.import_schemas import SaleRow
from chalicelib.features.sales.rules import NewSaleRow, StoredSale, describe_conflict, differences, too_fine
from chalicelib.kernel.money import rounded

Line = tuple[int, NewSaleRow]  # line number and sale


@dataclass(frozen=True, slots=True)
class KnownSeller:
    """A user whom a row can name."""

    user_id: UUID
    employee_no: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class ExistingSale:
    """A sale that exists under an external id of the file (sql/import_existing.sql)."""

    external_id: str
    user_id: UUID
    brand: str | None
    earning: Decimal
    currency: str
    occurred_at: datetime


@dataclass(slots=True)
class SortedSales:
    """The sales of a file: new ones, how many exist already, and errors."""

    new: list[Line] = field(default_factory=list)
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)


def parse_rows(
    rows: Iterable[tuple[int, SaleRow]], sellers: Iterable[KnownSeller], *, currency: str
) -> tuple[list[Line], list[RowError]]:
    """Find each row's seller and check its amount; a row without a currency is in `currency`."""
    known: dict[str, dict[Any, UUID]] = {"employee_no": {}, "user_id": {}, "email": {}}  # column -> value -> user id
    for seller in sellers:
        for column, user_ids in known.items():
            user_ids[getattr(seller, column)] = seller.user_id
    sales: list[Line] = []
    errors: list[RowError] = []
    for line, row in rows:
        user_id, wrong = _find_seller(row, known)
        in_currency = row.currency or currency
        if (detail := too_fine(row.earning, in_currency)) is not None:
            wrong.append(("earning", detail))
        errors += [RowError(line=line, column=column, detail=detail) for column, detail in wrong]
        if user_id is not None and not wrong:
            earning = rounded(row.earning, in_currency)
            sales.append((line, NewSaleRow(user_id, row.brand, row.external_id, earning, in_currency, row.occurred_at)))
    return sales, errors


def _find_seller(
    row: SaleRow, known: Mapping[str, Mapping[Any, UUID]]
) -> tuple[UUID | None, list[tuple[str | None, str]]]:
    """Return the one user that a row's columns name, or what is wrong, by column."""
    named = {column: value for column in known if (value := getattr(row, column)) is not None}
    if not named:
        return None, [(None, "says for nobody: give employee_no, user_id or email")]
    user_ids = {column: known[column].get(value) for column, value in named.items()}
    for column, user_id in user_ids.items():
        if user_id is None:
            return None, [(column, f"there is no person with the {column} {named[column]}")]
    if len(set(user_ids.values())) > 1:
        return None, [(None, f"{' and '.join(user_ids)} are of different people")]
    return next(iter(user_ids.values())), []


def sort_out(sales: Iterable[Line], *, existing: Mapping[str, StoredSale]) -> SortedSales:
    """Tell new sales from those that exist, by external id, and from those that exist with other content.

    Of rows with the same external id the first counts; the others are the same once more, or wrong.
    """
    sorted_sales = SortedSales()
    first: dict[str, Line] = {}
    for line, sale in sales:
        if sale.external_id is None:
            sorted_sales.new.append((line, sale))
        elif (stored := existing.get(sale.external_id)) is not None:
            if differ := differences(sale, stored):
                sorted_sales.errors.append(
                    RowError(line=line, column="external_id", detail=describe_conflict(differ, stored))
                )
            else:
                sorted_sales.unchanged += 1
        elif (before := first.setdefault(sale.external_id, (line, sale))) == (line, sale):
            sorted_sales.new.append((line, sale))
        elif differ := differences(sale, before[1]):
            detail = f"{sale.external_id} stands on line {before[0]} already, with other content: {', '.join(differ)}"
            sorted_sales.errors.append(RowError(line=line, column="external_id", detail=detail))
        else:
            sorted_sales.unchanged += 1
    return sorted_sales
