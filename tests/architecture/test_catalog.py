"""The migrated database isolates tenants by itself: policies, keys, indexes and grants, read from its catalog."""

import psycopg
import pytest

from migrations.setup import Urls
from tests.architecture import catalog as read

pytestmark = pytest.mark.usefixtures("database")

NO_TENANT = {
    "alembic_version": "which migrations ran",
    "currencies": "the world's, the same for all",
    "payout_moves": "the state graph of payouts, the same for all",
    "personal_data": "what an erasure does with every table and column, the same for all",
    "platform_admins": "who stands above tenants",
    "platform_idempotency_keys": "what those were answered, who belong to no tenant",
}
NARROW_POLICIES = {
    ("tenants", "wagebook_platform"), ("tenants", "wagebook_directory"), ("members", "wagebook_directory"),
    ("tenants", "wagebook_sweeper"), ("nightly_runs", "wagebook_sweeper"), ("outbox", "wagebook_sweeper"),
    ("idempotency_keys", "wagebook_sweeper"), ("ledger_accounts", "wagebook_sweeper"),
    ("pending_sales", "wagebook_sweeper"), ("payouts", "wagebook_sweeper"),
    ("webhook_deliveries", "wagebook_sweeper"), ("webhook_events", "wagebook_sweeper"),
    ("notification_logs", "wagebook_sweeper"),
    ("form_attachments", "wagebook_sweeper"),
}  # fmt: skip
KEYS_ACROSS = {"tenants.tenants_slug_key": "the word by which callers choose a tenant is one for all"}
INDEXES_ACROSS = {
    **{name.partition(".")[2]: reason for name, reason in KEYS_ACROSS.items()},
    "members_by_email": "signing in: to which tenants does this address belong?",
    "members_by_subject": "signing in: to which tenants does this subject belong?",
    "outbox_unsent": "the sweeper looks for what waits, whoever's it is",
    "payouts_to_look_at": "likewise, for payouts that somebody has to look at again",
    "webhook_deliveries_to_look_at": "likewise, for deliveries whose next attempt is due",
    "notification_logs_to_look_at": "likewise, for notifications",
    "webhook_events_by_age": "what is old is forgotten, whoever's it is",
    "form_attachments_unsubmitted": "likewise, files that nobody submitted",
}
APPLICATION = {
    "currencies": "select",
    "tenants": "select",
    "audit_heads": "select",
    "audit_logs": "insert select",
    "day_edits": "insert select update",
    "payout_destinations": "insert select update",
    "bank_file_settings": "insert select update",
    "provider_credentials": "delete insert select",
    "payout_batches": "insert select",
    "payouts": "insert select",
    "payout_events": "insert select",
    "payout_moves": "select",
    "personal_data": "select",
    "person_erasures": "select",
    "simulated_movements": "insert select",
    "tenant_keys": "insert select",
    "leave_warnings": "insert select",
    "leave_requests": "insert select update",
    "leave_allocations": "select",
    "leave_entries": "select",
    "payment_types": "insert select update",
    "payment_type_versions": "insert select",
    "payment_type_assignments": "insert select update",
    "kpi_definitions": "insert select update",
    "kpi_assignments": "delete insert select",
    "payroll_adjustments": "insert select",
    "forms": "insert select update",
    "form_versions": "insert select",
    "form_submissions": "insert select update",
    "form_attachments": "delete insert select",
    "notification_logs": "insert select update",
    "payroll_runs": "insert select update",
    "payslips": "delete insert select",
    "payslip_one_offs": "delete insert select",
    "payslip_documents": "insert select",
    "notification_preferences": "insert select update",
    "webhook_attempts": "insert select update",
    "webhook_deliveries": "insert select update",
    "webhook_events": "insert select",
    "ledger_accounts": "select",
    "ledger_entries": "select",
    "payable_earmarks": "insert select",
    "payable_nettings": "insert select",
    "pending_sales": "delete insert select",
    "sale_decisions": "insert select",
    "sales": "insert select",
}  # every other tenant table: delete insert select update
APPLICATION_COLUMNS = {
    # what a tenant's admins may change; status, limit and slug belong to the platform
    ("tenants", "update"): {
        *("name", "currency", "timezone", "weekend", "week_start", "cycle_start_day", "policy", "branding", "version")
    },
    ("ledger_accounts", "insert"): {"tenant_id", "kind", "user_id", "currency"},
    ("ledger_entries", "insert"): {  # all but the number, which the database assigns
        "tenant_id",
        "user_id",
        "subject_id",
        "event",
        "revision",
        "line",
        "debit",
        "credit",
        "currency",
        "amount",
        "booked_at",
    },
    # an approved payslip stays; a later one only records that it took a carried net
    ("payslips", "update"): {"carried_into"},
    ("payroll_adjustments", "update"): {"payslip_id", "paid_at"},
    # days are kept by the database, from the entries
    ("leave_allocations", "insert"): {
        *("tenant_id", "id", "user_id", "leave_type_id", "cycle_start_on", "cycle_end_on", "expires_on", "notes"),
        "created_at",
    },
    ("leave_allocations", "update"): {"expires_on", "expired_at", "notes", "version"},
    ("leave_entries", "insert"): {
        *("tenant_id", "allocation_id", "bucket", "days", "cause", "request_id", "concerns_on", "booked_at"),
        "booked_by",
    },
    ("tenant_keys", "update"): {"retired_at"},
    ("person_erasures", "update"): {"attachment_ids", "payslip_ids"},  # what is left to delete from the bucket
    ("ledger_accounts", "update"): {"opened_at"},  # for row locks; never the balance
    # its state; never what is paid, to whom and under which key
    ("payouts", "update"): {
        *("status", "fence", "lease_until", "look_at", "looks", "first_sent_at", "unknown_since", "provider_reference"),
        *("problem", "batch_id", "approved_by", "approved_by_ids", "settled_at", "bank"),
    },
    # how much of it is paid; never its amount, employee or run
    ("payable_earmarks", "update"): {"netted", "waits", "payout_id"},
    ("provider_credentials", "update"): {"sealed", "key_id"},  # by a rotation of the data key
    ("simulated_movements", "update"): {"status", "reason"},
    ("payout_batches", "update"): {"handed_over_at"},
    ("form_versions", "update"): {"fields", "published_at"},  # of a draft; a published version is immutable
    # when it was requested, and the file; never its payslip
    ("payslip_documents", "update"): {"asked_at", "sha256", "size_bytes", "made_at"},
    # the verdict and the key; never its owner, or what was announced
    ("form_attachments", "update"): {"status", "problem", "sha256", "scanned_by", "checked_at", "submission_id"},
}
NARROW_TABLES = {
    "wagebook_platform": {
        "currencies": "select",
        "platform_admins": "delete insert select update",
        "platform_idempotency_keys": "insert select",
        "tenants": "insert select update",
    },
    "wagebook_directory": {},
    "wagebook_sweeper": {
        "idempotency_keys": "delete",
        "nightly_runs": "select",
        "outbox": "delete select",
        "platform_idempotency_keys": "delete",
        "webhook_events": "delete",
    },
}
NARROW_COLUMNS = {
    "wagebook_platform": {},
    "wagebook_directory": {
        ("tenants", "select"): {"id", "slug", "status"},
        ("members", "select"): {"tenant_id", "id", "email", "issuer", "subject", "status"},
    },
    "wagebook_sweeper": {
        ("tenants", "select"): {"id", "timezone", "status", "cell"},
        ("outbox", "update"): {"sent_at"},
        ("idempotency_keys", "select"): {"created_at"},
        ("platform_idempotency_keys", "select"): {"created_at"},
        ("ledger_accounts", "select"): {"tenant_id", "kind", "balance"},
        ("pending_sales", "select"): {"tenant_id"},
        ("payouts", "select"): {"tenant_id", "id", "status", "look_at"},
        ("webhook_deliveries", "select"): {"tenant_id", "id", "tries", "look_at"},
        ("notification_logs", "select"): {"tenant_id", "id", "attempts", "look_at", "collapsed_into"},
        ("webhook_events", "select"): {"created_at"},
        ("form_attachments", "select"): {"tenant_id", "submission_id", "created_at"},
    },
}
ROLES = (
    "wagebook_app",
    "wagebook_directory",
    "wagebook_migrator",
    "wagebook_owner",
    "wagebook_platform",
    "wagebook_sweeper",
)


