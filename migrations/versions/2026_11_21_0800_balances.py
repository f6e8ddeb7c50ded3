"""What each person has earned so far."""

from migrations.helpers import protect, run

revision = "2026_11_21_0800"
down_revision = "2026_11_21_0750"


def upgrade() -> None:
    run("""
        create table balances (
            tenant_id uuid not null,
            month text not null,
            user_id uuid not null,
            as_of date not null,
            currency text not null,
            earned numeric not null,
            -- json and not jsonb: it is written for every employee every night, and read whole
            lines json not null,
            -- a projection, as the register is: no foreign keys
            primary key (tenant_id, month, user_id)
        );
    """)
    protect("balances")
