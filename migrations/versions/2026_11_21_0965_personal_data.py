"""What is known of people: for every table whose rows they are, and for every column of words what an erasure does."""

from migrations.helpers import run

revision = "2026_11_21_0965"
down_revision = "2026_11_21_0960"

# table | whose rows are a person's: SQL over t, with $1 the person and $2 their addresses | what becomes of the rows
# | why. A later migration adds the lines of its own tables; a test finds those that are missing.
#   deleted  gone at once            later  gone when the retention of records is over
#   kept     under a pseudonym       none   no row is anybody's
_OWN = "t.user_id = $1"
_OF_PAYSLIP = (
    "exists (select from payslips p where p.tenant_id = t.tenant_id and p.id = t.payslip_id and p.user_id = $1)"
)
_OF_PAYOUT = "exists (select from payouts p where p.tenant_id = t.tenant_id and p.id = t.payout_id and p.user_id = $1)"
_OF_ALLOCATION = (
    "exists (select from leave_allocations a where a.tenant_id = t.tenant_id and a.id = t.allocation_id"
    " and a.user_id = $1)"
)
_OF_ASSIGNMENT = (
    "exists (select from kpi_assignments a where a.tenant_id = t.tenant_id and a.id = t.assignment_id"
    " and a.user_id = $1)"
)
_OF_SALE = "exists (select from sales s where s.tenant_id = t.tenant_id and s.id = t.sale_id and s.user_id = $1)"
_OF_LOG = (
    "exists (select from notification_logs l where l.tenant_id = t.tenant_id and l.id = t.log_id and l.user_id = $1)"
)
_NAMED = "position($1::text in t.body::text) > 0"
_HOURS, _MONEY = "the law of work: hours and days that were paid", "the law of taxes and of accounts: what was paid"

TABLES = [
    ("users", "t.id = $1", "kept", "the pseudonym that records refer to"),
    ("employments", _OWN, "kept", _HOURS),
    ("salaries", _OWN, "kept", _MONEY),
    ("roster_days", _OWN, "kept", _HOURS),
    ("attendance", _OWN, "kept", _HOURS),
    ("day_edits", _OWN, "kept", _HOURS),
    ("leave_days", _OWN, "kept", _HOURS),
    ("on_duty", _OWN, "kept", _HOURS),
    ("overtime", _OWN, "kept", _HOURS),
    ("pay_registers", _OWN, "kept", _HOURS),
    ("late_corrections", _OWN, "kept", _HOURS),
    ("leave_requests", _OWN, "kept", _HOURS),
    ("leave_allocations", _OWN, "kept", _HOURS),
    ("leave_entries", _OF_ALLOCATION, "kept", _HOURS),
    ("leave_warnings", _OF_ALLOCATION, "kept", _HOURS),
    ("balances", _OWN, "kept", _MONEY),
    ("ledger_accounts", _OWN, "kept", _MONEY),
    ("ledger_entries", _OWN, "kept", _MONEY),
    ("sales", _OWN, "kept", _MONEY),
    ("sale_decisions", _OF_SALE, "kept", _MONEY),
    ("pending_sales", _OWN, "kept", _MONEY),
    ("payouts", _OWN, "kept", _MONEY),
    ("payout_events", _OF_PAYOUT, "kept", _MONEY),
    ("simulated_movements", _OWN, "kept", _MONEY),
    ("payroll_adjustments", _OWN, "kept", _MONEY),
    ("payroll_amounts", _OWN, "kept", _MONEY),
    ("payment_type_assignments", _OWN, "kept", _MONEY),
    ("payslips", _OWN, "kept", _MONEY),
    ("payslip_one_offs", _OWN, "kept", _MONEY),
    ("payslip_documents", _OF_PAYSLIP, "later", "payslips as PDF are records too, and carry the name"),
    ("kpi_assignments", _OWN, "kept", "what pay was computed from"),
    ("kpi_scores", _OF_ASSIGNMENT, "kept", "what pay was computed from"),
    ("form_submissions", _OWN, "kept", "leave and scores refer to them; emptied"),
    ("notification_suppressions", f"t.address = any($2) or {_OF_LOG}", "deleted", "their addresses"),
    ("notification_logs", _OWN, "deleted", "what they were told"),
    ("notification_preferences", _OWN, "deleted", "their addresses"),
    ("form_attachments", _OWN, "deleted", "their files; what is in the bucket goes after the commit"),
    ("api_keys", _OWN, "deleted", "how they came in"),
    ("members", f"{_OWN} or t.email = any($2)", "deleted", "how they came in"),
    ("idempotency_keys", _NAMED, "deleted", "answers that tell of them"),
    ("webhook_events", f"{_NAMED} and not exists (select from webhook_deliveries d where d.tenant_id = t.tenant_id"
     " and d.event_id = t.id and d.status = 'pending')", "deleted", "copies of what was told; deliveries go with them"),
    ("outbox", f"t.sent_at is not null and {_NAMED}", "deleted", "messages that were sent"),
    ("payout_destinations", _OWN, "deleted", "bank details"),
    ("person_erasures", _OWN, "kept", "proof that it was done"),
    ("audit_logs", "t.user_id = $1 or t.entity_type = 'user' and t.entity_id = $1::text", "kept",
     "who did what, without what identifies them; erase_person does it"),
    *((name, "false", "none", "nobody's") for name in (
        *("audit_heads", "bank_file_settings", "branches", "departments", "divisions", "form_versions", "forms"),
        *("holidays", "job_chunks", "jobs", "kpi_definitions", "leave_expiry_rules", "leave_types", "nightly_runs"),
        *("pay_periods", "payment_type_versions", "payment_types", "payout_batches", "payroll_runs"),
        *("request_windows", "shifts", "tenant_keys", "tenants", "webhook_attempts", "webhook_deliveries"),
        "webhook_endpoints",
    )),
]  # fmt: skip

