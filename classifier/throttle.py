"""How much somebody may ask in a minute: counted exactly across all workers.

Those of one machine share a small SQLite file; those of many share a Redis (``GENRE_REDIS_URL``).
"""

import logging
import os
import sqlite3
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

clock = time.time
logger = logging.getLogger(__name__)
MINUTE = 60
_WAIT_FOR_LOCK_SECONDS = 5
_TABLE = "CREATE TABLE IF NOT EXISTS taken (who TEXT PRIMARY KEY, minute INTEGER NOT NULL, n INTEGER NOT NULL)"
# One statement, so that nobody comes between. It returns a row only where there was room.
_TAKE = """
INSERT INTO taken (who, minute, n) VALUES (:who, :minute, :n)
ON CONFLICT (who) DO UPDATE
SET n = CASE WHEN minute = excluded.minute THEN n ELSE 0 END + excluded.n, minute = excluded.minute
WHERE minute <> excluded.minute OR n + excluded.n <= :most
RETURNING n
"""


def take(who: str, n: int, *, most: int) -> int:
    """Take ``n`` out of the ``most`` that ``who`` has in this minute of the clock.

    Returns
    -------
    int
        0 when there was room; otherwise nothing is taken, and it says in how many seconds the next minute begins.
        A counter that can't be reached stops nobody: it is logged.
    """
    now = clock()
    minute = int(now // MINUTE)
    wait = max(1, round((minute + 1) * MINUTE - now))
    if n > most:
        return wait
    counter = _in_redis if settings.GENRE_REDIS_URL else _in_file
    try:
        return 0 if counter(who, n, minute, most) else wait
    except (sqlite3.Error, OSError) as error:
        logger.error("Requests are not counted: %s", error)
        return 0


def _in_file(who: str, n: int, minute: int, most: int) -> bool:
    connection = _connection(settings.GENRE_LIMITS_FILE)
    row = connection.execute(_TAKE, {"who": who, "minute": minute, "n": n, "most": most}).fetchone()
    if row is not None and minute != getattr(_local, "minute", minute):
        connection.execute("DELETE FROM taken WHERE minute < ?", (minute,))
    _local.minute = minute
    return row is not None


_local = threading.local()


def _connection(path: Path) -> sqlite3.Connection:
    """Return this thread's own connection; one must not be carried over a fork."""
    mine = (os.getpid(), path)
    if getattr(_local, "of", None) != mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=_WAIT_FOR_LOCK_SECONDS, isolation_level=None)
        # What was counted in the last minute may be lost with the machine.
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=OFF", _TABLE):
            connection.execute(statement)
        _local.connection, _local.of = connection, mine
    found: sqlite3.Connection = _local.connection
    return found


def _in_redis(who: str, n: int, minute: int, most: int) -> bool:
    # Imported late: only a site on several machines needs it.
    import redis

    key, client = f"genre-detector:{who}:{minute}", _redis(settings.GENRE_REDIS_URL)
    try:
        taken, _ = client.pipeline().incrby(key, n).expire(key, 2 * MINUTE).execute()
        if taken > most:
            client.decrby(key, n)
    except redis.RedisError as error:
        raise OSError(str(error)) from error
    return bool(taken <= most)


@cache
def _redis(address: str) -> Any:
    import redis

    return redis.Redis.from_url(address, socket_timeout=1, socket_connect_timeout=1)
