"""``manage.py data_report``."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import GenreCommand, Table, existing_file
from classifier.core.examples import open_text
from classifier.core.genres import GenreList
from training.core.books import Corpus
from training.core.corpora import ALL_FORMATS, KAGGLE, read_corpus
from training.core.kaggle import KaggleReport, describe_kaggle, read_frame

SHOWN_ROWS = 6
SHOWN_HEADINGS = 12


class Command(GenreCommand):
    """Say what a file of labelled books holds."""

    help = "Say what a file holds: rows, books, headings, genres, and why each row that can't be used can't."
    examples = """
  manage.py data_report google_books_1299.csv
  manage.py data_report books.jsonl.gz --format json
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("path", type=existing_file)
        parser.add_argument("--file-format", choices=ALL_FORMATS, default="", help="default: found by its content")
        parser.add_argument("--format", choices=["table", "json"], default="table", dest="output")
        parser.add_argument(
            "--genres", default="", metavar="FILE", help="a list of genres of your own, shaped like genres.toml"
        )

    def handle(self, *, path: Path, file_format: str, output: str, genres: str, **options: Any) -> None:
        """Read and show."""
        genre_list = self.genre_list(genres)
        corpus = read_corpus(path, genre_list, file_format=file_format)
        report = None
        if corpus.file_format == KAGGLE:
            report = describe_kaggle(read_frame(open_text(path), path.name))
        if output == "json":
            self.stdout.write(json.dumps(self._as_json(corpus, report), indent=1, ensure_ascii=False))
            return
        self.out.print(f"[bold]{corpus.name}[/] ({corpus.file_format}), sha256 {corpus.sha256[:16]}…")
        if report:
            self._show_kaggle(report)
        else:
            self.out.print(f"{corpus.n_rows:,} rows")
        for note in corpus.notes:
            self.out.print(f"  {note}")
        self._show_rows(corpus)
        self._show_genres(corpus, genre_list)

    @staticmethod
    def _as_json(corpus: Corpus, report: KaggleReport | None) -> dict[str, Any]:
        result = {
            **corpus.account(),
            "unusable_row_numbers": corpus.unusable,
            "genres": dict(corpus.genre_counts().most_common()),
            "notes": corpus.notes,
        }
        if report:
            result |= {
                "duplicate_rows": report.n_duplicate_rows,
                "books": report.n_books,
                "labelled_books": report.n_labelled,
                "descriptions": report.n_descriptions,
                "none_rows": report.n_none_rows,
                "spellings": report.spellings,
                "headings_per_level": [len(level) for level in report.levels],
                "headings": dict(report.headings.most_common()),
            }
        return result

    def _show_kaggle(self, report: KaggleReport) -> None:
        facts = (
            (report.n_rows, "rows"),
            (report.n_duplicate_rows, "exact duplicate rows"),
            (report.n_books, "books (title and author)"),
            (report.n_labelled, "labelled books"),
            (report.n_descriptions, "different descriptions, the empty one included"),
            (report.n_none_rows, "rows whose genre is none"),
            (len(report.headings), "different headings"),
        )
        for count, what in facts:
            self.out.print(f"{count:,} {what}")
        spellings = ", ".join(f"{mark} in {count} rows" for mark, count in report.spellings.items() if count)
        self.out.print(f"spellings of & merged: {spellings}")
        for depth, level in enumerate(report.levels, start=1):
            top = ", ".join(f"{heading} {count}" for heading, count in level.most_common(SHOWN_HEADINGS))
            self.out.print(f"level {depth}: {len(level)} headings; books with the most frequent: {top}")

    def _show_rows(self, corpus: Corpus) -> None:
        table = Table(title="Rows", title_justify="left")
        for column in ("rows", "what became of them", "row numbers"):
            table.add_column(column, justify="right" if column == "rows" else "left")
        table.add_row(f"{corpus.n_used_rows:,}", f"used, as {len(corpus.examples):,} examples", "")
        for reason, rows in sorted(corpus.unusable.items(), key=lambda item: -len(item[1])):
            numbers = ", ".join(map(str, sorted(rows)[:SHOWN_ROWS]))
            table.add_row(f"{len(rows):,}", reason, numbers + (", …" if len(rows) > SHOWN_ROWS else ""))
        self.out.print(table)
        for label, count in corpus.unmapped.most_common():
            self.out.print(f"  no genre for the label: {label} ({count})")

    def _show_genres(self, corpus: Corpus, genres: GenreList) -> None:
        counts = corpus.genre_counts()
        table = Table(title=f"Genres of the {len(corpus.examples):,} examples (several each)", title_justify="left")
        table.add_column("genre")
        table.add_column("examples", justify="right")
        for slug, count in counts.most_common():
            table.add_row(genres[slug].name, f"{count:,}")
        self.out.print(table)
        absent = [genre.name for genre in genres if not counts[genre.slug]]
        if absent:
            self.out.print(f"No example of: {', '.join(absent)}")
