"""The optimistic lock: rows that people edit carry a version, and a change made on an old one is refused."""

from collections.abc import Mapping
from typing import Any, Protocol

from chalicelib.kernel.errors import Stale


class Versioned(Protocol):
    """A row with a version, such as a dataclass of `queries`."""

    @property
    def version(self) -> int: ...


def check_version(row: Versioned | Mapping[str, Any], if_match: int | None) -> None:
    """Refuse a change whose caller saw another version (If-Match) than the row has now. Raises Stale."""
    version = row["version"] if isinstance(row, Mapping) else row.version
    if if_match is not None and if_match != version:
        raise Stale(f"You saw version {if_match}, and it is at {version} now. Read it again, then change it.")
