"""Attachments of forms: what was announced, what was found when it arrived, and which submission it belongs to."""

from migrations.helpers import open_to, protect, run

revision = "2026_11_21_0910"
down_revision = "2026_11_21_0900"


def upgrade() -> None:
    run("""
        create table form_attachments (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            form_id uuid not null,
            user_id uuid not null,
            field_name text not null,
            file_name text not null,
            content_type text not null,
            size_bytes integer not null check (size_bytes > 0),
            status text not null default 'pending' check (status in ('pending', 'clean', 'refused', 'removed')),
            problem text,
            sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
            scanned_by text,
            checked_at timestamptz,
            submission_id uuid,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            foreign key (tenant_id, form_id) references forms,
            foreign key (tenant_id, user_id) references users,
            foreign key (tenant_id, submission_id) references form_submissions,
            check (status <> 'clean' or num_nulls(sha256, scanned_by, checked_at) = 0),
            check (status <> 'refused' or num_nulls(problem, checked_at) = 0),
            constraint form_attachments_submitted_clean check (submission_id is null or status = 'clean')
        );
        comment on column form_attachments.user_id is 'whose file it is: who may submit it';
        comment on column form_attachments.size_bytes is 'as it was announced; nothing of another size is taken';
        comment on column form_attachments.status is 'removed: its files are being deleted, and then this row';
        comment on column form_attachments.sha256 is 'of the content that was looked at; its key ends with it';
        comment on column form_attachments.scanned_by is 'which scanner passed it; none: there was none';
        create index form_attachments_by_submission on form_attachments (tenant_id, submission_id)
            where submission_id is not null;
        create index form_attachments_waiting on form_attachments (tenant_id, user_id) where submission_id is null;
        create index form_attachments_unsubmitted on form_attachments (created_at) where submission_id is null;
    """)
    protect(
        "form_attachments",
        grants="select, insert, update (status, problem, sha256, scanned_by, checked_at, submission_id), delete",
    )
    # of which tenant something is left over
    open_to("wagebook_sweeper", "form_attachments", grants="select (tenant_id, submission_id, created_at)")
