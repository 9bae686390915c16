"""Read the Kaggle "Google Books Dataset" (``google_books_1299.csv``), with every trap it sets.

The file is 247 books, not 1,299: a book stands once for each of its BISAC paths, and again in exact
copies. Rows are therefore merged by (title, author), and the book's genres are the union of its paths.
"""

import csv
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TextIO

import pandas as pd

from classifier.core.errors import CorpusError
from classifier.core.genres import GenreList, split_heading
from classifier.core.text import tokens
from training.core.books import (
    MIN_WORDS,
    NO_GENRE,
    NO_LABEL,
    NO_TEXT,
    SHORT_TEXT,
    Corpus,
    Example,
    by_frequency,
    map_labels,
)

# The published file spells it "generes"; copies saved by a spreadsheet spell it "genres".
GENRE_COLUMNS = ("generes", "genres")
REQUIRED = ("title", "author", "description")
DUPLICATE = "exact duplicate of an earlier row"
HEADING_SEPARATOR = " / "
_MANGLED_ISBN = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass
class KaggleReport:
    """What the file holds, beside what was used of it. Counts of headings are in books."""

    n_rows: int
    n_duplicate_rows: int
    n_books: int
    n_labelled: int
    n_descriptions: int
    n_none_rows: int
    spellings: dict[str, int]
    levels: list[Counter[str]]
    headings: Counter[str]
    notes: list[str] = field(default_factory=list)


def looks_like_kaggle(head: str) -> bool:
    """Return whether ``head`` starts with the header of the Kaggle file or a copy of it."""
    header = next(csv.reader(head.splitlines()[:1]), [])
    names = {column.strip() for column in header}
    return set(REQUIRED) <= names and any(column in names for column in GENRE_COLUMNS)


