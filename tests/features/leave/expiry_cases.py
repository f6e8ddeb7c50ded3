"""Days that expire, put straight into the database, and the nights on which they do."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing import clock
from chalicelib.backing.database import transaction
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin, Scope
from tests.support.cast import Cast
from tests.support.people import row, sql
from tests.support.stack import Stack, at

DHAKA_NIGHT = "{}T02:05:00+06:00"
BUCKETS = ("lapsed", "encashed", "transferred", "remaining")


def rule(cast: Cast, action: str = "delete", **values: Any) -> UUID:
    """Make an expiry rule that warns nobody unless said."""
    said = {"name": f"Rule {action} {len(sql(cast, 'select 1 from leave_expiry_rules'))}", "action": action, **values}
    return row(cast, "leave_expiry_rules", said)


def leave_type(cast: Cast, rule_id: UUID | None, name: str = "Annual", **values: Any) -> UUID:
    """Make a leave type whose days expire by a rule."""
    return row(cast, "leave_types", {"name": name, "expiry_rule_id": rule_id, **values})


def allocation(
    cast: Cast,
    user_id: UUID,
    type_id: UUID,
    days: str = "10",
    *,
    ends: str = "2026-01-31",
    begins: str = "2025-02-01",
    expires: str | None = "same",
    used: str = "0",
    pending: str = "0",
) -> UUID:
    """Return somebody days until a day; they expire with their cycle unless said."""
    made: UUID = row(
        cast,
        "leave_allocations",
        {
            "user_id": user_id,
            "leave_type_id": type_id,
            "cycle_start_on": begins,
            "cycle_end_on": ends,
            "expires_on": ends if expires == "same" else expires,
        },
    )
    for bucket, moved in (("allocated", days), ("used", used), ("pending", pending)):
        if Decimal(moved):
            book(cast, made, bucket, moved, f"first/{bucket}")
    return made


def book(cast: Cast, allocation_id: UUID, bucket: str, days: str, cause: str) -> None:
    """Move days of an allocation, as requests and corrections do."""
    row(
        cast,
        "leave_entries",
        {
            "allocation_id": allocation_id,
            "bucket": bucket,
            "days": Decimal(days),
            "cause": cause,
            "concerns_on": date(2026, 1, 1),
            "booked_at": "2026-01-01T00:00:00Z",
            "booked_by": "test",
        },
        returning="number",
    )


def days_of(cast: Cast, allocation_id: UUID) -> tuple[float, ...]:
    """Return the days that lapsed, were paid out, went over, and remain."""
    columns = ", ".join(f"{bucket}_days" for bucket in BUCKETS)
    [found] = sql(cast, f"select {columns} from leave_allocations where id = :id", id=allocation_id)
    return tuple(float(days) for days in found)


def adjustments(cast: Cast) -> list[tuple[Any, ...]]:
    """Return the amounts that days became: whose, how much, in what, and how it came about."""
    return [
        (str(found.user_id), str(found.amount), found.currency, found.formula)
        for found in sql(
            cast,
            "select user_id, amount, currency, explanation ->> 'formula' as formula"
            " from payroll_adjustments order by id",
        )
    ]


def warnings(cast: Cast) -> list[tuple[int, bool]]:
    """Return the steps that are over, the widest first, and whether they were told."""
    found = sql(cast, "select step, is_told from leave_warnings order by allocation_id, step desc")
    return [(one.step, one.is_told) for one in found]


def told(cast: Cast) -> list[tuple[str, Any]]:
    """Return what people were told in the app: why, and how many days they have left."""
    found = sql(
        cast,
        "select cause, said from notification_logs where channel = 'in_app'"
        " and kind = 'leave_expiry_warning' order by id",
    )
    return [(one.cause.rpartition("/")[2], one.said) for one in found]


def night(stack: Stack, day: str, moment: str = DHAKA_NIGHT) -> int:
    """Let the schedule find who is due on a day shortly after 02:00, and the consumers work."""
    with at(moment.format(day)):
        found: int = stack.tick("leave-expiry")["found"]
        stack.drain()
    return found


@contextmanager
def scope_of(cast: Cast, moment: str = "2026-02-01T02:05:00+06:00") -> Iterator[Scope]:
    """Return a scope as a consumer has one; what is left for the commit is done at its end."""
    now = datetime.fromisoformat(moment).astimezone(clock.now().tzinfo)
    with job_scope(cast.id, name="test", now=now, origin=Origin("test")) as scope:
        yield scope
        for last in scope.at_commit:
            last()


def suspend_everybody() -> None:
    """Suspend this test's tenants, so that they are not due in the next test."""
    with transaction(role="wagebook_platform") as session:
        session.execute(text("update tenants set status = 'suspended'"))


FEBRUARY_1 = date(2026, 2, 1)
