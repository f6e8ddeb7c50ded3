"""Cells: each is a whole stack of its own (database, queues, functions, bucket), and a process serves exactly one.

Why, and what a move from one to another takes: docs/decisions/0024-cells.md, docs/operations/growth.md.
"""

from chalicelib.backing.settings import settings

WORD = r"^[a-z][a-z0-9-]{0,30}$"  # of a cell's name, as the database checks it, too


def here() -> str:
    """Return the cell that this process serves."""
    return settings().cell


def is_here(cell: str) -> bool:
    """Return whether a tenant of this cell is served by this process; otherwise its row is a signpost."""
    return cell == here()
