"""What so many people use and cost, worked by hand for numbers that a hand can work."""

from dataclasses import replace
from pathlib import Path

import pytest

import app
from chalicelib.entry.registry import CONSUMERS, SCHEDULES
from infra.deploy.cloud import alarms, foundation, runtime
from infra.labs.growth import bill, limits, prices, usage
from infra.labs.growth.__main__ import SIZES, shown
from infra.labs.growth.usage import Usage

GROWTH = Path(app.__file__).parent / "docs" / "operations" / "growth.md"
ONE_CELL = Usage(
    people=1_000_000,
    facts_a_day=0,
    rows=0,
    bytes=0,
    stored=1000e9,
    log=300e9,
    night_seconds=0,
    payday_seconds=0,
    requests=10e6,
    peak_requests=1000,
    messages=4e6,
    mails=2e6,
    lambda_gb_seconds=1e6,
    io=50e6,
    least_acu=4,
    acu_hours=10_000,
    cells=1,
)


def line(used: Usage, service: str) -> float:
    return next(round(one.dollars, 2) for one in bill.bill(used) if one.service == service)


class TestUsage:
    def test_of_a_million_people(self) -> None:
        used = usage.usage(1_000_000)
        # (30.47 attendance + 1.17 leave) a month
        assert used.facts_a_day == pytest.approx(1_054_667, abs=1)
        # and 3 rows of results
        assert used.rows == pytest.approx(34_640_000)
        # 30.47 x 181 + 1.17 x 182 + 1272 + 1051 + 607 + 3000 = 11,658.01 bytes a person
        assert used.bytes == pytest.approx(11_658_010_000)
        # 292 + 240 + 1.03 x 158 = 694.74 once, and twelve months
        assert used.stored == pytest.approx(694_740_000 + 12 * 11_658_010_000)
        # 1,000,000 / 18,300 + 1,000,000 / 63,000
        assert used.night_seconds == pytest.approx(54.64 + 15.87, abs=0.01)
        # three requests of everybody in two hours
        assert used.peak_requests == pytest.approx(416.67, abs=0.01)
        # 30 x 1266 + 696 + 11,658.01 bytes of log a person
        assert used.log == pytest.approx(50_334_010_000)

    @pytest.mark.parametrize(("people", "cells"), [(1_000, 1), (2_700_000, 1), (2_740_000, 2), (10_000_000, 4)])
    def test_of_more_than_a_billion_rows_a_year_takes_more_cells(self, people: int, cells: int) -> None:
        # a person has 30.47 x 12 = 365.64 rows of attendance a year, so a cell has 2,734,931 people at most
        assert usage.usage(people).cells == cells

    def test_keeps_a_month_of_facts_in_memory(self) -> None:
        # 2,500,000 people x 7,838 bytes = 19.6 GB; a unit has 2 GiB, three quarters of it for this: 12.2
        assert usage.usage(10_000_000).least_acu == 13
        assert usage.usage(1_000).least_acu == 2

    def test_grows_with_the_people_and_no_faster(self) -> None:
        one, ten = usage.usage(100_000), usage.usage(1_000_000)
        for name in ("rows", "bytes", "log", "requests", "messages", "mails", "io"):
            assert getattr(ten, name) == pytest.approx(10 * getattr(one, name))


