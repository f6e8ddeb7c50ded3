"""Throttling at the gateway: the rate limit, reserved concurrency, and Retry-After of refusals."""

import json
from typing import Any

from samtranslator.translator.transform import transform

from infra.deploy.cloud import checks, gateway, runtime
from infra.deploy.cloud.functions import API, functions
from infra.deploy.cloud.template import merge_template

Template = dict[str, Any]


class TestStage:
    def test_bounds_every_route_by_rate_and_burst(self, whole: Template) -> None:
        [settings] = whole["Resources"]["RestAPI"]["Properties"]["MethodSettings"]
        assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
        assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (2000, 200)

    def test_lets_no_single_tenant_have_most_of_it(self) -> None:
        per_minute = 30_000  # of a new tenant, as tests/entry/test_limits.py says
        assert per_minute / 60 <= gateway.PER_SECOND / 4

    def test_survives_the_translation_to_cloudformation(self, whole: Template) -> None:
        small = {
            "Transform": "AWS::Serverless-2016-10-31",
            "Resources": {
                "RestAPI": {
                    "Type": "AWS::Serverless::Api",
                    "Properties": {
                        "StageName": "api",
                        **gateway.properties("dev"),
                        "DefinitionBody": {"swagger": "2.0", "info": {}, "paths": {}},
                    },
                }
            },
        }
        translated = transform(small, {}, _NoPolicies())
        [stage] = [one for one in translated["Resources"].values() if one["Type"] == "AWS::ApiGateway::Stage"]
        assert stage["Properties"]["MethodSettings"][0]["ThrottlingRateLimit"] == 2000


class TestPlaces:
    def test_are_kept_for_the_api_so_that_slow_calls_take_none_of_the_queues(self) -> None:
        resources = merge_template("prod")["Resources"]
        kept = {
            name: one["Properties"].get("ReservedConcurrentExecutions")
            for name, one in resources.items()
            if name in {function.id for function in functions()}
        }
        assert {name: number for name, number in kept.items() if number} == {API: 200}

    def test_of_all_functions_together_fit_into_an_account(self) -> None:
        asked = sum(one.at_once or runtime.AT_ONCE for one in functions() if one.queue)
        schedules = sum(1 for one in functions() if one.schedule)
        assert gateway.AT_ONCE + asked + schedules <= 1000 - 100  # 100 have to stay unreserved

    def test_are_met_by_no_burst(self, whole: Template) -> None:
        assert checks.of_type(whole, "AWS::Serverless::Api")["RestAPI"]["MethodSettings"]
        assert gateway.properties("prod")["MethodSettings"][0]["ThrottlingBurstLimit"] <= gateway.AT_ONCE


class TestRefusals:
    def test_say_when_to_come_back(self) -> None:
        for word, response in gateway.definition("dev")["x-amazon-apigateway-gateway-responses"].items():
            refuses = response.get("statusCode") in ("429", "503")
            assert ("gatewayresponse.header.Retry-After" in response["responseParameters"]) == refuses, word

    def test_are_busy_and_not_broken_where_all_places_are_taken(self) -> None:
        response = gateway.definition("dev")["x-amazon-apigateway-gateway-responses"]["INTEGRATION_FAILURE"]
        assert response["statusCode"] == "503"
        assert json.loads(response["responseTemplates"]["application/json"])["type"] == "urn:wagebook:problem:busy"


class _NoPolicies:
    def load(self) -> dict[str, str]:
        return {}
