"""People of the demo are erased, one after the other, and every check holds; nobody who stays loses anything."""

import psycopg
import pytest

from chalicelib.operators.scopes import get_tenant_id
from tests.cli.conftest import Cli
from tests.support import stack

# who asked for leave, who decided about it, who is paid for sales, and whose January is told
NUMBERS = ("A005", "A003", "A004")


@pytest.fixture(name="acme", scope="module")
def _acme(cli: Cli, root: psycopg.Connection) -> object:
    with stack.running():
        assert cli("demo", "load").code == 0
    # their money is open, as it is in a demo; what is asked here is what becomes of all the rest
    root.execute(
        "create or replace function person_erasure_refused(of_tenant uuid, person uuid, today date)"
        " returns setof text language sql stable as 'select null::text where false'"
    )
    return get_tenant_id("acme")


def words_of(root: psycopg.Connection, tenant_id: object, mark: str) -> list[str]:
    """Return every column of words in which a tenant's rows say something."""
    columns = root.execute(
        "select c.table_name::text, c.column_name::text from information_schema.columns c"
        " join information_schema.columns k on k.table_schema = 'public' and k.table_name = c.table_name"
        "  and k.column_name = 'tenant_id'"
        " where c.table_schema = 'public' and c.data_type in ('text', 'json', 'jsonb')"
    ).fetchall()
    return [
        f"{table}.{column}"
        for table, column in columns
        if root.execute(
            f"select 1 from {table} where tenant_id = %s and strpos(lower({column}::text), %s) > 0 limit 1",
            [tenant_id, mark.lower()],
        ).fetchone()
    ]


class TestErase:
    def test_takes_people_out_of_a_company_that_was_lived_in(
        self, cli: Cli, acme: object, root: psycopg.Connection
    ) -> None:
        people = root.execute(
            "select u.id, u.name, u.email, e.employee_no from users u join employments e"
            " on e.tenant_id = u.tenant_id and e.user_id = u.id where u.tenant_id = %s and e.employee_no = any(%s)",
            [acme, list(NUMBERS)],
        ).fetchall()
        others = "select count(*), sum(hashtext(u::text)) from users u where not (id = any(%s))"
        mine = [person for person, *_ in people]
        before = root.execute(others, [mine]).fetchone()
        assert len(people) == len(NUMBERS)
        named: set[str] = set()
        for person, name, email, number in people:
            named.update(words_of(root, acme, name))
            result = cli("people", "erase", "--tenant", "acme", "--person", number)
            assert result.code == 0, result.err
            assert str(person) in result.out
            assert words_of(root, acme, name) == []
            assert email is None or words_of(root, acme, email) == []
        assert {"users.name", "audit_logs.actor"} <= named
        assert root.execute(others, [mine]).fetchone() == before
        checked = cli("check", "--json")
        assert (checked.code, checked.json["ok"]) == (0, True), checked.out
