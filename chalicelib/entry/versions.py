"""The optimistic lock: rows that people edit carry a version, and a change made on an old one is refused."""

from collections.abc import Mapping
from typing import Any

from chalicelib.kernel.errors import Stale


def check_version(row: Mapping[str, Any], if_match: int | None) -> None:
    """Refuse a change whose caller saw another version (If-Match) than the row has now. Raises Stale."""
    if if_match is not None and if_match != row["version"]:
        raise Stale(f"You saw version {if_match}, and it is at {row['version']} now. Read it again, then change it.")
