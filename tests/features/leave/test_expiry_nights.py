"""The nights on which days expire: each warning and each action once, whatever is repeated, late, missed or killed."""

from collections.abc import Iterator
from datetime import date, timedelta
from threading import Thread
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from sqlalchemy import text

from chalicelib.backing.database import transaction
from chalicelib.features.leave.expiry import nightly_job as expiry_nightly_job
from chalicelib.jobs import nightly, progress
from tests.features.leave.expiry_cases import (
    adjustments,
    allocation,
    book,
    days_of,
    leave_type,
    night,
    rule,
    scope_of,
    suspend_everybody,
    told,
    warnings,
)
from tests.support.cast import Cast, tenant
from tests.support.people import employee, row, sql
from tests.support.stack import Stack, at, running


@pytest.fixture(name="stack")
def _stack(database: object) -> Iterator[Stack]:
    with running() as stack:
        yield stack
        suspend_everybody()


@pytest.fixture(name="acme")
def _acme(database: object) -> Cast:
    return tenant("Acme")


def pay(cast: Cast, user_id: UUID, amount: str, frequency: str = "monthly", since: str = "2025-01-01") -> None:
    row(
        cast,
        "salaries",
        {"user_id": user_id, "amount": amount, "currency": "BDT", "frequency": frequency, "effective_from": since},
        returning="user_id",
    )


def result(cast: Cast) -> Any:
    return sql(cast, "select result from jobs order by id desc limit 1")[0].result


class TestSchedule:
    def test_sends_for_whom_it_is_past_two_in_the_morning_and_once(self, acme: Cast, stack: Stack) -> None:
        york = tenant("York", timezone="America/New_York")
        # 01:55 of the 1st in Dhaka is 14:55 of the day before in New York, which is due since two in the morning there
        assert night(stack, "2026-02-01", "{}T01:55:00+06:00") == 1
        assert night(stack, "2026-02-01", "{}T02:00:00+06:00") == 1
        assert night(stack, "2026-02-01", "{}T02:15:00+06:00") == 0
        assert sql(acme, "select done_on from nightly_runs") == [(date(2026, 2, 1),)]
        assert sql(york, "select done_on from nightly_runs") == [(date(2026, 1, 31),)]

    def test_acts_on_each_tenants_own_day(self, acme: Cast, stack: Stack) -> None:
        york = tenant("York", timezone="America/New_York")
        here, there = (allocation(cast, employee(cast), leave_type(cast, rule(cast))) for cast in (acme, york))
        night(stack, "2026-02-01")  # in Dhaka; in New York the last day of use has ten hours to go
        assert days_of(acme, here) == (10, 0, 0, 0)
        assert days_of(york, there) == (0, 0, 0, 10)
        night(stack, "2026-02-01", "{}T02:00:00-05:00")
        assert days_of(york, there) == (10, 0, 0, 0)


class TestLastDay:
    def test_is_a_day_of_use_and_the_night_after_it_acts(self, acme: Cast, stack: Stack) -> None:
        made = allocation(acme, employee(acme), leave_type(acme, rule(acme)), expires="2026-01-31")
        night(stack, "2026-01-31")
        assert days_of(acme, made) == (0, 0, 0, 10)
        night(stack, "2026-02-01")
        assert days_of(acme, made) == (10, 0, 0, 0)


