"""No tenant's time zone is one that PostgreSQL does not know: it failed the schedules of all tenants."""

from migrations.helpers import as_owner_of_rows, run

revision = "2026_12_01_1061"
down_revision = "2026_12_01_1060"


def upgrade() -> None:
    # the servers' own zone is UTC, and that is what Python took `localtime` for
    with as_owner_of_rows("tenants", "branches"):
        run("""
            update tenants set timezone = 'UTC' where timezone in ('localtime', 'Factory');
            update branches set timezone = 'UTC' where timezone in ('localtime', 'Factory');
        """)
