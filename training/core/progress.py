"""How long work tells of its progress."""

from collections.abc import Callable

# Called with what is being done, and the done share in [0, 1].
OnStep = Callable[[str, float], None]


def part_of(on_step: OnStep, start: float, share: float, name: str = "") -> OnStep:
    """Return what tells of a part of the work: it takes ``share`` of the whole from ``start`` on."""
    return lambda step, done: on_step(f"{name}: {step}" if name else step, start + share * done)


def silent(step: str, done: float) -> None:
    """Report to nobody."""