class TestDelete:
    def test_lets_lapse_what_is_neither_used_nor_held(self, acme: Cast, stack: Stack) -> None:
        made = allocation(acme, employee(acme), leave_type(acme, rule(acme)), "10", used="3.5", pending="2")
        night(stack, "2026-02-01")
        assert days_of(acme, made) == (4.5, 0, 0, 0)
        [kept] = sql(acme, "select used_days, pending_days, expired_at is not null as expired from leave_allocations")
        assert (float(kept.used_days), float(kept.pending_days), kept.expired) == (3.5, 2, True)
        assert result(acme) == {
            "as_of": "2026-02-01",
            "warned": 0,
            "lapsed_days": 4.5,
            "encashed_days": 0,
            "transferred_days": 0,
            "problem_count": 0,
            "problems": [],
        }

    def test_leaves_alone_what_no_active_rule_is_about(self, acme: Cast, stack: Stack) -> None:
        rahim = employee(acme)
        asleep = allocation(acme, rahim, leave_type(acme, rule(acme, is_active=False)))
        ruleless = allocation(acme, rahim, leave_type(acme, None, "Other"))
        later = allocation(acme, rahim, leave_type(acme, rule(acme), "Third"), expires="2026-02-01")
        night(stack, "2026-02-01")
        assert [days_of(acme, one) for one in (asleep, ruleless, later)] == [(0, 0, 0, 10)] * 3


