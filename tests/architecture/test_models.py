"""The models in Python are equal to the migrated tables."""

import importlib
import pkgutil

import pytest
import sqlalchemy as sa

import chalicelib.features
import chalicelib.identity.models
import chalicelib.ledger.models
import chalicelib.notifications.models
from chalicelib.backing.database import metadata
from migrations.setup import Urls

# Tables without a model, which only set-based SQL reads and writes.
WITHOUT_MODEL = {"alembic_version", "audit_heads", "audit_logs", "currencies", "idempotency_keys", "job_chunks", "jobs",
                 "nightly_runs", "outbox", "payout_moves", "person_erasures", "personal_data",
                 "platform_idempotency_keys", "request_windows", "tenant_keys"}  # fmt: skip


def import_models() -> None:
    """Import every `models` module."""
    for file in pkgutil.walk_packages(chalicelib.features.__path__, "chalicelib.features."):
        if file.name.endswith("models"):
            importlib.import_module(file.name)


@pytest.fixture(scope="module", name="migrated")
def _migrated(server: str, database: Urls) -> sa.MetaData:
    """Reflect the schema of the migrated database."""
    url = sa.make_url(server).set(drivername="postgresql+psycopg", database=database.application.rpartition("/")[2])
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    metadata = sa.MetaData()
    metadata.reflect(engine)
    import_models()
    return metadata


def differences(model: sa.Table, table: sa.Table) -> list[str]:
    """Return the differences of a model and its table, in words."""
    wrong = [f"no column {name}" for name in set(model.columns.keys()) ^ set(table.columns.keys())]
    wrong += ["another primary key"] * (
        list(model.primary_key.columns.keys()) != list(table.primary_key.columns.keys())
    )
    for column in model.columns:
        if column.name not in table.columns:
            continue
        real = table.columns[column.name]
        if kind(column.type) != kind(real.type):
            wrong.append(f"{column.name} is {kind(real.type)}, not {kind(column.type)}")
        if not column.nullable and real.nullable:
            wrong.append(f"{column.name} may be null")
        if bool(column.computed) != bool(real.computed):
            wrong.append(f"{column.name} is computed, or is not")
    return wrong


def kind(type_: sa.types.TypeEngine) -> str:
    """Return a type in PostgreSQL's words, without a number's precision, which models may leave out."""
    return type_.compile(dialect=sa.dialects.postgresql.dialect()).partition("(")[0].strip()


class TestModels:
    def test_are_there_for_every_table_but_those_listed(self, migrated: sa.MetaData) -> None:
        assert set(migrated.tables) - set(metadata.tables) == WITHOUT_MODEL
        assert set(metadata.tables) - set(migrated.tables) == set()

    def test_have_the_columns_types_and_keys_of_their_tables(self, migrated: sa.MetaData) -> None:
        wrong = {name: differences(model, migrated.tables[name]) for name, model in metadata.tables.items()}
        assert {name: problems for name, problems in wrong.items() if problems} == {}

    def test_differ_when_one_column_does(self, migrated: sa.MetaData) -> None:
        model = sa.Table(
            "users",
            sa.MetaData(),
            sa.Column("id", sa.Uuid, primary_key=True),
            sa.Column("name", sa.Integer),
            sa.Column("shoe_size", sa.Text),
        )
        problems = differences(model, migrated.tables["users"])
        assert "no column shoe_size" in problems
        assert "no column email" in problems
        assert "another primary key" in problems
        assert "name is TEXT, not INTEGER" in problems
