"""What the prediction service answered, from its log: predictions, and what corrections of them waited for."""

import io
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO

from django.conf import settings
from django.utils import timezone

from classifier.models import ModelVersion, Prediction
from classifier.recording import AT_ONCE, record_new
from classifier.service_log import DAMAGED, BadLine, Noted, lines, open_log, read_line
from feedback.actions import tie_waiting

# How many of each are named; the rest is counted.
MOST_NAMED = 20


@dataclass
class Imported:
    """What became of the lines of a log.

    Attributes
    ----------
    n_lines : int
        Lines read, of which many tell of no prediction.
    n_new, n_known, n_old : int
        Predictions that were stored; that were here already; that are older than the site keeps them.
    n_bad : int
        Lines, or predictions in them, that can't be read; ``bad`` says what is wrong with the first.
    unknown : Counter of str
        Predictions of models that this site does not have, by SHA-256; beyond ``MOST_NAMED`` models under ''.
    damaged : list of str
        Files that could not be read to their end.
    n_tied : int
        Corrections that had come before their prediction was known here.
    """

    n_lines: int = 0
    n_new: int = 0
    n_known: int = 0
    n_old: int = 0
    n_bad: int = 0
    bad: list[str] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    damaged: list[str] = field(default_factory=list)
    n_tied: int = 0


def import_predictions(
    files: Sequence[tuple[str, IO[bytes]]], *, on_batch: Callable[[Imported, IO[bytes]], None] = lambda *_: None
) -> Imported:
    """Store the predictions in logs of the prediction service, given by name and stream, plain or gzip.

    A batch is stored whole or not at all, and what is here already is left alone: stopped at any moment, it is done
    again. ``on_batch`` is told after each. It holds one batch in memory.
    """
    found, reader = Imported(), _Reader()
    for name, file in files:
        try:
            for number, line in enumerate(lines(open_log(file)), start=1):
                found.n_lines += 1
                for item in read_line(line, now=reader.now):
                    if isinstance(item, BadLine):
                        _count_bad(found, f"{name}, line {number:,} {item}")
                    else:
                        reader.take(item, found)
                if len(reader.rows) >= AT_ONCE:
                    reader.store(found)
                    on_batch(found, file)
        except DAMAGED as error:
            found.damaged.append(f"{name} could not be read to its end ({type(error).__name__})")
        reader.store(found)
        on_batch(found, file)
    found.n_tied = tie_waiting()
    return found


def position(file: IO[bytes]) -> int:
    """Return how far a file is read; 0 of what can't tell."""
    with suppress(OSError, io.UnsupportedOperation):
        return file.tell()
    return 0


class _Reader:
    """The rows of the next batch, and what decides about them."""

    def __init__(self) -> None:
        self.rows: list[Prediction] = []
        self.now = timezone.now()
        # Of a model that was registered twice the newer version.
        self._versions = dict(ModelVersion.objects.order_by("number").values_list("sha256", "pk"))
        self._oldest = _oldest(self.now)

    def take(self, noted: Noted, found: Imported) -> None:
        """Make a row of it, or count why not."""
        version_id = self._versions.get(noted.model_sha256)
        if version_id is None:
            is_named = noted.model_sha256 in found.unknown or len(found.unknown) < MOST_NAMED
            found.unknown[noted.model_sha256 if is_named else ""] += 1
        elif self._oldest is not None and noted.at < self._oldest:
            found.n_old += 1
        else:
            self.rows.append(_row(noted, version_id))

    def store(self, found: Imported) -> None:
        """Store the batch."""
        while self.rows:
            batch = self.rows[:AT_ONCE]
            n_new = record_new(batch)
            del self.rows[:AT_ONCE]
            found.n_new += n_new
            found.n_known += len(batch) - n_new


def _oldest(now: datetime) -> datetime | None:
    """Return the time before which predictions were deleted, and counted, already."""
    days = settings.GENRE_KEEP_PREDICTIONS_DAYS
    return now - timedelta(days=days) if days else None


def _row(noted: Noted, version_id: int) -> Prediction:
    return Prediction(
        uid=noted.uid,
        version_id=version_id,
        source=Prediction.Source.SERVICE,
        shown=noted.shown,
        abstained=noted.abstained,
        n_words=noted.n_words,
        n_known=noted.n_known,
        n_chars=noted.n_chars,
        milliseconds=noted.milliseconds,
        text_hash=noted.text_hash,
        at=noted.at,
    )


def _count_bad(found: Imported, what: str) -> None:
    found.n_bad += 1
    if len(found.bad) < MOST_NAMED:
        found.bad.append(what)