class TestEncash:
    def test_pays_2142_86_for_3_days_at_15000_in_january_once(self, acme: Cast, stack: Stack) -> None:
        rahim = employee(acme)
        pay(acme, rahim, "15000.00")
        made = allocation(acme, rahim, leave_type(acme, rule(acme, "convert_to_cash")), "3")
        for moment in ("{}T02:05:00+06:00", "{}T02:20:00+06:00"):
            night(stack, "2026-02-01", moment)
        night(stack, "2026-02-02")
        assert days_of(acme, made) == (0, 3, 0, 0)
        assert adjustments(acme) == [(str(rahim), "2142.86", "BDT", "15000.00 x 3.0 / 21")]
        [shown] = acme.hr.ok("GET", "/payroll-adjustments?open=true")["items"]
        assert shown | {"id": 0, "created_at": 0} == {
            "id": 0,
            "user_id": str(rahim),
            "kind": "leave_encashment",
            "amount": "2142.86",
            "currency": "BDT",
            "reason": "3.0 days of Annual that expired on 2026-01-31",
            "effective_date": "2026-01-31",
            "explanation": {
                "days": "3.0",
                "rate": "15000.00",
                "frequency": "monthly",
                "from": "2026-01-01",
                "to": "2026-01-31",
                "working_days": "21",
                "expires_on": "2026-01-31",
                "formula": "15000.00 x 3.0 / 21",
            },
            "source_type": "leave_expiry",
            "source_id": f"{made}/2026-02-01",
            "payslip_id": None,
            "paid_at": None,
            "created_by": "leave-expiry",
            "created_at": 0,
        }
        actions = [one.action for one in sql(acme, "select action from audit_logs order by seq")]
        assert actions == ["payroll_adjustment.added", "leave_expiry.acted"]

    def test_takes_the_salary_and_the_pay_period_of_the_last_day(self, acme: Cast, stack: Stack) -> None:
        # the period that holds 31 January runs from 26 January to 25 February: 23 working days, Friday and Saturday off
        cast = tenant("Cycle", cycle_start_day=26)
        rahim = employee(cast)
        pay(cast, rahim, "23000.00", since="2026-01-31")
        pay(cast, rahim, "46000.00", since="2026-02-01")
        pay(cast, rahim, "11500.00", since="2025-01-01")
        allocation(cast, rahim, leave_type(cast, rule(cast, "convert_to_cash")), "1.5")
        night(stack, "2026-02-01")
        assert adjustments(cast) == [(str(rahim), "1500.00", "BDT", "23000.00 x 1.5 / 23")]

    def test_divides_a_weekly_rate_by_the_working_days_of_that_week(self, acme: Cast, stack: Stack) -> None:
        # the pay week from Saturday 31 January to Friday 6 February has 5 working days, and 4 with a holiday
        rahim, karim = employee(acme), employee(acme, name="Karim", employee_no="E-2")
        annual = leave_type(acme, rule(acme, "convert_to_cash"))
        for person in (rahim, karim):
            pay(acme, person, "3500.00", "weekly")
        allocation(acme, rahim, annual, "2")
        branch = row(acme, "branches", {"name": "Sylhet", "own_holidays": True})
        sql(acme, "update employments set branch_id = :branch where user_id = :id", branch=branch, id=karim)
        row(acme, "holidays", {"day": "2026-02-02", "name": "Fair", "branch_id": branch})
        allocation(acme, karim, annual, "2")
        night(stack, "2026-02-01")
        assert sorted(adjustments(acme)) == sorted(
            [(str(rahim), "1400.00", "BDT", "3500.00 x 2.0 / 5"), (str(karim), "1750.00", "BDT", "3500.00 x 2.0 / 4")]
        )

    def test_pays_a_daily_rate_as_it_is(self, acme: Cast, stack: Stack) -> None:
        rahim = employee(acme)
        pay(acme, rahim, "500.00", "daily")
        allocation(acme, rahim, leave_type(acme, rule(acme, "convert_to_cash")), "2.5")
        night(stack, "2026-02-01")
        assert adjustments(acme) == [(str(rahim), "1250.00", "BDT", "500.00 x 2.5")]

    def test_rounds_once_half_up_to_the_currencys_minor_unit(self, acme: Cast, stack: Stack) -> None:
        # 21 yen a month: a day is 1 yen, half a day 0.5, which is 1; in dinars, of three decimals, it is 0.500
        for number, currency in enumerate(("JPY", "KWD")):
            person = employee(acme, employee_no=f"E-{number}")
            row(
                acme,
                "salaries",
                {
                    "user_id": person,
                    "amount": 21,
                    "currency": currency,
                    "frequency": "monthly",
                    "effective_from": "2025-01-01",
                },
                returning="user_id",
            )
            allocation(acme, person, leave_type(acme, rule(acme, "convert_to_cash"), currency), "0.5")
        night(stack, "2026-02-01")
        assert sorted(one[1:3] for one in adjustments(acme)) == [("0.500", "KWD"), ("1", "JPY")]

    def test_does_not_pay_more_for_a_day_to_who_left_in_the_month(self, acme: Cast, stack: Stack) -> None:
        rahim = employee(acme, left_on=date(2026, 1, 15))
        pay(acme, rahim, "15000.00")
        allocation(acme, rahim, leave_type(acme, rule(acme, "convert_to_cash")), "3")
        night(stack, "2026-02-01")
        assert [one[1] for one in adjustments(acme)] == ["2142.86"]

    def test_leaves_days_of_who_has_no_salary_and_says_so_until_they_have(self, acme: Cast, stack: Stack) -> None:
        rahim = employee(acme)
        made = allocation(acme, rahim, leave_type(acme, rule(acme, "convert_to_cash")), "3")
        for day in ("2026-02-01", "2026-02-02"):
            night(stack, day)
            said = f"Annual of {rahim}: no salary was in force on 2026-01-31"
            assert sql(acme, "select expired_at from leave_allocations") == [(None,)]  # it is still to be dealt with
            assert (days_of(acme, made), result(acme)["problems"]) == ((0, 0, 0, 3), [said])
        [noted, _] = sql(acme, "select after from audit_logs where action = 'leave_expiry.acted' order by seq")
        assert noted.after["problems"] == [said]
        pay(acme, rahim, "15000.00")
        night(stack, "2026-02-03")
        assert (days_of(acme, made), result(acme)["problem_count"]) == ((0, 3, 0, 0), 0)
        assert [one[1] for one in adjustments(acme)] == ["2142.86"]

    def test_leaves_days_where_the_period_has_no_working_day(self, acme: Cast, stack: Stack) -> None:
        never = tenant("Never", weekend=[1, 2, 3, 4, 5, 6, 7])
        rahim = employee(never)
        pay(never, rahim, "15000.00")
        made = allocation(never, rahim, leave_type(never, rule(never, "convert_to_cash")), "3")
        night(stack, "2026-02-01")
        assert days_of(never, made) == (0, 0, 0, 3)
        [said] = result(never)["problems"]
        assert said.endswith("their calendar has no working day from 2026-01-01 to 2026-01-31")

    def test_leaves_days_of_who_earns_nothing(self, acme: Cast, stack: Stack) -> None:
        rahim = employee(acme)
        pay(acme, rahim, "0.00")
        made = allocation(acme, rahim, leave_type(acme, rule(acme, "convert_to_cash")), "3")
        night(stack, "2026-02-01")
        assert days_of(acme, made) == (0, 0, 0, 3)
        assert adjustments(acme) == []


