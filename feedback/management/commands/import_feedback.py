"""``manage.py import_feedback``."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand, existing_file
from classifier.core.examples import FORMATS
from classifier.genre_table import current_genres
from feedback.actions import ActionRefused, import_corrections
from feedback.exporting import IMPORTED, read_corrections
from feedback.models import Correction


class Command(GenreCommand):
    """Read corrections from a file."""

    help = (
        "Read corrections from a file, all or none. What is here already is left alone, so it is safe to run twice. What "
        "the file says was deleted is deleted here; what was deleted here does not come back."
    )
    examples = """
  manage.py import_feedback approved.csv
  manage.py import_feedback labelled.jsonl.gz --status approved
  manage.py import_feedback library.tsv --format annif
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("path", type=existing_file, help="CSV, JSON lines, fastText or Annif TSV; plain or .gz")
        parser.add_argument(
            "--format",
            choices=FORMATS,
            default="",
            dest="file_format",
            help="found by the file's content when left out",
        )
        parser.add_argument(
            "--status",
            choices=IMPORTED,
            default="",
            help="status of every row that has a text (default: the file's own, else pending)",
        )

    def handle(self, *, path: Path, file_format: str, status: str, **options: Any) -> None:
        """Store, and say how many and why others were left alone."""
        rows = read_corrections(path, current_genres(), file_format=file_format, status=status)
        try:
            result = import_corrections(rows=rows, by="import_feedback")
        except ActionRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{result.changed} corrections imported.", self.style.SUCCESS)
        if result.erased:
            self.stdout.write(f"{result.erased} corrections deleted here, because the file says so.")
        if result.buried:
            self.stdout.write(
                f"{result.buried} deleted ones noted that were never here: no older file brings them back."
            )
        for reason, count in result.skipped.items():
            self.stdout.write(f"{count} left alone: {reason}.")
        if result.changed and status != Correction.Status.APPROVED:
            self.stdout.write("Review them in the admin: /admin/feedback/correction/")
