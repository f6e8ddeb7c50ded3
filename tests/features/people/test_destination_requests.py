"""One's own bank details: requested, and confirmed by another user."""

from uuid import UUID

import pytest

from chalicelib.identity.permissions import Role
from tests.support.api import Api
from tests.support.cast import Cast, key
from tests.support.people import row

IBAN = {"kind": "iban", "holder": "Rahim", "iban": "DE89370400440532013000"}
OTHER = {"kind": "iban", "holder": "Rahim", "iban": "DE02120300000000202051"}


@pytest.fixture(name="rahim")
def _rahim(acme: Cast) -> UUID:
    user_id: UUID = row(acme, "users", {"name": "Rahim"})
    return user_id


def path(user_id: UUID) -> str:
    return f"/users/{user_id}/payout-destination"


class TestRequest:
    @pytest.fixture(name="me")
    def _me(self, acme: Cast, rahim: UUID) -> Api:
        return key(acme.id, Role.EMPLOYEE, rahim)

    def test_takes_effect_when_hr_confirms_it(self, acme: Cast, rahim: UUID, me: Api) -> None:
        acme.hr.ok("PUT", path(rahim), IBAN)
        asked = me.ok("POST", "/me/payout-destination", OTHER)
        assert (asked["masked"], asked["changed_at"]) == ("DE02 **** **** **** **20 51", None)
        assert me.ok("GET", path(rahim))["masked"] == "DE89 **** **** **** **30 00"
        [waiting] = acme.hr.ok("GET", "/payout-destination-requests")["items"]
        assert (waiting["id"], waiting["user_id"]) == (asked["id"], str(rahim))
        done = acme.hr.ok("POST", f"{path(rahim)}/confirm", {"id": asked["id"]})
        assert (done["id"], done["held_until"], done["confirmed_by"]) == (asked["id"], None, "hr key")
        assert acme.hr.ok("GET", path(rahim)) == done
        assert acme.hr.ok("GET", "/payout-destination-requests")["items"] == []

    def test_is_not_confirmed_by_its_person_under_any_key(self, acme: Cast, rahim: UUID, me: Api) -> None:
        asked = me.ok("POST", "/me/payout-destination", IBAN)
        reply = key(acme.id, Role.HR, rahim).post(f"{path(rahim)}/confirm", {"id": asked["id"]})
        assert (reply.status, reply.json["detail"]) == (
            403,
            "Nobody decides their own bank details; POST /me/payout-destination requests them. Somebody else has to,"
            " who may destinations.write (tenant_admin, hr).",
        )
        assert acme.hr.get(path(rahim)).status == 404

    def test_gives_way_to_a_later_one_and_to_what_hr_sets(self, acme: Cast, rahim: UUID, me: Api) -> None:
        first = me.ok("POST", "/me/payout-destination", IBAN)
        me.ok("POST", "/me/payout-destination", OTHER)
        assert acme.hr.post(f"{path(rahim)}/confirm", {"id": first["id"]}).status == 409
        acme.hr.ok("PUT", path(rahim), IBAN)
        assert acme.hr.ok("GET", "/payout-destination-requests")["items"] == []

    def test_is_seen_by_its_person_and_hr_alone(self, acme: Cast, zenith: Cast, rahim: UUID, me: Api) -> None:
        me.ok("POST", "/me/payout-destination", IBAN)
        colleague = key(acme.id, Role.EMPLOYEE, row(acme, "users", {"name": "Karim"}))
        counts = [
            len(api.ok("GET", "/payout-destination-requests")["items"]) for api in (me, acme.hr, colleague, zenith.hr)
        ]
        assert counts == [1, 1, 0, 0]
        assert zenith.hr.post(f"{path(rahim)}/confirm", {}).status == 404

    def test_is_for_people_alone(self, acme: Cast) -> None:
        assert acme.hr.post("/me/payout-destination", IBAN).status == 403

    def test_is_in_the_audit_without_the_number(self, acme: Cast, rahim: UUID, me: Api) -> None:
        me.ok("POST", "/me/payout-destination", IBAN)
        [entry] = acme.admin.ok("GET", "/audit-logs?action=destination.requested")["items"]
        assert entry["after"]["masked"] == "DE89 **** **** **** **30 00"
        assert IBAN["iban"] not in str(entry)