class TestTransfer:
    def test_carries_up_to_the_limit_into_a_cycle_that_it_makes(self, acme: Cast, stack: Stack) -> None:
        carrying = rule(acme, "transfer_to_next_cycle", expiry_date_formula="cycle_end + 1 month")
        annual = leave_type(acme, carrying, carryover_limit=5)
        made = allocation(
            acme, employee(acme), annual, "8", begins="2025-01-01", ends="2025-12-31", expires="2026-01-31"
        )
        night(stack, "2026-02-01")
        night(stack, "2026-02-02")
        assert days_of(acme, made) == (3, 0, 5, 0)
        [following] = sql(acme, "select * from leave_allocations where id <> :id", id=made)
        assert (str(following.cycle_start_on), str(following.cycle_end_on)) == ("2026-01-01", "2026-12-31")
        assert str(following.expires_on) == "2027-01-31"
        assert (float(following.allocated_days), float(following.carried_days)) == (0, 5)
        assert float(following.remaining_days) == 5

    def test_carries_everything_where_there_is_no_limit_and_nothing_where_it_is_0(
        self, acme: Cast, stack: Stack
    ) -> None:
        rahim, carrying = employee(acme), rule(acme, "transfer_to_next_cycle")
        all_ = allocation(acme, rahim, leave_type(acme, carrying, "All"), "8")
        none = allocation(acme, rahim, leave_type(acme, carrying, "None", carryover_limit=0), "8")
        night(stack, "2026-02-01")
        assert (days_of(acme, all_), days_of(acme, none)) == ((0, 0, 8, 0), (8, 0, 0, 0))
        assert len(sql(acme, "select 1 from leave_allocations")) == 3  # no cycle is made for nothing

    def test_carries_into_the_cycle_that_is_there(self, acme: Cast, stack: Stack) -> None:
        annual, rahim = leave_type(acme, rule(acme, "transfer_to_next_cycle"), carryover_limit=5), employee(acme)
        made = allocation(acme, rahim, annual, "8")
        # not of the same length, and begun two weeks later; the cycle before is not it, nor somebody else's
        there = allocation(acme, rahim, annual, "20", begins="2026-02-15", ends="2026-12-31")
        before = allocation(acme, rahim, annual, "7", begins="2024-02-01", ends="2025-01-31", expires=None)
        karim = allocation(acme, employee(acme, employee_no="E-2"), annual, "9", begins="2026-02-01", ends="2027-01-31")
        night(stack, "2026-02-01")
        assert [days_of(acme, one) for one in (made, there, before, karim)] == [
            (3, 0, 5, 0),
            (0, 0, 0, 25),
            (0, 0, 0, 7),
            (0, 0, 0, 9),
        ]
        assert len(sql(acme, "select 1 from leave_allocations")) == 4

    def test_moves_on_night_by_night_where_the_next_cycle_has_expired_too(self, acme: Cast, stack: Stack) -> None:
        annual, rahim = leave_type(acme, rule(acme, "transfer_to_next_cycle")), employee(acme)
        first = allocation(acme, rahim, annual, "8", begins="2024-02-01", ends="2025-01-31")
        second = allocation(acme, rahim, annual, "1", begins="2025-02-01", ends="2026-01-31")
        night(stack, "2026-02-01")
        assert (days_of(acme, first), days_of(acme, second)) == ((0, 0, 8, 0), (0, 0, 1, 8))
        night(stack, "2026-02-02")
        assert days_of(acme, second) == (0, 0, 9, 0)
        assert float(sql(acme, "select max(remaining_days) from leave_allocations")[0][0]) == 9

    def test_counts_the_limit_over_all_nights(self, acme: Cast, stack: Stack) -> None:
        annual = leave_type(acme, rule(acme, "transfer_to_next_cycle"), carryover_limit=5)
        made = allocation(acme, employee(acme), annual, "8", pending="4")
        night(stack, "2026-02-01")
        assert days_of(acme, made) == (0, 0, 4, 0)
        book(acme, made, "pending", "-4", "rejected")
        night(stack, "2026-02-02")
        assert days_of(acme, made) == (3, 0, 5, 0)


