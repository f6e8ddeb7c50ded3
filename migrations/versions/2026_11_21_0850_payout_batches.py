"""Bank files: how a tenant's bank takes them, and the batches of payouts that were written to one."""

from migrations.helpers import protect, run

revision = "2026_11_21_0850"
down_revision = "2026_11_21_0840"


def upgrade() -> None:
    run("""
        create table bank_file_settings (
            tenant_id uuid primary key references tenants,
            format text not null check (format in ('pain.001', 'delimited')),
            payer_name text,
            payer_masked text,
            payer_sealed bytea,
            payer_key_id uuid,
            template json,
            version integer not null default 1,
            foreign key (tenant_id, payer_key_id) references tenant_keys,
            check (num_nulls(payer_name, payer_masked, payer_sealed, payer_key_id) in (0, 4)),
            check (payer_name is not null or format <> 'pain.001'),
            check ((template is not null) = (format = 'delimited'))
        );
        comment on column bank_file_settings.payer_sealed is 'the account that pays, sealed as people''s are';
        -- json and not jsonb: a template is read whole, and its columns keep their order as they were said

        create table payout_batches (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            number integer not null check (number > 0),
            format text not null check (format in ('pain.001', 'delimited')),
            file_key text not null,
            file_name text not null,
            file_sha256 text not null,
            payouts integer not null check (payouts > 0),
            totals json not null,
            execution_on date not null,
            created_by text not null,
            created_at timestamptz not null,
            handed_over_at timestamptz,
            primary key (tenant_id, id),
            unique (tenant_id, number)
        );
        comment on column payout_batches.totals is 'what the file says: [{currency, payouts, amount}]';
        comment on column payout_batches.handed_over_at is 'when somebody first asked for the file';

        alter table payouts add foreign key (tenant_id, batch_id) references payout_batches;
        alter table payouts add constraint payouts_in_a_file_are_not_queued
            check (batch_id is null or status not in ('held', 'queued'));
    """)
    protect("bank_file_settings", grants="select, insert, update")
    protect("payout_batches", grants="select, insert, update (handed_over_at)")
