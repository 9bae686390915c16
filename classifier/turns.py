"""Long work of visitors: one piece at a time on this machine, so that another worker answers everybody else."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


class Busy(Exception):
    """Somebody else's turn."""


@contextmanager
def a_turn() -> Iterator[None]:
    """Do the block while no other process of this machine does one; the system ends a turn with its process.

    Raises
    ------
    Busy
        When another does.
    """
    path = settings.GENRE_LIMITS_FILE.with_name("turn.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy from error
        yield