class TestPendingDays:
    def test_are_left_until_decided_and_each_expires_once(self, acme: Cast, stack: Stack) -> None:
        rahim = employee(acme)
        pay(acme, rahim, "15000.00")
        made = allocation(acme, rahim, leave_type(acme, rule(acme, "convert_to_cash")), "5", pending="3")
        night(stack, "2026-02-01")
        night(stack, "2026-02-02")
        assert days_of(acme, made) == (0, 2, 0, 0)
        book(acme, made, "pending", "-2", "rejected/2")
        night(stack, "2026-02-03")
        night(stack, "2026-02-04")
        assert days_of(acme, made) == (0, 4, 0, 0)
        book(acme, made, "pending", "-1", "approved/1")
        book(acme, made, "used", "1", "approved/1")
        night(stack, "2026-02-05")
        assert days_of(acme, made) == (0, 4, 0, 0)
        book(acme, made, "used", "-1", "cancelled/1")  # an approved leave that is taken back
        night(stack, "2026-02-06")
        assert days_of(acme, made) == (0, 5, 0, 0)
        assert [one[1] for one in adjustments(acme)] == ["1428.57", "1428.57", "714.29"]

    def test_that_come_back_in_the_same_night_wait_for_the_next(self, acme: Cast, stack: Stack) -> None:
        made = allocation(acme, employee(acme), leave_type(acme, rule(acme)), "5", pending="3")
        night(stack, "2026-02-01")
        book(acme, made, "pending", "-3", "rejected")
        with at("2026-02-01T09:00:00+06:00"):
            acme.hr.ok("POST", "/leave-expiry/run", {})
            stack.drain()
        assert days_of(acme, made) == (2, 0, 0, 3)
        night(stack, "2026-02-02")
        assert days_of(acme, made) == (5, 0, 0, 0)


class TestWarnings:
    def test_go_out_once_at_each_step_while_days_remain(self, acme: Cast, stack: Stack) -> None:
        annual = leave_type(acme, rule(acme, "convert_to_cash", notification_days=[30, 14, 7, 1]))
        made = allocation(acme, employee(acme), annual, "4")
        for day in range(35, -1, -1):
            if day == 10:
                book(acme, made, "used", "1.5", "approved")
            night(stack, str(date(2026, 1, 31) - timedelta(days=day)))
        assert told(acme) == [
            (
                str(step),
                {
                    "leave_type": "Annual",
                    "days": days,
                    "expires_on": "2026-01-31",
                    "days_left": step,
                    "action": "convert_to_cash",
                },
            )
            for step, days in ((30, 4.0), (14, 4.0), (7, 2.5), (1, 2.5))
        ]

    def test_after_missed_nights_tell_only_the_nearest_step(self, acme: Cast, stack: Stack) -> None:
        allocation(acme, employee(acme), leave_type(acme, rule(acme, notification_days=[30, 14, 7, 1])))
        night(stack, "2026-01-21")  # ten days before: 30 and 14 are due
        assert warnings(acme) == [(30, False), (14, True)]
        assert [(step, said["days_left"]) for step, said in told(acme)] == [("14", 10)]
        night(stack, "2026-01-22")
        night(stack, "2026-01-31")  # the 7 was missed, and so was the 1; it is the last day
        assert warnings(acme) == [(30, False), (14, True), (7, False), (1, True)]
        assert [(step, said["days_left"]) for step, said in told(acme)] == [("14", 10), ("1", 0)]

    def test_are_for_nobody_whose_days_are_all_used_held_or_gone(self, acme: Cast, stack: Stack) -> None:
        annual = leave_type(acme, rule(acme, notification_days=[30]))
        allocation(acme, employee(acme), annual, "5", used="3", pending="2")
        allocation(acme, employee(acme, employee_no="E-2"), annual, "5", expires="2026-01-19")
        night(stack, "2026-01-20")
        assert warnings(acme) == []

    def test_are_not_told_again_when_steps_are_added_or_the_last_day_moves(self, acme: Cast, stack: Stack) -> None:
        warning = rule(acme, notification_days=[14])
        allocation(acme, employee(acme), leave_type(acme, warning))
        night(stack, "2026-01-20")
        acme.hr.ok("PATCH", f"/leave-expiry-rules/{warning}", {"notification_days": [60, 14], "expire_after_days": 2})
        night(stack, "2026-01-21")
        assert warnings(acme) == [(60, False), (14, True)]
        assert len(told(acme)) == 1


