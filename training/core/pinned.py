"""The benchmark sets pinned by ``kaggle_primary.csv`` and ``four_files.csv.gz``, read from a data folder.

They fix which rows count, their primary genre and their side, so that every figure speaks of the same task.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from classifier.core.errors import CorpusError
from classifier.core.genres import GenreList
from training.core.books import Example
from training.core.corpora import read_corpus
from training.core.four_files import FOUR_FILES, four_file_records, rows_of

KAGGLE_FILE = "google_books_1299.csv"
KAGGLE_PINS = "kaggle_primary.csv"


@dataclass(frozen=True)
class Pinned:
    """One pinned example: its file, and its side (``train``/``test``) or its fold."""

    example: Example
    file: str
    side: str


def read_four_files(folder: Path, genres: GenreList) -> list[Pinned]:
    """Return the pinned examples of the four files, in the order of the pins.

    Raises
    ------
    CorpusError
        When a file is missing or does not hold the pinned rows.
    """
    pinned = []
    for record in four_file_records(folder / FOUR_FILES):
        extra = {name: cell or "" for name, cell in record.extra.items()}
        genre = genres.find(record.labels[0])
        if genre is None:
            raise CorpusError(f"{folder / FOUR_FILES} names a genre that is not known: {record.labels[0]}.")
        own = (extra["title"], extra["author"], extra["file"], int(extra["file_row"]))
        pinned.append(Pinned(Example(record.text, (genre.slug,), *own), extra["file"], extra["side"]))
    return pinned


def read_kaggle_primary(folder: Path, genres: GenreList) -> list[Pinned]:
    """Return the pinned books of the Kaggle file with their primary genre alone; ``side`` is the fold."""
    books = {
        hashlib.sha256(f"{example.title}\x1f{example.author}".encode()).hexdigest()[:16]: example
        for example in read_corpus(folder / KAGGLE_FILE, genres).examples
    }
    pinned = []
    for pin in rows_of(folder / KAGGLE_PINS):
        genre, book = genres.find(pin["genre"]), books.get(pin["book"])
        if genre is None or book is None:
            raise CorpusError(f"{folder / KAGGLE_PINS} names a book or genre the data does not hold: {pin}.")
        example = Example(book.text, (genre.slug,), book.title, book.author, KAGGLE_FILE, book.row)
        pinned.append(Pinned(example, KAGGLE_FILE, pin["fold"]))
    return pinned
