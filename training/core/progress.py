"""How long work tells of its progress."""

from collections.abc import Callable

# Called with what is being done, and the done share in [0, 1].
OnStep = Callable[[str, float], None]


def silent(step: str, done: float) -> None:
    """Report to nobody."""
