"""Forms: what a tenant designed, every version of it, and what people submitted."""

from migrations.helpers import protect, run

revision = "2026_11_21_0900"
down_revision = "2026_11_21_0890"


def upgrade() -> None:
    run("""
        create table forms (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            name text not null,
            description text,
            form_type text not null
                check (form_type in ('leave_request', 'appraisal', 'application', 'feedback', 'custom')),
            branch_id uuid,
            is_active boolean not null default true,
            version integer not null default 1,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            unique (tenant_id, name),
            foreign key (tenant_id, branch_id) references branches
        );
        comment on column forms.branch_id is 'whose people it is for; null: everybody';

        create table form_versions (
            tenant_id uuid not null,
            form_id uuid not null,
            number integer not null check (number > 0),
            fields jsonb not null,
            published_at timestamptz,
            primary key (tenant_id, form_id, number),
            foreign key (tenant_id, form_id) references forms
        );
        comment on column form_versions.fields is 'in the order in which they are shown';
        comment on column form_versions.published_at is 'null: a draft, of which a form has one at most, its last';
        create unique index form_versions_one_draft on form_versions (tenant_id, form_id) where published_at is null;

        create table form_submissions (
            tenant_id uuid not null,
            id uuid not null default uuidv7(),
            form_id uuid not null,
            version_number integer not null,
            user_id uuid not null,
            data jsonb not null default '{}',
            attachment_ids uuid[] not null default '{}',
            status text not null default 'draft'
                check (status in ('draft', 'submitted', 'under_review', 'approved', 'rejected')),
            submitted_at timestamptz,
            reviewed_by uuid,
            reviewed_at timestamptz,
            notes text,
            version integer not null default 1,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            foreign key (tenant_id, form_id, version_number) references form_versions,
            foreign key (tenant_id, user_id) references users,
            check ((status = 'draft') = (submitted_at is null)),
            check ((status in ('draft', 'submitted')) = (reviewed_at is null))
        );
        comment on column form_submissions.version_number is 'the version that it was checked by, for good';
        comment on column form_submissions.attachment_ids is 'what a draft will attach once it is submitted';
        comment on column form_submissions.reviewed_by is 'the person who reviewed last, where the actor is a person';
        create index form_submissions_by_form on form_submissions (tenant_id, form_id, id);
        create index form_submissions_by_status on form_submissions (tenant_id, form_id, status, id);
        create index form_submissions_by_user on form_submissions (tenant_id, user_id, id);

        -- Submissions are read by the version they were made with, so it may not change under them.
        create function form_versions_stay() returns trigger language plpgsql as $$
        begin
            raise exception 'a published version of a form is never changed; make the next one';
        end $$;

        create trigger stay before update on form_versions
            for each row when (old.published_at is not null) execute function form_versions_stay();
    """)
    protect("forms", grants="select, insert, update")
    protect("form_versions", grants="select, insert, update (fields, published_at)")
    protect("form_submissions", grants="select, insert, update")
