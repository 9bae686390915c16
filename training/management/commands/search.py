"""``manage.py search``."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand, Table
from training.core.books import Example
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.metrics import NAMES
from training.core.search import METRICS, RECOMMENDED, Result, Variant, search, variants
from training.core.split import frozen_split
from training.management.commands.evaluate import add_measured, write_metrics
from training.management.commands.train import add_vectors, vectors_of


class Command(GenreCommand):
    """Compare recipes."""

    help = (
        "Look for a better recipe: the recommended one, one change of it at a time, and TF-IDF + LinearSVC, compared by "
        "cross-validation inside the training side of the data. The test side is never looked at, so the figures choose a "
        "recipe and are no result: `evaluate` measures one."
    )
    examples = """
  manage.py search
  manage.py search --data google_books_1299.csv --folds 5 -M search.json
  manage.py search --data google_books_1299.csv --only recommended --only linear_svc
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        add_measured(parser)
        parser.add_argument("--folds", type=int, default=5, metavar="K", help="number of folds (default: %(default)s)")
        add_vectors(parser)
        parser.add_argument(
            "--only", action="append", default=None, metavar="NAME", help="try this variant alone; may be repeated"
        )
        parser.add_argument("--seed", type=int, default=0, help="makes the folds and the models (default: %(default)s)")

    def handle(self, **options: Any) -> None:
        """Search, show, write."""
        n_folds = options["folds"]
        if n_folds < 2:
            raise CommandError("--folds needs at least 2.", returncode=2)
        path: Path = options["data"] or STARTER_FILE
        genres = self.genre_list("")
        examples = read_corpus(path, genres).examples
        train = [examples[at] for at in frozen_split(examples).train]
        vectors = vectors_of(options["vectors"])
        chosen = _chosen(variants(len(train), vectors is not None), options["only"])
        starter: list[Example] = []
        if path != STARTER_FILE and any(variant.with_background for variant in chosen):
            starter = read_corpus(STARTER_FILE, genres).examples
        with self.progress("starting") as report:
            results = search(
                train,
                chosen,
                vectors=vectors,
                starter=starter,
                n_folds=n_folds,
                seed=options["seed"],
                on_step=report,
            )
        title = f"{path.name}, training side only: {n_folds}-fold cross-validation by book, {len(train)} examples"
        ordered = sorted(results, key=lambda result: -result.metrics["accuracy"])
        self.out.print(_table(ordered, title))
        self.out.print(
            f"* what `train` does by default. One example is {1 / len(train):.4f} of accuracy; the best of many is partly "
            "luck. The test side was not used: these figures choose a recipe, `evaluate` measures one."
        )
        found = {"title": title, "data": path.name, "results": [asdict(result) for result in ordered]}
        write_metrics(self, options["metrics_file"], found)


def _chosen(found: list[Variant], names: list[str] | None) -> list[Variant]:
    unknown = sorted(set(names or ()) - {variant.name for variant in found})
    if unknown:
        known = ", ".join(repr(variant.name) for variant in found)
        raise CommandError(f"--only {unknown[0]!r} is no variant for this data. There are: {known}.", returncode=2)
    return [variant for variant in found if not names or variant.name in names]


def _table(results: list[Result], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("variant")
    for name in (*(NAMES[metric] for metric in METRICS), "seconds"):
        table.add_column(name, justify="right")
    for result in results:
        name = f"[bold]{result.variant.name} *[/]" if result.variant.name == RECOMMENDED else result.variant.name
        figures = [f"{result.metrics[metric]:.4f}" for metric in METRICS]
        table.add_row(name, *figures, f"{result.seconds:.0f}")
    return table
