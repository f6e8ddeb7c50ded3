"""What so many people use, worked by hand for numbers that a hand can work."""

from pathlib import Path

import pytest

import app
from infra.deploy.cloud import runtime
from infra.labs.growth import limits, usage
from infra.labs.growth.__main__ import SIZES, shown

GROWTH = Path(app.__file__).parent / "docs" / "operations" / "growth.md"


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
        assert used.nightly_seconds == pytest.approx(54.64 + 15.87, abs=0.01)
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


class TestLimits:
    def test_come_fullest_first(self) -> None:
        ordered = limits.limits(usage.usage(10_000_000))
        assert [one.share for one in ordered] == sorted((one.share for one in ordered), reverse=True)
        # 10,000,000 in four hours are 694 a second; 20 at once with half a second each are 40
        assert (round(ordered[0].needed), ordered[0].available, ordered[0].is_ours) == (694, 40, True)


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


class TestShown:
    def test_is_what_the_page_about_growth_shows(self) -> None:
        page = [written.strip() for written in GROWTH.read_text().splitlines()]
        assert [written for written in shown().splitlines() if written.strip() not in page] == []

    def test_has_a_column_for_each_size(self) -> None:
        assert all(f"{people:,} people" in shown() for people in SIZES)
