"""A link in a mail of a tenant that moved to another cell."""

from chalicelib.backing.database import transaction
from tests.notifications.test_preferences import FORM, link
from tests.support.api import Api
from tests.support.cast import Cast, platform_admin
from tests.support.notifications import person
from tests.support.stack import Stack


def test_names_the_cell_and_changes_nothing(acme: Cast, running: Stack) -> None:
    path = link(acme, running, person(acme))
    root = platform_admin()
    root.ok("PATCH", f"/tenants/{acme.id}", {"status": "suspended"})
    root.ok("PATCH", f"/tenants/{acme.id}", {"cell": "b"})
    reply = Api().post(path, "", headers=FORM)
    assert (reply.status, reply.json["cell"]) == (421, "b")
    with transaction(tenant_id=acme.id) as session:
        assert session.exec_driver_sql("select count(*) from notification_preferences").scalar_one() == 0
