"""What comes in and goes out about an import of sales."""

from uuid import UUID

from pydantic import Field

from chalicelib.entry.rows import RowError, RowInput
from chalicelib.features.people.users.schemas import EmployeeNo
from chalicelib.features.tenants.schemas import KnownCurrency
from chalicelib.kernel.moments import Moment
from chalicelib.kernel.schema import Email, Output, PositiveMoneyIn, Text


class SaleRow(RowInput):
    """One row of the file; the person is named by any of the first three."""

    employee_no: EmployeeNo | None = None
    user_id: UUID | None = None
    email: Email | None = None
    earning: PositiveMoneyIn
    external_id: Text | None = None
    brand: Text | None = None
    currency: KnownCurrency | None = None
    occurred_at: Moment | None = None


COLUMNS = [name for name in SaleRow.model_fields if name != "earning"]


class SaleImportReport(Output):
    """What became of the rows; a row with an error changed nothing."""

    dry_run: bool
    rows: int = Field(description="rows in the file")
    added: int
    unchanged: int = Field(description="known by their external ids, with the same content")
    without_external_id: int = Field(description="of those added: they would be added again if the file is sent again")
    errors: list[RowError]
