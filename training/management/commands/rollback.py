"""``manage.py rollback``."""

from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import GenreCommand, operator_name
from classifier.registry import RECHECK_SECONDS, get_version, roll_back


class Command(GenreCommand):
    """Bring an earlier champion back."""

    help = (
        "Bring back the champion before this one that was not itself rolled back, or the one you name. No gate: it "
        "answered before. Its files are checked first; if they are damaged, nothing changes."
    )
    examples = """
  manage.py rollback --reason "calls cookery fantasy since noon"
  manage.py rollback --to 3 --reason "the last one people were content with"
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--to", type=int, metavar="N", help="an earlier champion (default: the last good one)")
        parser.add_argument("--reason", required=True, help="kept in the history")

    def handle(self, *, to: int | None, reason: str, **options: Any) -> None:
        """Roll back and say which version answers."""
        before = get_version("champion")
        version = roll_back(by=operator_name(), reason=reason, to=to)
        self.stdout.write(
            f"Version {version.number} answers again in place of version {before.number}; running workers follow within "
            f"about {RECHECK_SECONDS:g} s.",
            self.style.SUCCESS,
        )
