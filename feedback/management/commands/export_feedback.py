"""``manage.py export_feedback``."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand
from classifier.core.examples import FORMATS, write_examples
from feedback.exporting import LOSSLESS, chosen_for, export, to_example
from feedback.models import Correction


class Command(GenreCommand):
    """Write corrections to a file."""

    help = "Write corrections to a file that training, Annif or a spreadsheet can read."
    examples = """
  manage.py export_feedback -O approved.csv
  manage.py export_feedback --format jsonl --status all -O everything.jsonl.gz
  manage.py export_feedback --format fasttext | head
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--format",
            choices=FORMATS,
            default="csv",
            dest="file_format",
            help="csv and jsonl keep everything, and name what was deleted; fasttext and annif hold cleaned text and labels",
        )
        parser.add_argument(
            "-O", "--output", type=Path, help="file to write (.gz is compressed); without it: standard output"
        )
        parser.add_argument(
            "--status",
            choices=[*Correction.Status.values, "all"],
            default=Correction.Status.APPROVED,
            help="which corrections (default: approved)",
        )

    def handle(self, *, file_format: str, output: Path | None, status: str, **options: Any) -> None:
        """Write, and say how many."""
        living, erased = chosen_for(file_format, "" if status == "all" else status)
        n_living, n_erased = living.count(), erased.count()
        rows = (living | erased).iterator(chunk_size=500)
        if output is None:
            written = write_examples(map(to_example, rows), self.stdout._out or sys.stdout, file_format)  # noqa: SLF001
        else:
            try:
                written = export(rows, output, file_format)
            except OSError as error:
                raise CommandError(f"{output} can't be written: {error.strerror}.") from error
        left_out = n_living + n_erased - written
        place = f" to {output}" if output else ""
        tombstones = f", and the tombstones of {n_erased} deleted ones" if n_erased else ""
        self.stderr.write(f"{written - n_erased} corrections written{place}{tombstones}.", self.style.SUCCESS)
        kept_by = " or ".join(LOSSLESS)
        if file_format not in LOSSLESS and (n_deleted := Correction.objects.erased().count()):
            self.stderr.write(
                f"{file_format} has no place for the tombstones of {n_deleted} deleted ones: what an earlier file told "
                f"of them stays with whoever has it; --format {kept_by} tells them."
            )
        if left_out:
            self.stderr.write(
                f"{left_out} have no label or no word, which {file_format} can't hold; --format {kept_by} keeps them."
            )
