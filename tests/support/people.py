"""People, shifts and facts put straight into the database, for tests that are about something else."""

from collections.abc import Mapping
from datetime import date, time
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import transaction
from tests.support.cast import Cast


def row(tenant: Cast, table: str, values: Mapping[str, Any], *, returning: str = "id") -> Any:
    """Insert one row of the tenant's and give one of its columns."""
    columns = {"tenant_id": tenant.id, **values}
    return sql(
        tenant,
        f"insert into {table} ({', '.join(columns)}) values (:{', :'.join(columns)}) returning {returning}",
        **columns,
    )[0][0]


def sql(tenant: Cast, statement: str, **values: Any) -> list[Any]:
    """Run one statement as the tenant and give its rows, if it has any."""
    with transaction(tenant_id=tenant.id) as session:
        result = session.execute(text(statement), values)
        return list(result.all()) if result.returns_rows else []


def employee(
    tenant: Cast,
    *,
    name: str = "Rahim",
    joined_on: date = date(2025, 1, 1),
    employee_no: str = "E-1",
    left_on: date | None = None,
    shift_id: UUID | None = None,
    manager_id: UUID | None = None,
    branch_id: UUID | None = None,
    department_id: UUID | None = None,
    division_id: UUID | None = None,
    email: str | None = None,
) -> UUID:
    """Make a person who is employed."""
    user_id: UUID = row(tenant, "users", {"name": name, "email": email})
    row(
        tenant,
        "employments",
        {
            "user_id": user_id,
            "employee_no": employee_no,
            "joined_on": joined_on,
            "left_on": left_on,
            "shift_id": shift_id,
            "manager_id": manager_id,
            "branch_id": branch_id,
            "department_id": department_id,
            "division_id": division_id,
        },
        returning="user_id",
    )
    return user_id


def shift(tenant: Cast, starts: str = "09:00", ends: str = "18:00", *, late: int = 0, early: int = 0) -> UUID:
    """Make a shift; `late` and `early` are its grace minutes."""
    return row(
        tenant,
        "shifts",
        {
            "name": f"{starts}-{ends}/{late}/{early}",
            "starts_at": time.fromisoformat(starts),
            "ends_at": time.fromisoformat(ends),
            "late_grace_minutes": late,
            "early_grace_minutes": early,
        },
    )


def branch(tenant: Cast, *, name: str = "Berlin", timezone: str | None = "Europe/Berlin") -> UUID:
    """Make a branch in its own time zone."""
    return row(tenant, "branches", {"name": name, "timezone": timezone})


def roster(tenant: Cast, user_id: UUID, day: date, shift_id: UUID | None) -> None:
    """Put a person on a shift for one day."""
    row(tenant, "roster_days", {"user_id": user_id, "day": day, "shift_id": shift_id}, returning="day")


def lock_period(tenant: Cast, month: str, start: date, end: date) -> None:
    """Lock a pay period, as approving payroll does."""
    sql(
        tenant,
        "insert into pay_periods (tenant_id, month, start_on, end_on, status)"
        " values (:tenant_id, :month, :start, :end, 'locked')"
        " on conflict (tenant_id, month) do update set status = 'locked'",
        tenant_id=tenant.id,
        month=month,
        start=start,
        end=end,
    )
