"""Expand: a column that may be empty, and what new rows have in it, as old code does not say."""

from infra.labs.drills.versions import HEAD
from migrations.helpers import run

revision = "drill_expand"
down_revision = HEAD


def upgrade() -> None:
    # a default given with the column would fill old rows as well; this one is for new ones, the backfill for the rest
    run("alter table sales add column channel text")
    run("alter table sales alter column channel set default 'direct'")
