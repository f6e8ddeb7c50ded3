"""Contract: what no code uses any more is taken away; the constraint and the index go with the column."""

from migrations.helpers import run

revision = "drill_contract"
down_revision = "drill_payouts"


def upgrade() -> None:
    run("alter table sales drop column channel")
