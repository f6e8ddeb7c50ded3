"""Example migrations of the migration drill, in the order of expand and contract; they follow the product's newest."""

from alembic.script import ScriptDirectory

from migrations import setup

HEAD = ScriptDirectory.from_config(setup.configuration("")).get_current_head()
