"""``manage.py evaluate``."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand, existing_file
from classifier.core.files import write_json
from classifier.registry import get_version, load_version
from training.core.books import Example
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.evaluation import Evaluation, compare, cross_validate, evaluate_model
from training.core.fit import FitParameters, recommended
from training.core.split import frozen_split, refuse_overlap
from training.core.vectors import WordVectors
from training.management.commands.train import add_parameters, overrides_of, vectors_of
from training.pipeline import refuse_seen
from training.tables import genres_table, metrics_table

Report = Callable[[str, float], None]


def add_measured(parser: CommandParser) -> None:
    """Declare the file that is measured, and the one the metrics are written to."""
    parser.add_argument(
        "--data",
        type=existing_file,
        default=None,
        metavar="PATH",
        help="labelled books (default: the starter corpus)",
    )
    parser.add_argument("-M", "--metrics-file", type=Path, help="write the metrics as JSON")


def write_metrics(command: GenreCommand, target: Path | None, found: dict[str, Any]) -> None:
    """Write the metrics as JSON where ``--metrics-file`` asks for them."""
    if target is None:
        return
    try:
        write_json(target, found)
    except OSError as error:
        raise CommandError(f"{target} can't be written: {error.strerror}.") from error
    command.stderr.write(f"Metrics written to {target}.")


class Command(GenreCommand):
    """Measure."""

    help = (
        "Measure a model on books it has not seen, beside TF-IDF + LinearSVC and the majority baseline on the same books. "
        "A genre counts as chosen from the model's own threshold, and a text without genre as wrong. "
        "With --cv, cross-validate training itself; with --train, train on one file and test on another. "
        "Refuses data that stands on both sides."
    )
    examples = """
  manage.py evaluate
  manage.py evaluate --model 3 --data google_books_1299.csv
  manage.py evaluate --data google_books_1299.csv --cv 5 -M metrics.json
  manage.py evaluate --train train.txt --data test.txt
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--model", default=None, metavar="N|champion", help="which version to measure (default: champion)"
        )
        add_measured(parser)
        parser.add_argument(
            "--train", type=existing_file, metavar="PATH", help="train on this file and test on all of --data"
        )
        parser.add_argument(
            "--cv", type=int, metavar="K", help="K-fold cross-validation by book, instead of a stored model"
        )
        parser.add_argument(
            "--genres", default="", metavar="FILE", help="a list of genres of your own, shaped like genres.toml"
        )
        parser.add_argument("--per-genre", action="store_true", help="show every genre too")
        add_parameters(parser)

    def handle(self, **options: Any) -> None:
        """Measure, show, write."""
        if options["cv"] is not None and options["cv"] < 2:
            raise CommandError("--cv needs at least 2 folds.", returncode=2)
        if sum(options[name] is not None for name in ("cv", "train", "model")) > 1:
            raise CommandError("Use one of --model, --train and --cv.", returncode=2)
        path: Path = options["data"] or STARTER_FILE
        genres = self.genre_list(options["genres"])
        examples = read_corpus(path, genres, file_format=options["file_format"]).examples
        with self.progress("starting") as report:
            title, evaluation = self._measure(path, examples, options, report)
        self.out.print(metrics_table(evaluation, title))
        if options["per_genre"]:
            self.out.print(genres_table(evaluation))
        write_metrics(self, options["metrics_file"], {"title": title, "data": path.name, **evaluation.as_json()})

    def _measure(
        self, path: Path, examples: list[Example], options: dict[str, Any], report: Report
    ) -> tuple[str, Evaluation]:
        vectors, overrides = vectors_of(options["vectors"]), overrides_of(options)
        starter: list[Example] = []
        if options["background"] and path != STARTER_FILE:
            starter = read_corpus(STARTER_FILE, self.genre_list(options["genres"])).examples
        if options["train"]:
            train_path: Path = options["train"]
            train = read_corpus(
                train_path, self.genre_list(options["genres"]), file_format=options["file_format"]
            ).examples
            refuse_overlap(train, examples, names=(train_path.name, path.name))
            title = f"Trained on {train_path.name}, tested on the {len(examples)} examples of {path.name}"
            parameters = _parameters(len(train), vectors, overrides)
            return title, compare(train, examples, parameters, vectors=vectors, starter=starter, on_step=report)
        if options["cv"]:
            title = f"{path.name}: {options['cv']}-fold cross-validation by book, {len(examples)} examples"
            parameters = _parameters(len(examples), vectors, overrides)
            return title, cross_validate(
                examples, parameters, n_folds=options["cv"], vectors=vectors, starter=starter, on_step=report
            )
        split = frozen_split(examples)
        train, test = [examples[at] for at in split.train], [examples[at] for at in split.test]
        version = get_version(options["model"] or "champion")
        refuse_seen(version, test, name=f"the test side of {path.name}")
        model = load_version(version)
        title = f"{version} on the test side of {path.name}, {len(test)} examples (baselines trained on its train side)"
        return title, evaluate_model(model.predict_many, train, test, thresholds=model.thresholds, on_step=report)


def _parameters(n_train: int, vectors: WordVectors | None, overrides: dict[str, Any]) -> FitParameters:
    return replace(recommended(n_train, with_vectors=vectors is not None), **overrides)
