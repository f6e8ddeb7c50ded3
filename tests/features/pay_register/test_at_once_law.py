"""A law: two writers at once come to what one after the other comes to, whichever they are.

`WAGEBOOK_PAIRS=all .venv/bin/pytest tests/features/pay_register/test_at_once_law.py` tries every ordered pair of verbs;
without it a twentieth of them is drawn, by a seed that the test's name shows.
"""

import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from chalicelib.backing.database import transaction
from chalicelib.features.attendance.requests import actions as request_actions
from chalicelib.features.attendance.requests.kinds import ON_DUTY, OVERTIME
from chalicelib.features.leave.requests import actions as leave_actions
from chalicelib.features.pay_register import actions, edit_actions, nightly_job
from chalicelib.features.pay_register import calculation as pay_register_calculation
from chalicelib.features.pay_register.schemas import HalfIn
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.jobs.progress import JobChunk
from chalicelib.kernel.halves import HalfStatus
from chalicelib.kernel.states import RequestStatus
from tests.support.at_once import all_at_once, overlapping
from tests.support.cases import open_scope
from tests.support.cast import Cast, tenant
from tests.support.stack import at

pytestmark = pytest.mark.usefixtures("database")

MONTH, JANUARY = "2026-01", [date(2026, 1, 1 + n) for n in range(31)]
# the run of pytest-xdist has one id for all its workers, which have to draw the same pairs
SEED = os.environ.get("WAGEBOOK_SEED") or os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(random.randrange(10**6))
Answer = int | str


@dataclass
class Scene:
    """A company of two in January 2026, computed, with something to decide, edit, correct and clear for Rahim."""

    cast: Cast = field(default_factory=lambda: tenant("Pair"))
    ids: dict[str, str] = field(default_factory=dict)
    session: Connection = field(init=False)

    def __post_init__(self) -> None:
        with transaction(tenant_id=self.cast.id) as self.session:
            self.rahim, self.karim = (self.employed(name) for name in ("Rahim", "Karim"))
            days = [day for day in JANUARY if day.isoweekday() not in (5, 6) and day.day not in (21, 22, 25, 26)]
            for day in days:
                self.put("attendance", user_id=self.rahim, day=day, stated="present", present=3, source="import")
            self.leave_type = self.put("leave_types", name="Unpaid", is_paid=False, is_limited=False)
            leave = {"leave_type_id": self.leave_type, "days": 1, "is_limited": False}
            self.asked("pending leave", "leave_requests", start_on="2026-01-12", end_on="2026-01-13", **leave)
            approved = self.asked(
                "approved leave", "leave_requests", start_on="2026-01-14", end_on="2026-01-14", **leave
            )
            for half in ("first", "second"):
                self.put(
                    "leave_days",
                    user_id=self.rahim,
                    day="2026-01-14",
                    half=half,
                    leave_type_id=self.leave_type,
                    nature="lop",
                    counts_non_working=False,
                    request_id=approved,
                    is_counted=True,
                )
            self.asked("pending on-duty", "on_duty", start_on="2026-01-25", end_on="2026-01-25")
            self.asked("approved on-duty", "on_duty", start_on="2026-01-26", end_on="2026-01-26")
            self.asked("pending overtime", "overtime", day="2026-01-19", hours=2)
            self.asked("approved overtime", "overtime", day="2026-01-20", hours=1)
            self.put(
                "day_edits",
                user_id=self.rahim,
                day="2026-01-05",
                first_code="A",
                remarks="seen at the gate",
                version=1,
                edited_by="test",
                edited_at="2026-01-06T00:00:00Z",
            )
        assert self.call("POST", f"/pay-register/{MONTH}/sync", {}) == 202
        # an open session, and the period is marked: the first writer after a computation would keep the others waiting
        assert self.call("POST", f"/users/{self.rahim}/checkin", {"at": "2026-01-21T03:00:00Z"}) in (200, 201)

    def put(self, table: str, **values: Any) -> Any:
        """Insert a row of the tenant's and return its id, or whose it is."""
        columns = {"tenant_id": self.cast.id, **values}
        returning = (
            "user_id" if "user_id" in columns and table not in ("leave_requests", "on_duty", "overtime") else "id"
        )
        return self.session.execute(
            text(f"insert into {table} ({', '.join(columns)}) values (:{', :'.join(columns)}) returning {returning}"),
            columns,
        ).scalar_one()

    def employed(self, name: str) -> UUID:
        user_id: UUID = self.put("users", name=name)
        self.put("employments", user_id=user_id, employee_no=name, joined_on="2025-01-01")
        self.put(
            "salaries",
            user_id=user_id,
            amount="15000",
            currency="BDT",
            frequency="monthly",
            effective_from="2025-01-01",
        )
        return user_id

    def asked(self, name: str, table: str, **values: Any) -> UUID:
        request_id: UUID = self.put(table, user_id=self.rahim, status=name.partition(" ")[0], **values)
        self.ids[name] = f"/{table.replace('_', '-')}/{request_id}"
        return request_id

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        return self.cast.admin.call(method, path, body).status

    def decide(self, name: str, status: str) -> Answer:
        return self.call("PATCH", self.ids[name], {"status": status})

    def id_of(self, name: str) -> UUID:
        return UUID(self.ids[name].rpartition("/")[2])

    def day(self, day: int) -> str:
        return f"/pay-register/{MONTH}/{self.rahim}/days/2026-01-{day:02}"

    def job(self, do: Callable[[Any], object]) -> Answer:
        """Do the work of a message: one transaction, as its consumer would."""
        with open_scope(self.cast.id) as scope:
            do(scope)
            for last in scope.at_commit:
                last()
        return "done"

    def state(self) -> dict[str, Any]:
        """Return the register, the balance and the facts beneath them, by names instead of ids."""
        queries = {
            "register": "select u.name, to_jsonb(r) - '{tenant_id,user_id}'::text[] as row from pay_registers r"
            " join users u on u.id = r.user_id order by 1",
            "balance": "select u.name, to_jsonb(b) - '{tenant_id,user_id}'::text[] as row from balances b"
            " join users u on u.id = b.user_id order by 1",
            "edits": "select u.name, to_jsonb(d) - '{tenant_id,user_id,id,edited_at,superseded_at}'::text[] as row"
            " from day_edits d join users u on u.id = d.user_id where superseded_at is null order by day",
            "attendance": "select day, to_jsonb(a) - '{tenant_id,user_id}'::text[] as row from attendance a"
            " order by day, present, source",
            "requests": "select 'l', start_on, status from leave_requests union all"
            " select 'd', start_on, status from on_duty union all select 't', day, status from overtime order by 1, 2",
            "leave": "select day, half from leave_days order by 1, 2",
            "period": "select status from pay_periods order by month",
            "late": "select day, what from late_corrections order by 1, 2",
        }
        with transaction(tenant_id=self.cast.id) as session:
            rows = {name: [list(one) for one in session.execute(text(query))] for name, query in queries.items()}
        named = json.dumps(rows, default=str, sort_keys=True).replace(str(self.leave_type), "Unpaid")
        state: dict[str, Any] = json.loads(named)
        return state


