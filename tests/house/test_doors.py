"""Every door is declared once, where house.md says, and is found by API Gateway and by Lambda under its name."""

import importlib
import re
from collections import defaultdict
from pathlib import Path

import pytest
from chalice.app import EventSourceHandler

import app
import chalicelib.features
from chalicelib.entry.registry import CONSUMERS, ENDPOINTS, SCHEDULES, Endpoint
from chalicelib.identity.permissions import GRANTS

OPEN_DOORS = {"GET /health", "GET /openapi.json", "GET /docs",
              # whoever has a mail may stop its kind: the token in it is the credential
              "GET /notifications/unsubscribe/{token}", "POST /notifications/unsubscribe/{token}"}  # fmt: skip
ROOMS_BELOW = {"notifications"}  # that have doors, though every feature tells people something
FEATURES = Path(chalicelib.features.__path__[0])
# The file names of house.md. A feature whose noun grew splits by subject: `request_actions`, `import_rules`.
FILES = {"models", "rules", "queries", "actions", "schemas", "events", "routes", "schedules", "consumers"}
FURTHER_FILES = {
    "console/docs.html": "the docs page as it is served",
    "leave/expiry_nights.py": "one night: its chunks, its warnings, what becomes of expired days",
    "forms/exports.py": "submissions as CSV and XLSX",
    "forms/kinds.py": "what a form's type means, told by the features above",
    "forms/patterns.py": "patterns that admins write, matched in bounded time",
    "pay_register/computing.py": "one computation: a period's chunks, from claim to last chunk",
    "pay_register/exports.py": "the register as CSV and XLSX",
    "pay_register/projection.py": "the bulk path: register and balances from facts",
    "payouts/moving.py": "the one place that changes a payout's state",
    "payouts/sending.py": "one payout's way to its provider: claim, call, settle",
    "payouts/verdicts.py": "what an answer of whoever pays is worth: a status with its reasons",
    "payouts/bank_lines.py": "lines of a bank's answer, in whichever form it came",
    "payouts/bank_settlement.py": "payouts settled by those lines",
    "payouts/providers": "who pays, an adapter for each",
    "payouts/bank_files": "what is written for banks and what they answer, a module for each format",
    "payroll/document_rendering.py": "a payslip as a PDF",
    "payroll/document_wording.py": "what a payslip says on paper",
    "payroll/exports.py": "the register of a run as CSV and XLSX",
    "payroll/templates": "how a payslip looks on paper",
    "payroll/plan.py": "what a run is calculated with, and the function that it compiles into",
    "payroll/inputs.py": "what a run computes from, read set by set",
    "payroll/evaluating.py": "the one place where pay is computed",
    "payroll/calculating.py": "one calculation: a run's chunks, from register to payslips",
    "payroll/slips.py": "the bulk path: payslips made and written",
    "payroll/one_offs.py": "lines of a payslip that no component made",
    "payroll/terms.py": "the settings and policy switches that price a run, resolved",
    "payroll/arrears.py": "what periods that were paid are worth by now",
    "payroll/arrears_lines.py": "arrears as lines of a payslip, one per component",
    "payroll/summaries.py": "what a run comes to, beside the one before",
    "payroll/payslip_lines.py": "a payslip as people read it",
    "payouts/hands.py": "who had a part in a payout, and may therefore not approve it",
    "payroll/hands.py": "who had a part in a run, and may therefore not approve it",
    "payroll/freshness.py": "whether a run still says what it would if it was calculated now",
    "payroll/posting.py": "the bulk path: approved payslips into the ledger, chunk by chunk",
    "pay_register/following.py": "what the register does when facts of people change",
    "tenants/facts.py": "the one construct for changing facts, and who follows a change",
    "tenants/locks.py": "the people lock, and the order of all locks",
    "tenants/periods.py": "verbs on pay periods that every feature which writes facts uses",
    "tenants/working_days.py": "changes of the days that people work, and who follows them",
    "leave/following.py": "what leave does when facts or working days change",
    "tenants/windows.py": "which days and whom a computation covers",
    "kpis/form_handler.py": "what a form of the type appraisal means",
    "kpis/measuring.py": "the bulk path: numbers of many people and spans of days",
    "kpis/nights.py": "one night: its chunks, from measuring to scores",
    "kpis/reminding.py": "who is reminded of values that are due and missing",
    "kpis/scoring.py": "what a definition makes of measured numbers",
    "leave/form_handler.py": "what a form of the type leave_request means",
    "attendance/request_kinds.py": "on-duty and overtime as data: one set of verbs serves both",
}
DOOR_FILES = ("routes", "schedules", "consumers")


def names(doors: list[Endpoint]) -> list[str]:
    return [f"{door.method} {door.path}" for door in doors]