class TestTwice:
    def test_gives_the_same_with_every_message_doubled(self, acme: Cast, stack: Stack) -> None:
        rahim = employee(acme)
        pay(acme, rahim, "15000.00")
        gone = allocation(acme, rahim, leave_type(acme, rule(acme, "convert_to_cash")), "3")
        allocation(acme, rahim, leave_type(acme, rule(acme, notification_days=[7]), "Soon"), ends="2026-02-05")
        with at("2026-02-01T02:05:00+06:00"):
            stack.tick("leave-expiry")
            stack.tick("leave-expiry")
            stack.drain()
            for _ in range(2):
                acme.hr.ok("POST", "/leave-expiry/run", {"date": "2026-02-01"})
            stack.drain()
        assert days_of(acme, gone) == (0, 3, 0, 0)
        assert len(adjustments(acme)) == len(told(acme)) == 1
        assert {job.status for job in sql(acme, "select status from jobs")} == {"succeeded"}

    def test_at_once_gives_it_to_one(self, acme: Cast) -> None:
        rahim = employee(acme)
        pay(acme, rahim, "15000.00")
        made = allocation(acme, rahim, leave_type(acme, rule(acme, "convert_to_cash")), "3")
        everybody = expiry_nightly_job.EmployeeFilter.everybody()
        with scope_of(acme) as first:
            assert (
                expiry_nightly_job.expire(first, as_of=date(2026, 2, 1), employee_filter=everybody)["encashed_days"]
                == 3
            )
            with scope_of(acme) as second:  # it finds the allocation held, and would wait
                second.session.exec_driver_sql("set local lock_timeout = '200ms'")
                with pytest.raises(Exception, match="lock timeout"):
                    expiry_nightly_job.expire(second, as_of=date(2026, 2, 1), employee_filter=everybody)
                second.session.get_transaction().rollback()  # type: ignore[union-attr]
                second.at_commit.clear()
        with scope_of(acme) as third:
            assert (
                expiry_nightly_job.expire(third, as_of=date(2026, 2, 1), employee_filter=everybody)["encashed_days"]
                == 0
            )
        assert days_of(acme, made) == (0, 3, 0, 0)
        assert len(adjustments(acme)) == 1

    def test_with_a_request_takes_what_the_request_leaves(self, acme: Cast) -> None:
        made = allocation(acme, employee(acme), leave_type(acme, rule(acme)), "5")
        lapsed: list[Any] = []

        def expire() -> None:
            with scope_of(acme) as scope:
                everybody = expiry_nightly_job.EmployeeFilter.everybody()
                lapsed.append(
                    expiry_nightly_job.expire(scope, as_of=date(2026, 2, 1), employee_filter=everybody)["lapsed_days"]
                )

        with transaction(tenant_id=acme.id) as session:
            session.execute(
                text(
                    "insert into leave_entries (tenant_id, allocation_id, bucket, days, cause, concerns_on, booked_at,"
                    " booked_by) values (:tenant_id, :id, 'pending', 2, 'asked', '2026-01-05', now(), 'test')"
                ),
                {"tenant_id": acme.id, "id": made},
            )
            other = Thread(target=expire)
            other.start()
            other.join(timeout=1)
            assert other.is_alive()  # it waits for the request
        other.join(timeout=20)
        assert lapsed == [3]
        assert days_of(acme, made) == (3, 0, 0, 0)


