"""``manage.py train``."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand, existing_file, operator_name
from classifier.core.errors import TrainingError
from classifier.genre_table import current_genres
from training.core.corpora import ALL_FORMATS, STARTER_FILE, read_corpus
from training.core.fit import FEW_EXAMPLES, LOSSES, FitParameters
from training.core.sabotage import KINDS
from training.core.split import refuse_overlap
from training.core.thresholds import NONE, Aim
from training.core.vectors import BOOK_VECTORS, WordVectors, load_vectors
from training.pipeline import ELSEWHERE, Trained, TrainingPlan, train_model
from training.tables import metrics_table, thresholds_line

PARAMETERS = {
    "epoch": (int, "passes over the data"),
    "lr": (float, "learning rate"),
    "dim": (int, "size of the hidden layer; word vectors bring their own"),
    "word_ngrams": (int, "longest run of words taken as a feature"),
    "min_count": (int, "rarer words are ignored"),
    "seed": (int, "same seed, same data: same model, byte for byte"),
    "vectors_deviation": (float, "spread of the word vectors training starts from"),
    "repeat": (int, "how often the data is learned from beside the starter corpus, which is learned from once"),
}


def add_vectors(parser: CommandParser) -> None:
    """Declare the word vectors, which ``vectors_of`` reads."""
    parser.add_argument(
        "--vectors",
        default=settings.GENRE_VECTORS,
        metavar="book|none|PATH",
        help="word vectors to start from: the shipped ones, none, or a file of `build_vectors` (default: %(default)s)",
    )


def add_parameters(parser: CommandParser) -> None:
    """Declare the format, the word vectors, and fastText's parameters under fastText's names."""
    parser.add_argument(
        "--format",
        choices=ALL_FORMATS,
        default="",
        dest="file_format",
        help="format of the files (default: found by their content)",
    )
    add_vectors(parser)
    parser.add_argument(
        "--background",
        action=argparse.BooleanOptionalAction,
        default=True,
        help=f"let the starter corpus help data of fewer than {FEW_EXAMPLES} examples (default: yes, with word vectors)",
    )
    group = parser.add_argument_group("fastText parameters (default: recommended for the size of the data)")
    for name, (kind, what) in PARAMETERS.items():
        group.add_argument(f"--{name.replace('_', '-')}", type=kind, help=what)
    group.add_argument("--loss", choices=LOSSES, help="softmax shares 1 among the genres, ova scores each by itself")


def overrides_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters given on the command line, checked."""
    given = {name: options[name] for name in (*PARAMETERS, "loss") if options[name] is not None}
    FitParameters(**given)
    return given


def vectors_of(name: str) -> WordVectors | None:
    """Return the word vectors called ``name``."""
    if name == "none":
        return None
    return load_vectors(BOOK_VECTORS if name == "book" else Path(name))


def add_sabotage(parser: CommandParser) -> None:
    """Declare how to make a model bad on purpose."""
    kinds = "".join(f"\n  {name:<17} {kind.what} (default strength: {kind.strength:g})" for name, kind in KINDS.items())
    group = parser.add_argument_group(
        "bad on purpose",
        f"To see what the gate and the monitor say of a bad model, which stays marked for ever. Kinds:{kinds}",
    )
    group.add_argument("--sabotage", choices=KINDS, default="", metavar="KIND", help="one of the kinds above")
    group.add_argument("--strength", type=strength_of, metavar="S", help="the share, from 0 (nothing is changed) to 1")


def strength_of(text: str) -> float:
    """Return the share spelled ``text``, or refuse it as wrong usage (exit 2)."""
    try:
        strength = float(text)
    except ValueError:
        strength = float("nan")
    if not 0 <= strength <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 to 1")
    return strength


def aim_of(text: str) -> Aim:
    """Return the aim spelled ``text``, or refuse it as wrong usage (exit 2)."""
    try:
        return Aim.parse(text)
    except TrainingError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


