"""The demo's facts: leave, on-duty, overtime, edits by hand, and punches up to yesterday."""

import json
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from chalicelib.backing.database import statement
from chalicelib.features.periods import periods
from chalicelib.identity.scope import Scope
from chalicelib.operators.demo import story
from chalicelib.operators.demo.companies import ACME, Company
from chalicelib.operators.demo.rows import id_of
from chalicelib.operators.demo.rows import write as write_rows

_PUNCHES = text(statement(__file__, "punches"))


def write(scope: Scope, company: Company) -> int:
    """Write missing rows, mark their periods as changed, and return the number of rows."""
    written = _write_story(scope) if company is ACME else 0
    days = _write_punches(scope, company)
    first_of_month = {scope.tenant.month_of(day): day for day in sorted(days, reverse=True)}
    if days:
        periods.touch(scope, changes=[(None, day) for day in first_of_month.values()], what="demo", decide=True)
    return written + len(days)


def _write_story(scope: Scope) -> int:
    today = scope.yesterday() + timedelta(days=1)
    waiting = [
        (number, today + timedelta(days=first), today + timedelta(days=last), reason, "pending")
        for number, first, last, reason in story.PENDING_ON_DUTY
    ]
    asked = [
        (number, today + timedelta(days=day), hours, reason, "pending")
        for number, day, hours, reason in story.PENDING_OVERTIME
    ]
    written = write_rows(scope, "leave_days", [row for leave in story.LEAVES for row in _leave_rows(scope, *leave)])
    written += write_rows(
        scope,
        "on_duty",
        [
            {**_request_row(scope, "on-duty", nth, number, reason, status), "start_on": first, "end_on": last}
            for nth, (number, first, last, reason, status) in enumerate([*story.ON_DUTY, *waiting])
        ],
    )
    written += write_rows(
        scope,
        "overtime",
        [
            {**_request_row(scope, "overtime", nth, number, reason, status), "day": day, "hours": hours}
            for nth, (number, day, hours, reason, status) in enumerate([*story.OVERTIME, *asked])
        ],
    )
    return written + write_rows(
        scope,
        "day_edits",
        [
            {
                "id": id_of(scope, "edit", f"{number} {day}"),
                "user_id": id_of(scope, "user", number),
                "day": day,
                "extra_days": days,
                "remarks": remark,
                "edited_by": "Salma Sultana",
                "edited_at": scope.now,
            }
            for number, day, days, remark in story.EXTRA_DAYS
        ],
    )


def _leave_rows(scope: Scope, number: str, first: str, last: str, kind: str) -> list[dict[str, Any]]:
    paid = next(one["is_paid"] for one in story.LEAVE_TYPES if one["name"] == kind)
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [
        {
            "user_id": id_of(scope, "user", number),
            "day": start + timedelta(days=n),
            "half": half,
            "leave_type_id": id_of(scope, "leave", kind),
            "nature": "paid" if paid else "lop",
        }
        for n in range((end - start).days + 1)
        for half in ("first", "second")
    ]


def _request_row(scope: Scope, kind: str, nth: int, number: str, reason: str, status: str) -> dict[str, Any]:
    is_decided = status != "pending"
    return {
        "id": id_of(scope, kind, str(nth)),
        "user_id": id_of(scope, "user", number),
        "reason": reason,
        "status": status,
        "decided_by": id_of(scope, "user", "A002") if is_decided else None,
        "decided_at": scope.now if is_decided else None,
    }


def _write_punches(scope: Scope, company: Company) -> set[date]:
    """Write missing punches of the story's month, of this month, and of the months before each; return their days."""
    yesterday = scope.yesterday()
    story_period = scope.tenant.period(story.MONTH)
    month_before_story = scope.tenant.period(scope.tenant.month_of(story_period.start - timedelta(days=1)))
    this_month = scope.tenant.period(scope.tenant.month_of(yesterday))
    last_month = scope.tenant.period(scope.tenant.month_of(this_month.start - timedelta(days=1)))
    days = story.DAYS if company is ACME else []
    rows = scope.session.execute(
        _PUNCHES,
        {
            "tenant_id": scope.tenant_id,
            "now": scope.now,
            "firsts": [month_before_story.start, last_month.start],
            "lasts": [min(story_period.end, yesterday), yesterday],
            "user_ids": [id_of(scope, "user", person.number) for person in company.people],
            "steady_ids": [id_of(scope, "user", person.number) for person in company.people if person.is_story],
            "steady_from": story_period.start,
            "steady_to": story_period.end,
            "story": json.dumps(
                [{"user_id": str(id_of(scope, "user", number)), "day": day, "kind": kind} for number, day, kind in days]
            ),
        },
    ).scalars()
    return set(rows)
