"""The table of routes, schedules and consumers is equal to what the decorators declare."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

import app
from chalicelib import blueprints
from chalicelib.entry.registry import CONSUMERS, ENDPOINTS, SCHEDULES
from infra.deploy.cloud.functions import Function, functions
from infra.deploy.cloud.operations import OPERATOR
from infra.deploy.cloud.permissions import NEEDS


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


def services_imported_by(modules: Iterable[str]) -> set[str]:
    """Return the AWS services whose module in `backing` is among these modules."""
    return {service for service in NEEDS if f"chalicelib.backing.{service}" in modules}


class TestUses:
    @pytest.mark.parametrize(
        "function", [one for one in (*functions(), OPERATOR) if not one.schedule], ids=lambda one: one.name
    )
    def test_names_the_services_whose_modules_the_code_imports(self, function: Function) -> None:
        assert set(function.uses) == services_imported_by(function.modules)
