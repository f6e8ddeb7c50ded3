"""Wait until a transaction is blocked by another one."""

import time

from tests.support.cast import Cast
from tests.support.people import sql

_WAITS = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


def until_lock_wait(cast: Cast) -> None:
    """Return as soon as a transaction of this database waits for a lock of another one."""
    deadline = time.monotonic() + 10
    while not sql(cast, _WAITS):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)
