"""``manage.py prune``."""

from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import GenreCommand, Table
from training.retention import prune


class Command(GenreCommand):
    """Delete what is older than the site keeps it."""

    help = (
        "Delete what is older than the settings GENRE_KEEP_… say: predictions, texts of rejected corrections, visitors, "
        "sessions, and what else nobody needs any more. In short steps beside a running site; stopped at any moment, it goes on the next time. The monitor "
        "that gunicorn starts does the same once a day."
    )
    examples = """
  manage.py prune --dry-run
  manage.py prune
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "-n", "--dry-run", action="store_true", help="say what would be deleted, and delete nothing"
        )

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        """Delete and show."""
        table = Table()
        table.add_column("what")
        table.add_column("kept")
        table.add_column("would be deleted" if dry_run else "deleted", justify="right")
        for done in prune(dry_run=dry_run):
            table.add_row(done.what, done.kept, f"{done.n:,}")
        self.out.print(table)
