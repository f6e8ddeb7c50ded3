"""The demo's branches, calendars, employees and salaries."""

from datetime import date
from decimal import Decimal
from typing import Any

from chalicelib.identity.scope import Scope
from chalicelib.kernel.money import rounded
from chalicelib.operators.demo.companies import Company, DemoEmployee
from chalicelib.operators.demo.rows import id_of
from chalicelib.operators.demo.rows import write as write_rows
from chalicelib.operators.demo.story import LEAVE_TYPES

FIRST_YEAR = 2026
_PLAIN = str.maketrans("ıöü", "iou")


def address(company: Company, person: DemoEmployee) -> str:
    """Return the e-mail address of an employee of the demo."""
    return ".".join(person.name.lower().translate(_PLAIN).split()) + f"@{company.mail}"


def write(scope: Scope, company: Company) -> int:
    """Write missing rows, and return their number."""
    people = company.people
    written = 0
    for kind in ("department", "division"):
        names = sorted({str(getattr(person, kind)) for person in people})
        written += write_rows(scope, f"{kind}s", [{"id": id_of(scope, kind, name), "name": name} for name in names])
    written += write_rows(scope, "branches", [{"id": id_of(scope, "branch", b["name"]), **b} for b in company.branches])
    written += write_rows(scope, "shifts", [{"id": id_of(scope, "shift", s["name"]), **s} for s in company.shifts])
    written += write_rows(scope, "leave_types", [{"id": id_of(scope, "leave", t["name"]), **t} for t in LEAVE_TYPES])
    written += write_rows(scope, "holidays", _holidays(scope, company))
    written += write_rows(
        scope,
        "users",
        [
            {
                "id": id_of(scope, "user", person.number),
                "name": person.name,
                "email": address(company, person),
                "language": company.language,
            }
            for person in people
        ],
    )
    written += write_rows(scope, "employments", [_employment(scope, person) for person in people])
    written += write_rows(scope, "salaries", _salaries(scope, company))
    return written + write_rows(
        scope,
        "members",
        [
            {
                "id": id_of(scope, "member", person.number),
                "email": address(company, person),
                "role": role,
                "user_id": id_of(scope, "user", person.number),
            }
            for person in people
            if (role := company.members.get(person.number))
        ],
    )


def _holidays(scope: Scope, company: Company) -> list[dict[str, Any]]:
    years = range(FIRST_YEAR, scope.now.year + 1)
    yearly: list[tuple[str | None, date | str, str, str | None]] = [
        (None, date(year, month, day), name, half) for year in years for month, day, name, half in company.holidays
    ]
    return [
        {
            "id": id_of(scope, "holiday", f"{day} {branch}"),
            "day": day,
            "name": name,
            "half": half,
            "branch_id": branch and id_of(scope, "branch", branch),
        }
        for branch, day, name, half in [*yearly, *company.branch_holidays]
    ]


def _employment(scope: Scope, person: DemoEmployee) -> dict[str, Any]:
    return {
        "user_id": id_of(scope, "user", person.number),
        "employee_no": person.number,
        "joined_on": person.joined_on,
        "left_on": person.left_on,
        "branch_id": id_of(scope, "branch", person.branch),
        "division_id": id_of(scope, "division", person.division),
        "department_id": id_of(scope, "department", person.department),
        "manager_id": person.manager and id_of(scope, "user", person.manager),
        "shift_id": id_of(scope, "shift", person.shift),
    }


def _salaries(scope: Scope, company: Company) -> list[dict[str, Any]]:
    first = [(person.number, person.joined_on, person.salary) for person in company.people]
    frequency = {person.number: person.frequency for person in company.people}
    return [
        {
            "user_id": id_of(scope, "user", number),
            "effective_from": since,
            "amount": str(rounded(Decimal(amount), scope.tenant.currency)),
            "currency": scope.tenant.currency,
            "frequency": frequency[number],
        }
        for number, since, amount in [*first, *company.raises]
    ]
