"""Sales: what was sold, what is still to be decided, and what was decided. Only the middle one ever shrinks."""

from migrations.helpers import protect, run

revision = "2026_11_21_0820"
down_revision = "2026_11_21_0810"


def upgrade() -> None:
    run("""
        create table sales (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            user_id uuid not null,
            brand text,
            external_id text,
            earning numeric not null check (earning > 0),
            currency text not null references currencies,
            occurred_at timestamptz not null,
            created_by text not null,
            created_at timestamptz not null,
            primary key (tenant_id, id),
            unique (tenant_id, external_id),
            foreign key (tenant_id, user_id) references users
        );
        -- A person's sales lie anywhere in the table; advances read all they need from here.
        create index sales_by_user on sales (tenant_id, user_id, id) include (earning, currency);

        -- The work list: one row per sale that nobody decided yet. A sale's own row is never updated, which would
        -- write each of its indexes anew.
        create table pending_sales (
            tenant_id uuid not null,
            sale_id uuid not null,
            user_id uuid not null,
            primary key (tenant_id, sale_id),
            foreign key (tenant_id, sale_id) references sales
        );
        create index pending_sales_by_user on pending_sales (tenant_id, user_id, sale_id);

        create table sale_decisions (
            tenant_id uuid not null,
            sale_id uuid not null,
            revision smallint not null,
            status text not null check (status in ('approved', 'declined')),
            reason text,
            decided_by text not null,
            decided_at timestamptz not null,
            primary key (tenant_id, sale_id, revision),
            check (revision = 1 or reason is not null)
        );
        comment on column sale_decisions.revision is '1, and one more with each correction; the last one counts';
    """)
    protect("sales", grants="select, insert")
    protect("pending_sales", grants="select, insert, delete")
    protect("sale_decisions", grants="select, insert")
