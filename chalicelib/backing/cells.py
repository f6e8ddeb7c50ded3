"""Cells: each is a complete stack (database, queues, functions, bucket), and a process serves exactly one.

The reasons: docs/decisions/0024-cells.md. How a tenant moves to another cell: docs/operations/growth.md.
"""

from chalicelib.backing.settings import settings

WORD = r"^[a-z][a-z0-9-]{0,30}$"  # of a cell's name; the database checks the same


def here() -> str:
    """Return the cell that this process serves."""
    return settings().cell


def is_here(cell: str) -> bool:
    """Return whether this process serves tenants of a cell; if not, their row here only names the other cell."""
    return cell == here()
