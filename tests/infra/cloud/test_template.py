"""What the template must be, and that each check notices when it is not: a part is taken out, and the check fails."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.backing import files
from chalicelib.entry.registry import CONSUMERS, SCHEDULES, Consumer, Schedule
from infra.deploy.cloud import checks, grants
from infra.deploy.cloud.functions import functions
from infra.deploy.cloud.operations import OPERATOR
from infra.deploy.cloud.queues import queue_id
from infra.deploy.cloud.template import merge_template

Template = dict[str, Any]


class TestWhole:
    def test_has_nothing_wrong(self, whole: Template) -> None:
        assert checks.problems(whole) == []

    def test_lets_each_function_do_what_its_code_calls_and_nothing_by_a_wildcard(self, whole: Template) -> None:
        assert grants.problems(whole) == []

    def test_has_every_consumer_schedule_and_the_api_as_chalice_makes_them(
        self, whole: Template, chalices_own: Template
    ) -> None:
        own = checks.of_type(chalices_own, checks.FUNCTION)
        assert set(own) == {one.id for one in functions()}
        assert len(own) == len(CONSUMERS) + len(SCHEDULES) + 1
        for name, function in checks.of_type(whole, checks.FUNCTION).items():
            assert len(function.get("Events", {})) == len(own[name].get("Events", {})), "ours met Chalice's by its name"

    def test_leaves_no_form_of_chalices_beside_ours(self, whole: Template) -> None:
        # merged are dicts, so {"Fn::Sub": ...} over {"Fn::GetAtt": ...} would leave both
        both = [one for one in _dicts(whole) if len({"Ref", "Fn::Sub", "Fn::GetAtt"} & set(one)) > 1]
        assert both == []

    def test_fits_into_what_cloudformation_takes(self, whole: Template) -> None:
        # translated it has a mapping or a rule and a permission more for each function
        assert len(whole["Resources"]) + 3 * len(functions()) < 500
        assert len(json.dumps(whole)) < 1_000_000

    def test_removes_what_nobody_looked_at_by_the_tag_that_uploads_set(self, whole: Template) -> None:
        rules = whole["Resources"]["FilesBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        [rule] = [one for one in rules if one.get("TagFilters") and one["ExpirationInDays"] == 1]
        [tag] = rule["TagFilters"]
        assert f"<Key>{tag['Key']}</Key><Value>{tag['Value']}</Value>" in files.UNCHECKED

    def test_names_no_other_stage(self, whole: Template) -> None:
        names = {one.get("QueueName") for one in checks.of_type(whole, "AWS::SQS::Queue").values()}
        assert all(name.startswith("wagebook-dev-") for name in names)
        assert whole["Globals"]["Function"]["Environment"]["Variables"]["QUEUE_PREFIX"] == "wagebook-dev-"


class TestNew:
    def test_consumer_and_schedule_have_all_of_it_without_a_line_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        known = CONSUMERS["payouts"].function
        monkeypatch.setitem(CONSUMERS, "fresh", Consumer("fresh", known))
        monkeypatch.setitem(SCHEDULES, "look-at-fresh", Schedule("look-at-fresh", "rate(1 minute)", known))
        functions.cache_clear()
        try:
            names = set(merge_template("dev")["Resources"])
        finally:
            functions.cache_clear()
        assert {"FreshQueue", "FreshDeadQueue", "FreshQueueAgeAlarm", "FreshDeadQueueAlarm"} <= names
        assert "LookAtFreshSilentAlarm" in names
        for function in ("ConsumeFresh", "LookAtFresh"):
            assert {function + part for part in ("", "Role", "LogGroup", "ErrorsAlarm", "ThrottlesAlarm")} <= names


@pytest.fixture(scope="module", name="small")
def _small(whole: Template) -> Template:
    """Return the template without the API's routes, of which no check reads anything: it is copied often."""
    return whole | {"Resources": {name: one for name, one in whole["Resources"].items() if name != "RestAPI"}}


def _without(name: str) -> Callable[[Template], object]:
    return lambda template: template["Resources"].pop(name)


def _less(name: str, *path: str) -> Callable[[Template], object]:
    def take(template: Template) -> object:
        properties = template["Resources"][name]["Properties"]
        for word in path[:-1]:
            properties = properties[word]
        return properties.pop(path[-1])

    return take


def _event(name: str, word: str) -> Callable[[Template], object]:
    def take(template: Template) -> object:
        [event] = template["Resources"][name]["Properties"]["Events"].values()
        return event["Properties"].pop(word)

    return take


def _open_to_all(template: Template) -> object:
    policy = template["Resources"]["UploadsQueuePolicy"]["Properties"]["PolicyDocument"]
    return policy["Statement"][0].update(Principal="*")


def _shared_role(template: Template) -> object:
    functions_ = template["Resources"]
    return functions_["SweepOutbox"]["Properties"].update(Role=functions_["APIHandler"]["Properties"]["Role"])


