"""For how long a setting may say that something is kept."""

from collections.abc import Callable

from environs import ValidationError


def days_or_for_ever(least: int) -> Callable[[int], None]:
    """Return a check of a number of days: 0, or not fewer than ``least``."""

    def check(days: int) -> None:
        if days and days < least:
            raise ValidationError(f"{days} days are too few: 0 keeps for ever, {least} is the least.")

    return check