# table, columns, what becomes of them in the person's rows that stay, and by which SQL:
#   blanked  replaced in their rows
#   cleared  likewise, and their name and addresses are replaced in everybody else's
#   words    their name and addresses are replaced in everybody's rows
#   kept     a record as it is       none   nothing of a person's       audit  see erase_person
COLUMNS = [
    ("users", "name", "blanked", "'Erased person'"),
    ("users", "email", "blanked", "null"),
    ("users", "language", "blanked", "'en'"),
    ("employments", "employee_no", "blanked", "'erased-' || $1::text"),
    ("payouts", "destination_id", "blanked", "null"),
    ("payouts", "problem provider_reference prepared_by approved_by", "words", ""),
    ("payout_events", "detail actor", "words", ""),
    ("simulated_movements", "reason", "words", ""),
    ("payout_batches", "created_by", "words", ""),
    ("day_edits", "remarks", "cleared", "null"),
    ("day_edits", "edited_by superseded_by", "words", ""),
    ("pay_registers", "day_remarks", "cleared", "null"),
    ("leave_requests", "reason notes", "cleared", "null"),
    ("leave_allocations", "notes", "cleared", "null"),
    ("leave_entries", "cause booked_by", "words", ""),
    ("on_duty", "reason", "cleared", "null"),
    ("overtime", "reason", "cleared", "null"),
    ("form_submissions", "data", "cleared", "'{}'::jsonb"),
    ("form_submissions", "attachment_ids", "blanked", "'{}'::uuid[]"),
    ("form_submissions", "notes", "cleared", "null"),
    ("form_attachments", "file_name problem", "words", ""),
    ("kpi_assignments", "notes", "cleared", "null"),
    ("kpi_assignments", "assigned_by", "words", ""),
    ("kpi_scores", "text_value note", "cleared", "null"),
    ("kpi_scores", "override_reason", "cleared", "case when t.override_value is not null then 'erased' end"),
    ("kpi_scores", "entered_by overridden_by explanation", "words", ""),
    ("kpi_definitions", "created_by", "words", ""),
    ("payment_types", "description", "words", ""),
    ("payment_type_assignments", "changed_by", "words", ""),
    ("payment_type_versions", "created_by", "words", ""),
    ("payroll_adjustments", "reason", "cleared", "'erased'"),
    ("payroll_adjustments", "explanation created_by", "words", ""),
    ("payroll_amounts", "given_by", "words", ""),
    ("payroll_runs", "title summary created_by calculated_by", "words", ""),
    ("payroll_runs", "approved_by paid_by cancelled_by cancel_reason", "words", ""),
    ("payslips", "warnings", "words", ""),
    ("payslip_one_offs", "name detail", "words", ""),
    ("sales", "brand external_id", "kept", ""),
    ("sales", "created_by", "words", ""),
    ("sale_decisions", "reason decided_by", "words", ""),
    ("notification_logs", "said title message sent_to problem", "words", ""),
    ("api_keys", "name", "words", ""),
    ("webhook_events", "body", "words", ""),
    ("webhook_attempts", "response problem", "words", ""),
    ("webhook_deliveries", "problem", "words", ""),
    ("payout_destinations", "created_by", "words", ""),
    ("jobs", "parameters result error", "words", ""),
    ("forms", "description", "words", ""),
    ("audit_logs", "actor before after ip agent", "audit", ""),
    # codes, states, currencies, ids and the company's own names
    ("attendance", "stated stated_half source", "none", ""),
    ("audit_logs", "action entity_type entity_id request_id", "none", ""),
    ("balances", "month currency lines", "none", ""),
    ("bank_file_settings", "format payer_name payer_masked template", "none", ""),
    ("branches", "name timezone", "none", ""),
    ("day_edits", "first_code second_code", "none", ""),
    ("departments", "name", "none", ""),
    ("divisions", "name", "none", ""),
    ("form_submissions", "status", "none", ""),
    ("form_versions", "fields", "none", ""),
    ("forms", "name form_type", "none", ""),
    ("holidays", "name half", "none", ""),
    ("jobs", "kind key status", "none", ""),
    ("kpi_definitions", "code name description metric_type unit source metric formula", "none", ""),
    ("late_corrections", "month what", "none", ""),
    ("leave_days", "half nature", "none", ""),
    ("leave_entries", "bucket", "none", ""),
    ("leave_expiry_rules", "name description expiry_date_formula action", "none", ""),
    ("leave_requests", "start_half end_half status", "none", ""),
    ("leave_types", "name description color", "none", ""),
    ("ledger_accounts", "kind currency", "none", ""),
    ("ledger_entries", "event debit credit currency", "none", ""),
    ("nightly_runs", "kind", "none", ""),
    ("on_duty", "half status", "none", ""),
    ("overtime", "status", "none", ""),
    ("pay_periods", "month status decided_under", "none", ""),
    ("pay_registers", "month halves leave_halves", "none", ""),
    ("payment_type_versions", "currency base formula", "none", ""),
    ("payment_types", "code name category calculation", "none", ""),
    ("payout_batches", "format file_key file_name file_sha256 totals", "none", ""),
    ("payout_events", "what status", "none", ""),
    ("payouts", "currency kind provider reference status", "none", ""),
    ("payroll_adjustments", "kind currency source_type source_id", "none", ""),
    ("payroll_runs", "month kind status plan", "none", ""),
    ("payslip_documents", "sha256", "none", ""),
    ("payslip_one_offs", "kind category month", "none", ""),
    ("payslips", "currency given anomalies", "none", ""),
    ("person_erasures", "erased_by", "none", ""),
    ("salaries", "currency frequency", "none", ""),
    ("sale_decisions", "status", "none", ""),
    ("sales", "currency", "none", ""),
    ("shifts", "name", "none", ""),
    ("simulated_movements", "reference currency status", "none", ""),
    ("tenants", "slug name currency timezone policy status branding suspended_because cell", "none", ""),
    ("webhook_deliveries", "status", "none", ""),
    ("webhook_endpoints", "url events description disabled_because", "none", ""),
    ("webhook_events", "type", "none", ""),
]  # fmt: skip