class TestKilled:
    def test_between_its_chunks_goes_on_where_it_was(
        self, acme: Cast, stack: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(nightly, "CHUNK_EMPLOYEES", 2)
        made = self.people(acme)
        done: list[int] = []
        real = progress.finish_chunk

        def dies_at_the_second(*args: Any, number: int, changed: int) -> bool:
            done.append(number)
            is_last = real(*args, number=number, changed=changed)
            if len(done) == 2:
                raise MemoryError  # all of the chunk was done, and none of it committed
            return is_last

        monkeypatch.setattr(progress, "finish_chunk", dies_at_the_second)
        night(stack, "2026-02-01")
        assert sorted(done) in ([0, 1, 2], [0, 1, 1, 2], [0, 0, 1, 2], [0, 1, 2, 2])
        monkeypatch.setattr(progress, "finish_chunk", real)
        with at("2026-02-01T02:20:00+06:00"):
            stack.loop.drain(max_seconds=30)
        if sql(acme, "select 1 from jobs where status <> 'succeeded'"):
            sql(acme, "update jobs set started_at = started_at - interval '2 hours'")  # found stuck by a later round
            night(stack, "2026-02-01", "{}T04:30:00+06:00")
        self.check(acme, made)

    def test_in_the_middle_of_one_leaves_nothing_of_it(self, acme: Cast, stack: Stack) -> None:
        made = self.people(acme)
        # the last thing that a night does: everything was written, and is gone
        with mock.patch.object(progress, "finish", side_effect=MemoryError):
            night(stack, "2026-02-01")
        assert [days_of(acme, one) for one in made] == [(0, 0, 0, 3)] * 5
        assert (adjustments(acme), told(acme), warnings(acme)) == ([], [], [])
        night(stack, "2026-02-01", "{}T02:20:00+06:00")
        self.check(acme, made)

    def test_a_night_late_does_the_same(self, acme: Cast, stack: Stack) -> None:
        made = self.people(acme)
        night(stack, "2026-02-03")
        self.check(acme, made)

    @staticmethod
    def people(acme: Cast) -> list[UUID]:
        annual = leave_type(acme, rule(acme, "convert_to_cash"))
        soon = leave_type(acme, rule(acme, notification_days=[7]), "Soon")
        made = []
        for number in range(5):
            person = employee(acme, employee_no=f"E-{number}")
            pay(acme, person, "15000.00")
            made.append(allocation(acme, person, annual, "3"))
            allocation(acme, person, soon, ends="2026-02-05")
        return made

    @staticmethod
    def check(acme: Cast, made: list[UUID]) -> None:
        assert [days_of(acme, one) for one in made] == [(0, 3, 0, 0)] * 5
        assert [one[1] for one in adjustments(acme)] == ["2142.86"] * 5
        assert warnings(acme) == [(7, True)] * 5
        assert len(told(acme)) == 5
        found = result(acme)
        assert (found["warned"], found["encashed_days"]) == (5, 15)


class TestRun:
    def test_says_what_it_would_do_and_does_just_that(self, acme: Cast, stack: Stack) -> None:
        rahim, karim = employee(acme), employee(acme, employee_no="E-2")
        pay(acme, rahim, "15000.00")
        cash = leave_type(acme, rule(acme, "convert_to_cash"), "Cash")
        paid, unpaid = (allocation(acme, person, cash, "3") for person in (rahim, karim))
        carried = allocation(
            acme, rahim, leave_type(acme, rule(acme, "transfer_to_next_cycle"), "Carried", carryover_limit=5), "8"
        )
        soon = allocation(
            acme, karim, leave_type(acme, rule(acme, notification_days=[30, 7]), "Soon"), "2", ends="2026-02-05"
        )
        before = sql(acme, "select * from leave_allocations order by id")
        with at("2026-01-31T12:00:00+06:00"):
            reply = acme.hr.ok("POST", "/leave-expiry/run?dry_run=true", {"date": "2026-02-01"})
        assert sql(acme, "select * from leave_allocations order by id") == before
        assert (adjustments(acme), warnings(acme), sql(acme, "select 1 from jobs")) == ([], [], [])
        plan = reply.pop("plan")
        assert reply == {"date": "2026-02-01", "job_id": None, "status_url": None}
        items, warned = plan.pop("action_items"), plan.pop("warning_items")
        assert plan == {
            "warnings": 1,
            "allocations": 2,
            "lapsed_days": 3,
            "encashed_days": 3,
            "transferred_days": 5,
            "amounts": [{"amount": "2142.86", "currency": "BDT"}],
            "problems": 1,
        }
        assert [(one["allocation_id"], one["step"], one["days_left"], one["days"]) for one in warned] == [
            (str(soon), 7, 4, 2)
        ]
        shown = {one["allocation_id"]: one for one in items}
        assert set(shown) == {str(paid), str(unpaid), str(carried)}
        assert (shown[str(paid)]["amount"], shown[str(paid)]["formula"]) == ("2142.86", "15000.00 x 3.0 / 21")
        assert shown[str(unpaid)]["problem"] == "no salary was in force on 2026-01-31"
        assert shown[str(carried)]["next_cycle_start_date"] == "2026-02-01"
        night(stack, "2026-02-01")
        for one in (paid, unpaid, carried):
            said = shown[str(one)]
            assert days_of(acme, one)[:3] == (said["lapsed_days"], said["encashed_days"], said["transferred_days"])
        assert [one[1] for one in adjustments(acme)] == ["2142.86"]
        assert warnings(acme) == [(30, False), (7, True)]

    def test_is_a_job_to_follow(self, acme: Cast, stack: Stack) -> None:
        made = allocation(acme, employee(acme), leave_type(acme, rule(acme)), "3")
        with at("2026-02-01T12:00:00+06:00"):
            started = acme.hr.post("/leave-expiry/run", {})
            assert (started.status, started.json["date"], started.json["plan"]) == (202, "2026-02-01", None)
            stack.drain()
        job = acme.hr.ok("GET", started.json["status_url"])
        assert (job["kind"], job["status"], job["result"]["lapsed_days"]) == ("leave-expiry", "succeeded", 3)
        assert days_of(acme, made) == (3, 0, 0, 0)

    def test_refuses_a_day_to_come_unless_it_is_a_dry_run(self, acme: Cast, stack: Stack) -> None:
        with at("2026-02-01T12:00:00+06:00"):
            reply = acme.hr.post("/leave-expiry/run", {"date": "2026-02-02"})
        assert reply.status == 422
        assert "2026-02-02 is to come in Asia/Dhaka, where it is 2026-02-01" in reply.json["errors"][0]["detail"]

    def test_touches_no_other_tenant(self, acme: Cast, stack: Stack) -> None:
        zenith = tenant("Zenith")
        made = allocation(acme, employee(acme), leave_type(acme, rule(acme)), "3")
        with at("2026-02-01T12:00:00+06:00"):
            assert zenith.hr.ok("POST", "/leave-expiry/run?dry_run=true", {})["plan"]["allocations"] == 0
            zenith.hr.ok("POST", "/leave-expiry/run", {})
            stack.drain()
        assert days_of(acme, made) == (0, 0, 0, 3)
