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
            currency text not null references currencies,
            earned numeric not null,
            totals jsonb not null,
            lines jsonb not null,
            primary key (tenant_id, month, user_id),
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, month) references pay_periods on delete cascade
        );
    """)
    protect("balances")
