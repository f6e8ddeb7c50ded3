"""Requests beyond what is answered at once wait shortly, in a line, or are turned away before anything is done."""

import json
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.entry import limits
from chalicelib.kernel.errors import TooMany
from infra.local.admission import Admission, bound


def entering(admission: Admission) -> tuple[threading.Thread, list[bool]]:
    """Enter on a thread of its own; return the thread, and a list that gets the outcome."""
    outcome: list[bool] = []
    thread = threading.Thread(target=lambda: outcome.append(admission.enter()), daemon=True)
    thread.start()
    return thread, outcome


def until_waiting(admission: Admission, number: int) -> None:
    deadline = time.monotonic() + 5
    while len(admission._line) < number:
        assert time.monotonic() < deadline
        time.sleep(0.001)


class TestEnter:
    def test_lets_so_many_work_at_once_and_turns_away_who_finds_the_line_full(self) -> None:
        admission = Admission(at_once=2, waiting=0)
        assert [admission.enter() for _ in range(4)] == [True, True, False, False]
        admission.leave()
        assert [admission.enter() for _ in range(2)] == [True, False]

    def test_lets_the_first_in_line_go_first(self) -> None:
        admission = Admission(at_once=1, waiting=2, longest_wait=10)
        assert admission.enter()
        first, first_outcome = entering(admission)
        until_waiting(admission, 1)
        second, second_outcome = entering(admission)
        until_waiting(admission, 2)
        admission.leave()
        first.join(5)
        assert (first_outcome, second_outcome) == ([True], [])
        admission.leave()
        second.join(5)
        assert second_outcome == [True]

    def test_gives_a_place_to_who_waited_and_not_to_who_just_came(self) -> None:
        admission = Admission(at_once=1, waiting=1, longest_wait=10)
        assert admission.enter()
        thread, outcome = entering(admission)
        until_waiting(admission, 1)
        admission.leave()
        assert not admission._free  # handed over: a newcomer finds nothing to take
        thread.join(5)
        assert outcome == [True]

    def test_turns_away_who_waited_too_long_and_forgets_them(self) -> None:
        admission = Admission(at_once=1, waiting=1, longest_wait=0.01)
        assert [admission.enter(), admission.enter()] == [True, False]
        admission.leave()
        assert admission.enter(), "the place was handed to a request that had gone"


class TestBound:
    def test_answers_503_with_retry_after_and_does_nothing(self) -> None:
        local, seen = gateway()
        admission = Admission(at_once=1, waiting=0)
        bound(local, admission)
        assert admission.enter()
        answer = local.LocalGateway().handle_request("POST", "/sales?x=1", {}, b"{}")
        assert (answer["statusCode"], answer["headers"]["Retry-After"], seen) == (503, "1", [])
        assert answer["headers"]["Content-Type"] == "application/problem+json"
        problem = json.loads(answer["body"])
        assert (problem["type"], problem["status"], problem["instance"]) == ("urn:wagebook:problem:busy", 503, "/sales")

    def test_turns_away_whom_the_product_refuses_from_memory_and_takes_no_place_for_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(headers: Any) -> None:
            if headers.get("x-api-key") == "of a flood":
                raise TooMany("Too many.", wait=3)

        monkeypatch.setattr(limits, "reject_flood", refuse)
        local, seen = gateway()
        admission = Admission(at_once=1, waiting=0)
        bound(local, admission)
        answer = local.LocalGateway().handle_request("GET", "/me", {"X-API-Key": "of a flood"}, None)
        assert (answer["statusCode"], answer["headers"]["Retry-After"], seen) == (429, "3", [])
        assert local.LocalGateway().handle_request("GET", "/me", {"X-API-Key": "another"}, None)["statusCode"] == 200

    def test_gives_the_place_back_whatever_became_of_the_request(self) -> None:
        local, seen = gateway()
        bound(local, Admission(at_once=1, waiting=0))
        for path in ("/ok", "/wrong", "/ok"):
            try:
                local.LocalGateway().handle_request("GET", path, {}, None)
            except RuntimeError:
                continue
        assert seen == ["/ok", "/wrong", "/ok"]

    def test_fits_the_class_that_is_there(self) -> None:
        import inspect

        import chalice.local

        parameters = inspect.signature(chalice.local.LocalGateway.handle_request).parameters
        assert list(parameters) == ["self", "method", "path", "headers", "body"]


def gateway() -> tuple[Any, list[str]]:
    """Return something like `chalice.local`, and the paths that it was asked for."""
    seen: list[str] = []

    class LocalGateway:
        def handle_request(self, method: str, path: str, headers: Any, body: bytes | None) -> Any:
            seen.append(path)
            if path == "/wrong":
                raise RuntimeError
            return {"statusCode": 200}

    return SimpleNamespace(LocalGateway=LocalGateway), seen
