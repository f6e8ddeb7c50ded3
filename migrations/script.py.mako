"""${message}"""

from migrations.helpers import run

revision = "${up_revision}"
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    run("""
    """)
