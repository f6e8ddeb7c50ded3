"""The key of attendance carries what the one open half is worth, so that the register's scan never visits the table."""

from alembic import op

from migrations.helpers import run

revision = "2026_12_01_1021"
down_revision = "2026_12_01_1020"


def upgrade() -> None:
    # The largest table's key is built beside the old one, while it is read and written, and takes its place at once.
    # What an attempt that was given up left behind is dropped first.
    with op.get_context().autocommit_block():
        run("drop index concurrently if exists attendance_key")
        run("""
            create unique index concurrently attendance_key on attendance (tenant_id, user_id, day)
                include (present, enough_for_half, late_minutes, early_out_minutes)
        """)
    run("""
        alter table attendance
            drop constraint attendance_pkey,
            add constraint attendance_pkey primary key using index attendance_key
    """)
