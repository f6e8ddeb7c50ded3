"""Bank details and addresses that change: told at the old and the new address, one's own asked for and confirmed."""

from typing import Any
from uuid import UUID

import pytest

from chalicelib.identity.permissions import Role
from tests.support.api import Api
from tests.support.cast import Cast, key
from tests.support.notices import mailbox, text_of
from tests.support.people import row, sql
from tests.support.stack import Stack

OLD, NEW = "old@acme.example", "new@acme.example"
IBAN = {"kind": "iban", "holder": "Rahim", "iban": "DE89370400440532013000"}
OTHER = {"kind": "iban", "holder": "Rahim", "iban": "DE02120300000000202051"}


@pytest.fixture(name="rahim")
def _rahim(acme: Cast) -> UUID:
    user_id: UUID = row(acme, "users", {"name": "Rahim", "email": OLD})
    return user_id


def mails(running: Stack) -> list[tuple[str, str]]:
    """Return to whom mails went and their subjects, sorted."""
    running.drain()
    return sorted((str(mail["to"]).partition("<")[2].rstrip(">"), str(mail["subject"])) for mail in mailbox())


def path(user_id: UUID) -> str:
    return f"/users/{user_id}/payout-destination"


class TestNotified:
    def test_of_changed_bank_details_at_the_old_and_the_new_address(
        self, acme: Cast, running: Stack, rahim: UUID
    ) -> None:
        acme.hr.ok("PATCH", f"/users/{rahim}", {"email": NEW})
        acme.hr.ok("PUT", path(rahim), IBAN)
        assert mails(running) == [
            (NEW, "Your bank details were changed"), (NEW, "Your e-mail address was changed"),
            (OLD, "Your bank details were changed"), (OLD, "Your e-mail address was changed")]  # fmt: skip
        said = "\n".join(text_of(mail) for mail in mailbox())
        assert "n***@acme.example" in said
        assert "DE89 **** **** **** **30 00" in said
        assert IBAN["iban"] not in said

    def test_whatever_they_switched_off(self, acme: Cast, running: Stack, rahim: UUID) -> None:
        sql(acme, "insert into notification_preferences (tenant_id, user_id, switched_off) values"
                  " (:t, :u, '{destination_changed/email}')", t=acme.id, u=rahim)  # fmt: skip
        acme.hr.ok("PUT", path(rahim), IBAN)
        assert mails(running) == [(OLD, "Your bank details were changed")]

    def test_cannot_be_switched_off(self, acme: Cast, rahim: UUID) -> None:
        reply = key(acme.id, Role.EMPLOYEE, rahim).put(
            "/notification-preferences", {"kinds": {"email_changed": {"email": False}}}
        )
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/kinds/email_changed")

    def test_of_nothing_where_nothing_changed(self, acme: Cast, running: Stack, rahim: UUID) -> None:
        for _ in range(2):
            acme.hr.ok("PUT", path(rahim), IBAN)
        acme.hr.ok("PATCH", f"/users/{rahim}", {"email": OLD, "name": "Rahim Uddin"})
        assert mails(running) == [(OLD, "Your bank details were changed")]


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
        somebody = key(acme.id, Role.EMPLOYEE, row(acme, "users", {"name": "Karim"}))
        counts = [len(api.ok("GET", "/payout-destination-requests")["items"])
                  for api in (me, acme.hr, somebody, zenith.hr)]  # fmt: skip
        assert counts == [1, 1, 0, 0]
        assert zenith.hr.post(f"{path(rahim)}/confirm", {}).status == 404

    def test_is_for_people_alone(self, acme: Cast) -> None:
        assert acme.hr.post("/me/payout-destination", IBAN).status == 403

    def test_is_in_the_audit_without_the_number(self, acme: Cast, rahim: UUID, me: Api) -> None:
        me.ok("POST", "/me/payout-destination", IBAN)
        [entry]: list[Any] = acme.admin.ok("GET", "/audit-logs?action=destination.requested")["items"]
        assert entry["after"]["masked"] == "DE89 **** **** **** **30 00"
        assert IBAN["iban"] not in str(entry)