CONSUMERS_OF_ALL = [one for one in functions() if one.queue]
SCHEDULED = [one for one in functions() if one.schedule]
DAMAGES: dict[str, tuple[Callable[[Template], object], str]] = {
    **{f"dead-letter queue of {q}": (_without(queue_id(q).replace("Queue", "DeadQueue")), "is not there")
       for q in CONSUMERS},
    **{f"redrive of {q}": (_less(queue_id(q), "RedrivePolicy"), "has no dead-letter queue") for q in CONSUMERS},
    **{f"encryption of {q}": (_less(queue_id(q), "SqsManagedSseEnabled"), "is not encrypted") for q in CONSUMERS},
    **{f"visibility of {q}": (_less(queue_id(q), "VisibilityTimeout"), "six times") for q in CONSUMERS},
    **{f"age alarm of {q}": (_without(f"{queue_id(q)}AgeAlarm"), "no alarm of ApproximateAge") for q in CONSUMERS},
    **{f"dead letters' alarm of {q}": (_without(queue_id(q).replace("Queue", "DeadQueueAlarm")), "MessagesVisible")
       for q in CONSUMERS},
    **{f"partial batches of {one.id}": (_event(one.id, "FunctionResponseTypes"), "whole batch")
       for one in CONSUMERS_OF_ALL},
    **{f"bound of {one.id}": (_event(one.id, "ScalingConfig"), "how many run at once") for one in CONSUMERS_OF_ALL},
    **{f"retries of {one.id}": (_event(one.id, "RetryPolicy"), "without retry policy") for one in SCHEDULED},
    **{f"dead letter of {one.id}": (_event(one.id, "DeadLetterConfig"), "or dead-letter queue") for one in SCHEDULED},
    **{f"{word} of {one.id}": (_less(one.id, word), f"has no {word}")
       for one in functions() for word in ("MemorySize", "Timeout")},
    **{f"logs of {one.id}": (_without(f"{one.id}LogGroup"), "no log group") for one in functions()},
    **{f"retention of {one.id}": (_less(f"{one.id}LogGroup", "RetentionInDays"), "for ever") for one in functions()},
    **{f"{word} alarm of {one.id}": (_without(f"{one.id}{word}Alarm"), f"no alarm of {word}")
       for one in functions() for word in ("Errors", "Throttles")},
    **{f"silence of {one.id}": (_without(f"{one.id}SilentAlarm"), "no alarm of Invocations") for one in SCHEDULED},
    "schedules' dead letters": (_without("SchedulesDeadQueue"), "is not there"),
    "who leaves schedules' dead letters": (_without("SchedulesDeadQueuePolicy"), "may not leave dead letters"),
    "schedules' alarm": (_without("SchedulesDeadQueueAlarm"), "no alarm"),
    "the API's faults": (_without("ApiFaultsAlarm"), "no alarm of 5XXError"),
    "slow calls": (_without("ApiLatencyAlarm"), "no alarm of Latency"),
    "outbox lag": (_without("OutboxLagAlarm"), "no alarm of OutboxLag"),
    "payouts in review": (_without("PayoutsInReviewAlarm"), "no alarm of PayoutsInReview"),
    "the topic": (_less("OutboxLagAlarm", "AlarmActions"), "tells nobody"),
    "one role for two": (_shared_role, "shares its role"),
    "the public block": (_less("FilesBucket", "PublicAccessBlockConfiguration", "BlockPublicPolicy"), "become public"),
    "the bucket's encryption": (_less("FilesBucket", "BucketEncryption"), "no BucketEncryption"),
    "the quarantine": (_less("FilesBucket", "LifecycleConfiguration"), "no LifecycleConfiguration"),
    "the sources of S3's events": (_open_to_all, "lets anybody in"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_notices_what_was_taken_out(small: Template, damage: str) -> None:
    damaged = copy.deepcopy(small)
    remove, message = DAMAGES[damage]
    remove(damaged)
    assert any(message in one for one in checks.problems(damaged)), checks.problems(damaged)


@pytest.mark.parametrize("function", [one.id for one in (*functions(), OPERATOR)])
def test_notices_each_line_of_a_policy_that_is_missing(small: Template, function: str) -> None:
    role = next(one.role_id for one in (*functions(), OPERATOR) if one.id == function)
    [policy] = small["Resources"][role]["Properties"]["Policies"]
    lines = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    # SNS has one verb for devices and phones, so the one hides that the other is gone
    lines = [one for one in lines if one["Sid"] not in ("Devices", "Phones")]
    for line in lines:
        damaged = copy.deepcopy(small)
        document = damaged["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]
        document["Statement"].remove(line)
        assert any(one.startswith(f"{role}: lacks") for one in grants.problems(damaged)), line["Sid"]


@pytest.mark.parametrize("damage", [{"Action": ["s3:*"]}, {"Resource": "*"}, {"Resource": "arn:aws:s3:::*/tenants"}])
def test_notices_a_wildcard(small: Template, damage: dict[str, Any]) -> None:
    damaged = copy.deepcopy(small)
    [policy] = damaged["Resources"]["ConsumeUploadsRole"]["Properties"]["Policies"]
    next(one for one in policy["PolicyDocument"]["Statement"] if one["Sid"] == "Files").update(damage)
    assert any(one.startswith("ConsumeUploadsRole: allows") for one in grants.problems(damaged))


def _dicts(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(inner for value in value.values() for inner in _dicts(value))]
    if isinstance(value, list):
        return [inner for value in value for inner in _dicts(value)]
    return []
