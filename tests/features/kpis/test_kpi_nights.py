"""The nights on which KPIs are calculated: the same rows whatever is repeated, late, missed or killed."""

from datetime import date
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest

from chalicelib.backing import clock, outbox
from chalicelib.entry.messages import process_message
from chalicelib.entry.registry import CONSUMERS
from chalicelib.features.kpis.scores import nightly_job as score_nightly_job
from chalicelib.features.kpis.scores import reminders
from chalicelib.features.periods.windows import EmployeeFilter
from chalicelib.identity.callers import job_scope
from chalicelib.identity.scope import Origin
from chalicelib.jobs import nightly
from tests.features.kpis.conftest import NIGHT, Office, night, open_office
from tests.support.cast import Cast, tenant
from tests.support.people import employee, sql
from tests.support.stack import Stack, at

pytestmark = pytest.mark.usefixtures("database")

# 1 January 2026 is a Thursday; 21 working days; absent on the 4th and 5th, and half of the 6th
JANUARY = "PPWWWWAAAAAP" + "PP" * 2 + ("WWWW" + "PP" * 5) * 3 + "WWWW"


def scores(cast: Cast) -> list[Any]:
    """Return the rows of scores but for the moment at which they were written."""
    return sql(
        cast,
        "select assignment_id, value, target, weight, explanation, as_of, achievement, weighted"
        " from kpi_scores order by 1",
    )


def result(cast: Cast) -> Any:
    return sql(cast, "select result from jobs where kind = 'kpi' order by id desc limit 1")[0].result


class TestSchedule:
    def test_sends_for_whom_it_is_past_three_in_the_morning_and_once(self, stack: Stack) -> None:
        acme, york = tenant("Acme"), tenant("York", timezone="America/New_York")
        # 02:55 of the 1st in Dhaka is 15:55 of the day before in New York, due since three in the morning there
        assert night(stack, "2026-02-01", "{}T02:55:00+06:00") == 1
        assert night(stack, "2026-02-01", "{}T03:00:00+06:00") == 1
        assert night(stack, "2026-02-01", "{}T03:15:00+06:00") == 0
        assert sql(acme, "select kind, done_on from nightly_runs") == [("kpi", date(2026, 1, 31))]
        assert sql(york, "select kind, done_on from nightly_runs") == [("kpi", date(2026, 1, 30))]


