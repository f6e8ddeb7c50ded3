"""The operators' recount: what was booked before the ledger followed the register is booked now, once."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from chalicelib.backing import clock
from tests.cli.conftest import Cli
from tests.features.leave.conftest import Office, open_office
from tests.support.people import sql

NOW = datetime(2026, 1, 4, 6, tzinfo=UTC)


@pytest.fixture(name="office")
def _office(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Provide an office with leave set by hand and a holiday in leave, as they stood before there was a recount."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    office = open_office()
    office.allocate(20)
    office.decide(office.ask("2026-01-11", "2026-01-15"))
    sql(office.cast, "insert into holidays (tenant_id, day, name) values (:id, '2026-01-13', 'Eid')", id=office.cast.id)
    sql(
        office.cast,
        "insert into day_edits (tenant_id, user_id, day, first_code, first_leave_type_id, edited_by,"
        " edited_at) values (:id, :user_id, '2026-01-20', 'L', :type_id, 'hr', now())",
        id=office.cast.id,
        user_id=office.rahim_id,
        type_id=UUID(office.types["Annual"]),
    )
    return office


class TestRecount:
    def test_books_what_the_register_shows_and_nothing_the_second_time(self, cli: Cli, office: Office) -> None:
        recount = ("leave", "recount", "--tenant", office.cast.slug, "--json")
        expected = {"tenant": office.cast.slug, "people": 1, "recounted": 2}
        assert cli(*recount, "--dry-run").json == {**expected, "dry_run": True}
        assert office.balances() == [{"allocated": 20.0, "used": 5.0, "remaining": 15.0}]
        assert cli(*recount).json == {**expected, "dry_run": False}
        assert office.balances() == [{"allocated": 20.0, "used": 4.5, "remaining": 15.5}]
        assert cli(*recount).json["recounted"] == 0
        assert "leave_recounted" in office.told(office.rahim_id)

    def test_speaks_to_people(self, cli: Cli, office: Office) -> None:
        result = cli("leave", "recount", "--tenant", office.cast.slug, "--dry-run")
        assert "1 people have leave; 2 requests and leaves by hand would be recounted." in result.out
