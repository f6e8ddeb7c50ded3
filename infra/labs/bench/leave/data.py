"""The data: employees with a salary, a calendar, and one allocation that expires at the end of January."""

from contextlib import AbstractContextManager
from pathlib import Path

from infra.labs.bench import data
from infra.labs.bench.data import Loaded, ReportStep

COMMON = (
    "00_plan",
    "01_tenants",
    "02_users",
    "03_branches",
    "07_holidays",
    "08_employments",
    "09_salaries",
    "10_roster_days",
)
FACTS = [
    *(file for file in data.FACTS if file.stem in COMMON),
    *sorted((Path(__file__).parent / "facts").glob("*.sql")),
]
STEPS = len(FACTS) + 2


def loaded(people: int, *, step: ReportStep) -> AbstractContextManager[Loaded]:
    """Run a new server with an allocation for each of so many employees."""
    return data.loaded(people, facts=FACTS, step=step)
