"""Idempotency keys: the same request with the same key is done once, and its reply is replayed."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chalicelib.backing import clock
from chalicelib.backing.database import transaction
from chalicelib.entry import idempotency
from chalicelib.identity.permissions import Role
from tests.support.api import Reply
from tests.support.cast import Cast, key, platform_admin
from tests.support.people import employee, sql

K = {"headers": {"idempotency-key": "k1"}}


class TestKey:
    def test_replays_the_answer(self, acme: Cast) -> None:
        first = acme.hr.post("/departments", {"name": "Sewing"}, **K)
        again = acme.hr.post("/departments", {"name": "Sewing"}, **K)
        assert (first.status, again.status) == (201, 201)
        assert first.text == again.text
        assert (first.headers.get("Idempotent-Replay"), again.headers["Idempotent-Replay"]) == (None, "true")
        assert first.headers["ETag"] == again.headers["ETag"]
        assert sql(acme, "select name from departments") == [("Sewing",)]
        assert len(sql(acme, "select 1 from audit_logs")) == 1

    def test_with_another_body_is_422(self, acme: Cast) -> None:
        acme.hr.ok("POST", "/departments", {"name": "Sewing"}, **K)
        assert acme.hr.post("/departments", {"name": "Ironing"}, **K).status == 422
        assert sql(acme, "select name from departments") == [("Sewing",)]

    def test_with_another_route_or_query_is_422(self, acme: Cast) -> None:
        acme.hr.ok("POST", "/departments", {"name": "Sewing"}, **K)
        assert acme.hr.post("/divisions", {"name": "Sewing"}, **K).status == 422

    def test_differs_for_a_dry_run_and_the_real_one(self, acme: Cast) -> None:
        body = [{"name": "Rahim", "employee_no": "E-1", "joined_on": "2026-01-01"}]
        acme.hr.ok("POST", "/users/import?dry_run=true", body, **K)
        assert acme.hr.post("/users/import", body, **K).status == 422
        assert sql(acme, "select 1 from users") == []

    def test_of_one_caller_is_none_of_anothers(self, acme: Cast) -> None:
        one, other = (key(acme.id, Role.EMPLOYEE, employee(acme, employee_no=number)) for number in ("E-1", "E-2"))
        body = {"start_date": "2026-01-05", "end_date": "2026-01-05"}
        one.ok("POST", "/on-duty", body, **K)
        other_reply = other.post("/on-duty", body, **K)
        assert (other_reply.status, other_reply.headers.get("Idempotent-Replay")) == (201, None)
        assert one.post("/on-duty", body, **K).headers["Idempotent-Replay"] == "true"
        assert other.post("/on-duty", {**body, "reason": "fair"}, **K).status == 422

    def test_of_an_employees_check_in_does_not_block_payroll(self, acme: Cast) -> None:
        rahim = employee(acme)
        key(acme.id, Role.EMPLOYEE, rahim).ok("POST", f"/users/{rahim}/checkin", None, **K)
        assert acme.hr.post("/payouts/advance/run", None, **K).status in (200, 202)

    def test_of_a_row_without_an_actor_replays_to_its_first_sender(self, acme: Cast) -> None:
        first = acme.hr.post("/departments", {"name": "Sewing"}, **K)
        sql(acme, "update idempotency_keys set actor_id = '00000000-0000-0000-0000-000000000000'")
        assert acme.hr.post("/departments", {"name": "Sewing"}, **K).text == first.text
        other_reply = acme.admin.post("/departments", {"name": "Ironing"}, **K)
        assert (other_reply.status, other_reply.headers.get("Idempotent-Replay")) == (201, None)

    def test_of_a_platform_admin_replays_too(self, acme: Cast) -> None:
        root, other = platform_admin(), platform_admin()
        body = {
            "name": "New",
            "slug": f"new-{acme.slug}",
            "currency": "BDT",
            "timezone": "Asia/Dhaka",
            "admin_email": "root@new.example",
        }
        first = root.post("/tenants", body, **K)
        again = root.post("/tenants", body, **K)
        assert (first.status, again.status, again.headers.get("Idempotent-Replay")) == (201, 201, "true")
        assert again.text == first.text
        assert root.post("/tenants", {**body, "name": "Another"}, **K).status == 422
        assert other.post("/tenants", body, **K).status == 409  # the slug is taken; nothing of root's reply is shown

    def test_of_one_tenant_does_not_meet_anothers(self, acme: Cast, zenith: Cast) -> None:
        acme.hr.ok("POST", "/departments", {"name": "Sewing"}, **K)
        other_reply = zenith.hr.post("/departments", {"name": "Sewing"}, **K)
        assert (other_reply.status, other_reply.headers.get("Idempotent-Replay")) == (201, None)

    @pytest.mark.parametrize("refused", ["{}", '{"name": ""}', "{", '{"name": "Taken"}'])
    def test_of_a_refused_request_may_be_used_again(self, acme: Cast, refused: str) -> None:
        acme.hr.ok("POST", "/departments", {"name": "Taken"})
        assert acme.hr.post("/departments", refused, **K).status >= 400
        assert sql(acme, "select 1 from idempotency_keys") == []
        assert acme.hr.post("/departments", {"name": "Sewing"}, **K).status == 201

    def test_is_not_read_before_the_permission_is_checked(self, acme: Cast) -> None:
        acme.hr.ok("POST", "/departments", {"name": "Sewing"}, **K)
        reply = key(acme.id, Role.EMPLOYEE).post("/departments", {"name": "Sewing"}, **K)
        assert reply.status == 403

    @pytest.mark.parametrize("key", ["x" * 201, "\x00", "a\nb", "\ud800"])
    def test_that_cannot_be_kept_is_422(self, acme: Cast, key: str) -> None:
        assert acme.hr.post("/departments", {"name": "x"}, headers={"idempotency-key": key}).status == 422


class TestForget:
    def test_forgets_what_is_two_days_old_of_tenants_and_of_the_platform(self, acme: Cast) -> None:
        root = platform_admin()
        acme.hr.ok("POST", "/departments", {"name": "Sewing"}, **K)
        root.ok(
            "POST", "/tenants", {"name": "N", "slug": f"old-{acme.slug}", "currency": "BDT", "timezone": "UTC"}, **K
        )
        idempotency.forget(now=clock.now() + timedelta(days=1, hours=23))
        assert len(sql(acme, "select 1 from idempotency_keys")) == 1
        idempotency.forget(now=clock.now() + timedelta(days=2, hours=1))
        assert sql(acme, "select 1 from idempotency_keys") == []
        with transaction(role="wagebook_platform") as session:
            assert session.execute(text("select 1 from platform_idempotency_keys")).all() == []


class TestTwoAtOnce:
    def test_does_one_and_refuses_or_repeats_the_other(self, acme: Cast) -> None:
        replies: list[Reply] = []
        go = threading.Barrier(2)

        def send() -> None:
            go.wait()
            replies.append(acme.hr.post("/departments", {"name": "Sewing"}, **K))

        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(reply.status for reply in replies) in ([201, 201], [201, 409])
        assert sql(acme, "select name from departments") == [("Sewing",)]

    def test_refuses_while_the_first_still_runs(self, acme: Cast) -> None:
        [(actor,)] = sql(acme, "select id from api_keys where role = 'hr'")
        with transaction(tenant_id=acme.id) as first:
            first.execute(
                text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"{acme.id}/{actor}/k1"}
            )
            second: Any = acme.hr.post("/departments", {"name": "Sewing"}, **K)
        assert (second.status, second.json["type"]) == (409, "urn:wagebook:problem:conflict")
        assert acme.hr.post("/departments", {"name": "Sewing"}, **K).status == 201
