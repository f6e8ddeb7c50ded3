"""Sales one by one: noted, noted again, listed, looked at."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key
from tests.support.payouts import decide, sale, seller
from tests.support.people import sql
from tests.support.stack import at


def refused(cast: Cast, **fields: object) -> tuple[int, str]:
    """Send a sale that is refused, and return the status and the detail."""
    reply = cast.admin.post("/sales", {"earning": "40.00", **fields})
    return reply.status, reply.json["detail"] if reply.status != 422 else reply.json["errors"][0]["pointer"]


def listed(cast: Cast, query: str = "") -> list[str]:
    return [one["id"] for one in cast.admin.ok("GET", f"/sales{query}")["items"]]


class TestAddSeller:
    def test_makes_a_person_as_post_users_does(self, acme: Cast) -> None:
        user = acme.hr.ok("POST", "/sales/user", {"name": "Mina", "email": "mina@acme.example"})
        assert acme.hr.ok("GET", f"/users/{user['id']}")["email"] == "mina@acme.example"
        assert acme.hr.post("/sales/user", {}).status == 422


class TestAdd:
    def test_notes_a_pending_sale(self, acme: Cast) -> None:
        mina = seller(acme)
        with at("2026-01-05T08:30:00Z"):
            added = acme.admin.ok("POST", "/sales", {"user_id": mina, "earning": "40", "brand": "Sun"})
        assert {name: added[name] for name in added if name != "id"} == {
            "user_id": mina,
            "brand": "Sun",
            "external_id": None,
            "earning": "40.00",
            "currency": "BDT",
            "advance": "0.00",
            "status": "pending",
            "reason": None,
            "decided_at": None,
            "occurred_at": "2026-01-05T08:30:00Z",
            "created_at": "2026-01-05T08:30:00Z",
        }
        assert acme.admin.ok("GET", f"/sales/{added['id']}") == added
        [noted] = sql(acme, "select actor, entity_id, after from audit_logs where action = 'sale.added'")
        assert (noted.actor, noted.entity_id) == ("tenant_admin:tenant_admin key", added["id"])
        assert noted.after["earning"] == "40"

    def test_answers_with_the_one_that_is_there_when_sent_again(self, acme: Cast) -> None:
        mina = seller(acme)
        body = {
            "user_id": mina,
            "earning": "40.00",
            "brand": "Sun",
            "external_id": "A-1",
            "occurred_at": "2026-01-05T14:30:00+06:00",
        }
        first = acme.admin.ok("POST", "/sales", body)
        assert acme.admin.ok("POST", "/sales", body) == first
        less = {name: body[name] for name in ("user_id", "earning", "external_id")}
        assert acme.admin.ok("POST", "/sales", {**less, "occurred_at": "2026-01-05T08:30:00Z"}) == first
        decide(acme, "approved", first["id"])
        assert acme.admin.ok("POST", "/sales", less)["status"] == "approved"
        assert sql(acme, "select count(*) from sales")[0][0] == 1
        assert sql(acme, "select count(*) from audit_logs where action = 'sale.added'")[0][0] == 1

    @pytest.mark.parametrize(("otherwise", "differ"), [
        ({"earning": "40.01"}, "earning"),
        ({"currency": "USD"}, "currency"),
        ({"brand": "Moon"}, "brand"),
        ({"occurred_at": "2026-01-05T08:31:00Z"}, "occurred_at"),
        ({"user_id": ...}, "person"),
    ])  # fmt: skip
    def test_refuses_another_sale_under_the_same_id(self, acme: Cast, otherwise: dict, differ: str) -> None:
        body = {
            "user_id": seller(acme),
            "earning": "40.00",
            "brand": "Sun",
            "external_id": "A-1",
            "occurred_at": "2026-01-05T08:30:00Z",
        }
        acme.admin.ok("POST", "/sales", body)
        if "user_id" in otherwise:
            otherwise = {"user_id": seller(acme)}
        status, detail = refused(acme, **{**body, **otherwise})
        assert status == 409
        assert detail.startswith(f"A-1 is there already, a sale of 40.00 BDT, and is told otherwise here: {differ}. ")

    def test_takes_the_same_id_for_each_tenant(self, acme: Cast, zenith: Cast) -> None:
        sale(acme, seller(acme), external_id="A-1")
        sale(zenith, seller(zenith), earning="1.00", external_id="A-1")
        assert [cast.admin.ok("GET", "/sales")["items"][0]["earning"] for cast in (acme, zenith)] == ["40.00", "1.00"]

    def test_is_one_sale_however_often_it_is_sent_at_once(self, acme: Cast) -> None:
        body = {"user_id": seller(acme), "earning": "40.00", "external_id": "A-1"}
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: acme.admin.post("/sales", body), range(8)))
        assert [reply.status for reply in replies] == [201] * 8
        assert len({reply.json["id"] for reply in replies}) == 1
        assert sql(acme, "select count(*) from pending_sales")[0][0] == 1

    @pytest.mark.parametrize(("currency", "good", "shown", "bad"), [
        ("JPY", "40", "40", "40.5"),
        ("BDT", "40.5", "40.50", "40.505"),
        ("KWD", "40.5", "40.500", "40.5005"),
    ])  # fmt: skip
    def test_takes_as_many_decimals_as_the_currency_has(
        self, acme: Cast, currency: str, good: str, shown: str, bad: str
    ) -> None:
        mina = seller(acme)
        added = acme.admin.ok("POST", "/sales", {"user_id": mina, "earning": good, "currency": currency})
        assert (added["earning"], added["currency"]) == (shown, currency)
        assert refused(acme, user_id=mina, earning=bad, currency=currency) == (422, "/earning")

    @pytest.mark.parametrize(("body", "place"), [
        ({"earning": "0"}, "/earning"),
        ({"earning": "-1.00"}, "/earning"),
        ({"earning": "1e15"}, "/earning"),
        ({"earning": "NaN"}, "/earning"),
        ({"earning": "1e-400"}, "/earning"),
        ({"currency": "XXX"}, "/currency"),
        ({"external_id": ""}, "/external_id"),
        ({"external_id": "x" * 201}, "/external_id"),
        ({"occurred_at": "2026-01-05T14:30:00"}, "/occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "/occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "/occurred_at"),
        ({"status": "approved"}, "/status"),
    ], ids=str)  # fmt: skip
    def test_refuses_what_is_no_sale(self, acme: Cast, body: dict, place: str) -> None:
        assert refused(acme, user_id=seller(acme), **body) == (422, place)

    def test_is_not_for_employees(self, acme: Cast) -> None:
        mina = seller(acme)
        assert key(acme.id, Role.EMPLOYEE, mina).post("/sales", {"user_id": mina, "earning": "1.00"}).status == 403

    def test_answers_another_tenant_as_for_an_unknown_id(self, acme: Cast, zenith: Cast) -> None:
        assert refused(zenith, user_id=seller(acme)) == (404, "There is no such person.")
        assert refused(zenith, user_id=str(uuid4())) == (404, "There is no such person.")


class TestList:
    def test_pages_through_the_pending_in_the_order_they_came(self, acme: Cast) -> None:
        mina = seller(acme)
        sale_ids = [sale(acme, mina) for _ in range(8)]
        decide(acme, "approved", sale_ids[1], sale_ids[3])
        first = acme.admin.ok("GET", "/sales?status=pending&limit=2")
        assert [one["id"] for one in first["items"]] == [sale_ids[0], sale_ids[2]]
        late = sale(acme, mina)
        decide(acme, "declined", sale_ids[0], sale_ids[5])
        second = acme.admin.ok("GET", f"/sales?status=pending&limit=2&cursor={first['next_cursor']}")
        assert [one["id"] for one in second["items"]] == [sale_ids[4], sale_ids[6]]
        third = acme.admin.ok("GET", f"/sales?status=pending&limit=2&cursor={second['next_cursor']}")
        assert ([one["id"] for one in third["items"]], third["next_cursor"]) == ([sale_ids[7], late], None)

    def test_keeps_to_a_status_and_a_person(self, acme: Cast) -> None:
        mina, karim = seller(acme), seller(acme)
        of_mina, of_karim = [sale(acme, mina) for _ in range(3)], sale(acme, karim)
        decide(acme, "approved", of_mina[0])
        decide(acme, "declined", of_mina[1], reason="no receipt")
        assert listed(acme) == [*of_mina, of_karim]
        assert listed(acme, "?status=approved") == [of_mina[0]]
        assert listed(acme, "?status=declined") == [of_mina[1]]
        assert listed(acme, "?status=pending") == [of_mina[2], of_karim]
        assert listed(acme, f"?status=pending&user_id={karim}") == [of_karim]
        sale(acme, mina)
        late = sale(acme, karim)
        assert listed(acme, f"?status=pending&user_id={karim}&limit=2") == [of_karim, late]
        assert listed(acme, f"?user_id={mina}&limit=200")[:3] == of_mina
        decide(acme, "approved", of_mina[1], correction=True, reason="found it")
        assert listed(acme, "?status=declined") == []
        assert listed(acme, "?status=approved") == of_mina[:2]

    def test_refuses_what_is_no_filter(self, acme: Cast) -> None:
        for query in ("status=paid", "limit=0", "limit=201", "cursor=x", "user_id=1", "brand=Sun"):
            assert acme.admin.get(f"/sales?{query}").status == 422, query
        assert acme.admin.get("/sales?status=pending&cursor=x").status == 422

    def test_shows_an_employee_their_own_only(self, acme: Cast) -> None:
        mina, karim = seller(acme), seller(acme)
        own, other = sale(acme, mina), sale(acme, karim)
        caller = key(acme.id, Role.EMPLOYEE, mina)
        for query in ("", "?status=pending"):
            assert [one["id"] for one in caller.ok("GET", f"/sales{query}")["items"]] == [own]
        assert caller.ok("GET", f"/sales/{own}")["id"] == own
        assert caller.get(f"/sales/{other}").status == 404
        assert caller.get(f"/sales?user_id={karim}").status == 404
        assert [one["id"] for one in key(acme.id, Role.MANAGER, mina).ok("GET", "/sales")["items"]] == [own]

    def test_shows_another_tenant_nothing(self, acme: Cast, zenith: Cast) -> None:
        mina = seller(acme)
        sale_id = sale(acme, mina)
        assert listed(zenith) == listed(zenith, "?status=pending") == []
        assert zenith.admin.get(f"/sales/{sale_id}").status == 404
        assert zenith.admin.get(f"/sales?user_id={mina}").status == 404
