"""Every alarm has its page in the runbook and every page its alarm; what we count is what alarms look at."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib.backing import log
from chalicelib.entry.registry import SCHEDULES
from infra.deploy.cloud import alarms, checks, foundation
from infra.deploy.cloud.functions import functions
from infra.deploy.cloud.template import merge_template

PROJECT = Path(__file__).parents[3]
RUNBOOK = (PROJECT / alarms.RUNBOOK).read_text()
PARTS = ("**Means.**", "**Look.**", "**Mend.**", "**Over.**", "**Not.**")
Template = dict[str, Any]
Metric = tuple[str, frozenset[str]]


@pytest.fixture(scope="module", name="all_alarms")
def _all_alarms() -> dict[str, Template]:
    """Return the alarms of every document that is deployed, by name."""
    documents = merge_template("dev"), foundation.document("dev")
    typed = [{name: one for name, one in template["Resources"].items() if "Type" in one} for template in documents]
    return {name: one for template in typed for name, one in checks.of_type({"Resources": template}, _ALARM).items()}


_ALARM = "AWS::CloudWatch::Alarm"


def _pages() -> dict[str, str]:
    """Return the runbook's pages by their anchors, made as GitHub makes them."""
    parts = re.split(r"^## (.+)$", RUNBOOK, flags=re.MULTILINE)[1:]
    return {alarms.anchor(name): text for name, text in zip(parts[::2], parts[1::2], strict=True)}


class TestRunbook:
    def test_has_a_page_for_every_alarm_and_an_alarm_for_every_page(self, all_alarms: dict[str, Template]) -> None:
        linked = {
            name: one["AlarmDescription"].rpartition(f"Runbook: {alarms.RUNBOOK}#") for name, one in all_alarms.items()
        }
        assert {name for name, (description, link, _) in linked.items() if not (description and link)} == set()
        assert {anchor for _, _, anchor in linked.values()} == set(_pages())

    @pytest.mark.parametrize("page", _pages())
    def test_says_in_each_page_all_that_one_needs_at_night(self, page: str) -> None:
        text = _pages()[page]
        assert [part for part in PARTS if part not in text] == []
        assert [text.index(part) for part in PARTS] == sorted(text.index(part) for part in PARTS)

    def test_names_only_commands_that_there_are(self) -> None:
        import typer

        from chalicelib.cli import app

        pages = [one.read_text() for one in (PROJECT / "docs" / "operations").glob("*.md")]
        named = {tuple(one.split()) for page in pages for one in re.findall(r"chalicelib\.cli ([a-z-]+ [a-z-]+)", page)}
        groups: Any = typer.main.get_command(app)
        assert named
        for group, command in named:
            known = groups.commands[group]
            assert not hasattr(known, "commands") or command in known.commands, f"{group} {command}"

    def test_is_a_page_for_a_link_as_github_makes_it(self) -> None:
        assert alarms.anchor("Reputation.BounceRate") == "reputationbouncerate"
        assert alarms.anchor("5XXError") == "5xxerror"


class TestAlarms:
    def test_stay_within_what_cloudwatch_takes(self, all_alarms: dict[str, Template]) -> None:
        for name, one in all_alarms.items():
            whole = one["Period"] * one["EvaluationPeriods"]
            assert whole <= (604_800 if one["Period"] >= 3600 else 86_400), name
            assert one["Period"] % 60 == 0, name
            assert one["DatapointsToAlarm"] <= one["EvaluationPeriods"], name
            assert len(one["AlarmDescription"]) <= 1024, name

    def test_of_every_schedule_ring_when_it_was_not_called_twice(self, all_alarms: dict[str, Template]) -> None:
        scheduled = [one for one in functions() if one.schedule]
        assert len(scheduled) == len(SCHEDULES)
        for function in scheduled:
            one = all_alarms[f"{function.id}SilentAlarm"]
            assert (one["MetricName"], one["TreatMissingData"]) == ("Invocations", "breaching")
            assert (one["ComparisonOperator"], one["Threshold"]) == ("LessThanThreshold", 1)
            assert one["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": function.id}}]


class TestOwnMetrics:
    def test_are_written_where_alarms_look(self, all_alarms: dict[str, Template]) -> None:
        namespace = merge_template("dev")["Globals"]["Function"]["Environment"]["Variables"][log.NAMESPACE]
        assert {one["Namespace"] for one in all_alarms.values() if not one["Namespace"].startswith("AWS/")} == {
            namespace
        }
        assert namespace != merge_template("prod")["Globals"]["Function"]["Environment"]["Variables"][log.NAMESPACE]

    def test_of_alarms_are_counted_somewhere_with_the_same_dimensions(self, all_alarms: dict[str, Template]) -> None:
        ours = [one for one in all_alarms.values() if not one["Namespace"].startswith("AWS/")]
        metrics = {(one["MetricName"], frozenset(part["Name"] for part in one["Dimensions"])) for one in ours}
        assert {name for name, _ in metrics} == {"OutboxLag", "PayoutsInReview", "Scheduled"}
        assert metrics <= _counted()

    def test_are_written_with_the_stage_that_the_environment_says(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv(log.NAMESPACE, alarms.our_metrics("dev"))
        log.count("Scheduled", 3, schedule="balance")
        line = json.loads(capsys.readouterr().out)
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == ("Wagebook/dev", [["schedule"]])
        assert (line["Scheduled"], line["schedule"]) == ([3], "balance")


def _counted() -> set[Metric]:
    """Find in the source what is counted, with the names of its dimensions."""
    calls = [
        node
        for file in (PROJECT / "chalicelib").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "count" and node.args
    ]
    return {
        (str(one.args[0].value), frozenset(str(word.arg) for word in one.keywords) - {"value"})
        for one in calls
        if isinstance(one.args[0], ast.Constant)
    }