class TestRoutes:
    def test_are_the_registry(self) -> None:
        served = [f"{method} {path}" for path, methods in app.app.routes.items() for method in methods]
        assert sorted(served) == sorted(names(ENDPOINTS))
        assert len(served) == len(set(served)) >= 73

    def test_name_a_permission_of_the_matrix_or_are_open(self) -> None:
        known = {permission for grants in GRANTS.values() for permission in grants}
        assert {f"{door.method} {door.path}" for door in ENDPOINTS if door.may is None} == OPEN_DOORS
        assert [door.path for door in ENDPOINTS if door.may and door.may not in known] == []

    def test_read_with_a_permission_to_read_and_write_with_another(self) -> None:
        reading = {f"{d.method} {d.path}" for d in ENDPOINTS if d.may and d.may.endswith(".read")}
        assert {door for door in reading if not door.startswith("GET ")} == set()
        assert {f"{d.method} {d.path}" for d in ENDPOINTS if d.method == "GET" and d.may} - reading == {
            "GET /tenants", "GET /tenants/{tenant_id}"}  # fmt: skip

    def test_use_every_permission_of_the_matrix(self) -> None:
        used = {door.may for door in ENDPOINTS}
        assert {permission for grants in GRANTS.values() for permission in grants} - used == set()

    def test_say_what_they_do(self) -> None:
        verb = re.compile(r"This will [a-z]|[A-Z][a-z]+ ")  # the imperative; older ones say "This will"
        assert [door.path for door in ENDPOINTS if not verb.match(door.function.__doc__ or "")] == []

    def test_take_every_parameter_of_their_path(self) -> None:
        taken = {f"{d.method} {d.path}": d.path.count("{") - len(d.path_types) for d in ENDPOINTS}
        assert {door for door, left in taken.items() if left} == set()

    def test_say_what_they_answer(self) -> None:
        assert [names([d]) for d in ENDPOINTS if d.status != 204 and d.reply is None] == []
        assert [names([d]) for d in ENDPOINTS if (d.status == 204) != (d.reply in (None, type(None)))] == []

    def test_agree_on_the_names_of_parameters_at_one_place(self) -> None:
        # API Gateway refuses siblings such as /users/{user_id} and /users/{id}/salaries
        siblings = defaultdict(set)
        for door in ENDPOINTS:
            parts = door.path.split("/")
            for place, part in enumerate(parts):
                if part.startswith("{"):
                    siblings["/".join(parts[:place])].add(part)
        assert {above: found for above, found in siblings.items() if len(found) > 1} == {}

    def test_stand_in_door_files_of_features(self) -> None:
        functions = [door.function for door in ENDPOINTS]
        functions += [door.function for door in [*SCHEDULES.values(), *CONSUMERS.values()]]
        for function in functions:
            room, feature, file = function.__module__.rsplit(".", 2)
            assert room == "chalicelib.features" or (room == "chalicelib" and feature in ROOMS_BELOW), feature
            assert file.rpartition("_")[2] in DOOR_FILES


class TestHandlers:
    @pytest.fixture(name="handlers")
    def _handlers(self) -> dict[str, str]:
        return {made.name: made.handler_string for made in [*app.app.event_sources, *app.app.pure_lambda_functions]}

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
    def test_use_the_file_names_of_the_house(self) -> None:
        strange = []
        for file in FEATURES.glob("*/*"):
            name = f"{file.parent.name}/{file.name}"
            if file.name in ("__init__.py", "__pycache__") or name in FURTHER_FILES:
                continue
            if file.name == "sql":
                strange += [f"{name}/{inner.name}" for inner in file.iterdir() if inner.suffix != ".sql"]
            elif file.suffix != ".py" or file.stem.rpartition("_")[2] not in FILES:
                strange.append(name)
        assert strange == []

    def test_have_every_further_file_that_is_listed(self) -> None:
        assert [name for name in FURTHER_FILES if not (FEATURES / name).exists()] == []

    def test_say_what_they_are(self) -> None:
        for file in FEATURES.glob("*/*.py"):
            assert file.read_text().startswith('"""'), file

    def test_read_the_clock_in_one_place(self) -> None:
        # `clock.now` is the only reader; features and jobs are handed a moment, but for those that look again directly
        # before they call a stranger: they may have slept since
        sleepers = {"payouts/sending.py"}
        readers = ("datetime.now(", "date.today(", "utcnow(", "time.time(", "clock.now(")
        house = FEATURES.parent
        for room in ("features", "jobs", "kernel", "identity", "audit"):
            for file in (house / room).rglob("*.py"):
                if f"{file.parent.name}/{file.name}" in sleepers:
                    continue
                assert [reader for reader in readers if reader in file.read_text()] == [], file


def test_only_the_doors_import_chalice() -> None:
    strange = []
    for file in FEATURES.parent.rglob("*.py"):
        imports = any(line.startswith(("from chalice ", "from chalice.", "import chalice "))
                      for line in f"{file.read_text()} ".splitlines())  # fmt: skip
        allowed = file.stem.rpartition("_")[2] in DOOR_FILES or file.parent.name == "entry" or file.stem == "blueprints"
        if imports and not allowed:
            strange.append(str(file))
    assert strange == []


def test_no_statement_gives_whatever_columns_there_are() -> None:
    # a connection keeps it prepared, and a migration that adds a column would fail it there: name them
    room = FEATURES.parent
    found = [file for pattern in ("*.py", "*.sql") for file in room.rglob(pattern) if "returning *" in file.read_text()]
    assert found == []
