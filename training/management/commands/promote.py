"""``manage.py promote``."""

from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import GenreCommand, operator_name
from classifier.registry import RECHECK_SECONDS, promote


class Command(GenreCommand):
    """Make a version the champion."""

    help = "Make a version the champion: running workers follow by themselves. Its files are checked first."
    examples = """
  manage.py promote 3 --reason "learned 200 corrections"
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("number", type=int, metavar="N", help="the version, as `manage.py models` lists it")
        parser.add_argument("--reason", default="", help="kept in the history")

    def handle(self, *, number: int, reason: str, **options: Any) -> None:
        """Promote and say so."""
        version = promote(number, by=operator_name(), reason=reason)
        self.stdout.write(
            f"Version {version.number} is the champion; running workers follow within about {RECHECK_SECONDS:g} s.",
            self.style.SUCCESS,
        )
