"""Alembic's entry: one connection as the migrator, who becomes the owner; one transaction per migration.

It holds a lock of its own until it is closed, so that two of them never go at once: the second one waits as for a
table, gives up, comes again, and finds nothing left to do.
"""

from alembic import context
from sqlalchemy import create_engine, pool, text
from sqlalchemy.engine import make_url

url = make_url(context.config.attributes["url"]).set(drivername="postgresql+psycopg")
engine = create_engine(url, poolclass=pool.NullPool)
with engine.connect() as connection:
    connection.execute(text("set role wagebook_owner"))
    # a migration that cannot have its lock soon gives up, rather than queue everybody behind it
    connection.execute(text("set lock_timeout = '5s'"))
    connection.execute(text("select pg_advisory_lock(hashtext('migrations'))"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
