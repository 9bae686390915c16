"""``manage.py gate``."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand, existing_file
from classifier.models import ModelVersion
from classifier.registry import get_version
from training.core.gate import MIN_TEXTS, GateReport
from training.gating import gate, opponent_of
from training.management.commands.evaluate import write_metrics
from training.tables import print_gate

NOBODY = "none"


def add_data(parser: CommandParser) -> None:
    """Declare the files that the gate measures on."""
    parser.add_argument(
        "--data",
        type=existing_file,
        action="append",
        default=[],
        metavar="PATH",
        help="labelled books whose test side to measure on; may be repeated (default: the files both versions were "
        f"made from, and the starter corpus where these hold fewer than {MIN_TEXTS} test texts)",
    )


class Command(GenreCommand):
    """Hold a candidate against the champion."""

    help = (
        "Measure a candidate and the champion on the same books, which neither has seen, and say whether the candidate "
        "may take over. Exit 1 when it may not: worse beyond chance, a genre lost, scores that promise too much, slow, "
        "large, trained on test books, or on corrections that were taken back. Changes nothing."
    )
    examples = """
  manage.py gate 3
  manage.py gate 3 --against 1 -M gate.json
  manage.py gate 3 --against none --data books.csv
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("candidate", metavar="CANDIDATE", help="the version: a number, or newest")
        parser.add_argument(
            "--against",
            default="",
            metavar="champion|N|none",
            help="the version to hold it against; none: absolute limits alone (default: the champion, if there is one)",
        )
        add_data(parser)
        parser.add_argument("-M", "--metrics-file", type=Path, help="write the report as JSON")

    def handle(
        self, *, candidate: str, against: str, data: list[Path], metrics_file: Path | None, **options: Any
    ) -> None:
        """Measure, show, write."""
        version = get_version(candidate)
        opponent, note = self._opponent(version, against)
        with self.progress("starting") as report:
            found = gate(version, opponent, paths=data, note=note, on_step=report)
        print_gate(self.out, found)
        write_metrics(self, metrics_file, found.as_json())
        self._say_next(version, found)

    @staticmethod
    def _opponent(version: ModelVersion, against: str) -> tuple[ModelVersion | None, str]:
        if against == NOBODY:
            return None, ""
        return (get_version(against), "") if against else opponent_of(version)

    def _say_next(self, version: ModelVersion, found: GateReport) -> None:
        if not found.passed:
            raise CommandError(
                f"The gate blocks {version}: {', '.join(found.blocked_by)}. `manage.py evaluate --model {version.number} "
                f"--per-genre` shows more; `manage.py promote {version.number} --force --reason WHY` overrules the gate."
            )
        if version.state == ModelVersion.State.CHAMPION:
            self.out.print(f"The gate lets {version} through; it is the champion already.")
        else:
            self.out.print(f"The gate lets {version} through. Next: manage.py promote {version.number}")
