"""Terms of a run: resolved when it is calculated, so that neither a later policy nor a later release prices it anew."""

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.backing import clock
from chalicelib.features.payroll.runs import terms as run_terms
from chalicelib.features.tenants import actions as tenant_actions
from chalicelib.identity.scope import Tenant
from chalicelib.kernel.policy import MissingAttendance, PayPolicy, ProrationBasis, WeeklyRule
from migrations.setup import Urls
from tests.features.payroll.runs import run_of
from tests.features.payroll.test_arrears import approved
from tests.features.payroll.test_payroll_runs import WORKING, calculated, hire, slips
from tests.ledger.books import at_work
from tests.support.cast import Cast
from tests.support.migrating import upgraded
from tests.support.people import sql
from tests.support.stack import Stack

# What changes a default of the code: every switch that prices, and another value for it.
OTHER_DEFAULTS: dict[str, Any] = {
    "missing_attendance": MissingAttendance.PRESENT,
    "full_day_minutes": 480,
    "half_day_minutes": 240,
    "proration_basis": ProrationBasis.CALENDAR_DAYS,
    "daily_paid_holidays": True,
    "weekly_rule": WeeklyRule.PRORATED,
}


@pytest.fixture(autouse=True)
def _march(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 2, 6, tzinfo=UTC))


def change_default(monkeypatch: pytest.MonkeyPatch, **defaults: Any) -> None:
    """Change defaults of the policy's code for the time of a test, as a release would."""
    for name, value in defaults.items():
        monkeypatch.setattr(PayPolicy.model_fields[name], "default", value)
    PayPolicy.model_rebuild(force=True)


@pytest.fixture(autouse=True)
def _defaults_of_today(monkeypatch: pytest.MonkeyPatch) -> Any:
    yield
    monkeypatch.undo()
    PayPolicy.model_rebuild(force=True)


def test_every_field_of_a_tenant_prices_or_is_listed_as_one_that_does_not() -> None:
    settings = {field.name for field in dataclasses.fields(Tenant)}
    unknown = settings - {*run_terms.SETTINGS} - run_terms.NON_PRICING_SETTINGS
    assert not unknown, (
        f"Do {sorted(unknown)} change what a day is worth? Then add them to SETTINGS or SWITCHES of payroll/terms.py,"
        " and a migration that gives stored runs the value they were computed with; else to the lists beside."
    )
    assert {*run_terms.SETTINGS} <= settings
    assert {*run_terms.SWITCHES} == OTHER_DEFAULTS.keys(), "give each switch another default, so that it is tried below"
    assert {*run_terms.SWITCHES} == tenant_actions._MOVES_PAY, "what prices also makes open periods stale"


def test_keeps_every_value_also_those_that_are_defaults(acme: Cast) -> None:
    hire(acme, "Rahim", "E-1", "15000")
    run = calculated(acme, "2026-01")
    assert run_of(acme, run["id"]).plan["terms"] == {
        "currency": "BDT",
        "timezone": "Asia/Dhaka",
        "weekend": [5, 6],
        "week_start": 6,
        "cycle_start_day": 1,
        "policy": {
            "missing_attendance": "absent",
            "full_day_minutes": 540,
            "half_day_minutes": None,
            "proration_basis": "working_days",
            "daily_paid_holidays": False,
            "weekly_rule": "any_day",
        },
    }


def test_reads_what_it_made_whatever_the_tenant_has_become(acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_work(acme) as scope:
        made = json.loads(json.dumps(run_terms.resolve_terms(scope.tenant)))
        change_default(monkeypatch, **OTHER_DEFAULTS)
        changed = dataclasses.replace(
            scope.tenant,
            currency="USD",
            timezone="Asia/Tokyo",
            weekend=(7,),
            week_start=1,
            cycle_start_day=26,
            policy_overrides={"weekly_rule": "prorated", "minimum_payout": "50.00"},
        )
        read = run_terms.restore_tenant(made, changed)
        assert run_terms.resolve_terms(read) == made
        assert str(read.policy.minimum_payout) == "50.00", "what does not price is of today"


@pytest.mark.parametrize("missing", ["full_day_minutes", "currency"])
def test_refuses_to_let_a_default_stand_in_for_a_missing_value(acme: Cast, missing: str) -> None:
    with at_work(acme) as scope:
        made = run_terms.resolve_terms(scope.tenant)
        made.pop(missing, None)
        made["policy"].pop(missing, None)
        with pytest.raises(LookupError, match=missing):
            run_terms.restore_tenant(made, scope.tenant)


@pytest.mark.parametrize("name", sorted(OTHER_DEFAULTS))
def test_a_release_that_changes_a_default_prices_no_paid_month_anew(
    acme: Cast, running: Stack, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monthly = hire(acme, "Rahim", "E-1", "15000", days=WORKING[:18])
    hire(acme, "Karim", "E-2", "500", days=WORKING[:18], frequency="daily")
    hire(acme, "Dina", "E-3", "3500", days=WORKING[:18], frequency="weekly")
    acme.hr.ok("POST", "/holidays", {"date": "2026-01-28", "name": "Founders"})
    acme.hr.ok("POST", "/attendance/import", [{"user_id": monthly, "date": "2026-01-29", "worked_minutes": 500}])
    approved(acme, running)
    change_default(monkeypatch, **{name: OTHER_DEFAULTS[name]})
    # somebody looks at the month again and changes nothing in the end
    sql(
        acme,
        "insert into late_corrections (tenant_id, month, day, what, noted_at)"
        " select id, '2026-01', '2026-01-01', 'holiday', now() from tenants where id = :tenant_id",
        tenant_id=acme.id,
    )
    assert slips(acme, calculated(acme, "2026-02", kind="off_cycle")) == {}


def test_the_runs_that_exist_are_filled_with_the_defaults_of_their_day(template: Urls, server: str) -> None:
    before = {
        "kind": "regular",
        "inputs": [],
        "components": [],
        "terms": {
            "currency": "BDT",
            "timezone": "Asia/Dhaka",
            "weekend": [5, 6],
            "week_start": 6,
            "cycle_start_day": 1,
            "policy": {"full_day_minutes": 480, "payout_provider": "bank_file"},
        },
    }
    with upgraded(server, to="2026_12_01_1030") as database:
        database.run(
            "insert into payroll_runs (tenant_id, month, kind, plan, created_by, created_at)"
            " values (%s, '2026-01', 'regular', %s, 'hr', now())",
            database.tenant_id,
            json.dumps(before),
        )
        database.run(
            "insert into payroll_runs (tenant_id, month, kind, created_by, created_at)"
            " values (%s, '2026-02', 'regular', 'hr', now())",
            database.tenant_id,
        )
        database.go()
        [(filled,), (none,)] = database.rows("select plan from payroll_runs order by month")
    assert none is None
    assert filled["terms"]["policy"] == {
        "missing_attendance": "absent",
        "full_day_minutes": 480,
        "half_day_minutes": None,
        "proration_basis": "working_days",
        "daily_paid_holidays": False,
        "weekly_rule": "any_day",
    }
    assert {**filled, "terms": {**filled["terms"], "policy": before["terms"]["policy"]}} == before
