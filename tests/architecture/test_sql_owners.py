"""SQL obeys the direction of imports: each table and SQL function has one owner.

What is known to differ is listed, with the reason; a line that no longer applies fails, too.
"""

from tests.architecture.sql_owners import layers, owners, uses

# (package, table or function): why it reads a table of a package above it
READS_UP = {
    ("backing", "tenants"): "the outbox leaves out messages of tenants that live in another cell",
    ("features.leave", "day_edits"): "leave set by hand in the register is leave used (decision 34)",
    ("features.periods", "users"): "the people lock locks rows of users",
    ("four_eyes", "users"): "counts who else may approve",
    ("notifications", "users"): "language and addresses of recipients",
}
# (package, table): why it writes a table of another package
WRITES_OTHERS = {
    ("features.payroll", "late_corrections"): "posting settles the corrections that it paid, in its transaction",
    ("features.payroll", "payroll_adjustments"): "posting marks the adjustments that it paid, in its transaction",
    ("features.tenants", "api_keys"): "identity holds the tables of access; tenants writes them",
    ("features.tenants", "members"): "identity holds the tables of access; tenants writes them",
    ("features.tenants", "tenants"): "identity holds the tables of access; tenants writes them",
    ("operators", "api_keys"): "operators act on any room, by the command line",
    ("operators", "outbox"): "operators act on any room, by the command line",
    ("operators", "person_erasures"): "operators act on any room, by the command line",
    ("operators", "platform_admins"): "operators act on any room, by the command line",
    ("operators", "tenant_keys"): "operators act on any room, by the command line",
}


def test_every_owner_is_a_package_of_the_layers() -> None:
    assert set(owners().values()) <= set(layers())


def test_no_sql_points_up() -> None:
    heights = layers()
    violations = {(use.package, use.name) for use in uses() if heights[owners()[use.name]] > heights[use.package]}
    assert violations == set(READS_UP)


def test_no_feature_writes_a_table_of_another() -> None:
    violations = {(use.package, use.name) for use in uses() if use.writes and owners()[use.name] != use.package}
    assert violations == set(WRITES_OTHERS)