def declare(tables: list[tuple[str, str, str, str]], columns: list[tuple[str, str, str, str]]) -> None:
    """Write lines of the declaration."""
    first = "(select coalesce(max(step), 0) from personal_data)"
    rows = [(table, "*", done, whose, "", why) for table, whose, done, why in tables]
    rows += [(table, name, done, "", becomes, "") for table, names, done, becomes in columns for name in names.split()]
    said = ", ".join(
        "(" + ", ".join("'" + word.replace("'", "''") + "'" for word in row) + f", {number})"
        for number, row in enumerate(rows, start=1)
    )
    run(f"""
        insert into personal_data (table_name, column_name, treatment, whose, becomes, why, step)
        select a, b, c, d, e, f, n + {first} from (values {said}) v(a, b, c, d, e, f, n)""")


def upgrade() -> None:
    run("""
        create table personal_data (
            table_name text not null,
            column_name text not null,
            treatment text not null check (
                treatment in ('deleted', 'later', 'kept', 'none', 'blanked', 'cleared', 'words', 'audit')),
            whose text not null,
            becomes text not null,
            why text not null,
            step integer not null unique,
            primary key (table_name, column_name),
            check ((column_name = '*') = (whose <> '')),
            check ((treatment in ('blanked', 'cleared')) = (becomes <> ''))
        );
        comment on column personal_data.column_name is '*: the rows themselves';
        comment on column personal_data.whose is 'SQL over t: which rows are theirs; $1 is who, $2 their addresses';
        comment on column personal_data.becomes is 'SQL: what stands in a column of theirs afterwards';
        comment on column personal_data.step is 'the order in which it is done';
        -- SQL in it is run by the owner: only the owner, which is a migration, writes it
        grant select on personal_data to wagebook_app;
    """)
    declare(TABLES, COLUMNS)
