"""Another table that is written all the time gets a column: statements that give back whole rows meet it."""

from migrations.helpers import run

revision = "drill_payouts"
down_revision = "drill_index"


def upgrade() -> None:
    run("alter table payouts add column channel text")
