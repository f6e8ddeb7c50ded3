"""An index, made while everybody goes on writing."""

from alembic import op

from migrations.helpers import run

revision = "drill_index"
down_revision = "drill_validate"


def upgrade() -> None:
    # outside a transaction, so nothing else belongs into this migration; a try that was cut off is begun again
    with op.get_context().autocommit_block():
        # it waits for every transaction older than itself, and nobody waits for it
        run("set lock_timeout = 0")
        try:
            run("drop index concurrently if exists sales_by_channel")
            run("create index concurrently sales_by_channel on sales (tenant_id, channel, id)")
        finally:
            run("set lock_timeout = '5s'")
