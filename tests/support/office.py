"""A payroll office at work: people made over HTTP, and what their pay periods say about it."""

from typing import Any

from tests.support.cast import Cast
from tests.support.people import sql


def person(cast: Cast, number: str, **employment: object) -> str:
    """Make a person called after their employee number, who joined on 1 January 2026."""
    body = {
        "name": number,
        "employment": {"employee_no": number, "joined_on": "2026-01-01", **employment},
        "salary": {"amount": "100.00", "effective_from": "2026-01-01"},
    }
    return cast.hr.ok("POST", "/users", body)["id"]


def names(reply: dict[str, Any]) -> list[str]:
    """Return the names on a page of a list."""
    return [row["name"] for row in reply["items"]]


def period(cast: Cast, month: str, status: str = "open") -> None:
    """Make a calendar month's pay period that was computed just now."""
    sql(
        cast,
        "insert into pay_periods (tenant_id, month, start_on, end_on, status, changed_at, computed_at, decided_under)"
        " select :tenant_id, :month, day, day + interval '1 month - 1 day', :status, now(), now(), '540:'"
        " from cast(:month || '-01' as date) day",
        tenant_id=cast.id,
        month=month,
        status=status,
    )


def stale(cast: Cast) -> list[str]:
    """Return the months that wait to be computed again."""
    return [row.month for row in sql(cast, "select month from pay_periods where is_stale order by month")]


def undecided(cast: Cast) -> list[str]:
    """Return the months whose attendance waits to be decided again."""
    return [row.month for row in sql(cast, "select month from pay_periods where decided_under is null order by month")]


def late(cast: Cast) -> list[tuple[Any, ...]]:
    """Return the late corrections: month, person, first day, kind of fact."""
    rows = sql(cast, "select month, cast(user_id as text), cast(day as text), what from late_corrections order by 1, 3")
    return [tuple(row) for row in rows]