def chunk(scene: Scene) -> JobChunk:
    first, last = sorted((scene.rahim, scene.karim))
    return JobChunk(0, first, last, 2)


def full_sync_chunk(scope: Any, scene: Scene) -> None:
    one = chunk(scene)
    pay_register_calculation.compute_filtered(
        scope,
        months=[MONTH],
        as_of=JANUARY[-1],
        employee_filter=EmployeeFilter.range(one.first_user_id, one.last_user_id),
    )


def nightly(scope: Any) -> None:
    nightly_job.JOB.start(scope)


VERBS: dict[str, Callable[[Scene], Answer]] = {
    "put a day": lambda s: s.call("PUT", s.day(5), {"status": "present"}),
    "merge a half": lambda s: s.call("PATCH", s.day(5), {"second_half": {"status": "od"}}),
    "merge hours": lambda s: s.call("PATCH", s.day(5), {"ot_hours": 1.5, "first_half": None}),
    "put another day": lambda s: s.call("PUT", s.day(6), {"status": "absent", "ot_hours": 3}),
    "clear a day": lambda s: s.call("DELETE", s.day(5)),
    "recalculate": lambda s: s.call("POST", f"/pay-register/{MONTH}/{s.rahim}/recalculate", {}),
    "make the row": lambda s: s.call("POST", f"/pay-register/{MONTH}/{s.rahim}", {}),
    "sync named people": lambda s: s.call("POST", f"/pay-register/{MONTH}/sync",
        {"user_ids": [str(s.karim), str(s.rahim)]}),
    "sync everybody": lambda s: s.call("POST", f"/pay-register/{MONTH}/sync", {}),
    "chunk of a full sync": lambda s: s.job(lambda scope: full_sync_chunk(scope, s)),
    "nightly job": lambda s: s.job(nightly),
    "approve leave": lambda s: s.decide("pending leave", "approved"),
    "cancel leave": lambda s: s.decide("approved leave", "cancelled"),
    "shorten leave": lambda s: s.call("PATCH", s.ids["approved leave"], {"end_half": "first"}),
    "approve on-duty": lambda s: s.decide("pending on-duty", "approved"),
    "cancel on-duty": lambda s: s.decide("approved on-duty", "cancelled"),
    "approve overtime": lambda s: s.decide("pending overtime", "approved"),
    "cancel overtime": lambda s: s.decide("approved overtime", "cancelled"),
    "correct attendance": lambda s: s.call("PUT", f"/users/{s.rahim}/attendance/2026-01-07",
        {"status": "absent", "reason": "sick"}),
    "remove attendance": lambda s: s.call("DELETE", f"/users/{s.rahim}/attendance/2026-01-08?reason=typo"),
    "check in": lambda s: s.call("POST", f"/users/{s.rahim}/checkin", {"at": "2026-01-22T03:00:00Z"}),
    "check out": lambda s: s.call("PATCH", f"/users/{s.rahim}/checkout", {"at": "2026-01-21T12:00:00Z"}),
    "import attendance": lambda s: s.call("POST", "/attendance/import", [
        {"employee_no": "Rahim", "date": "2026-01-11", "status": "absent"},
        {"employee_no": "Karim", "date": "2026-01-11", "status": "present"}]),
    "lock the period": lambda s: s.call("POST", f"/pay-register/{MONTH}/lock", {}),
}  # fmt: skip