class TestNight:
    def test_calculates_what_the_register_says_until_yesterday(self, office: Office, stack: Stack) -> None:
        office.register(JANUARY)
        rate = office.assign(office.metric("attendance_rate", target=95, weight=50))
        mixed = office.assign(office.formula("present_days * 10 - absent_days * 5", target=200))
        reliable = office.assign(office.formula("absent_days <= 2", metric_type="boolean", target=None))
        by_hand = office.assign(office.define())
        night(stack, "2026-01-08")  # until the 7th: 1, 4, 5, 6 and 7 are working days; present 1, 7 and half of 6
        # 2.5 of 5 days; 50 / 95 x 100 = 52.631..., 50 / 95 x 50 = 26.315...
        assert office.come_out(rate) == (50.0, 52.63, 26.32)
        assert office.come_out(mixed) == (12.5, 6.25, 1.25)
        assert office.come_out(reliable) == (0.0, 0.0, 0.0)
        assert office.come_out(by_hand) == (None, None, None)
        score = office.score(mixed)
        assert {name: score[name] for name in ("inputs", "formula", "warnings", "notes", "as_of")} == {
            "inputs": {"present_days": 2.5, "absent_days": 2.5},
            "as_of": "2026-01-07",
            "formula": "present_days * 10 - absent_days * 5",
            "warnings": [],
            "notes": [],
        }
        assert result(office.cast) == {"as_of": "2026-01-07", "scores": 3, "changed": 3, "told": 0}
        night(stack, "2026-02-01")  # 18.5 of 21 days
        assert office.come_out(rate) == (pytest.approx(88.0952380952), 92.73, 46.37)

    def test_twice_changes_nothing(self, office: Office, stack: Stack) -> None:
        office.register(JANUARY)
        office.assign(office.metric("attendance_rate"))
        office.assign(office.formula("late_count / 0"))
        night(stack, "2026-01-20")
        before, audited = sql(office.cast, "select * from kpi_scores order by 2"), office.audited()
        with at("2026-01-20T09:00:00+06:00"):
            nights_again(office, "2026-01-19", stack)
        assert sql(office.cast, "select * from kpi_scores order by 2") == before
        assert office.audited() == [*audited, "kpi.requested"]
        assert result(office.cast)["changed"] == 0

    def test_killed_in_the_middle_is_resumed(
        self, office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(nightly, "CHUNK_EMPLOYEES", 2)
        definition = office.metric("present_days", target=10)
        for n in range(5):
            who = employee(office.cast, employee_no=f"N-{n}")
            office.register(JANUARY, of=who)
            office.assign(definition, who)
        real, calls = score_nightly_job.calculate, []

        def once_killed(*args: Any, **named: Any) -> Any:
            calls.append(named["employee_filter"])
            done = real(*args, **named)
            if len(calls) == 2:
                raise RuntimeError("killed before the commit")
            return done

        with mock.patch.object(score_nightly_job, "calculate", once_killed):
            night(stack, "2026-02-01")
        assert (len(calls), len(scores(office.cast))) == (3, 3)  # three chunks, one of them rolled back
        assert sql(office.cast, "select 1 from nightly_runs") == []
        for number in (0, 1, 2):  # as their messages come back, all of them
            [(job_id,)] = sql(office.cast, "select id from jobs where kind = 'kpi'")
            message = {"tenant_id": str(office.cast.id), "job_id": str(job_id), "as_of": "2026-01-31", "chunk": number}
            process_message(CONSUMERS[score_nightly_job.QUEUE].function, message, name="kpi", origin=Origin("-"))
        assert [row.value for row in scores(office.cast)] == [Decimal("18.5")] * 5
        [job] = sql(office.cast, "select status, done, total, result ->> 'scores' as n from jobs where kind = 'kpi'")
        assert tuple(job) == ("succeeded", 5, 5, "5")

    def test_comes_to_the_same_in_any_order_of_people(self, office: Office, stack: Stack) -> None:
        other = employee(office.cast, employee_no="E-3")
        office.register(JANUARY)
        office.register("AA" * 31, of=other)
        definition = office.metric("present_days", target=10)
        for who in (office.rahim_id, other):
            office.assign(definition, who)
        outcomes = []
        for order in ((office.rahim_id, other), (other, office.rahim_id)):
            sql(office.cast, "delete from kpi_scores")
            for who in order:
                with kpi_scope(office) as scope:
                    score_nightly_job.calculate(scope, as_of=date(2026, 1, 31), employee_filter=EmployeeFilter.one(who))
            outcomes.append(scores(office.cast))
        with kpi_scope(office) as scope:
            assert score_nightly_job.calculate(
                scope, as_of=date(2026, 1, 31), employee_filter=EmployeeFilter.everybody()
            ) == (
                2,
                0,
            )
        assert outcomes[0] == outcomes[1] == scores(office.cast)

    def test_that_was_missed_is_made_up_for_at_the_end_of_the_cycle(self, office: Office, stack: Stack) -> None:
        office.register(JANUARY)
        assigned = office.assign(office.metric("present_days", target=10))
        night(stack, "2026-01-08")
        assert office.come_out(assigned)[0] == 2.5
        night(stack, "2026-06-01")  # nobody worked for months
        assert (office.come_out(assigned)[0], office.score(assigned)["as_of"]) == (18.5, "2026-01-31")

    def test_follows_late_corrections_until_a_month_after_the_cycle_and_then_stands(
        self, office: Office, stack: Stack
    ) -> None:
        office.register(JANUARY, late_count=1)
        assigned = office.assign(office.metric("late_count", target=10))
        night(stack, "2026-02-01")
        for late, day, came in ((2, "2026-03-04", 2.0), (3, "2026-03-05", 2.0)):  # 3 March is 31 days after the end
            sql(office.cast, "update pay_registers set late_count = :late", late=late)
            night(stack, day)
            assert office.come_out(assigned)[0] == came

    def test_scores_against_the_targets_of_today_while_the_cycle_is_on(self, office: Office, stack: Stack) -> None:
        office.register(JANUARY, late_count=6)
        late, by_hand = office.metric("late_count", target=12), office.define()
        first, second = office.assign(late), office.assign(by_hand)
        office.boss.ok("POST", f"/kpi-assignments/{second}/value", {"value": 90})
        night(stack, "2026-02-01")
        for definition in (late, by_hand):
            office.cast.hr.ok("PATCH", f"/kpi-definitions/{definition['id']}", {"target": 60, "weight": 10})
        assert (office.come_out(first), office.come_out(second)) == ((6.0, 50.0, 10.0), (90.0, 75.0, 15.0))
        night(stack, "2026-02-02")
        assert (office.come_out(first), office.come_out(second)) == ((6.0, 10.0, 1.0), (90.0, 150.0, 15.0))

    def test_leaves_alone_what_has_not_begun_and_what_is_out_of_use(self, office: Office, stack: Stack) -> None:
        definition = office.metric("late_count")
        office.assign(definition, cycle_start="2026-02-01", cycle_end="2026-02-28")
        asleep = office.metric("early_out_count")
        office.assign(asleep)
        office.cast.hr.ok("PATCH", f"/kpi-definitions/{asleep['id']}", {"is_active": False})
        night(stack, "2026-02-01")
        assert scores(office.cast) == []

    def test_keeps_no_value_that_there_is_not_and_says_why(self, office: Office, stack: Stack) -> None:
        office.register("WW" * 31)
        rate = office.assign(office.metric("attendance_rate"))
        twice = office.assign(office.formula("attendance_rate * 2"))
        divided = office.assign(office.formula("1 / late_count"))
        night(stack, "2026-02-01")
        assert [office.come_out(one) for one in (rate, twice, divided)] == [(None, None, None)] * 3
        assert [office.score(one)["warnings"] for one in (rate, twice, divided)] == [
            ["there is no attendance_rate"],
            ["there is no attendance_rate"],
            ["the formula divides by zero"],
        ]

    def test_goes_on_where_one_formula_cannot_be_read_any_more(self, office: Office, stack: Stack) -> None:
        office.register(JANUARY, late_count=6)
        good, bad = office.assign(office.metric("late_count")), office.assign(office.formula("absent_days"))
        sql(office.cast, "update kpi_definitions set formula = 'gone' where formula is not null")
        night(stack, "2026-02-01")
        assert (office.come_out(good)[0], office.score(bad)["warnings"]) == (6.0, [score_nightly_job.UNREADABLE])

    def test_is_of_its_own_tenant(self, office: Office, stack: Stack) -> None:
        other = open_office()
        office.register(JANUARY)
        assigned = other.assign(other.metric("present_days"))
        with at(NIGHT.format("2026-02-01")):
            nights_again(other, "2026-01-31", stack)
        assert other.come_out(assigned)[0] == 0.0
        assert scores(office.cast) == []


class TestRequest:
    def test_refuses_a_day_that_is_not_over(self, office: Office, stack: Stack) -> None:
        with at("2026-02-01T12:00:00+06:00"), pytest.raises(Exception, match="2026-02-01 is not over in Asia/Dhaka"):
            nights_again(office, "2026-02-01", stack)

    def test_of_an_earlier_day_is_made_good_by_the_next_night(self, office: Office, stack: Stack) -> None:
        office.register(JANUARY)
        assigned = office.assign(office.metric("present_days", target=10))
        night(stack, "2026-02-01")
        with at("2026-02-01T12:00:00+06:00"):
            nights_again(office, "2026-01-07", stack)
        assert (office.come_out(assigned)[0], office.score(assigned)["as_of"]) == (2.5, "2026-01-07")
        night(stack, "2026-02-02")
        assert office.come_out(assigned)[0] == 18.5


class TestRemind:
    def test_tells_the_person_and_the_manager_once_for_each_step(self, office: Office, stack: Stack) -> None:
        office.assign(office.define("Customer rating"))
        reminder = ("kpi_due", "Customer rating", "2026-01-31")
        for day, times in (("23", 0), ("24", 1), ("25", 1), ("29", 1), ("30", 2), ("31", 2)):
            night(stack, f"2026-01-{day}")
            assert office.list_notifications(office.rahim_id) == [reminder] * times, day
            assert office.list_notifications(office.boss_id) == [reminder] * times, day
        night(stack, "2026-02-01")
        assert len(office.list_notifications(office.rahim_id)) == 2

    def test_tells_only_the_nearest_step_after_missed_nights(self, office: Office, stack: Stack) -> None:
        office.assign(office.define(), due_on="2026-02-10")
        night(stack, "2026-02-09")
        night(stack, "2026-02-10")
        assert office.list_notifications(office.rahim_id) == [("kpi_due", "Customer rating", "2026-02-10")]

    def test_tells_nobody_of_what_is_there_calculated_or_out_of_use(self, office: Office, stack: Stack) -> None:
        for name, verb, body in (("One", "value", {"value": 1}), ("Two", "override", {"value": 1, "reason": "x"})):
            assigned = office.assign(office.define(name))
            office.boss.ok("POST", f"/kpi-assignments/{assigned}/{verb}", body)
        office.assign(office.metric("late_count"))
        asleep = office.define("Three")
        office.assign(asleep)
        office.cast.hr.ok("PATCH", f"/kpi-definitions/{asleep['id']}", {"is_active": False})
        night(stack, "2026-01-30")
        assert office.list_notifications(office.rahim_id) == office.list_notifications(office.boss_id) == []

    def test_reminds_the_manager_of_the_appraisal_that_would_enter_it_once_for_all(
        self, office: Office, stack: Stack
    ) -> None:
        karim = employee(office.cast, name="Karim", employee_no="E-3", manager_id=office.boss_id)
        definition = office.define("Customer rating")
        for who in (office.rahim_id, karim):
            office.assign(definition, who)
        office.assign(office.define("Not in the form"))
        field = {"field_name": "kpi_customer_rating", "field_label": "Rating", "field_type": "number"}
        office.cast.hr.ok("POST", "/forms", {"name": "Review", "form_type": "appraisal", "fields": [field]})
        night(stack, "2026-01-30")
        night(stack, "2026-01-31")
        assert sorted(office.list_notifications(office.boss_id)) == [
            ("appraisal_reminder", "Review", "2026-01-31"),
            ("kpi_due", "Not in the form", "2026-01-31"),
        ]
        assert office.list_notifications(karim) == [("kpi_due", "Customer rating", "2026-01-31")]

    def test_counts_what_it_told(self, office: Office, stack: Stack) -> None:
        office.assign(office.define())
        night(stack, "2026-01-30")
        assert result(office.cast)["told"] == 2
        with kpi_scope(office) as scope:
            assert (
                reminders.send_reminders(scope, today=date(2026, 1, 20), employee_filter=EmployeeFilter.everybody())
                == 0
            )


def nights_again(office: Office, as_of: str, stack: Stack) -> None:
    """Ask for a night as an operator does, and work it off."""
    with kpi_scope(office) as scope:
        score_nightly_job.JOB.request(scope, as_of=date.fromisoformat(as_of))
        for last in scope.at_commit:
            last()
    outbox.send(scope.outgoing)
    stack.drain()


def kpi_scope(office: Office) -> Any:
    """Open a scope as a consumer has one."""
    return job_scope(office.cast.id, name="test", now=clock.now(), origin=Origin("test"))
