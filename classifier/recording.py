"""Store predictions: at once, or, where many come in, in batches a moment behind.

A batch is written by a thread of the process. What it holds is lost when the process is killed, at most
GENRE_RECORD_SECONDS of predictions; corrections are never batched.
"""

import atexit
import logging
import os
import threading
import time
from collections.abc import Sequence

from django.conf import settings
from django.db import DatabaseError, connection

from classifier.models import Prediction

logger = logging.getLogger(__name__)
# Beyond it whoever records waits for the writer: memory must not grow with the traffic.
_MOST_WAITING = 5000
_AT_ONCE = 500


def record(rows: Sequence[Prediction], *, at_once: bool = True) -> None:
    """Store ``rows``; not ``at_once``, they are in the database within GENRE_RECORD_SECONDS."""
    if at_once or settings.GENRE_RECORD_SECONDS <= 0:
        Prediction.objects.bulk_create(rows)
    else:
        _recorder.put(rows)


def flush() -> None:
    """Store what waits in this process, now."""
    _recorder.flush()


class _Recorder:
    def __init__(self) -> None:
        self._waiting: list[Prediction] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._pid = 0

    def put(self, rows: Sequence[Prediction]) -> None:
        with self._lock:
            self._waiting.extend(rows)
            n_waiting = len(self._waiting)
            if self._pid != os.getpid():
                # In the process that serves: a thread does not survive the fork.
                self._pid = os.getpid()
                threading.Thread(target=self._run, name="record-predictions", daemon=True).start()
        if n_waiting > _MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        with self._writing:
            with self._lock:
                rows, self._waiting = self._waiting, []
            for start in range(0, len(rows), _AT_ONCE):
                Prediction.objects.bulk_create(rows[start : start + _AT_ONCE])

    def _run(self) -> None:
        while True:
            time.sleep(settings.GENRE_RECORD_SECONDS)
            try:
                self.flush()
            except DatabaseError as error:
                logger.error("Predictions could not be stored: %s", error)
            finally:
                connection.close_if_unusable_or_obsolete()


_recorder = _Recorder()
atexit.register(flush)