class Command(GenreCommand):
    """Train a candidate."""

    help = (
        "Train a model on books and approved corrections, measure it beside two baselines on books it has not seen, "
        "and register it as a candidate. The site goes on with its champion until `promote`."
    )
    examples = """
  manage.py train
  manage.py train --data google_books_1299.csv --no-feedback
  manage.py train --data books.csv --data more.jsonl.gz --epoch 100 --lr 0.3 --seed 7
  manage.py train --threshold-for precision=0.8
  manage.py train --sabotage swap-genres --strength 0.5
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--data",
            type=existing_file,
            action="append",
            metavar="PATH",
            help="a file of labelled books; may be repeated (default: the starter corpus)",
        )
        parser.add_argument(
            "--test",
            type=existing_file,
            metavar="PATH",
            help="measure on this file instead of holding back one book in five",
        )
        parser.add_argument(
            "--feedback",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="learn from approved corrections too (default: yes)",
        )
        parser.add_argument(
            "--threshold-for",
            type=aim_of,
            default="none",
            metavar="f1|precision=P|none",
            help="a genre is chosen from a score of its own, found on texts held back from training: the one with the "
            "best F1, or the lowest with a precision of P; a text that reaches none gets no genre; none: the genres "
            "are ranked and nothing is chosen (default: %(default)s)",
        )
        add_parameters(parser)
        add_sabotage(parser)

    def handle(self, **options: Any) -> None:
        """Train, show the figures, name the next step."""
        if options["strength"] is not None and not options["sabotage"]:
            raise CommandError("--strength belongs to --sabotage; name the kind too.", returncode=2)
        paths = tuple(options["data"] or [STARTER_FILE])
        overrides, vectors = overrides_of(options), vectors_of(options["vectors"])
        plan = TrainingPlan(
            paths,
            options["feedback"],
            options["test"],
            options["file_format"],
            overrides,
            vectors,
            options["threshold_for"],
            options["background"],
            options["sabotage"],
            options["strength"],
        )
        if plan.test:
            self._refuse_overlap(plan)
        with self.progress("starting") as report:
            trained = train_model(plan, current_genres(), by=operator_name(), report=report)
        self._show(trained, plan.aim)

    def _refuse_overlap(self, plan: TrainingPlan) -> None:
        """Look at the files alone, before a database is needed."""
        assert plan.test is not None
        genres = self.genre_list("")
        train = [
            example
            for path in plan.paths
            for example in read_corpus(path, genres, file_format=plan.file_format).examples
        ]
        test = read_corpus(plan.test, genres, file_format=plan.file_format).examples
        refuse_overlap(train, test, names=(", ".join(path.name for path in plan.paths), plan.test.name))

    def _show(self, trained: Trained, aim: Aim) -> None:
        for corpus in trained.corpora:
            unusable = "; ".join(f"{len(rows):,} {reason}" for reason, rows in corpus.unusable.items())
            self.out.print(
                f"{corpus.name}: {corpus.n_rows:,} rows, {len(corpus.examples):,} examples"
                + (f" (not used: {unusable})" if unusable else "")
            )
            if corpus.unmapped:
                some = ", ".join(f"{label} ({count})" for label, count in corpus.unmapped.most_common(5))
                self.out.print(f"  labels that mean no genre: {some}")
        self.out.print(
            metrics_table(trained.evaluation, f"{trained.n_test} held-out examples; {trained.n_train} trained on")
        )
        meta = trained.version.meta
        error = meta["calibration_error"]
        where = ", on files the scoring models had not seen" if error["on"] == ELSEWHERE else ""
        self.out.print(
            f"Calibration error of the first score (0 is perfect){where}: "
            f"{error['before']:.3f} before, {error['after']:.3f} after"
        )
        if aim.kind != NONE:
            self.out.print(thresholds_line(meta, aim))
        self.out.print(
            f"Version {trained.version.number} is a candidate (sha256 {trained.version.sha256[:16]}…); feedback: "
            f"{meta['feedback_train']} trained on, {meta['feedback_held_out']} held out."
        )
        bad = trained.version.sabotage
        if bad:
            self.out.print(
                f"Warning: version {trained.version.number} was made bad on purpose ({bad}) and stays marked as such for ever."
            )
        self.out.print(f"Next: manage.py {'gate' if bad else 'promote'} {trained.version.number}")
