"""``manage.py shadow``."""

import argparse
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand, operator_name
from classifier.registry import shadow, stop_shadow


def share_of(text: str) -> float:
    """Return the share spelled ``text``, or refuse it as wrong usage (exit 2)."""
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"a share lies above 0 and is at most 1, not {text}")
    return share


class Command(GenreCommand):
    """Let a version read live traffic unseen."""

    help = (
        "Make a version the challenger: it reads a share of the live texts beside the champion, and nobody sees what it "
        "says. One challenger at a time. No gate: it harms nobody."
    )
    examples = """
  manage.py shadow 3 --share 0.2
  manage.py shadow --stop --reason "seen enough"
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("number", type=int, nargs="?", metavar="N", help="the version to become challenger")
        parser.add_argument(
            "--share", type=share_of, default=0.2, help="of the live texts, above 0, at most 1 (default: %(default)s)"
        )
        parser.add_argument("--stop", action="store_true", help="retire the challenger")
        parser.add_argument("--reason", default="", help="kept in the history")

    def handle(self, *, number: int | None, share: float, stop: bool, reason: str, **options: Any) -> None:
        """Start or stop, and say so."""
        if (number is None) != stop:
            raise CommandError("Name a version, or --stop, and not both.", returncode=2)
        if number is None:
            stopped = stop_shadow(by=operator_name(), reason=reason)
            self.stdout.write(
                f"Version {stopped.number} is no challenger any more." if stopped else "There is no challenger."
            )
            return
        version = shadow(number, share=share, by=operator_name(), reason=reason)
        self.stdout.write(
            f"Version {version.number} reads {share:.0%} of the live texts beside the champion; nobody sees what it says. "
            "Next: manage.py monitor",
            self.style.SUCCESS,
        )
