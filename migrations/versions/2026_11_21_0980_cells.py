"""A tenant lives in one cell, a whole stack of its own; where it is not this one, its row is a signpost."""

from migrations.helpers import run

revision = "2026_11_21_0980"
down_revision = "2026_11_21_0970"


def upgrade() -> None:
    # The application may read it and not write it: its update grants name their columns, and this is none of them.
    run("""
        alter table tenants
            add column cell text not null default 'main' check (cell ~ '^[a-z][a-z0-9-]{0,30}$');
        comment on column tenants.cell is
            'the cell that its rows live in; while it is another one than this, the tenant stays suspended here';

        -- so that schedules pass a signpost by where they go on for the suspended
        grant select (cell) on tenants to wagebook_sweeper;
    """)
