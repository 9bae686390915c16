"""``manage.py import_predictions``."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandParser
from django.db import DatabaseError

from classifier.commands import CommandError, GenreCommand, existing_file
from feedback.production import Imported, import_predictions, position

STDIN = "-"


def _log(value: str) -> Path | str:
    return STDIN if value == STDIN else existing_file(value)


class Command(GenreCommand):
    """Read what the prediction service logged of its predictions."""

    help = (
        "Store the predictions that the prediction service logged (docs/service.md), so that the monitor counts them and "
        "corrections find them. Safe to run twice, on logs that overlap, and beside a running site; stopped at any moment, "
        "run it again. What can't be read, and predictions of models that this site does not have, are counted and left."
    )
    examples = """
  manage.py import_predictions service.log service.log.1.gz
  kubectl logs --since=10m --selector app=genre --tail=-1 | manage.py import_predictions -
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "logs", nargs="+", type=_log, metavar="FILE", help="a log, plain or .gz; - is standard input"
        )

    def handle(self, *, logs: list[Path | str], **options: Any) -> None:
        """Store, and say how many, and what was left and why."""
        with ExitStack() as opened, self.progress("reading") as report:
            files = [(str(log), self._open(log, opened)) for log in logs]
            total = sum(log.stat().st_size for log in logs if isinstance(log, Path))
            read: dict[int, int] = {}

            def tell(found: Imported, file: IO[bytes]) -> None:
                read[id(file)] = position(file)
                report(f"{found.n_new:,} new", min(1.0, sum(read.values()) / total) if total else 0.0)

            try:
                found = import_predictions(files, on_batch=tell)
            except DatabaseError as error:
                raise CommandError(f"The database refused; run it again, nothing is stored twice. {error}") from error
        self._tell(found)
        if found.damaged:
            raise CommandError("; ".join(found.damaged) + ". What came before is stored.")

    @staticmethod
    def _open(log: Path | str, opened: ExitStack) -> IO[bytes]:
        return opened.enter_context(log.open("rb")) if isinstance(log, Path) else sys.stdin.buffer

    def _tell(self, found: Imported) -> None:
        self.stdout.write(f"{found.n_new:,} predictions imported.", self.style.SUCCESS)
        counts = {
            "were here already": found.n_known,
            "are older than GENRE_KEEP_PREDICTIONS_DAYS": found.n_old,
            "are of models that this site does not have": found.unknown.total(),
            "could not be read": found.n_bad,
        }
        for what, n in counts.items():
            if n:
                self.stdout.write(f"{n:,} {what}.")
        for sha256, n in found.unknown.most_common():
            self.stdout.write(f"  {n:,} of {sha256 or 'others'}")
        for what in found.bad:
            self.stdout.write(f"  {what}")
        if found.unknown:
            self.stdout.write("Register these models here and import once more: what was left is then stored.")
        if found.n_tied:
            self.stdout.write(f"{found.n_tied:,} corrections now know what they correct.")
        if not found.n_new and not found.n_known:
            self.stdout.write(
                f"{found.n_lines:,} lines were read. Does the service log at INFO, with PREDICTION_LOG on?"
            )
