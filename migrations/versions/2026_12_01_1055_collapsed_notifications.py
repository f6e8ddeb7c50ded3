"""Notifications of one kind to one person within minutes leave as one: the others name the one that told of them."""

from migrations.helpers import run

revision = "2026_12_01_1055"
down_revision = "2026_12_01_1054"


def upgrade() -> None:
    run("""
        alter table notification_logs add column collapsed_into uuid;
        comment on column notification_logs.collapsed_into is
            'the row whose mail tells of this one too, and whose outcome it shares; null: it leaves by itself';
        create index notification_logs_collapsed_into on notification_logs (tenant_id, collapsed_into)
            where collapsed_into is not null;

        -- so that what shares another's outcome is not attempted by itself
        grant select (collapsed_into) on notification_logs to wagebook_sweeper;
    """)
