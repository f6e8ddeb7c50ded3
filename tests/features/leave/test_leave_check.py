"""The operators' check of leave: it holds over all that is done, and fails on what a superuser breaks."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from chalicelib.operators import checks
from migrations.setup import Urls
from tests.features.leave.conftest import Office, open_office


@pytest.fixture(name="busy")
def _busy(office: Office) -> Office:
    """Return an office with a request of each status, one of them shortened and one without a limit."""
    office.allocate(20)
    office.leave_type("Unpaid", is_limited=False)
    office.ask("2026-01-05", end_half="first")
    office.decide(office.ask("2026-01-06"), "rejected")
    office.decide(office.decide(office.ask("2026-01-07")), "cancelled")
    long = office.decide(office.ask("2026-01-08", "2026-01-12"))  # three days, and two days off inside
    office.boss.ok("PATCH", f"/leave-requests/{long['id']}", {"end_date": "2026-01-11", "end_half": "first"})
    office.decide(office.ask("2026-01-13", of="Unpaid"))
    return office


@pytest.fixture(name="superuser")
def _superuser(server: str, database: Urls) -> Iterator[Connection]:
    """Open a transaction that no policy, trigger or grant stops, and undo it."""
    url = sa.make_url(server).set(drivername="postgresql+psycopg", database=database.application.rpartition("/")[2])
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as session, session.begin() as all_of_it:
        session.exec_driver_sql("set local session_replication_role = replica")
        yield session
        all_of_it.rollback()


class TestLeave:
    def test_holds_after_all_of_it(self, busy: Office, superuser: Connection) -> None:
        found = checks.check_tenant(superuser, "leave", busy.cast.id)
        assert (found.seen, found.wrong) == (6, 0), found.problems

    @pytest.mark.parametrize(
        ("breaking", "said"),
        [
            ("update leave_allocations set used_days = used_days + 0.5", "its days are not the sum of its entries"),
            ("update leave_allocations set carried_days = 1", "its days are not the sum of its entries"),
            ("delete from leave_entries where bucket = 'allocated'", "its days are not the sum of its entries"),
            ("update leave_requests set days = 2 where status = 'pending'", "pending, and holds 0.5 of its 2.0 days"),
            ("update leave_requests set status = 'rejected' where status = 'pending'", "rejected, and holds 0.5"),
            ("update leave_requests set status = 'approved' where status = 'pending'", "approved, and holds 0.5"),
            ("update leave_requests set status = 'cancelled' where days = 1.5", "cancelled, and used 1.5 of its 1.5"),
            ("delete from leave_days where day = '2026-01-08'", "1.5 days, and the register is told of 0.5"),
            ("delete from leave_days where day = '2026-01-09'", "the register is told of 5 halves of 7"),
            ("delete from leave_days where day = '2026-01-13'", "1.0 days, and the register is told of 0"),
        ],
    )  # fmt: skip
    def test_fails_when_broken(self, busy: Office, superuser: Connection, breaking: str, said: str) -> None:
        superuser.exec_driver_sql(breaking)
        found = checks.check_tenant(superuser, "leave", busy.cast.id)
        assert said in " / ".join(found.problems)

    def test_looks_at_one_tenant_only(self, busy: Office, superuser: Connection) -> None:
        other = open_office()
        superuser.exec_driver_sql("update leave_allocations set carried_days = 1")
        assert checks.check_tenant(superuser, "leave", other.cast.id).seen == 0


class TestLeaveRegister:
    @pytest.fixture(name="shown")
    def _shown(self, busy: Office) -> Office:
        """Provide an office whose January is computed, with leave set by hand as well."""
        body = {"status": "leave", "leave_type_id": busy.types["Annual"]}
        busy.cast.hr.ok("PUT", f"/pay-register/2026-01/{busy.rahim_id}/days/2026-01-14", body)
        busy.cast.hr.ok("POST", "/pay-register/2026-01/sync", {})
        return busy

    def test_holds_after_all_of_it(self, shown: Office, superuser: Connection) -> None:
        found = checks.check_tenant(superuser, "leave_register", shown.cast.id)
        # eight halves of requests (three days with two days off inside, less a half; an unpaid one), a day by hand,
        # and the register of one person and type
        assert (found.seen, found.wrong) == (11, 0), found.problems

    @pytest.mark.parametrize(
        ("breaking", "said"),
        [
            ("insert into holidays (tenant_id, day, name) select id, '2026-01-08', 'Eid' from tenants", "is not leave"),
            ("delete from day_edits", "0.0 days of leave set by hand, and 1.0 are taken"),
            ("update pay_registers set leave_halves = '{}'", "the register shows 0 halves of leave, and 5 are taken"),
            ("update leave_entries set concerns_on = '2026-02-08' where concerns_on = '2026-01-08'",
             "the register shows 5 halves of leave, and 3 are taken"),
        ],
    )  # fmt: skip
    def test_fails_when_broken(self, shown: Office, superuser: Connection, breaking: str, said: str) -> None:
        superuser.exec_driver_sql(breaking)
        found = checks.check_tenant(superuser, "leave_register", shown.cast.id)
        assert said in " / ".join(found.problems)
