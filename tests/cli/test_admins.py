"""People who act for the platform by their login: added, listed, removed."""

import pytest
from sqlalchemy import text

from chalicelib.backing.database import transaction
from tests.cli.conftest import Cli


def named(email: str) -> list[str]:
    with transaction(role="wagebook_platform") as session:
        return list(session.scalars(text("select name from platform_admins where email = :email"), {"email": email}))


class TestAdmins:
    def test_are_added_once_whatever_the_case_of_their_address(self, cli: Cli) -> None:
        assert cli("admins", "add", "--email", "Dina@Example.com", "--name", "Dina").code == 0
        assert cli("admins", "add", "--email", "dina@example.com", "--name", "Dina Rahman", "--json").json == {
            "name": "Dina Rahman",
            "email": "dina@example.com",
        }
        assert named("dina@example.com") == ["Dina Rahman"]

    def test_are_listed_without_their_keys(self, cli: Cli) -> None:
        cli("admins", "add", "--email", "omar@example.com", "--name", "Omar")
        assert {"name": "Omar", "email": "omar@example.com", "has_key": False} in cli("admins", "list", "--json").json
        assert "omar@example.com" in cli("admins", "list").out

    def test_are_removed(self, cli: Cli) -> None:
        cli("admins", "add", "--email", "gone@example.com", "--name", "Gone")
        assert cli("admins", "remove", "--email", "Gone@example.com").code == 0
        assert named("gone@example.com") == []
        again = cli("admins", "remove", "--email", "gone@example.com")
        assert (again.code, again.err.strip()) == (1, "Nobody acts for the platform as gone@example.com.")

    @pytest.mark.parametrize("wrong", ["dina", "dina@", "@example.com", ""])
    def test_need_an_address(self, cli: Cli, wrong: str) -> None:
        result = cli("admins", "add", "--email", wrong, "--name", "Dina")
        assert result.code == 1
        assert "address such as" in result.err
