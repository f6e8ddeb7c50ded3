"""The operators' check of KPIs: it holds over all that is done, and fails on what a superuser breaks."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from chalicelib.operators import checks
from migrations.setup import Urls
from tests.features.kpis.conftest import Office, night, open_office
from tests.support.stack import Stack


@pytest.fixture(name="busy")
def _busy(office: Office, stack: Stack) -> Office:
    """Return an office with scores of each kind."""
    office.register("PP" * 31, late_count=6)
    office.assign(office.metric("late_count", target=12))
    office.assign(office.formula("late_count / 7", target=0))
    office.assign(office.define("Empty"))
    for name, value, body in (
        ("One", 90, {}),
        ("Two", True, {"metric_type": "boolean", "target": None}),
        ("Three", "Kind", {"metric_type": "text", "target": None}),
    ):
        assigned = office.assign(office.define(name, **body))
        office.boss.ok("POST", f"/kpi-assignments/{assigned}/value", {"value": value})
    one = office.cast.hr.ok("GET", "/kpi-assignments")["items"][3]["id"]
    office.boss.ok("POST", f"/kpi-assignments/{one}/override", {"value": 77.7, "reason": "Two sites"})
    night(stack, "2026-02-01")
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


# the percentages are the database's own to compute, so breaking them takes the function that does
BROKEN_SHARE = """
    create or replace function kpi_share(value numeric, target numeric, times numeric) returns numeric
    language sql immutable parallel safe as $$ select {} $$;
    update kpi_scores set target = target"""


class TestKpis:
    def test_holds_after_all_of_it(self, busy: Office, superuser: Connection) -> None:
        findings = checks.check_tenant(superuser, "kpis", busy.cast.id)
        assert (findings.seen, findings.wrong) == (6, 0), findings.problems

    @pytest.mark.parametrize(
        ("breaking", "detail"),
        [
            (BROKEN_SHARE.format("round(100 * value / nullif(target, 0), 1)"), "is not that"),
            (BROKEN_SHARE.format("coalesce(round(times * value / nullif(target, 0), 2), 0)"), "its achievement is 0"),
            (BROKEN_SHARE.format("case times when 100 then round(100 * value / nullif(target, 0), 2) else 1 end"),
             "its weighted score is 1"),
            ("update kpi_scores set value = 0.5 where entered_at is not null and target = 1", "it is yes or no"),
            ("update kpi_scores set value = 3, text_value = null where text_value is not null", "is text"),
            ("update kpi_scores set as_of = '2026-01-05' where entered_at is not null", "was calculated"),
            ("update kpi_scores set entered_at = now() where as_of is not null", "was entered by hand"),
            ("update kpi_scores set as_of = '2026-02-01' where as_of is not null", "outside its cycle"),
            ("""insert into kpi_assignments (tenant_id, definition_id, user_id, cycle_start_on, cycle_end_on,
                assigned_by, assigned_at)
                select tenant_id, definition_id, user_id, '2026-01-31', '2026-02-05', 'x', now()
                from kpi_assignments order by id desc limit 1""", "shares days with another"),
        ],
    )  # fmt: skip
    def test_fails_on_what_is_broken(self, busy: Office, superuser: Connection, breaking: str, detail: str) -> None:
        superuser.exec_driver_sql(breaking)
        findings = checks.check_tenant(superuser, "kpis", busy.cast.id)
        assert findings.wrong > 0
        assert any(detail in one for one in findings.problems), findings.problems

    def test_looks_at_one_tenant(self, busy: Office, superuser: Connection) -> None:
        assert checks.check_tenant(superuser, "kpis", open_office().cast.id).seen == 0
