"""When an API key was used last: written at most once in five minutes, after the request's own transaction.

Authentication reads the time of last use with the key, so a request of a key that was used just now writes nothing.
The write is a short transaction of its own, so that a long request does not lock the key's row; it skips a locked row.
"""

import threading
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from chalicelib.backing.database import statement, transaction
from chalicelib.backing.log import logger

INTERVAL = timedelta(minutes=5)
MOST_KEPT = 10_000  # keys in memory with the time of their last write

_WRITE = text(statement(__file__, "note_key_use"))

_lock = threading.Lock()
_written: dict[UUID, datetime] = {}


def note(tenant_id: UUID, key_id: UUID, *, last_used_at: datetime | None, now: datetime) -> None:
    """Write that a key was used, unless its row or this process's memory has a use within INTERVAL."""
    if last_used_at is not None and last_used_at > now - INTERVAL:
        return
    with _lock:  # of many simultaneous requests, one writes
        if (written := _written.get(key_id)) is not None and now - INTERVAL < written <= now:
            return
        if len(_written) >= MOST_KEPT:
            _written.clear()
        _written[key_id] = now
    try:
        with transaction(tenant_id=tenant_id) as session:
            values = {"tenant_id": tenant_id, "id": key_id, "now": now, "before": now - INTERVAL}
            session.execute(_WRITE, values)
    except Exception:  # the request is done; the next one writes it
        logger.exception("the use of a key was not noted")


def clear() -> None:
    """Forget what was written, as a new process knows nothing."""
    with _lock:
        _written.clear()