def read_frame(stream: TextIO, name: str) -> pd.DataFrame:
    """Return the file's rows as strings, one column named ``generes``, row numbers (from 1) as index.

    Raises
    ------
    CorpusError
        When it is not sound CSV, a column is missing, or cells stand in the wrong columns.
    """
    _refuse_ragged(stream, name)
    try:
        frame = pd.read_csv(stream, dtype=str, keep_default_na=False, na_filter=False, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise CorpusError(f"{name} is not sound CSV: {error}") from error
    frame = frame.rename(columns=str.strip)
    if set(GENRE_COLUMNS) <= set(frame):
        raise CorpusError(f"{name} has both a generes and a genres column; remove one of them.")
    frame = frame.rename(columns={"genres": "generes"})
    missing = [column for column in (*REQUIRED, "generes") if column not in frame]
    if missing:
        raise CorpusError(f"{name} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}.")
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    _refuse_shifted(frame, name)
    return frame


def _refuse_ragged(stream: TextIO, name: str) -> None:
    """Refuse rows of another length than the header: pandas fills short ones and may cut long ones."""
    start, width = stream.tell(), 0
    csv.field_size_limit(10_000_000)
    try:
        for row, cells in enumerate(filter(None, csv.reader(stream))):
            width = width or len(cells)
            if len(cells) != width:
                raise CorpusError(f"{name}, row {row}: {len(cells)} cells, but the header has {width}.")
    except csv.Error as error:
        raise CorpusError(f"{name} is not sound CSV: {error}") from error
    stream.seek(start)


def _refuse_shifted(frame: pd.DataFrame, name: str) -> None:
    """Refuse a file whose cells slid into a neighbouring column: it would be read without complaint."""
    for column in ("rating", "page_count"):
        if column not in frame:
            continue
        values = frame[column].str.strip()
        wrong = values[(values != "") & ~values.str.fullmatch(_NUMBER)]
        if len(wrong):
            raise CorpusError(
                f"{name}, row {wrong.index[0]}: {column} is {wrong.iloc[0][:40]!r}, not a number. "
                "The cells of this file seem shifted; get a fresh copy."
            )
    nameless = frame.index[frame["title"].str.strip() == ""]
    if len(nameless):
        raise CorpusError(f"{name}, row {nameless[0]}: the title is empty. Get a fresh copy of the file.")


def _duplicates(frame: pd.DataFrame) -> pd.Series:
    # The first, unnamed column only counts the rows.
    columns = [column for column in map(str, frame.columns) if column and not column.startswith("Unnamed")]
    return frame.duplicated(columns)


def read_kaggle(stream: TextIO, genres: GenreList, corpus: Corpus) -> None:
    """Fill ``corpus`` with one example a book.

    The primary genre is the one most of the book's distinct paths name. A book whose copies have
    different descriptions keeps the longest.
    """
    frame = read_frame(stream, corpus.name)
    corpus.n_rows = len(frame)
    duplicate = _duplicates(frame)
    for _, rows in frame.groupby(["title", "author"], sort=False):
        counts: Counter[str] = Counter()
        seen: set[str] = set()
        text = max(rows["description"], key=len)
        n_words = len(tokens(text))
        for row, path in rows["generes"].items():
            number = int(str(row))
            heading = HEADING_SEPARATOR.join(split_heading(path))
            slugs = map_labels([heading] if heading else [], genres, corpus.unmapped)
            if duplicate[number]:
                corpus.refuse(number, DUPLICATE)
            elif not n_words:
                corpus.refuse(number, NO_TEXT)
            elif n_words < MIN_WORDS:
                corpus.refuse(number, SHORT_TEXT)
            elif not heading:
                corpus.refuse(number, NO_LABEL)
            elif not slugs:
                corpus.refuse(number, NO_GENRE)
            if n_words >= MIN_WORDS and heading not in seen:
                seen.add(heading)
                counts.update(slugs)
        if counts:
            first = rows.iloc[0]
            corpus.examples.append(
                Example(
                    text=text,
                    genres=by_frequency(counts),
                    title=first["title"],
                    author=first["author"],
                    source=corpus.name,
                    row=int(str(rows.index[0])),
                    n_rows=len(rows),
                )
            )
    corpus.notes.extend(describe_kaggle(frame).notes)


def describe_kaggle(frame: pd.DataFrame) -> KaggleReport:
    """Return the counts that show what the file really is."""
    raw = frame["generes"]
    paths = raw.map(split_heading)
    books = frame.groupby(["title", "author"], sort=False)
    levels: list[Counter[str]] = []
    headings: Counter[str] = Counter()
    labelled = 0
    for _, rows in books:
        book_paths = set(paths[rows.index]) - {()}
        labelled += bool(book_paths)
        headings.update(HEADING_SEPARATOR.join(path) for path in book_paths)
        prefixes = {path[:depth] for path in book_paths for depth in range(1, len(path) + 1)}
        for prefix in prefixes:
            while len(levels) < len(prefix):
                levels.append(Counter())
            levels[len(prefix) - 1][HEADING_SEPARATOR.join(prefix)] += 1
    report = KaggleReport(
        n_rows=len(frame),
        n_duplicate_rows=int(_duplicates(frame).sum()),
        n_books=books.ngroups,
        n_labelled=labelled,
        n_descriptions=frame["description"].nunique(),
        n_none_rows=int((raw.str.strip().str.lower() == "none").sum()),
        spellings=_spellings(raw),
        levels=levels,
        headings=headings,
    )
    report.notes.extend(_notes(frame, report))
    return report


def _spellings(raw: pd.Series) -> dict[str, int]:
    return {
        "&amp,": int(raw.str.contains("&amp,", regex=False).sum()),
        "&amp;": int(raw.str.contains("&amp;", regex=False).sum()),
        "&": int(raw.str.contains(r"&(?!amp[,;])").sum()),
    }


def _notes(frame: pd.DataFrame, report: KaggleReport) -> list[str]:
    raw = frame["generes"]
    merged = raw.nunique() - len({split_heading(path) for path in raw})
    notes = [
        f"{report.n_books:,} books stand in {report.n_rows:,} rows; the rows of a book are merged by title and author."
    ]
    spellings = sum(count > 0 for count in report.spellings.values())
    said = [f"{spellings} spellings of & were read as one"] if spellings > 1 else []
    if merged:
        said.append(f"{merged} {'heading was' if merged == 1 else 'headings were'} the same but for the spelling")
    if said:
        notes.append(f"{'; '.join(said)}.")
    embedded = raw[(raw.str.strip().str.lower() != "none") & raw.str.contains(r"(?i)(?:^|, )none\b")]
    if len(embedded):
        notes.append(f"{len(embedded)} path has a stray 'none' inside, which was dropped (row {embedded.index[0]}).")
    if "ISBN" in frame:
        mangled = int(frame["ISBN"].str.fullmatch(_MANGLED_ISBN).sum())
        if mangled:
            notes.append(f"{mangled} ISBNs were mangled by a spreadsheet (9.78E+12). They are not used here.")
    return notes
