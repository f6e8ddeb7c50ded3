from dataclasses import dataclass

import pytest
from sqlalchemy import text

from chalicelib.backing import rows
from chalicelib.backing.database import transaction

pytestmark = pytest.mark.usefixtures("database")


@dataclass(frozen=True, slots=True)
class Named:
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@pytest.mark.parametrize("columns", ["'a' as name, 1 as number", "1 as number, true as other, 'a' as name"])
def test_rows_are_picked_by_the_names_of_columns(columns: str) -> None:
    with transaction() as session:
        assert rows.every(Named, session.execute(text(f"select {columns} union all select {columns}"))) == [
            Named("a", 1),
            Named("a", 1),
        ]
        assert rows.first(Named, session.execute(text(f"select {columns}"))) == Named("a", 1)
        assert rows.one(Name, session.execute(text(f"select {columns}"))) == Name("a")
        assert rows.first(Named, session.execute(text(f"select {columns} where false"))) is None


def test_a_field_that_is_no_column_is_an_error() -> None:
    with transaction() as session, pytest.raises(KeyError, match="number"):
        rows.first(Named, session.execute(text("select 'a' as name")))
