"""``manage.py promote``."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand, operator_name
from classifier.registry import RECHECK_SECONDS
from training.gating import Promotion, promote_gated
from training.management.commands.build_neighbours import write_neighbours
from training.management.commands.gate import add_data
from training.neighbours import has_neighbours
from training.tables import print_gate


class Command(GenreCommand):
    """Make a version the champion."""

    help = (
        "Run the gate and, if it lets the version through, make it the champion: running workers follow by themselves. "
        "What the gate found is kept in the history. Blocked (exit 1), nothing changes."
    )
    examples = """
  manage.py promote 3 --reason "learned 200 corrections"
  manage.py promote 3 --force --reason "the old genres are given up on purpose"
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("number", type=int, metavar="N", help="the version, as `manage.py models` lists it")
        parser.add_argument("--reason", default="", help="kept in the history")
        parser.add_argument(
            "--force", action="store_true", help="promote even if the gate blocks it; needs --reason, and is recorded"
        )
        add_data(parser)

    def handle(self, *, number: int, reason: str, force: bool, data: list[Path], **options: Any) -> None:
        """Promote and say so."""
        if force and not reason.strip():
            raise CommandError("--force needs --reason: who overrules the gate says why.", returncode=2)
        with self.progress("starting") as report:
            promotion = promote_gated(
                number, by=operator_name(), reason=reason, force=force, paths=data, on_step=report
            )
        if promotion.report:
            print_gate(self.out, promotion.report)
        if not promotion.is_champion:
            raise CommandError(
                f"{promotion.refusal} The champion stays. Train again, or overrule the gate with --force --reason WHY."
            )
        self._tell(promotion)
        if not has_neighbours(promotion.version):
            write_neighbours(self, promotion.version)

    def _tell(self, promotion: Promotion) -> None:
        if promotion.error:
            self.stderr.write(f"The gate could not measure: {promotion.error}")
        if promotion.is_forced:
            self.stderr.write("The gate was overruled; that is on record.", self.style.WARNING)
        self.stdout.write(
            f"Version {promotion.version.number} is the champion; running workers follow within about {RECHECK_SECONDS:g} s.",
            self.style.SUCCESS,
        )
