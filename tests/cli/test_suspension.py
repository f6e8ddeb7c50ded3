"""Suspending a tenant from the terminal, and letting it go on."""

import psycopg
import pytest

from tests.cli.conftest import Cli
from tests.support.cast import Cast, tenant

BECAUSE = "The March invoice is open."


@pytest.fixture(name="acme")
def _acme(database: object) -> Cast:
    return tenant("Acme")


def suspend(cli: Cli, cast: Cast) -> None:
    result = cli("tenants", "suspend", "--tenant", cast.slug, "--reason", BECAUSE)
    assert result.code == 0, result.err
    assert result.out.startswith(f"{cast.slug} was active and is suspended now. Waiting: 0 messages, 0 payouts")


class TestSuspend:
    def test_tells_callers_the_reason(self, cli: Cli, acme: Cast) -> None:
        suspend(cli, acme)
        assert acme.hr.get("/me").json["detail"] == f"This tenant is suspended: {BECAUSE}"

    def test_touches_nobody_else(self, cli: Cli, acme: Cast) -> None:
        zenith = tenant("Zenith")
        suspend(cli, acme)
        assert zenith.hr.get("/me").status == 200

    def test_needs_a_reason(self, cli: Cli, acme: Cast) -> None:
        assert cli("tenants", "suspend", "--tenant", acme.slug).code == 2
        assert cli("tenants", "suspend", "--tenant", acme.slug, "--reason", "").code != 0
        assert acme.hr.get("/me").status == 200

    def test_of_nobody_names_who_there_is(self, cli: Cli) -> None:
        result = cli("tenants", "suspend", "--tenant", "nobody", "--reason", BECAUSE)
        assert (result.code, result.err[:24]) == (1, "There is no tenant nobod")

    def test_is_audited_once_however_often_it_is_said(self, cli: Cli, acme: Cast, root: psycopg.Connection) -> None:
        suspend(cli, acme)
        again = cli("tenants", "suspend", "--tenant", acme.slug, "--reason", BECAUSE, "--json")
        assert (again.json["before"], again.json["status"]) == ("suspended", "suspended")
        assert audited(root, acme) == [{"status": "suspended", "suspended_because": BECAUSE}]


class TestResume:
    def test_lets_callers_in_and_is_audited_with_its_reason(
        self, cli: Cli, acme: Cast, root: psycopg.Connection
    ) -> None:
        suspend(cli, acme)
        result = cli("tenants", "resume", "--tenant", acme.slug, "--reason", "It was paid.", "--json")
        assert (result.json["before"], result.json["status"]) == ("suspended", "active")
        assert acme.hr.get("/me").status == 200
        assert audited(root, acme)[1] == {"status": "active", "suspended_because": None, "why": "It was paid."}


def audited(root: psycopg.Connection, cast: Cast) -> list[object]:
    rows = root.execute(
        "select after from audit_logs where tenant_id = %s and action = 'tenant.changed' order by seq", [cast.id]
    )
    return [after for (after,) in rows]