def pairs() -> list[tuple[str, str]]:
    every = [(one, other) for one in VERBS for other in VERBS]
    if os.environ.get("WAGEBOOK_PAIRS") == "all":
        return every
    return sorted(random.Random(SEED).sample(every, len(every) // 20))


@pytest.fixture(autouse=True, scope="module")
def _february() -> Iterator[None]:
    with at("2026-02-01T00:35:00+06:00"):
        yield


@pytest.fixture(name="in_turn", scope="module")
def _in_turn(database: object, _february: None) -> Callable[[str, str], tuple[Any, ...]]:
    """Give what two verbs come to one after the other: what they answered by verb, and the state."""

    @cache
    def in_turn(one: str, other: str) -> tuple[Any, ...]:
        scene = Scene()
        return VERBS[one](scene), VERBS[other](scene), scene.state()

    return in_turn


@pytest.mark.parametrize(("one", "other"), pairs(), ids=lambda verb: verb)
def test_two_at_once_are_as_one_after_the_other(
    one: str, other: str, in_turn: Callable[[str, str], tuple[Any, ...]]
) -> None:
    scene = Scene()
    first, second = overlapping(scene.cast, lambda: VERBS[one](scene), lambda: VERBS[other](scene))
    outcome = (first, second, scene.state())
    straight, (was, came, state) = in_turn(one, other), in_turn(other, one)
    assert outcome in (straight, (came, was, state)), f"seed {SEED}: neither order gives this"


# Verbs that come to the same in whatever order, so that many at once have one right outcome.
TOGETHER: dict[str, Callable[[Any, Scene], object]] = {
    "first half": lambda scope, s: edit(scope, s, 5, first_half=HalfIn(status=HalfStatus.PRESENT)),
    "second half": lambda scope, s: edit(scope, s, 5, second_half=HalfIn(status=HalfStatus("od"))),
    "hours": lambda scope, s: edit(scope, s, 5, ot_hours=Decimal("1.5")),
    "remarks": lambda scope, s: edit(scope, s, 5, remarks=None),
    "another day": lambda scope, s: edit(scope, s, 6, first_half=HalfIn(status=HalfStatus.ABSENT)),
    "extra days": lambda scope, s: edit(scope, s, 7, extra_days=Decimal(1)),
    "recalculate": lambda scope, s: actions.recalculate(scope, month=MONTH, user_id=s.rahim),
    "chunk": full_sync_chunk,
    "on-duty": lambda scope, s: requested(scope, s, ON_DUTY, "pending on-duty", RequestStatus.APPROVED),
    "overtime": lambda scope, s: requested(scope, s, OVERTIME, "approved overtime", RequestStatus.CANCELLED),
    "leave": lambda scope, s: leave_actions.decide(scope, request_id=s.id_of("pending leave"),
        to=RequestStatus.APPROVED, notes=None, if_match=None),
}  # fmt: skip


def edit(scope: Any, scene: Scene, day: int, **cells: Any) -> object:
    return edit_actions.edit_day(
        scope, month=MONTH, user_id=scene.rahim, day=date(2026, 1, day), cells=cells, if_match=None
    )


def requested(scope: Any, scene: Scene, kind: Any, name: str, to: RequestStatus) -> object:
    return request_actions.decide(scope, kind, request_id=scene.id_of(name), to=to, if_match=None)


@pytest.mark.parametrize("round_", range(40 if os.environ.get("WAGEBOOK_PAIRS") == "all" else 2))
def test_many_at_once_are_as_one_after_the_other(round_: int, in_turn: object) -> None:
    """None waits in a circle either: here nothing tries a deadlock's victim again."""
    chance = random.Random(f"{SEED}/{round_}")
    chosen = chance.sample(sorted(TOGETHER), chance.randint(3, 7))
    at_once, after = Scene(), Scene()
    all_at_once(*[lambda name=name: at_once.job(lambda scope: TOGETHER[name](scope, at_once)) for name in chosen])
    for name in chosen:
        after.job(lambda scope, name=name: TOGETHER[name](scope, after))  # type: ignore[misc]
    assert at_once.state() == after.state(), f"seed {SEED}/{round_}: {chosen}"
