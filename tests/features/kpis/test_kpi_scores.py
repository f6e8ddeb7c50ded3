"""Values entered by hand, overrides, and what both come to."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.identity.permissions import Role
from tests.features.kpis.conftest import Office, night
from tests.support.cast import Cast, key
from tests.support.people import sql
from tests.support.stack import Stack

pytestmark = pytest.mark.usefixtures("database")


def enter(office: Office, assignment_id: str, value: Any, **overrides: Any) -> Any:
    return office.boss.ok("POST", f"/kpi-assignments/{assignment_id}/value", {"value": value, **overrides})


def overrule(office: Office, assignment_id: str, value: Any, reason: str | None = "Two sites") -> Any:
    body = {"value": value, **({"reason": reason} if reason else {})}
    return office.boss.ok("POST", f"/kpi-assignments/{assignment_id}/override", body)


class TestValue:
    def test_of_90_against_120_with_a_weight_of_20_is_75_and_15(self, office: Office) -> None:
        assigned = office.assign(office.define())
        score = enter(office, assigned, 90, note="By the survey")
        assert (score["value"], score["achievement"], score["weighted"]) == (90.0, 75.0, 15.0)
        assert (score["target"], score["weight"], score["entered"]["note"]) == (120.0, 20.0, "By the survey")
        assert office.score(assigned) == score
        enter(office, assigned, 96)
        assert office.come_out(assigned) == (96.0, 80.0, 16.0)
        audited = sql(
            office.cast, "select before, after from audit_logs where action = 'kpi_score.entered' order by seq"
        )
        assert [(one.before, one.after) for one in audited] == [
            (None, {"value": "90", "note": "By the survey"}),
            ({"value": "90", "note": "By the survey"}, {"value": "96"}),
        ]

    @pytest.mark.parametrize(
        ("value", "target", "weight", "achievement", "weighted"),
        [
            (1, 3, 100, 33.33, 33.33),
            (2, 3, 10, 66.67, 6.67),
            (0.005, 100, 100, 0.01, 0.01),  # 0.005 is rounded half up
            (1.005, 100, 100, 1.01, 1.01),  # and so is 1.005, which no float can say
            (0.00499999, 100, 100, 0.0, 0.0),
            (130, 120, 20, 108.33, 21.67),
            (-90, 120, 20, -75.0, -15.0),
            (-90, -120, 20, 75.0, 15.0),
            (-1, 800, 100, -0.13, -0.13),  # -0.125: away from zero
            (90, 0, 20, None, None),
            (90, None, 20, None, None),
            (90, 120, None, 75.0, None),
            (90, 120, 0, 75.0, 0.0),
        ],
    )
    def test_is_rounded_once_from_what_it_really_is(
        self, office: Office, value: float, target: float | None, weight: float | None, achievement: Any, weighted: Any
    ) -> None:
        assigned = office.assign(office.define(target=target, weight=weight))
        enter(office, assigned, value)
        assert office.come_out(assigned) == (value, achievement, weighted)

    def test_counts_against_the_targets_of_the_assignment(self, office: Office) -> None:
        assigned = office.assign(office.define(), target=60, weight=10)
        enter(office, assigned, 45)
        assert office.come_out(assigned) == (45.0, 75.0, 7.5)

    @pytest.mark.parametrize(
        ("entered", "value", "came"),
        [
            ({"metric_type": "boolean", "target": None}, True, (1.0, 100.0, 20.0)),
            ({"metric_type": "boolean", "target": None}, False, (0.0, 0.0, 0.0)),
            ({"metric_type": "boolean", "target": None}, "Yes", (1.0, 100.0, 20.0)),
            ({"metric_type": "rating", "target": 5}, 4, (4.0, 80.0, 16.0)),
            ({"metric_type": "rating", "target": 8, "scale": {"min": 0, "max": 10}}, 0, (0.0, 0.0, 0.0)),
            ({"metric_type": "text", "target": None}, "Helps everybody", (None, None, None)),
        ],
    )
    def test_is_of_the_kind_that_the_kpi_is(
        self, office: Office, entered: dict[str, Any], value: Any, came: tuple[Any, ...]
    ) -> None:
        assigned = office.assign(office.define(**entered))
        enter(office, assigned, value)
        assert office.come_out(assigned) == came
        assert office.score(assigned)["text"] == ("Helps everybody" if entered["metric_type"] == "text" else None)

    @pytest.mark.parametrize(
        ("entered", "value", "detail"),
        [
            ({}, True, "is a number"),
            ({}, "ninety", "is a number"),
            ({"metric_type": "boolean", "target": None}, 1, "true or false"),
            ({"metric_type": "rating", "target": 5}, 5.5, "goes from 1 to 5"),
            ({"metric_type": "rating", "target": 5}, 0, "goes from 1 to 5"),
            ({"metric_type": "text", "target": None}, 3, "send a text"),
        ],
    )
    def test_of_another_kind_is_refused(self, office: Office, entered: dict[str, Any], value: Any, detail: str) -> None:
        assigned = office.assign(office.define(**entered))
        reply = office.boss.post(f"/kpi-assignments/{assigned}/value", {"value": value})
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/value")
        assert detail in reply.json["errors"][0]["detail"]

    def test_is_not_entered_for_what_is_calculated(self, office: Office) -> None:
        for definition in (office.metric("late_count"), office.formula("late_count * 2")):
            reply = office.boss.post(f"/kpi-assignments/{office.assign(definition)}/value", {"value": 1})
            assert (reply.status, "is calculated; override" in reply.json["detail"]) == (409, True)

    def test_is_nobodys_own_to_enter_or_override(self, office: Office) -> None:
        definition = office.define()
        own = office.assign(definition, office.boss_id)
        for verb, body in (("value", {"value": 1}), ("override", {"value": 1, "reason": "x"})):
            assert office.boss.post(f"/kpi-assignments/{own}/{verb}", body).status == 403
            hr = key(office.cast.id, Role.HR, office.boss_id)
            assert hr.post(f"/kpi-assignments/{own}/{verb}", body).status == 403
            assert office.rahim.post(f"/kpi-assignments/{own}/{verb}", body).status == 403
        assert office.come_out(own) == (None, None, None)

    def test_is_entered_by_managers_for_their_people_only(self, office: Office) -> None:
        definition = office.define()
        other = office.assign(definition, office.boss_id)
        other_manager = key(office.cast.id, Role.MANAGER, office.rahim_id)
        assert other_manager.post(f"/kpi-assignments/{other}/value", {"value": 1}).status == 404


class TestOverride:
    def test_counts_instead_of_the_value_which_stays_beside_it(self, office: Office) -> None:
        assigned = office.assign(office.define())
        enter(office, assigned, 90)
        score = overrule(office, assigned, 108)
        assert (score["value"], score["override"]["value"], score["achievement"], score["weighted"]) == (
            90.0,
            108.0,
            90.0,
            18.0,
        )
        assert score["override"]["reason"] == "Two sites"
        enter(office, assigned, 60)
        assert office.come_out(assigned) == (60.0, 90.0, 18.0)
        cleared = overrule(office, assigned, None, None)
        assert (cleared["override"], office.come_out(assigned)) == (None, (60.0, 50.0, 10.0))
        audited = sql(
            office.cast, "select action, before, after from audit_logs where action like '%overr%' order by seq"
        )
        assert [(one.action, one.before, one.after) for one in audited] == [
            ("kpi_score.overridden", None, {"value": "108", "reason": "Two sites"}),
            ("kpi_score.override_cleared", {"value": "108", "reason": "Two sites"}, {"value": None, "reason": None}),
        ]

    def test_survives_every_recalculation(self, office: Office, stack: Stack) -> None:
        office.register("PP" * 31, late_count=6)
        assigned = office.assign(office.metric("late_count", target=12))
        overrule(office, assigned, 3)
        assert office.come_out(assigned) == (None, 25.0, 5.0)
        for day in ("2026-02-01", "2026-02-02"):
            night(stack, day)
            assert office.come_out(assigned) == (6.0, 25.0, 5.0)
            assert office.score(assigned)["override"]["value"] == 3.0
        overrule(office, assigned, None)
        assert office.come_out(assigned) == (6.0, 50.0, 10.0)

    def test_needs_a_reason(self, office: Office) -> None:
        assigned = office.assign(office.define())
        assert office.boss.post(f"/kpi-assignments/{assigned}/override", {"value": 1}).status == 422
        assert office.boss.post(f"/kpi-assignments/{assigned}/override", {"value": 1, "reason": " "}).status == 422

    @pytest.mark.parametrize(
        ("requested", "value", "status"),
        [({"metric_type": "rating", "target": 5}, 9, 422), ({"metric_type": "boolean", "target": None}, 0.5, 422),
         ({"metric_type": "text", "target": None}, 1, 409)],
    )  # fmt: skip
    def test_is_a_value_that_the_kpi_can_have(
        self, office: Office, requested: dict[str, Any], value: Any, status: int
    ) -> None:
        assigned = office.assign(office.define(**requested))
        reply = office.boss.post(f"/kpi-assignments/{assigned}/override", {"value": value, "reason": "x"})
        assert reply.status == status

    def test_that_is_not_there_is_cleared_without_a_trace(self, office: Office) -> None:
        assigned = office.assign(office.define())
        before = office.audited()
        assert overrule(office, assigned, None, None)["override"] is None
        assert office.audited() == before


class TestList:
    def test_shows_an_assignment_without_a_value_as_well(self, office: Office) -> None:
        score = office.score(office.assign(office.define()))
        blank = ("value", "text", "override", "achievement", "weighted", "formula", "as_of", "calculated_at", "entered")
        assert [score[name] for name in blank] == [None] * 9
        assert (score["target"], score["weight"], score["inputs"], score["warnings"]) == (120.0, 20.0, {}, [])

    def test_filters_by_cycle_and_person(self, office: Office) -> None:
        definition = office.define()
        first, second = office.assign(definition), office.assign(definition, office.boss_id)
        ids = lambda query: [one["assignment_id"] for one in office.cast.hr.ok("GET", f"/kpi-scores?{query}")["items"]]  # noqa: E731 - one line, used below
        assert ids(f"cycle_start=2026-01-01&user_id={office.rahim_id}") == [first]
        assert ids("cycle_start=2026-01-01") == [first, second]
        assert ids("cycle_start=2026-01-02") == []


class TestStranger:
    def test_finds_no_score(self, office: Office, zenith: Cast) -> None:
        assigned = office.assign(office.define())
        for assignment_id in (assigned, str(uuid4())):
            for verb, body in (("value", {"value": 1}), ("override", {"value": 1, "reason": "x"})):
                reply = zenith.hr.post(f"/kpi-assignments/{assignment_id}/{verb}", body)
                assert (reply.status, reply.json["detail"]) == (404, "There is no such KPI assignment.")
        assert zenith.hr.ok("GET", "/kpi-scores")["items"] == []


class TestScoreOf:
    """The function that pay formulas read kpi_score by."""

    def of(self, office: Office, day: str, cast: Cast | None = None) -> Any:
        [(score,)] = sql(
            cast or office.cast,
            "select kpi_score_of(:tenant_id, :user_id, cast(:day as date))",
            tenant_id=office.cast.id,
            user_id=office.rahim_id,
            day=day,
        )
        return None if score is None else float(score)

    def test_sums_the_weighted_scores_of_the_cycles_that_hold_the_day(self, office: Office, zenith: Cast) -> None:
        first, second = office.define("One"), office.define("Two", weight=30)
        assert self.of(office, "2026-01-15") is None
        one, two = office.assign(first), office.assign(second)
        assert self.of(office, "2026-01-15") is None  # assigned, and no score yet
        enter(office, one, 90)
        assert self.of(office, "2026-01-15") == 15.0
        enter(office, two, 60)
        enter(office, office.assign(first, cycle_start="2026-02-01", cycle_end="2026-02-28"), 120)
        assert [self.of(office, day) for day in ("2026-01-01", "2026-01-31", "2026-02-01", "2026-03-01")] == [
            30.0,
            30.0,
            20.0,
            None,
        ]
        overrule(office, two, 120)
        assert self.of(office, "2026-01-15") == 45.0
        assert self.of(office, "2026-01-15", zenith) is None

    def test_adds_up_what_is_exact_and_not_what_is_shown(self, office: Office) -> None:
        # 5 / 3 + 4 / 3 + 23 / 30 = 3.7666...; shown are 1.67 + 1.33 + 0.77 = 3.77
        shown = []
        for name, value, target in (("One", 5, 3), ("Two", 4, 3), ("Three", 23, 30)):
            assigned = office.assign(office.define(name, target=target, weight=1))
            shown.append(enter(office, assigned, value)["weighted"])
        assert shown == [1.67, 1.33, 0.77]
        [(score,)] = sql(
            office.cast,
            "select kpi_score_of(:tenant_id, :user_id, '2026-01-15')",
            tenant_id=office.cast.id,
            user_id=office.rahim_id,
        )
        assert str(score) == "3.7666666667"

    @pytest.mark.parametrize(("value", "score"), [(-5, "-1.6666666667"), (10**15, "333333333333333.3333333333")])
    def test_has_ten_places_whatever_its_size(self, office: Office, value: int, score: str) -> None:
        enter(office, office.assign(office.define("One", target=3, weight=1)), value)
        [(ratio,)] = sql(
            office.cast,
            "select kpi_score_of(:tenant_id, :user_id, '2026-01-15')",
            tenant_id=office.cast.id,
            user_id=office.rahim_id,
        )
        assert str(ratio) == score

    def test_divides_the_target_by_the_value_where_lower_is_better(self, office: Office) -> None:
        enter(office, office.assign(office.define("Days", target=10, weight=20, direction="lower_is_better")), 7)
        [(score,)] = sql(
            office.cast,
            "select kpi_score_of(:tenant_id, :user_id, '2026-01-15')",
            tenant_id=office.cast.id,
            user_id=office.rahim_id,
        )
        assert str(score) == "28.5714285714"  # 10 / 7 x 20


class TestDirection:
    @pytest.mark.parametrize(
        ("value", "achievement", "weighted"),
        [(8, 125.0, 25.0), (10, 100.0, 20.0), (20, 50.0, 10.0), (30, 33.33, 6.67), (5, 200.0, 40.0),
         (4, 200.0, 40.0), (0, 200.0, 40.0), (-1, 200.0, 40.0)],
    )  # fmt: skip
    def test_has_at_most_twice_the_target_where_lower_is_better(
        self, office: Office, value: float, achievement: float, weighted: float
    ) -> None:
        assigned = office.assign(office.define("Days", target=10, weight=20, direction="lower_is_better"))
        score = enter(office, assigned, value)
        assert (score["direction"], score["achievement"], score["weighted"]) == (
            "lower_is_better",
            achievement,
            weighted,
        )
        assert overrule(office, assigned, 40)["achievement"] == 25.0

    def test_is_higher_unless_it_is_another(self, office: Office) -> None:
        assert enter(office, office.assign(office.define("Sales")), 90)["direction"] == "higher_is_better"

    @pytest.mark.parametrize("target", [None, 0])
    def test_achieves_nothing_without_a_target(self, office: Office, target: Any) -> None:
        assigned = office.assign(office.define("Days", target=target, direction="lower_is_better"))
        assert enter(office, assigned, 3)["achievement"] is None

    @pytest.mark.parametrize(
        ("overrides", "pointer"),
        [({"target": -1}, "/target"), ({"metric_type": "boolean", "target": None}, "/direction"),
         ({"metric_type": "text", "target": None}, "/direction"), ({"direction": "down"}, "/direction")],
    )  # fmt: skip
    def test_is_refused_where_it_makes_no_sense(self, office: Office, overrides: Any, pointer: str) -> None:
        body = {"name": "Days", "source": "manual_entry", "target": 10, "direction": "lower_is_better", **overrides}
        reply = office.cast.hr.post("/kpi-definitions", body)
        assert (reply.status, [error["pointer"] for error in reply.json["errors"]]) == (422, [pointer])

    def test_that_changes_is_followed_by_the_scores_of_the_next_night(self, office: Office, stack: Stack) -> None:
        definition = office.define("Days", target=10)
        assigned = office.assign(definition)
        assert enter(office, assigned, 8)["achievement"] == 80.0
        office.cast.hr.ok("PATCH", f"/kpi-definitions/{definition['id']}", {"direction": "lower_is_better"})
        night(stack, "2026-01-15")
        score = office.score(assigned)
        assert (score["direction"], score["achievement"]) == ("lower_is_better", 125.0)


class TestShare:
    @settings(max_examples=300, deadline=None)
    @given(
        value=st.decimals(-(10**6), 10**6, places=6),
        target=st.decimals(-(10**6), 10**6, places=6),
        weight=st.decimals(0, 100, places=2),
    )
    def test_is_the_exact_fraction_rounded_half_up_once(self, value: Any, target: Any, weight: Any) -> None:
        from decimal import ROUND_HALF_UP, Decimal
        from fractions import Fraction

        from chalicelib.backing.database import transaction

        with transaction() as session:
            row = session.exec_driver_sql(
                "select kpi_share(%s, %s, 100), kpi_share(%s, %s, %s)", (value, target, value, target, weight)
            ).one()
        for share, times in zip(row, (Decimal(100), weight), strict=True):
            if target == 0:
                assert share is None
                continue
            exact = Fraction(value) * Fraction(times) / Fraction(target) * 100
            whole = int(abs(exact) + Fraction(1, 2)) * (-1 if exact < 0 else 1)
            assert share == (Decimal(whole) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
