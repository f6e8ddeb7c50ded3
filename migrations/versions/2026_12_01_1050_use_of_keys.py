"""Keys show when they were used last, and may end at a moment set when they are made."""

from migrations.helpers import run

revision = "2026_12_01_1050"
down_revision = "2026_12_01_1042"


def upgrade() -> None:
    run("""
        alter table api_keys add column last_used_at timestamptz, add column expires_at timestamptz;
        comment on column api_keys.last_used_at is 'written at most once in five minutes; null: not since this is kept';
        comment on column api_keys.expires_at is 'from then on it is refused; null: it does not end by itself';
    """)
