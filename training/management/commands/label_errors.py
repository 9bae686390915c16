"""``manage.py label_errors``."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import GenreCommand, Table, existing_file
from classifier.genre_table import genres_at_hand
from feedback.models import Suspect
from training.core.corpora import STARTER_FILE
from training.reviewing import LIMIT, search_labels


class Command(GenreCommand):
    """Look for labels of the training data that are probably wrong."""

    help = (
        "Look for texts of the training data whose genres are probably wrong: models that did not learn from a text find its "
        "label hard to believe. Reviewers see them at /review/labels/ and say whether the label is right, or which is; a "
        "better one becomes an approved correction, which training prefers to the file. The texts are copied into the "
        "database until the next search."
    )
    examples = """
  manage.py label_errors
  manage.py label_errors --data books.csv --limit 100
  manage.py label_errors --data books.csv --no-feedback --show 20
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--data",
            type=existing_file,
            action="append",
            default=None,
            metavar="PATH",
            help="a file of labelled books, may be repeated (default: the starter corpus)",
        )
        parser.add_argument("--no-feedback", action="store_true", help="leave the approved corrections out")
        parser.add_argument(
            "--limit", type=int, default=LIMIT, metavar="N", help="how many labels to suspect (default: %(default)s)"
        )
        parser.add_argument("--seed", type=int, default=0, help="of everything random (default: %(default)s)")
        parser.add_argument(
            "--show", type=int, default=5, metavar="N", help="how many of the first to show (default: %(default)s)"
        )

    def handle(self, **options: Any) -> None:
        """Search, store, show."""
        paths: list[Path] = options["data"] or [STARTER_FILE]
        with self.progress("starting") as report:
            searched = search_labels(
                paths,
                genres_at_hand(),
                limit=options["limit"],
                use_feedback=not options["no_feedback"],
                seed=options["seed"],
                on_step=report,
            )
        self.out.print(
            f"{searched.n_texts:,} texts searched: {searched.n_open:,} labels are under suspicion, {searched.n_new:,} of them new."
        )
        table = Table(title="Hardest to believe", title_justify="left")
        for column in ("file", "row", "label", "models say", "doubt"):
            table.add_column(column, justify="right" if column in ("row", "doubt") else "left")
        for row in Suspect.objects.filter(status=Suspect.Status.OPEN)[: max(0, options["show"])]:
            said = ", ".join(f"{slug} {score:.0%}" for slug, score in row.suggested[:2])
            table.add_row(row.source, str(row.row), ", ".join(row.given), said, f"{row.score:.2f}")
        self.out.print(table)
