"""Migrate the database's schema, as the migrator."""

from sqlalchemy import create_engine, pool, text
from sqlalchemy.engine import make_url

from chalicelib.backing.settings import settings


def migrate(to: str) -> tuple[str | None, str | None]:
    """Upgrade to a revision, and return the revisions before and after; None is an empty database."""
    from migrations import setup  # with Alembic, which is not in Lambda

    url = settings().migration_database_url
    if not url:
        raise RuntimeError("The migrator's address is not known: set MIGRATION_DATABASE_URL, or use `make run`'s.")
    before = revision(url)
    setup.upgrade(url, to)
    return before, revision(url)


def revision(url: str) -> str | None:
    """Return the revision of a database, or None."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("set role wagebook_owner"))
        if connection.execute(text("select to_regclass('public.alembic_version')")).scalar() is None:
            return None
        current: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
        return current
