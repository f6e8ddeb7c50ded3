"""The table of routes, schedules and consumers says what the decorators declare, all of it and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

import app
from chalicelib import blueprints
from chalicelib.entry.registry import CONSUMERS, ENDPOINTS, SCHEDULES


def full_name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__name__}"


class TestRouteTable:
    def test_names_every_route_with_its_permission_and_no_other(self) -> None:
        table = [
            (one.method, one.path, one.permission, blueprints.full_name(one.function)) for one in blueprints.ROUTES
        ]
        assert sorted(table, key=str) == sorted(
            [(one.method, one.path, one.may, full_name(one.function)) for one in ENDPOINTS], key=str
        )
        assert len(table) >= 187

    def test_names_every_schedule_with_its_expression_and_no_other(self) -> None:
        table = [(one.name, one.expression, blueprints.full_name(one.function)) for one in blueprints.SCHEDULES]
        assert sorted(table) == sorted(
            (one.name, one.expression, full_name(one.function)) for one in SCHEDULES.values()
        )

    def test_names_every_consumer_with_its_queue_and_no_other(self) -> None:
        table = [(one.queue, blueprints.full_name(one.function)) for one in blueprints.CONSUMERS]
        assert sorted(table) == sorted((one.queue, full_name(one.function)) for one in CONSUMERS.values())

    def test_registers_what_it_names(self) -> None:
        served = {(method, path) for path, methods in app.app.routes.items() for method in methods}
        assert served == {(one.method, one.path) for one in blueprints.ROUTES}

    @pytest.mark.parametrize("table", [blueprints.ROUTES, blueprints.SCHEDULES, blueprints.CONSUMERS])
    def test_keeps_the_lines_of_one_feature_together(self, table: list[Any]) -> None:
        areas = [one.function.split(".")[0] for one in table]
        changes = [area for area, before in zip(areas, [None, *areas], strict=False) if area != before]
        assert len(changes) == len(set(changes))
