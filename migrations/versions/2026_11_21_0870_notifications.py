"""Notifications: who was told what, over which channel, and what became of it; who wants to be told how."""

from migrations.helpers import open_to, protect, run

revision = "2026_11_21_0870"
down_revision = "2026_11_21_0860"


def upgrade() -> None:
    run("""
        alter table tenants add column branding jsonb not null default '{}';
        comment on column tenants.branding is 'how mails look: color (#rrggbb) and footer, where they were chosen';

        create table notification_logs (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            user_id uuid not null,
            kind text not null check (kind in (
                'leave_expiry_warning', 'leave_requested', 'leave_approved', 'leave_rejected', 'leave_cancelled',
                'form_decided', 'payroll_ready', 'kpi_due', 'appraisal_reminder', 'custom')),
            channel text not null check (channel in ('email', 'in_app', 'push', 'sms')),
            cause text not null,
            entity_type text not null,
            entity_id text not null,
            said jsonb not null,
            status text not null check (status in ('pending', 'sent', 'failed', 'bounced')),
            attempts integer not null default 0,
            look_at timestamptz,
            title text,
            message text,
            sent_to text,
            provider_id text,
            problem text,
            created_at timestamptz not null default now(),
            sent_at timestamptz,
            opened_at timestamptz,
            primary key (tenant_id, id),
            unique (tenant_id, user_id, kind, cause, channel),
            foreign key (tenant_id, user_id) references users,
            check ((status = 'pending') = (look_at is not null)),
            check (channel <> 'in_app' or status = 'sent')
        );
        comment on column notification_logs.cause is 'the reason to tell; the same one is told once';
        comment on column notification_logs.said is 'the values that the wording is filled with';
        comment on column notification_logs.look_at is
            'not to be sent before; while it is being sent, the lease''s end';
        comment on column notification_logs.title is 'as it was sent; null before that, and in the app';
        comment on column notification_logs.sent_to is 'the address, number or endpoint of the latest attempt';
        create index notification_logs_by_user on notification_logs (tenant_id, user_id, id)
            where channel = 'in_app';
        create index notification_logs_by_status on notification_logs (tenant_id, status, id);
        create index notification_logs_to_look_at on notification_logs (look_at) where look_at is not null;

        create table notification_preferences (
            tenant_id uuid not null,
            user_id uuid not null,
            phone text,
            push_endpoint text,
            switched_off text[] not null default '{}',
            version integer not null default 1,
            primary key (tenant_id, user_id),
            foreign key (tenant_id, user_id) references users
        );
        comment on column notification_preferences.phone is 'E.164; where SMS go';
        comment on column notification_preferences.push_endpoint is 'ARN of the endpoint of their device in SNS';
        comment on column notification_preferences.switched_off is 'kind/channel; what is not named is on';

        create table notification_suppressions (
            tenant_id uuid not null references tenants,
            id uuid not null default uuidv7(),
            address text not null,
            reason text not null check (reason in ('bounce', 'complaint')),
            log_id uuid not null,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            unique (tenant_id, address),
            foreign key (tenant_id, log_id) references notification_logs
        );
        comment on column notification_suppressions.address is 'lower case; no mail of this tenant goes there';
        comment on column notification_suppressions.log_id is 'the mail that bounced or was complained about';
    """)
    protect("notification_logs", grants="select, insert, update")
    protect("notification_preferences", grants="select, insert, update")
    protect("notification_suppressions")
    # who is due, and nothing of what they are told
    open_to("wagebook_sweeper", "notification_logs", grants="select (tenant_id, id, attempts, look_at)")
