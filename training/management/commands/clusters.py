"""``manage.py clusters``."""

import argparse
import logging
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import GenreCommand, Table
from classifier.genre_table import genres_at_hand
from training.core.cluster_study import AUTO, VECTORS, Study, embed, study
from training.core.clusters import AGREEMENT, METHODS, NOISE, Clustering
from training.core.corpora import STARTER_FILE, read_corpus
from training.management.commands.evaluate import add_measured, write_metrics


def _number(value: str) -> int:
    if value == "auto":
        return AUTO
    if not value.isdecimal() or int(value) < 2:
        raise argparse.ArgumentTypeError(f"{value!r} is neither auto nor a number from 2 on")
    return int(value)


class Command(GenreCommand):
    """Cluster books and compare the clusters with their genres."""

    help = (
        "Put the texts of a file into clusters without looking at their genres, and say how far the clusters agree with "
        "the genres, beside clusters of the same sizes filled at random, what words name each, and how accurate they "
        "would be as a genre detector. The figures of the lab's page Clusters."
    )
    examples = """
  manage.py clusters
  manage.py clusters --data google_books_1299.csv --method kmeans -k auto
  manage.py clusters --data books.csv --method kmeans --method hdbscan -k 20 -M clusters.json
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        add_measured(parser)
        parser.add_argument(
            "--method", action="append", choices=list(METHODS), default=None, help="may be repeated (default: all)"
        )
        parser.add_argument(
            "-k",
            type=_number,
            default=None,
            metavar="N|auto",
            help="how many clusters; auto: of several numbers the one with the best silhouette (default: as many as "
            "there are genres). HDBSCAN finds its own number",
        )
        parser.add_argument(
            "--vectors",
            choices=list(VECTORS),
            default="tfidf",
            help="what the texts become; fastText's vectors learn from the genres and are left out (default: %(default)s)",
        )
        parser.add_argument("--seed", type=int, default=0, help="of everything random (default: %(default)s)")

    def handle(self, **options: Any) -> None:
        """Cluster, show, write."""
        # gensim tells of every epoch.
        logging.getLogger("gensim").setLevel(logging.WARNING)
        path: Path = options["data"] or STARTER_FILE
        # The site's genres, as in the lab.
        examples = read_corpus(path, genres_at_hand()).examples
        with self.progress("vectors") as report:
            texts = [example.text for example in examples]
            vectors = embed(texts, options["vectors"], seed=options["seed"], on_step=report)
            found = study(
                examples,
                vectors,
                methods=list(dict.fromkeys(options["method"] or METHODS)),
                k=options["k"],
                seed=options["seed"],
                on_step=report,
            )
        title = (
            f"{path.name}: {found.n_texts:,} texts of {found.n_genres} genres, {VECTORS[options['vectors']]} vectors"
        )
        if found.criteria:
            self.out.print(_criteria_table(found))
        self.out.print(_table(found, title))
        self.out.print("at random: clusters of the same sizes, filled at random (mean of ten).")
        for one in found.clusterings:
            self.out.print(_words_table(one))
            self.out.print(
                f"{len(one.contradictions):,} of {len(one.rows):,} texts are in a cluster whose commonest genre is none of theirs."
            )
        self.out.print(found.paragraph)
        settings = {"data": path.name, "vectors": options["vectors"], "seed": options["seed"]}
        write_metrics(self, options["metrics_file"], {"title": title, **settings, **found.as_json()})


def _table(found: Study, title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    for one in found.clusterings:
        table.add_column(METHODS[one.method], justify="right")
        table.add_column("at random", justify="right")
    rows: dict[str, list[str]] = {
        "texts": [f"{len(one.rows):,}" for one in found.clusterings],
        "clusters": [str(one.n_clusters) for one in found.clusterings],
        "in no cluster": [f"{one.noise_share:.1%}" for one in found.clusterings],
    }
    for name, values in rows.items():
        table.add_row(name, *(cell for value in values for cell in (value, "")))
    for key, name in AGREEMENT.items():
        pairs = [(one.agreement[key], one.baseline[key]) for one in found.clusterings]
        table.add_row(name, *(f"{value:z.4f}" for pair in pairs for value in pair))
    last = {
        "stability (mean ARI)": [f"{one.stability:.4f}" for one in found.clusterings],
        "accuracy, held-out texts": [
            "" if one.accuracy is None else f"{one.accuracy:.4f}" for one in found.clusterings
        ],
        "seconds": [f"{one.seconds:.1f}" for one in found.clusterings],
    }
    for name, values in last.items():
        table.add_row(name, *(cell for value in values for cell in (value, "")))
    return table


def _words_table(one: Clustering) -> Table:
    table = Table(title=METHODS[one.method], title_justify="left")
    for column, justify in (("cluster", "right"), ("texts", "right"), ("commonest genre", "left"), ("words", "left")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for number, genre in one.genres.items():
        name = "none" if number == NOISE else str(number)
        size = int((one.clusters == number).sum())
        table.add_row(name, f"{size:,}", genre, ", ".join(one.words.get(number, [])))
    return table


def _criteria_table(found: Study) -> Table:
    table = Table(title="k-means: the best number of clusters (best marked)", title_justify="left")
    for column in ("k", "silhouette", "inertia (elbow)", "V-measure", "ARI"):
        table.add_column(column, justify="right")
    for one in found.criteria:
        cells = {
            "silhouette": f"{one.silhouette:.4f}",
            "elbow": f"{one.inertia:.1f}",
            "v_measure": f"{one.v_measure:.4f}",
            "ari": f"{one.ari:.4f}",
        }
        marked = (f"[bold]{cell} *[/]" if found.best[key] == one.k else cell for key, cell in cells.items())
        table.add_row(str(one.k), *marked)
    return table
