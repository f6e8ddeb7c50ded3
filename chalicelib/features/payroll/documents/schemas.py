"""What goes out about payslips as files."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from chalicelib.kernel.schema import Input, Output


class PayslipFile(Output):
    """Where a payslip's PDF can be fetched, without credentials, until the address expires."""

    url: str = Field(description="saves the file, until it expires")
    expires_at: datetime
    name: str
    size_bytes: int


class RegisterQuery(Input):
    """As what kind of file."""

    format: Literal["csv", "xlsx"] = "csv"
