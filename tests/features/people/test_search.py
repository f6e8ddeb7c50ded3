"""People are found without case, marks, joiners and widths, by the part of a name or number, everywhere alike."""

import pytest

from tests.features.payroll import runs
from tests.support.cast import Cast
from tests.support.office import names, period
from tests.support.people import employee, sql

PEOPLE = {
    "E-1": "José Đặng Łukasz", "E-2": "র\u200d্যাব মোহাম্মদ রহিম", "E-3": "محمّد أحمد علي", "E-4": "Straße İpek Işık",
    "E-5": "50% Karim_Uddin", "X-0042": "Ольга Йорк", "E-7": "张伟",
}  # fmt: skip
FOUND = [
    ("jose dang", "E-1"), ("JOSÉ", "E-1"), ("Jose\u0301", "E-1"), ("ŁUKASZ", "E-1"), ("lukasz", "E-1"),
    ("র্যাব", "E-2"), ("র\u200d্যাব", "E-2"), ("রহিম", "E-2"), ("মোহাম্মদ", "E-2"),
    ("محمد", "E-3"), ("احمد", "E-3"), ("علی", "E-3"),
    ("STRASSE", "E-4"), ("straße", "E-4"), ("ipek isik", "E-4"), ("ＩＰＥＫ", "E-4"),
    ("50%", "E-5"), ("karim_", "E-5"), ("  Karim_Uddin\u00a0", "E-5"), ("x-00", "X-0042"), ("X-0042", "X-0042"),
    ("ольга йорк", "X-0042"), ("иорк", "X-0042"), ("伟", "E-7"),
]  # fmt: skip
NOT_FOUND = ["রহম", "মহম", "zz", "_", "x_", "%%", "E 1"]


def _people(cast: Cast) -> dict[str, str]:
    return {number: str(employee(cast, name=name, employee_no=number)) for number, name in PEOPLE.items()}


class TestSearch:
    def test_finds_people_in_the_list(self, acme: Cast, zenith: Cast) -> None:
        _people(acme)
        _people(zenith)
        for search, number in FOUND:
            users = acme.hr.ok("GET", f"/users?search={search.replace('%', '%25')}")["items"]
            assert (search, [one["employment"]["employee_no"] for one in users]) == (search, [number])
        for search in NOT_FOUND:
            users = acme.hr.ok("GET", f"/users?search={search.replace('%', '%25')}")["items"]
            # a single _ stands in one name
            assert (search, [one["name"] for one in users]) == (search, [PEOPLE["E-5"]] if search == "_" else [])

    def test_finds_them_in_the_register_and_among_payslips_too(self, acme: Cast) -> None:
        ids = _people(acme)
        period(acme, "2026-01")
        run_id = runs.calculated(acme)
        for user_id in ids.values():
            runs.payslip(acme, run_id, user_id)  # type: ignore[arg-type]  # an id is an id
        for search, number in FOUND:
            asked = search.replace("%", "%25")
            grid = acme.hr.ok("GET", f"/pay-register/2026-01?search={asked}")
            assert (search, [one["user"]["employee_no"] for one in grid["items"]]) == (search, [number])
            slips = acme.admin.ok("GET", f"/payroll-runs/{run_id}/payslips?search={asked}")
            assert (search, [one["user"]["id"] for one in slips["items"]]) == (search, [ids[number]])

    def test_follows_a_name_that_changes_or_is_erased(self, acme: Cast) -> None:
        rahim = acme.hr.ok("POST", "/users", {"name": "Rahim"})
        acme.hr.ok("PATCH", f"/users/{rahim['id']}", {"name": "Karim"})
        assert (names(acme.hr.ok("GET", "/users?search=rahim")), names(acme.hr.ok("GET", "/users?search=KARIM"))) == (
            [],
            ["Karim"],
        )
        sql(acme, "update users set name = 'Erased person'")
        assert names(acme.hr.ok("GET", "/users?search=karim")) == []

    @pytest.mark.parametrize("path", ["/users", "/pay-register/2026-01"])
    def test_of_nothing_finds_everybody(self, acme: Cast, path: str) -> None:
        _people(acme)
        for search in ("", "%20", "%EF%BB%BF"):
            assert len(acme.hr.ok("GET", f"{path}?search={search}")["items"]) == len(PEOPLE)
