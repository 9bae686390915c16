"""``four_files.csv.gz``: it holds no text, but names rows of four other files in its folder, and their genres."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from classifier.core.errors import CorpusError
from classifier.core.examples import LabelledText, open_text

FOUR_FILES = "four_files.csv.gz"
# Found by content; nobody writes such a file by hand, so that it is none of the formats one may name.
FORMAT = "four-files"
_HEADER = "file,row,genre,side"
# Where each file keeps its text, its title and its authors.
COLUMNS = {
    "google_api_books.csv.gz": ("description", "title", "authors"),
    "seven_k_books.csv.gz": ("description", "title", "authors"),
    "wonderbk_5000.csv.gz": ("Description", "Title", "Authors"),
    "booklists.csv.gz": ("blurb", "title", ""),
}


def looks_like_four_files(head: str) -> bool:
    """Return whether a file that begins with ``head`` names rows of other files."""
    return head.splitlines()[:1] == [_HEADER]


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file with a header."""
    csv.field_size_limit(10_000_000)
    return list(csv.DictReader(io.StringIO(open_text(path).getvalue(), newline="")))


def four_file_records(path: Path) -> Iterator[LabelledText]:
    """Yield the named rows in order, numbered from 1.

    ``extra`` holds title, author, ``file``, ``file_row`` (from 1) and ``side``.

    Raises
    ------
    CorpusError
        When a file is missing or does not hold the named rows.
    """
    texts = {name: rows_of(path.with_name(name)) for name in COLUMNS}
    for number, pin in enumerate(rows_of(path), start=1):
        at = int(pin["row"])
        if pin["file"] not in texts or at >= len(texts[pin["file"]]):
            raise CorpusError(f"{path} does not fit its files: row {at} of {pin['file']}.")
        text, title, author = COLUMNS[pin["file"]]
        row = texts[pin["file"]][at]
        extra: dict[str, str | None] = {"title": row[title], "author": row.get(author, "")}
        extra |= {"file": pin["file"], "file_row": str(at + 1), "side": pin["side"]}
        yield LabelledText(row[text], (pin["genre"],), number, extra)
