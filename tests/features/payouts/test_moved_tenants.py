"""Payouts of a tenant that moved to another cell: what it left behind is swept there, and not here."""

import pytest

from tests.support.cast import Cast, platform_admin
from tests.support.payouts import look, paid, pass_time
from tests.support.stack import Stack


@pytest.mark.parametrize(("cell", "found"), [("main", 1), ("b", 0)])
def test_are_passed_by_where_the_tenant_no_longer_lives(acme: Cast, running: Stack, cell: str, found: int) -> None:
    paid(acme, running, "timeout_after")
    root = platform_admin()
    root.ok("PATCH", f"/tenants/{acme.id}", {"status": "suspended"})
    root.ok("PATCH", f"/tenants/{acme.id}", {"cell": cell})
    pass_time(acme, minutes=5)
    assert look(running) == found
