"""January 2026 at Acme: Friday and Saturday off, so 21 working days."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import pytest

from tests.support.cast import Cast, tenant
from tests.support.people import employee, row

JANUARY = [date(2026, 1, 1) + timedelta(days=n) for n in range(31)]
WORKING = [day for day in JANUARY if day.isoweekday() not in (5, 6)]


@dataclass(frozen=True)
class Acme:
    """The company, and Rahim, who earns 15,000 a month."""

    cast: Cast
    rahim: UUID


@pytest.fixture(name="acme")
def _acme(database: object) -> Acme:
    cast = tenant("Acme")
    rahim = employee(cast, name="Rahim", employee_no="E-1")
    pay(cast, rahim, "15000.00")
    return Acme(cast, rahim)


@pytest.fixture(name="zenith")
def _zenith(database: object) -> Cast:
    return tenant("Zenith")


def pay(cast: Cast, user_id: UUID, amount: str, frequency: str = "monthly", since: str = "2025-01-01") -> None:
    """Return a person a salary."""
    row(
        cast,
        "salaries",
        {"user_id": user_id, "amount": amount, "currency": "BDT", "frequency": frequency, "effective_from": since},
        returning="user_id",
    )


def attend(cast: Cast, user_id: UUID, days: list[date], stated: str = "present") -> None:
    """Write attendance as it is stored after its decision."""
    present = {"present": 3, "absent": 0, "half_day": 2}[stated]
    for day in days:
        row(
            cast,
            "attendance",
            {"user_id": user_id, "day": day, "stated": stated, "present": present, "source": "import"},
            returning="day",
        )
