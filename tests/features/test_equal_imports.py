"""The same import sent twice at the same moment is done once and audited once, whichever import it is."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from chalicelib.features.attendance.imports import actions as attendance_imports
from chalicelib.features.payroll.runs import amount_actions
from chalicelib.features.people.users import import_actions as people_imports
from chalicelib.features.sales import import_actions as sales_imports
from tests.support.api import Reply
from tests.support.cast import Cast
from tests.support.people import employee, sql


def at_once(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, call: Callable[[], Reply]) -> list[Reply]:
    """Send two equal requests, both held where they have just read what stands; return the replies.

    Where the second is rightly kept waiting before that, it never comes there, and the first goes on after a moment.
    """
    meeting, read = threading.Barrier(2, timeout=1.0), getattr(where, name)

    def read_and_wait(*args: Any, **kwargs: Any) -> Any:
        found = read(*args, **kwargs)
        with suppress(threading.BrokenBarrierError):
            meeting.wait()
        return found

    monkeypatch.setattr(where, name, read_and_wait)
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(call())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def audited(cast: Cast, like: str) -> Counter[str]:
    rows = sql(cast, "select action from audit_logs where action like :like", like=like)
    return Counter(row.action for row in rows)


class TestAtOnce:
    def test_attendance(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        employee(acme)
        rows = [{"employee_no": "E-1", "date": f"2026-01-{day:02}", "status": "present"} for day in (5, 6, 7)]
        replies = at_once(
            monkeypatch, attendance_imports, "_find_existing", lambda: acme.hr.post("/attendance/import", rows)
        )
        counts = sorted((reply.status, reply.json["added"], reply.json["unchanged"]) for reply in replies)
        assert counts == [(200, 0, 3), (200, 3, 0)]
        assert audited(acme, "attendance%") == {"attendance.imported": 1}
        assert sql(acme, "select distinct version from attendance") == [(1,)]

    def test_corrected_attendance(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        employee(acme)
        day = {"employee_no": "E-1", "date": "2026-01-05"}
        acme.hr.ok("POST", "/attendance/import", [{**day, "status": "absent"}])
        replies = at_once(
            monkeypatch,
            attendance_imports,
            "_find_existing",
            lambda: acme.hr.post("/attendance/import", [{**day, "status": "present"}]),
        )
        assert sorted(reply.json["corrected"] for reply in replies) == [0, 1]
        assert audited(acme, "attendance%") == {"attendance.imported": 2, "attendance.corrected": 1}

    def test_people(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [{"name": "Karim", "employee_no": "K-1", "joined_on": "2026-01-01"}]
        replies = at_once(monkeypatch, people_imports, "_find_known", lambda: acme.hr.post("/users/import", rows))
        assert sorted((reply.status, reply.json["added"]) for reply in replies) == [(200, 0), (200, 1)]
        assert audited(acme, "people%") == {"people.imported": 1}

    def test_sales(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        employee(acme)
        rows = [{"employee_no": "E-1", "external_id": "S-1", "earning": "40.00"}]
        replies = at_once(monkeypatch, sales_imports, "_find_existing", lambda: acme.hr.post("/sales/import", rows))
        assert sorted((reply.status, reply.json["added"]) for reply in replies) == [(200, 0), (200, 1)]
        assert audited(acme, "sales%") == {"sales.imported": 1}

    def test_amounts_of_a_run(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        employee(acme)
        kind = {"name": "Tips", "code": "tips", "category": "earning", "calculation": "dynamic"}
        acme.hr.ok("POST", "/payment-types", {**kind, "effective_from": "2026-01-01"})
        run = acme.hr.ok("POST", "/payroll-runs", {"month": "2026-01", "kind": "off_cycle"})["id"]
        rows = [{"employee_no": "E-1", "payment_type": "tips", "amount": "5.00"}]
        replies = at_once(
            monkeypatch, amount_actions, "_match_rows", lambda: acme.hr.post(f"/payroll-runs/{run}/amounts", rows)
        )
        assert sorted((reply.status, reply.json["written"]) for reply in replies) == [(200, 0), (200, 1)]
        assert audited(acme, "%amounts%") == {"payroll_run.amounts_given": 1}

    def test_holidays(self, acme: Cast) -> None:
        body = {"country": "BD", "year": 2026}
        acme.hr.ok("POST", "/holidays/import", {"country": "DE", "year": 2027})  # the package is loaded once before
        replies: list[Reply] = []
        start = threading.Barrier(2)

        def send() -> None:
            start.wait()
            replies.append(acme.hr.post("/holidays/import", body))

        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        added = sorted(len(reply.json["added"]) for reply in replies)
        assert added[0] == 0 < added[1]
        assert audited(acme, "holidays%") == {"holidays.imported": 2}
