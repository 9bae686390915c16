"""Whether the server was asked to end: one byte that the first process and its workers share.

The module must be loaded before the workers fork; each of them then sees what the first process writes.
"""

import mmap

_shared = mmap.mmap(-1, 1)


def begin() -> None:
    """From now on every worker answers that it is not ready."""
    _shared[0] = 1


def has_begun() -> bool:
    """Return whether the server is ending."""
    return _shared[0] == 1
