"""What comes in and goes out about leave."""

from uuid import UUID

from pydantic import Field

from chalicelib.kernel.schema import Input, Output, Text, Version


class NewLeaveType(Input):
    """A kind of leave."""

    name: Text
    is_paid: bool = Field(True, description="false: a loss of pay")
    counts_non_working_days: bool = Field(
        False, description="whether holidays and days off inside a leave use it up, and are leave"
    )


class LeaveType(Output):
    """A kind of leave."""

    id: UUID
    name: str
    is_paid: bool
    counts_non_working_days: bool
    version: Version
