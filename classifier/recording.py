"""Store predictions: at once, or, where many come in, in batches a moment behind.

A batch is written by a thread of the process. What it holds is lost when the process is killed, at most
GENRE_RECORD_SECONDS of predictions; corrections are never batched. What the database refuses waits and is tried again.
"""

import atexit
import logging
import os
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.utils import timezone

from classifier.models import Prediction

logger = logging.getLogger(__name__)
# Beyond it whoever records waits for the writer: memory must not grow with the traffic.
_MOST_WAITING = 5000
# While the database refuses nobody waits; beyond it predictions are lost. Some 30 MB.
_MOST_KEPT = 20_000
AT_ONCE = 500
# The monitor counts in the order of keys, and must know which rows came late (training/monitor/traffic.py).
_LATE = timedelta(seconds=1)


def record(rows: Sequence[Prediction], *, at_once: bool = True) -> None:
    """Store ``rows``; not ``at_once``, they are in the database within GENRE_RECORD_SECONDS."""
    if at_once or settings.GENRE_RECORD_SECONDS <= 0:
        Prediction.objects.bulk_create(rows)
    else:
        _recorder.put(rows)


def record_new(rows: Sequence[Prediction]) -> int:
    """Store those of ``rows`` that are not stored yet, all or none, and return how many these were."""
    by_uid = {str(row.uid): row for row in rows}
    with transaction.atomic():
        known = Prediction.objects.filter(uid__in=list(by_uid)).order_by().values_list("uid", flat=True)
        for uid in known:
            del by_uid[str(uid)]
        _insert(list(by_uid.values()))
    return len(by_uid)


def flush() -> None:
    """Store what waits in this process, now.

    Raises
    ------
    DatabaseError
        When the database refuses; what waits goes on waiting.
    """
    _recorder.flush()


def _insert(rows: Sequence[Prediction]) -> None:
    now = timezone.now()
    for row in rows:
        if now - row.at > _LATE:
            row.stored_at = now
    # The database may have taken rows of which it could not say so any more.
    Prediction.objects.bulk_create(rows, ignore_conflicts=True)


class _Recorder:
    def __init__(self) -> None:
        self._waiting: list[Prediction] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._pid = 0
        self._is_refused = False
        self._n_lost = 0

    def put(self, rows: Sequence[Prediction]) -> None:
        with self._lock:
            room = max(0, _MOST_KEPT - len(self._waiting))
            self._waiting.extend(rows[:room])
            n_waiting, n_lost = len(self._waiting), len(rows[room:])
            is_first = n_lost > 0 and not self._n_lost
            self._n_lost += n_lost
            if self._pid != os.getpid():
                # In the process that serves: a thread does not survive the fork.
                self._pid = os.getpid()
                threading.Thread(target=self._run, name="record-predictions", daemon=True).start()
        if is_first:
            logger.error("%s predictions wait for the database; those that come now are lost.", n_waiting)
        if n_waiting > _MOST_WAITING and not self._is_refused:
            self.try_flush()

    def flush(self) -> None:
        with self._writing:
            # What came meanwhile is for the next time, or this might never end.
            with self._lock:
                n_left = len(self._waiting)
            while n_left:
                with self._lock:
                    rows = self._waiting[: min(AT_ONCE, n_left)]
                self._store(rows)
                # Only now, so that what is refused keeps its place.
                with self._lock:
                    del self._waiting[: len(rows)]
                n_left -= len(rows)

    def try_flush(self) -> None:
        """Flush, and log when the database refuses and when it takes again, rather than raise."""
        try:
            self.flush()
        except DatabaseError as error:
            if not self._is_refused:
                logger.error("Predictions could not be stored and wait: %s", error)
            self._is_refused = True
            return
        with self._lock:
            n_lost, self._n_lost = self._n_lost, 0
        if self._is_refused:
            self._is_refused = False
            logger.warning("Predictions are stored again; %s were lost.", n_lost)

    def end(self) -> None:
        """Flush for the last time, and say what is lost."""
        self.try_flush()
        if n_lost := self._n_lost + len(self._waiting):
            logger.error("The process ends and %s predictions are lost.", n_lost)

    def _store(self, rows: Sequence[Prediction]) -> None:
        try:
            _insert(rows)
        except (IntegrityError, DataError):
            # Something is wrong with one of them, for ever: the others must not wait for it.
            for row in rows:
                self._store_or_lose(row)

    def _store_or_lose(self, row: Prediction) -> None:
        try:
            _insert([row])
        except (IntegrityError, DataError) as error:
            # PostgreSQL's words quote the row.
            logger.error("A prediction can't be stored and is lost: %s", type(error).__name__)

    def _run(self) -> None:
        while True:
            time.sleep(settings.GENRE_RECORD_SECONDS)
            try:
                self.try_flush()
            finally:
                connection.close_if_unusable_or_obsolete()


_recorder = _Recorder()
atexit.register(_recorder.end)
