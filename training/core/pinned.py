"""The benchmark sets pinned by ``kaggle_primary.csv`` and ``four_files.csv.gz``, read from a data folder.

They fix which rows count, their primary genre and their side, so that every figure speaks of the same task.
"""

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from classifier.core.errors import CorpusError
from classifier.core.examples import open_text
from classifier.core.genres import GenreList
from training.core.books import Example
from training.core.corpora import read_corpus

FOUR_FILES = "four_files.csv.gz"
KAGGLE_FILE = "google_books_1299.csv"
KAGGLE_PINS = "kaggle_primary.csv"
# Where each file keeps its text, its title and its authors.
COLUMNS = {
    "google_api_books.csv.gz": ("description", "title", "authors"),
    "seven_k_books.csv.gz": ("description", "title", "authors"),
    "wonderbk_5000.csv.gz": ("Description", "Title", "Authors"),
    "booklists.csv.gz": ("blurb", "title", ""),
}


@dataclass(frozen=True)
class Pinned:
    """One pinned example: its file, and its side (``train``/``test``) or its fold."""

    example: Example
    file: str
    side: str


def _rows(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(10_000_000)
    return list(csv.DictReader(io.StringIO(open_text(path).getvalue(), newline="")))


def read_four_files(folder: Path, genres: GenreList) -> list[Pinned]:
    """Return the pinned examples of the four files, in the order of the pins.

    Raises
    ------
    CorpusError
        When a file is missing or does not hold the pinned rows.
    """
    texts = {name: _rows(folder / name) for name in COLUMNS}
    pinned = []
    for pin in _rows(folder / FOUR_FILES):
        text, title, author = COLUMNS[pin["file"]]
        genre = genres.find(pin["genre"])
        if genre is None or int(pin["row"]) >= len(texts[pin["file"]]):
            raise CorpusError(f"{folder / FOUR_FILES} does not fit its files: row {pin['row']} of {pin['file']}.")
        row = texts[pin["file"]][int(pin["row"])]
        example = Example(row[text], (genre.slug,), row[title], row.get(author, ""), pin["file"], int(pin["row"]) + 1)
        pinned.append(Pinned(example, pin["file"], pin["side"]))
    return pinned


def read_kaggle_primary(folder: Path, genres: GenreList) -> list[Pinned]:
    """Return the pinned books of the Kaggle file with their primary genre alone; ``side`` is the fold."""
    books = {
        hashlib.sha256(f"{example.title}\x1f{example.author}".encode()).hexdigest()[:16]: example
        for example in read_corpus(folder / KAGGLE_FILE, genres).examples
    }
    pinned = []
    for pin in _rows(folder / KAGGLE_PINS):
        genre, book = genres.find(pin["genre"]), books.get(pin["book"])
        if genre is None or book is None:
            raise CorpusError(f"{folder / KAGGLE_PINS} names a book or genre the data does not hold: {pin}.")
        example = Example(book.text, (genre.slug,), book.title, book.author, KAGGLE_FILE, book.row)
        pinned.append(Pinned(example, KAGGLE_FILE, pin["fold"]))
    return pinned
