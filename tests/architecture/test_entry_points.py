"""Entry points are declared once, in the files for them, and are found by API Gateway and Lambda under their names."""

import importlib
import re
from collections import defaultdict
from pathlib import Path

import pytest
from chalice.app import EventSourceHandler

import app
import chalicelib.features
from chalicelib.entry.registry import CONSUMERS, ENDPOINTS, SCHEDULES, DeclaredEndpoint
from chalicelib.identity.permissions import GRANTS

OPEN_DOORS = {"GET /health", "GET /openapi.json", "GET /docs",
              # the recipient of a mail may unsubscribe: the token in the mail is the credential
              "GET /notifications/unsubscribe/{token}", "POST /notifications/unsubscribe/{token}"}  # fmt: skip
PACKAGES_BELOW = {"notifications"}  # that have entry points, though every feature sends notifications
FEATURES = Path(chalicelib.features.__path__[0])
# The standard file names. A package may split one by subject: `request_actions`, `import_rules`.
FILES = {"models", "rules", "queries", "actions", "schemas", "events", "routes", "schedules", "consumers"}
ENTRY_POINT_FILES = (
    "routes",
    "schedules",
    "consumers",
    "job",
)  # nightly_job.py has its schedule and its queue in one file


def names(endpoints: list[DeclaredEndpoint]) -> list[str]:
    return [f"{endpoint.method} {endpoint.path}" for endpoint in endpoints]


class TestRoutes:
    def test_are_the_registry(self) -> None:
        served = [f"{method} {path}" for path, methods in app.app.routes.items() for method in methods]
        assert sorted(served) == sorted(names(ENDPOINTS))
        assert len(served) == len(set(served)) >= 73

    def test_name_a_permission_of_the_matrix_or_are_open(self) -> None:
        known = {permission for grants in GRANTS.values() for permission in grants}
        assert {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS if endpoint.may is None} == OPEN_DOORS
        assert [endpoint.path for endpoint in ENDPOINTS if endpoint.may and endpoint.may not in known] == []

    def test_read_with_a_permission_to_read_and_write_with_another(self) -> None:
        reading = {f"{d.method} {d.path}" for d in ENDPOINTS if d.may and d.may.endswith(".read")}
        assert {endpoint for endpoint in reading if not endpoint.startswith("GET ")} == set()
        assert {f"{d.method} {d.path}" for d in ENDPOINTS if d.method == "GET" and d.may} - reading == {
            "GET /tenants",
            "GET /tenants/{tenant_id}",
        }

    def test_use_every_permission_of_the_matrix(self) -> None:
        used = {endpoint.may for endpoint in ENDPOINTS}
        assert {permission for grants in GRANTS.values() for permission in grants} - used == set()

    def test_say_what_they_do(self) -> None:
        verb = re.compile(r"[A-Z][a-z]+[ ,]")  # the imperative
        assert [endpoint.path for endpoint in ENDPOINTS if not verb.match(endpoint.function.__doc__ or "")] == []

    def test_take_every_parameter_of_their_path(self) -> None:
        taken = {f"{d.method} {d.path}": d.path.count("{") - len(d.path_types) for d in ENDPOINTS}
        assert {endpoint for endpoint, left in taken.items() if left} == set()

    def test_say_what_they_answer(self) -> None:
        assert [names([d]) for d in ENDPOINTS if d.status != 204 and d.reply is None] == []
        assert [names([d]) for d in ENDPOINTS if (d.status == 204) != (d.reply in (None, type(None)))] == []

    def test_agree_on_the_names_of_parameters_at_one_place(self) -> None:
        # API Gateway refuses siblings such as /users/{user_id} and /users/{id}/salaries
        siblings = defaultdict(set)
        for endpoint in ENDPOINTS:
            parts = endpoint.path.split("/")
            for place, part in enumerate(parts):
                if part.startswith("{"):
                    siblings["/".join(parts[:place])].add(part)
        assert {above: parameter_names for above, parameter_names in siblings.items() if len(parameter_names) > 1} == {}

    def test_are_in_files_for_entry_points(self) -> None:
        functions = [endpoint.function for endpoint in ENDPOINTS]
        functions += [endpoint.function for endpoint in [*SCHEDULES.values(), *CONSUMERS.values()]]
        for function in functions:
            _, room, *_, file = function.__module__.split(".")
            assert room == "features" or room in PACKAGES_BELOW, function.__module__
            assert file.rpartition("_")[2] in ENTRY_POINT_FILES


