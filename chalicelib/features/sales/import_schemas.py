"""What comes in and goes out about an import of sales."""

import re
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field

from chalicelib.entry.rows import RowError, RowInput
from chalicelib.features.people.schemas import EmployeeNo
from chalicelib.features.sales.schemas import Moment
from chalicelib.features.tenants.schemas import KnownCurrency
from chalicelib.kernel.schema import Email, Output, PositiveMoneyIn, Text


def _only_rfc3339(said: Any) -> Any:
    # Pydantic alone would take a number for seconds since 1970, silently.
    if isinstance(said, str) and re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", said.strip(), re.ASCII):
        return said
    raise ValueError("is not a moment like 2026-01-31T14:30:00+06:00")


class SaleRow(RowInput):
    """One row of the file; the person is named by any of the first three."""

    employee_no: EmployeeNo | None = None
    user_id: UUID | None = None
    email: Email | None = None
    earning: PositiveMoneyIn
    external_id: Text | None = None
    brand: Text | None = None
    currency: KnownCurrency | None = None
    occurred_at: Annotated[Moment, BeforeValidator(_only_rfc3339)] | None = None


COLUMNS = [name for name in SaleRow.model_fields if name != "earning"]


class ImportReport(Output):
    """What became of the rows; a row with an error changed nothing."""

    dry_run: bool
    rows: int = Field(description="rows in the file")
    added: int
    unchanged: int = Field(description="known by their external ids, with the same content")
    without_external_id: int = Field(description="of those added: they would be added again if the file is sent again")
    errors: list[RowError]
