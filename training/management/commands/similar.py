"""``manage.py similar``."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand, Table, existing_file
from classifier.core.text import check_text, decode, one_line
from classifier.genre_table import genres_at_hand
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.embeddings import METHODS
from training.core.neighbours import K, measure_methods, nearest
from training.management.commands.evaluate import add_measured, write_metrics


class Command(GenreCommand):
    """Find similar texts."""

    help = (
        "Find the texts nearest to one by Doc2Vec, fastText and TF-IDF. Without a text: how often the nearest share the "
        "primary genre. Each method is fitted on the train side, the test side's texts are the queries, and neighbours "
        "are sought on the train side."
    )
    examples = """
  manage.py similar
  manage.py similar --data books.csv --method tfidf --method doc2vec -M similar.json
  manage.py similar --text "A dragon wakes under the old mountain." -k 5
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        add_measured(parser)
        given = parser.add_mutually_exclusive_group()
        given.add_argument("--text", help="find the texts nearest to this one")
        given.add_argument("--file", type=existing_file, metavar="F", help="find the texts nearest to this file's")
        parser.add_argument("--method", action="append", choices=METHODS, help="may be repeated (default: all)")
        parser.add_argument("-k", type=int, default=K, help="number of neighbours (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=0, help="same seed, same figures (default: %(default)s)")

    def handle(self, **options: Any) -> None:
        """Measure or search, show, write."""
        if options["k"] < 1:
            raise CommandError("-k needs at least 1.", returncode=2)
        path: Path = options["data"] or STARTER_FILE
        # The site's genres, as in the lab.
        examples = read_corpus(path, genres_at_hand()).examples
        methods = list(dict.fromkeys(options["method"] or METHODS))
        text = decode(options["file"].read_bytes()) if options["file"] else options["text"]
        if text is not None:
            check_text(text)
        found: dict[str, Any] = {"data": path.name, "seed": options["seed"]}
        with self.progress("starting") as report:
            if text is None:
                rates = measure_methods(examples, methods, k=options["k"], seed=options["seed"], on_step=report)
                found["rates"] = [asdict(rate) for rate in rates]
            else:
                found["nearest"] = {}
                for number, method in enumerate(methods):
                    report(method, number / len(methods))
                    fitted = METHODS[method](examples, seed=options["seed"])
                    at, cosines = nearest(fitted.embed(text), fitted.vectors, options["k"])
                    found["nearest"][method] = [
                        {
                            "title": examples[row].title,
                            "genres": list(examples[row].genres),
                            "cosine": float(cosine),
                            "opening": one_line(examples[row].text)[:60],
                        }
                        for row, cosine in zip(at, cosines, strict=True)
                    ]
        if text is None:
            self._show_rates(found["rates"], path.name)
        else:
            self._show_nearest(found["nearest"])
        write_metrics(self, options["metrics_file"], found)

    def _show_rates(self, rates: list[dict[str, Any]], name: str) -> None:
        first = rates[0]
        title = f"{name}: {first['n_queries']} texts asked, neighbours among {first['n_searched']} others"
        table = Table(title=title, title_justify="left")
        for column in ("method", f"same genre@{first['k']}", "95 % interval", "seconds"):
            table.add_column(column)
        for rate in rates:
            interval = f"{rate['low']:.4f} to {rate['high']:.4f}"
            table.add_row(rate["method"], f"{rate['same_genre']:.4f}", interval, f"{rate['seconds']:.0f}")
        table.add_row("random", f"{first['random']:.4f}", "", "")
        self.out.print(table)

    def _show_nearest(self, nearest_by: dict[str, list[dict[str, Any]]]) -> None:
        for method, rows in nearest_by.items():
            table = Table(title=method, title_justify="left")
            for column in ("cosine", "title", "genres", "opening words"):
                table.add_column(column)
            for row in rows:
                table.add_row(f"{row['cosine']:.3f}", row["title"], ", ".join(row["genres"]), row["opening"])
            self.out.print(table if rows else f"{method}: knows none of the text's words. Give a longer text.")
