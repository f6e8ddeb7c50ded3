"""The worked examples of tests/scenarios/leave, done over the API as Rahim, his manager and HR would do them."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.features.leave.conftest import BUCKETS, Office, day, open_office
from tests.scenarios.loader import ExactLoader, known
from tests.support.api import Reply
from tests.support.people import row

FOLDER = Path(__file__).parents[2] / "scenarios" / "leave"


def load() -> list[dict[str, Any]]:
    """Read all scenarios."""
    found = [one for file in sorted(FOLDER.glob("*.yaml")) for one in yaml.load(file.read_text(), Loader=ExactLoader)]  # noqa: S506 - a SafeLoader
    for one in found:
        known(one, "name", "sentence", "types", "rules", "holidays", "roster", "steps")
    return found


SCENARIOS = load()


def dates(said: str) -> dict[str, str]:
    """Read `2026-01-05 second to 2026-01-07 first`."""
    start, _, end = said.partition(" to ")
    first, *start_half = start.split()
    last, *end_half = end.split()
    return {
        "start_date": first,
        "end_date": last,
        **({"start_half": start_half[0]} if start_half else {}),
        **({"end_half": end_half[0]} if end_half else {}),
    }


class Story:
    """Rahim's leave as a scenario tells it; one method per word."""

    def __init__(self, scenario: dict[str, Any]) -> None:
        self.office: Office = open_office()
        self.requests: dict[str, str] = {}
        self.given: dict[str, str] = {}
        rules = {
            name: str(row(self.office.cast, "leave_expiry_rules", {"name": name, **said}))
            for name, said in scenario.get("rules", {}).items()
        }
        types = {"annual": {}, **scenario.get("types", {})}
        for name, said in types.items():
            rule = {"expiry_rule_id": rules[name]} if name in rules else {}
            self.office.leave_type(name, **said, **rule)
        for date_, half in scenario.get("holidays", {}).items():
            values = {"day": date.fromisoformat(date_), "name": "Holiday", "half": None if half == "full" else half}
            row(self.office.cast, "holidays", values)
        for date_, word in scenario.get("roster", {}).items():
            values = {"user_id": self.office.rahim_id, "day": date.fromisoformat(date_), "off": 3 * (word == "free")}
            row(self.office.cast, "roster_days", values, returning="day")

    def do_give(self, said: dict[str, Any]) -> None:
        for name, words in said.items():
            days, _, start = str(words).partition(" from ")
            made = self.office.allocate(float(days), of=name.split()[0], start=start or "2026-01-01")
            self.given[name] = made["id"]

    def do_ask(self, said: dict[str, str]) -> None:
        for name, words in said.items():
            reply = self.asked(words)
            assert reply.status == 201, reply.text
            self.requests[name] = f"/leave-requests/{reply.json['id']}"

    def do_refused(self, said: dict[str, Any]) -> None:
        if "ask" in said:
            reply = self.asked(said["ask"])
        else:
            reply = self.corrected(*next(iter(said["correct"].items())))
        assert reply.status in (409, 422)
        assert said["because"] in reply.json["detail"]

    def do_correct(self, said: dict[str, Any]) -> None:
        for name, days in said.items():
            assert self.corrected(name, days).status == 200

    def do_approve(self, names: list[str]) -> None:
        self.decided(names, "approved")

    def do_reject(self, names: list[str]) -> None:
        self.decided(names, "rejected")

    def do_cancel(self, names: list[str]) -> None:
        self.decided(names, "cancelled")

    def do_shorten(self, said: dict[str, str]) -> None:
        for name, words in said.items():
            self.office.boss.ok("PATCH", self.requests[name], dates(words))

    def do_costs(self, said: dict[str, Any]) -> None:
        for name, days in said.items():
            assert self.office.rahim.ok("GET", self.requests[name])["days"] == float(days)

    def do_register(self, said: dict[str, str]) -> None:
        halves = self.office.register()
        assert {date_: day("2026-01", halves, date_) for date_ in said} == said

    def do_balance(self, said: dict[str, Any], on: str | None = None) -> None:
        path = f"/users/{self.office.rahim_id}/leave-balances" + (f"?on={on}" if on else "")
        found = [one for one in self.office.cast.hr.ok("GET", path)["items"] if not one["is_over"]]
        several = len({one["leave_type"] for one in found}) < len(found)
        names = [one["leave_type"] + (f" {one['cycle_start_date'][:4]}" if several else "") for one in found]
        buckets = [{name: one[name] for name in BUCKETS if one[name]} for one in found]
        wanted = {name: {bucket: float(days) for bucket, days in one.items()} for name, one in said.items()}
        assert dict(zip(names, buckets, strict=True)) == wanted

    def do_cycle(self, said: dict[str, Any], on: str) -> None:
        [found] = self.office.cast.hr.ok("GET", f"/leave-allocations?on={on}")["items"]
        buckets = {name: found[f"{name}_days"] for name in BUCKETS if found[f"{name}_days"]}
        assert buckets == {name: float(days) for name, days in said.items()}

    def asked(self, words: str) -> Reply:
        name, _, when = words.partition(" ")
        body = {"leave_type_id": self.office.types[name], **dates(when)}
        return self.office.rahim.post("/leave-requests", body)

    def corrected(self, name: str, days: Any) -> Reply:
        return self.office.cast.hr.patch(f"/leave-allocations/{self.given[name]}", {"allocated_days": float(days)})

    def decided(self, names: list[str], status: str) -> None:
        for name in names:
            self.office.boss.ok("PATCH", self.requests[name], {"status": status})


@pytest.mark.usefixtures("database", "now")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_it_comes_out_as_written(scenario: dict[str, Any]) -> None:
    story = Story(scenario)
    for step in scenario["steps"]:
        [(words, said)] = step.items()
        word, _, on = words.partition(" on ")
        getattr(story, f"do_{word}")(said, **({"on": on} if on else {}))


def test_there_are_enough_and_each_has_a_name_and_a_sentence() -> None:
    names = [one["name"] for one in SCENARIOS]
    assert len(set(names)) == len(names) >= 18
    for one in SCENARIOS:
        assert one["sentence"].endswith("."), one["name"]