class TestTables:
    def test_hold_tenants_rows_unless_listed(self, catalog: psycopg.Connection) -> None:
        assert read.other_relations(catalog) == set(NO_TENANT)
        assert len(read.tenant_tables(catalog)) >= 28

    def test_are_all_under_forced_row_level_security(self, catalog: psycopg.Connection) -> None:
        assert read.not_forced(catalog) == []

    def test_have_the_one_canonical_policy(self, catalog: psycopg.Connection) -> None:
        assert read.without_canonical_policy(catalog) == []
        assert read.other_policies(catalog) == NARROW_POLICIES

    def test_have_the_tenant_first_in_every_key(self, catalog: psycopg.Connection) -> None:
        assert read.keys_across_tenants(catalog) == sorted(KEYS_ACROSS)

    def test_have_the_tenant_first_in_every_index(self, catalog: psycopg.Connection) -> None:
        assert read.indexes_across_tenants(catalog) == sorted(INDEXES_ACROSS)


class TestChecks:
    """The checks above can fail: a table with one mistake is found by the check for it."""

    def test_find_a_table_without_row_level_security(self, catalog: psycopg.Connection) -> None:
        catalog.execute("create table careless (tenant_id uuid, id uuid, primary key (tenant_id, id))")
        assert read.not_forced(catalog) == ["careless"]
        assert read.without_canonical_policy(catalog) == ["careless"]

    def test_find_security_that_is_not_forced(self, catalog: psycopg.Connection) -> None:
        catalog.execute("alter table users no force row level security")
        assert read.not_forced(catalog) == ["users"]

    @pytest.mark.parametrize("policy", [
        "using (true) with check (true)",
        "using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid)) with check (true)",
        "for select using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))",
    ])  # fmt: skip
    def test_find_a_policy_in_other_words(self, catalog: psycopg.Connection, policy: str) -> None:
        catalog.execute(f"drop policy tenant_isolation on users; create policy tenant_isolation on users {policy}")
        assert read.without_canonical_policy(catalog) == ["users"]

    def test_find_a_second_policy(self, catalog: psycopg.Connection) -> None:
        catalog.execute("create policy everybody on users using (true)")
        assert read.other_policies(catalog) - NARROW_POLICIES == {("users", "public")}

    def test_find_a_view_and_a_table_of_no_tenant(self, catalog: psycopg.Connection) -> None:
        catalog.execute("create view all_users as select * from users; create table notes (id uuid)")
        assert read.other_relations(catalog) - set(NO_TENANT) == {"all_users", "notes"}

    def test_find_keys_and_indexes_that_cross_tenants(self, catalog: psycopg.Connection) -> None:
        catalog.execute("""create unique index on branches (id, tenant_id);
            create table careless (id uuid primary key, tenant_id uuid, no text unique, branch uuid,
                foreign key (branch, tenant_id) references branches (id, tenant_id));
            create index careless_by_lower on careless (lower(no))""")
        assert set(read.keys_across_tenants(catalog)) - set(KEYS_ACROSS) == {
            "careless.careless_pkey",
            "careless.careless_no_key",
            "careless.careless_branch_tenant_id_fkey",
        }
        assert set(read.indexes_across_tenants(catalog)) - set(INDEXES_ACROSS) == {
            "careless_pkey",
            "careless_no_key",
            "careless_by_lower",
            "branches_id_tenant_id_idx",
        }