class TestHandlers:
    @pytest.fixture(name="handlers")
    def _handlers(self) -> dict[str, str]:
        return {
            handler.name: handler.handler_string for handler in [*app.app.event_sources, *app.app.pure_lambda_functions]
        }

    def test_are_the_schedules_and_consumers_of_the_registry(self, handlers: dict[str, str]) -> None:
        consumers = {f"consume_{queue.replace('-', '_')}" for queue in CONSUMERS}
        assert set(handlers) == set(SCHEDULES) | consumers
        assert set(SCHEDULES) >= {"balance", "sweep-outbox"}
        assert set(CONSUMERS) >= {"balances", "pay-register"}

    def test_are_attributes_of_their_modules_under_the_packaged_name(self, handlers: dict[str, str]) -> None:
        for handler_string in handlers.values():
            module, _, attribute = handler_string.rpartition(".")
            assert isinstance(getattr(importlib.import_module(module), attribute), EventSourceHandler), handler_string

    def test_listen_to_queues_of_our_prefix(self) -> None:
        queues = {source.queue for source in app.app.event_sources if hasattr(source, "queue")}
        assert queues == {f"wagebook-{queue}" for queue in CONSUMERS}


class TestFeatures:
    def test_name_files_as_all_packages_do_or_list_them_in_their_map(self) -> None:
        unlisted = []
        for package in [file.parent for file in FEATURES.rglob("*/__init__.py")]:
            listed = (package / "__init__.py").read_text()
            for file in package.iterdir():
                if file.name in ("__init__.py", "__pycache__", "sql") or (file / "__init__.py").exists():
                    continue
                standard = file.suffix == ".py" and file.stem.rpartition("_")[2] in FILES
                if not standard and not re.search(rf"\b{re.escape(file.name)}\b", listed):
                    unlisted.append(file.relative_to(FEATURES).as_posix())
        assert unlisted == []

    def test_keep_nothing_but_sql_in_sql_folders(self) -> None:
        assert [file for file in FEATURES.rglob("sql/*") if file.suffix != ".sql"] == []

    def test_say_what_they_are(self) -> None:
        assert [file for file in FEATURES.rglob("*.py") if not file.read_text().startswith(('"""', 'r"""'))] == []

    def test_read_the_clock_in_one_place(self) -> None:
        # Only `clock.now` reads it; features and jobs are passed a moment, except for those that read it again directly
        # before an external call: the process may have paused since
        sleepers = ("payouts/delivery/actions.py",)
        readers = ("datetime.now(", "date.today(", "utcnow(", "time.time(", "clock.now(")
        product = FEATURES.parent
        for room in ("features", "jobs", "kernel", "identity", "audit"):
            for file in (product / room).rglob("*.py"):
                if file.as_posix().endswith(sleepers):
                    continue
                assert [reader for reader in readers if reader in file.read_text()] == [], file


def test_only_entry_points_import_chalice() -> None:
    strange = []
    for file in FEATURES.parent.rglob("*.py"):
        imports = any(
            line.startswith(("from chalice ", "from chalice.", "import chalice "))
            for line in f"{file.read_text()} ".splitlines()
        )
        allowed = (
            file.stem.rpartition("_")[2] in ENTRY_POINT_FILES
            or file.parent.name == "entry"
            or file.stem == "blueprints"
        )
        if imports and not allowed:
            strange.append(str(file))
    assert strange == []


def test_no_statement_gives_whatever_columns_there_are() -> None:
    # a prepared statement would fail after a migration that adds a column: name the columns
    room = FEATURES.parent
    files = [file for pattern in ("*.py", "*.sql") for file in room.rglob(pattern) if "returning *" in file.read_text()]
    assert files == []
