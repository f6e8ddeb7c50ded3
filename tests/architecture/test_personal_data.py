"""Erasure (GDPR): what happens to every table and every text column is declared, so that none is forgotten."""

import psycopg
import pytest

from tests.architecture.catalog import TENANT_TABLES

pytestmark = pytest.mark.usefixtures("database")

# Tables with a column of a person, or with a foreign key to such a table: they hold rows of people.
_TABLES = f"""
    select t.name, p.treatment, exists (
        select from pg_attribute a where a.attrelid = t.oid and a.attname = 'user_id' and not a.attisdropped
    ) as is_of_people
    from ({TENANT_TABLES}) t
    left join personal_data p on p.table_name = t.name and p.column_name = '*'"""
_WORDS = f"""
    select t.name || '.' || a.attname
    from ({TENANT_TABLES}) t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    where a.atttypid in ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype)
      and not exists (select from personal_data p where p.table_name = t.name and p.column_name = a.attname)
      and not exists (select from personal_data p where p.table_name = t.name and p.treatment = 'deleted')
    order by 1"""
_STRAY = """
    select p.table_name || '.' || p.column_name from personal_data p
    where p.column_name <> '*' and not exists (
        select from pg_attribute a
        where a.attrelid = to_regclass(p.table_name) and a.attname = p.column_name and not a.attisdropped)
    union all
    select p.table_name from personal_data p where to_regclass(p.table_name) is null"""

_EMPTIED = """
    select p.table_name || '.' || p.column_name from personal_data p
    join pg_attribute a on a.attrelid = to_regclass(p.table_name) and a.attname = p.column_name
    where p.becomes = 'null' and a.attnotnull"""


def undeclared(catalog: psycopg.Connection) -> list[str]:
    """Return tenant tables and text columns that are not declared."""
    tables = [name for name, treatment, _ in catalog.execute(_TABLES) if treatment is None]
    return sorted(tables) + [name for (name,) in catalog.execute(_WORDS)]


def careless(catalog: psycopg.Connection) -> list[str]:
    """Return tables declared to be of no person that have one in every row."""
    return [name for name, treatment, is_of_people in catalog.execute(_TABLES) if is_of_people and treatment == "none"]


class TestDeclaration:
    def test_covers_every_table_and_every_column_of_words(self, catalog: psycopg.Connection) -> None:
        assert undeclared(catalog) == []
        assert careless(catalog) == []

    def test_names_nothing_that_is_not_there(self, catalog: psycopg.Connection) -> None:
        assert list(catalog.execute(_STRAY)) == []

    def test_empties_nothing_that_must_say_something(self, catalog: psycopg.Connection) -> None:
        assert list(catalog.execute(_EMPTIED)) == []

    def test_keeps_no_words_of_a_record_as_they_are(self, catalog: psycopg.Connection) -> None:
        # generated columns follow the columns that they are computed from
        kept = """
            select p.table_name || '.' || p.column_name from personal_data p
            join pg_attribute a on a.attrelid = to_regclass(p.table_name) and a.attname = p.column_name
            where p.treatment = 'kept' and a.attgenerated = ''"""
        assert list(catalog.execute(kept)) == []

    def test_is_missed_for_a_table_that_is_new(self, catalog: psycopg.Connection) -> None:
        catalog.execute("create table gifts (tenant_id uuid, user_id uuid, wish text, tags jsonb)")
        assert undeclared(catalog) == ["gifts", "gifts.tags", "gifts.wish"]
        catalog.execute("insert into personal_data values ('gifts', '*', 'none', 'false', '', '', 10000)")
        assert careless(catalog) == ["gifts"]

    def test_is_missed_for_a_column_that_is_new(self, catalog: psycopg.Connection) -> None:
        catalog.execute("alter table users add column nickname text; alter table overtime drop column reason")
        assert undeclared(catalog) == ["users.nickname"]
        assert [name for (name,) in catalog.execute(_STRAY)] == ["overtime.reason"]

    def test_is_not_the_applications_to_write(self, catalog: psycopg.Connection) -> None:
        catalog.execute("set role wagebook_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            catalog.execute("update personal_data set whose = 'true'")
