"""Changed bank details and addresses: their person is notified at the old and the new address, whatever they prefer."""

from uuid import UUID

import pytest

from chalicelib.identity.permissions import Role
from tests.support.cast import Cast, key
from tests.support.notifications import mailbox, text_of
from tests.support.people import row, sql
from tests.support.stack import Stack

OLD, NEW = "old@acme.example", "new@acme.example"
IBAN = {"kind": "iban", "holder": "Rahim", "iban": "DE89370400440532013000"}


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
            (NEW, "Your bank details were changed"),
            (NEW, "Your e-mail address was changed"),
            (OLD, "Your bank details were changed"),
            (OLD, "Your e-mail address was changed"),
        ]
        texts = "\n".join(text_of(mail) for mail in mailbox())
        assert "n***@acme.example" in texts
        assert "DE89 **** **** **** **30 00" in texts
        assert IBAN["iban"] not in texts

    def test_whatever_they_switched_off(self, acme: Cast, running: Stack, rahim: UUID) -> None:
        sql(
            acme,
            "insert into notification_preferences (tenant_id, user_id, switched_off) values"
            " (:t, :u, '{destination_changed/email}')",
            t=acme.id,
            u=rahim,
        )
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
