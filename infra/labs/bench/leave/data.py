"""The data: people with a salary and a calendar, and one allocation each that expires with January."""

from contextlib import AbstractContextManager
from pathlib import Path

from infra.labs.bench import data
from infra.labs.bench.data import Loaded, Step

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


def loaded(people: int, *, step: Step) -> AbstractContextManager[Loaded]:
    """Run a fresh server with an allocation for each of so many people."""
    return data.loaded(people, facts=FACTS, step=step)