class TestBill:
    @pytest.mark.parametrize(
        ("service", "dollars"),
        [
            ("Aurora, capacity", 1400.00),  # 10,000 x 0.14
            ("Aurora, storage", 119.00),  # 1,000 x 0.119
            ("Aurora, I/O", 11.00),  # 50 x 0.22
            ("Aurora, backups", 7.48),  # 10 GB a day, 34 days: 340 x 0.022
            ("RDS Proxy", 87.60),  # 2 x 4 ACU x 730 h x 0.015
            ("API Gateway", 37.00),  # 10 x 3.70
            ("SES", 200.00),  # 2,000 x 0.10
            ("NAT", 76.75),  # 2 x 730 x 0.052 + 16 GB x 0.052
            ("To the internet", 5.40),  # 60 GB x 0.09
            ("CloudWatch, alarms", 31.00),  # 130 x 0.10 + 60 x 0.30
            ("KMS, secrets", 3.75),  # 2 x 1.00 + 4 x 0.40 + 50,000 calls, 5 x 0.03
            ("S3", 20.10),  # 600 GB x 0.0245 + 1,000 x 0.0054
            ("SQS", 8.48),  # 12 million for messages, 14 x 5 x 3 x 43,800 = 9.198 million polls: 21.198 x 0.40
        ],
    )
    def test_has_a_line_for_each_service(self, service: str, dollars: float) -> None:
        assert line(ONE_CELL, service) == dollars

    def test_charges_lambda_for_seconds_and_calls(self) -> None:
        # 4 ticks a minute are 175,200 calls of 0.1 s: 1,017,520 GB-s = 16.96; 14.1752 million calls x 0.20 = 2.84
        assert line(ONE_CELL, "Lambda") == 19.79

    def test_charges_for_the_proxy_and_the_alarms_of_every_cell(self) -> None:
        assert line(replace(ONE_CELL, cells=3), "RDS Proxy") == 262.80
        assert line(replace(ONE_CELL, cells=3), "CloudWatch, alarms") == 93.00

    def test_knows_both_ways_of_aurora(self) -> None:
        # 10,000 x 0.19 + 1,000 x 0.268
        assert bill.database_of(ONE_CELL) == pytest.approx({"standard": 1530.00, "optimized": 2168.00})

    def test_adds_up(self) -> None:
        lines = bill.bill(ONE_CELL)
        assert bill.total(lines) == pytest.approx(sum(one.dollars for one in lines))
        assert {one.service for one in lines} >= {"Lambda", "CloudWatch, logs"}

    def test_prices_say_where_they_are_from(self) -> None:
        assert all("pric" in one.page and one.dollars > 0 and one.unit for one in prices.PRICES.values())


class TestLimits:
    def test_come_fullest_first(self) -> None:
        found = limits.limits(usage.usage(10_000_000))
        assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)
        # 10,000,000 in four hours are 694 a second; 20 at once with half a second each are 40
        assert (round(found[0].needed), found[0].there_is, found[0].is_ours) == (694, 40, True)


class TestAssumptions:
    """What the template knows better is not said a second time, or near enough."""

    def test_of_functions(self) -> None:
        assert runtime.MEMORY / 1024 == usage.LAMBDA_GB
        at_once = {
            one.queue.removeprefix("wagebook-"): one.maximum_concurrency
            for one in app.app.event_sources
            if hasattr(one, "maximum_concurrency")
        }
        assert at_once["payouts"] == limits.PAYOUTS_AT_ONCE
        assert at_once["payslip-documents"] == limits.DOCUMENTS_AT_ONCE

    def test_of_counts(self) -> None:
        watching = [
            one
            for made in (alarms.resources("prod"), foundation.document("prod")["Resources"])
            for one in made.values()
            if one["Type"] == "AWS::CloudWatch::Alarm"
        ]
        a_minute = [one for one in SCHEDULES.values() if one.expression == "rate(1 minute)"]
        assert len(watching) == pytest.approx(bill.ALARMS, rel=0.3)
        assert len(CONSUMERS) == pytest.approx(bill.QUEUES, rel=0.3)
        assert len(a_minute) == pytest.approx(bill.SCHEDULES_A_MINUTE, abs=1)


class TestShown:
    def test_is_what_the_page_about_growth_shows(self) -> None:
        page = [written.strip() for written in GROWTH.read_text().splitlines()]
        assert [written for written in shown().splitlines() if written.strip() not in page] == []

    def test_has_a_column_for_each_size(self) -> None:
        assert all(f"{people:,} people" in shown() for people in SIZES)
