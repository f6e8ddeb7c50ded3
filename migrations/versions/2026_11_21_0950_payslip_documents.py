"""Payslips as files: which were asked for, and which are made."""

from migrations.helpers import protect, run

revision = "2026_11_21_0950"
down_revision = "2026_11_21_0940"


def upgrade() -> None:
    run("""
        create table payslip_documents (
            tenant_id uuid not null,
            payslip_id uuid not null,
            asked_at timestamptz not null,
            sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
            size_bytes integer check (size_bytes > 0),
            made_at timestamptz,
            -- of approved payslips only, which stay; a foreign key would be asked about each draft thrown away
            primary key (tenant_id, payslip_id),
            check (num_nulls(sha256, size_bytes, made_at) in (0, 3))
        );
        comment on column payslip_documents.asked_at is 'when the latest message to make it was sent';
        comment on column payslip_documents.sha256 is 'of the file; its key ends with it; null: not made yet';
    """)
    # which payslip it is of never changes
    protect("payslip_documents", grants="select, insert, update (asked_at, sha256, size_bytes, made_at)")
