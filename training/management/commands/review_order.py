"""``manage.py review_order``."""

from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand, Table
from classifier.genre_table import genres_at_hand
from classifier.models import ModelVersion
from feedback.models import QueueScore
from training.reviewing import place_corrections


class Command(GenreCommand):
    """Compute the order of the review queue."""

    help = (
        "Compute in which order the review queue at /review/ shows the waiting corrections: first those from which the "
        "next model would learn most. It looks at how unsure the champion is, how new the text is beside what training "
        "knows, how far people contradict the model, and lets the genres known least come first. Run it daily, and after a promotion; what "
        "comes in between takes its place by the scores that were shown."
    )
    examples = """
  manage.py review_order
  manage.py review_order --show 20
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--show", type=int, default=5, metavar="N", help="how many of the first to show (default: %(default)s)"
        )

    def handle(self, *, show: int, **options: Any) -> None:
        """Compute, store, show."""
        version = ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION).first()
        if version is None:
            raise CommandError("No model answers yet. Run `manage.py ensure_model`.", returncode=1)
        with self.progress("starting") as report:
            placed = place_corrections(version, genres_at_hand(), on_step=report)
        self.out.print(
            f"{placed.n:,} waiting corrections are in order, by version {placed.version} beside {placed.n_known:,} known texts."
        )
        for name in placed.lost:
            self.out.print(f"{name} is not where it was when the version was trained: its texts count as unknown.")
        if placed.n and show > 0:
            self.out.print(_table(show))


def _table(show: int) -> Table:
    table = Table(title="First", title_justify="left")
    for column in ("correction", "uncertainty", "novelty", "disagreement"):
        table.add_column(column, justify="right")
    for row in QueueScore.objects.filter(is_estimate=False).order_by("-score", "pk")[:show]:
        parts = (f"{row.parts[name]:.2f}" for name in ("uncertainty", "novelty", "disagreement"))
        table.add_row(str(row.correction_id), *parts)
    return table