class TestRoles:
    def test_have_no_powers_of_their_own(self, catalog: psycopg.Connection) -> None:
        rows = catalog.execute("""
            select rolname, rolcanlogin from pg_roles
            where rolname like 'wagebook%' and not (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole
                                                    or rolreplication or rolinherit) order by 1""").fetchall()
        assert [name for name, _ in rows] == list(ROLES)
        assert [name for name, may_log_in in rows if may_log_in] == ["wagebook_app", "wagebook_migrator"]

    def test_step_into_others_only_by_name_and_inherit_nothing(self, catalog: psycopg.Connection) -> None:
        rows = catalog.execute("""
            select member::regrole::text, roleid::regrole::text from pg_auth_members
            where (member::regrole::text like 'wagebook%' or roleid::regrole::text like 'wagebook%')
              and set_option and not inherit_option and not admin_option order by 1, 2""").fetchall()
        assert rows == [
            ("wagebook_app", "wagebook_directory"),
            ("wagebook_app", "wagebook_platform"),
            ("wagebook_app", "wagebook_sweeper"),
            ("wagebook_migrator", "wagebook_owner"),
        ]
        assert catalog.execute("""
            select count(*) from pg_auth_members
            where member::regrole::text like 'wagebook%' or roleid::regrole::text like 'wagebook%'""").fetchone() == (
            4,
        )

    def test_own_nothing_but_the_owner(self, catalog: psycopg.Connection) -> None:
        owners = catalog.execute("""
            select distinct refobjid::regrole::text from pg_shdepend
            where deptype = 'o' and refobjid::regrole::text like 'wagebook%'""").fetchall()
        assert owners == [("wagebook_owner",)]

    @pytest.mark.parametrize("role", [role for role in ROLES if role != "wagebook_owner"])
    def test_make_nothing_in_the_schema_or_database(self, catalog: psycopg.Connection, role: str) -> None:
        assert catalog.execute(
            "select has_schema_privilege(%s, 'public', 'create'),"
            " has_database_privilege(%s, current_database(), 'create'),"
            " has_database_privilege(%s, current_database(), 'temporary')",
            [role] * 3,
        ).fetchone() == (False, False, False)

    def test_of_the_application_may_do_these_things_with_tables(self, catalog: psycopg.Connection) -> None:
        everything = dict.fromkeys(read.tenant_tables(catalog), "delete insert select update")
        assert read.table_grants(catalog, "wagebook_app") == everything | APPLICATION
        assert read.column_grants(catalog, "wagebook_app") == APPLICATION_COLUMNS

    @pytest.mark.parametrize("role", NARROW_TABLES)
    def test_that_see_across_tenants_see_this_much(self, catalog: psycopg.Connection, role: str) -> None:
        assert read.table_grants(catalog, role) == NARROW_TABLES[role]
        assert read.column_grants(catalog, role) == NARROW_COLUMNS[role]

    def test_of_the_public_have_nothing(self, catalog: psycopg.Connection) -> None:
        assert read.table_grants(catalog, "-") == {}
        catalog.execute("grant select on users to public")
        assert read.table_grants(catalog, "-") == {"users": "select"}


class TestFunctions:
    def test_that_run_as_their_owner_are_these(self, catalog: psycopg.Connection) -> None:
        settings = ["search_path=public, pg_temp"]
        assert read.security_definers(catalog) == [
            ("audit_append", settings),
            ("erase_person", settings),
            ("leave_keep", settings),
            ("ledger_keep", settings),
        ]


def test_the_application_logs_in_as_the_plain_role(database: Urls) -> None:
    with psycopg.connect(database.application) as session:
        assert session.execute("select current_user, session_user").fetchone() == ("wagebook_app", "wagebook_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("set role wagebook_owner")
