"""What the bank said last of a payout in a file: status, reasons, its own words, and of the payee's name."""

from migrations.helpers import run

revision = "2026_12_01_1070"
down_revision = "2026_12_01_1061"


def upgrade() -> None:
    # nothing to backfill: until now only `problem` and the events kept what a bank said, and they stay
    run("""
        alter table payouts add column bank jsonb;
        comment on column payouts.bank is
            'what the bank said last: source, report, at, status, reasons, text, fee; is_accepted and name_check stay';
        grant update (bank) on payouts to wagebook_app;

        -- a bank repeats the name that it knows, which may be another than ours
        insert into personal_data (table_name, column_name, treatment, whose, becomes, why, step)
        select 'payouts', 'bank', 'blanked', '', 'null', '', max(step) + 1 from personal_data;
    """)
