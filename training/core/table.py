"""A dataset as a table: its rows as they stand, its books with what the file says of them; filters and counts."""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from classifier.core.examples import LabelledText, open_text, write_examples
from classifier.core.genres import GenreList, split_heading
from training.core.books import Corpus
from training.core.corpora import KAGGLE, read_records
from training.core.kaggle import HEADING_SEPARATOR, read_frame
from training.core.split import text_key

# What files call the facts that a table can be filtered by.
FACTS = {
    "rating": ("rating", "average_rating"),
    "pages": ("pages", "page_count", "num_pages"),
    "year": ("year", "published_date", "publishedDate", "published_year"),
    "price": ("price",),
    "language": ("language", "lang"),
}
NUMBERS = ("rating", "pages", "year", "price")
# Beyond it a cell is another column's: the Kaggle file has ISBNs among its page counts.
MOST = {"rating": 100, "pages": 50_000, "year": 2099, "price": 1_000_000}
START_LETTERS = 120
_YEAR = re.compile(r"(?<!\d)(1[4-9]\d\d|20\d\d)(?!\d)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Filters:
    """What a book must be, to stay in a table; each empty field lets every book pass.

    Attributes
    ----------
    words : str
        Every one of them stands in the title, author, text or a path, in any capitals.
    genres, languages : tuple of str
        The book has one of these genres (slugs); is in one of these languages.
    path : str
        One of the book's paths is this one or goes on from it: ``Fiction / Fantasy``.
    ranges : tuple of (column, low, high)
        Both ends included; a book of which the number is not known does not pass.
    """

    words: str = ""
    genres: tuple[str, ...] = ()
    path: str = ""
    languages: tuple[str, ...] = ()
    ranges: tuple[tuple[str, float, float], ...] = ()


def read_rows(corpus: Corpus, genres: GenreList) -> pd.DataFrame:
    """Return the data rows of the corpus's file as they stand, nothing merged.

    Parameters
    ----------
    corpus : Corpus
        As ``read_corpus`` returned it; its file is read once more.
    genres : GenreList
        What labels may mean.

    Returns
    -------
    DataFrame of shape (n_rows, 8 + n_facts)
        Index: the row's number, from 1. Columns: title, author, start (the first letters of its text), paths (tuple
        of label paths, levels joined by " / "), slugs (tuple of the genres they mean), book (position in
        ``corpus.examples``, -1 for none), reason (why the row is not used, '' when it is), words, and those of
        ``FACTS`` that the file has: numbers, or NaN where the cell is empty, no number, or more than ``MOST``.

    Raises
    ------
    CorpusError
        When the file can no longer be read.
    """
    if corpus.path is None:
        raise ValueError("The corpus has no file.")
    stream = open_text(corpus.path)
    if corpus.file_format == KAGGLE:
        records, book_of = _kaggle_records(stream, corpus), _books_by_title(corpus)
    else:
        records = read_records(corpus.path, stream, corpus.file_format)
        book_of = _books_by_text(corpus)
    label_of = _Labels(genres)
    columns: dict[str, list[object]] = {
        name: [] for name in ("title", "author", "start", "paths", "slugs", "book", "words")
    }
    facts: dict[str, list[str]] = {name: [] for name in FACTS}
    numbers = []
    for record in records:
        numbers.append(record.row)
        paths, slugs = label_of(record.labels)
        cells = (
            record.extra.get("title") or "",
            record.extra.get("author") or "",
            record.text[:START_LETTERS],
            paths,
            slugs,
            book_of(record),
            len(record.text.split()),
        )
        for column, cell in zip(columns.values(), cells, strict=True):
            column.append(cell)
        for name, spellings in FACTS.items():
            facts[name].append(next((record.extra[key] or "" for key in spellings if key in record.extra), ""))
    reasons = {row: reason for reason, rows in corpus.unusable.items() for row in rows}
    frame = pd.DataFrame(columns, index=pd.Index(numbers, name="row"))
    frame["reason"] = [reasons.get(row, "") for row in numbers]
    for name, cells_of_fact in facts.items():
        if any(cells_of_fact):
            frame[name] = _as_fact(name, pd.Series(cells_of_fact, index=frame.index, dtype=object))
    return frame


def _kaggle_records(stream: io.StringIO, corpus: Corpus) -> Iterator[LabelledText]:
    """Yield the Kaggle file's rows in the shape of the other formats'."""
    frame = read_frame(stream, corpus.name)
    kept = [name for spellings in FACTS.values() for name in spellings if name in frame]
    cells = zip(*(frame[name] for name in ("description", "generes", "title", "author", *kept)), strict=True)
    for row, (text, path, *extra) in zip(frame.index, cells, strict=True):
        yield LabelledText(text, (path,), int(row), dict(zip(("title", "author", *kept), extra, strict=True)))


class _Labels:
    """Paths and genres of labels, each label looked up once."""

    def __init__(self, genres: GenreList) -> None:
        self._genres = genres
        self._known: dict[str, tuple[str, str]] = {}

    def __call__(self, labels: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        found = [self._known.get(label) or self._look_up(label) for label in labels]
        paths = dict.fromkeys(path for path, _ in found if path)
        return tuple(paths), tuple(dict.fromkeys(slug for _, slug in found if slug))

    def _look_up(self, label: str) -> tuple[str, str]:
        levels = split_heading(label)
        path = HEADING_SEPARATOR.join(levels)
        genre = self._genres.find(path) if path else None
        # One spelling of a genre, where a file names it by its slug.
        shown = genre.name if genre and len(levels) == 1 else path
        return self._known.setdefault(label, (shown, genre.slug if genre else ""))


def _books_by_title(corpus: Corpus) -> Callable[[LabelledText], int]:
    at = {(example.title, example.author): position for position, example in enumerate(corpus.examples)}
    return lambda record: at.get((record.extra["title"] or "", record.extra["author"] or ""), -1)


def _books_by_text(corpus: Corpus) -> Callable[[LabelledText], int]:
    exactly = {example.text: position for position, example in enumerate(corpus.examples)}
    by_row = {example.row: position for position, example in enumerate(corpus.examples)}
    # Only a book of several rows can stand in a row whose letters differ from its own.
    by_words = {
        text_key(example.text): position for position, example in enumerate(corpus.examples) if example.n_rows > 1
    }

    def find(record: LabelledText) -> int:
        found = by_row.get(record.row, exactly.get(record.text, -1))
        return by_words.get(text_key(record.text), -1) if found < 0 and by_words else found

    return find


def _as_fact(name: str, cells: pd.Series) -> pd.Series:
    cells = cells.str.strip()
    if name not in NUMBERS:
        return cells
    if name == "year":
        cells = cells.str.extract(_YEAR, expand=False)
    else:
        cells = cells.str.replace(",", "", regex=False)
        cells = cells.where(cells.str.fullmatch(_NUMBER))
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    return numbers.where(numbers <= MOST[name])


def books_table(corpus: Corpus, rows: pd.DataFrame, genres: GenreList) -> pd.DataFrame:
    """Return one row a book (or text) that training uses.

    Parameters
    ----------
    corpus : Corpus
        The merged books.
    rows : DataFrame
        From ``read_rows``: the facts of a book are those of its first row that has them.
    genres : GenreList
        Names of the genres.

    Returns
    -------
    DataFrame of shape (n_books, 8 + n_facts)
        In the order of ``corpus.examples``: title, author, genres (names, the primary one first), words, the facts,
        rows (how many of the file hold it), text, paths and slugs (tuples).
    """
    examples = corpus.examples
    table = pd.DataFrame(
        {
            "title": [example.title for example in examples],
            "author": [example.author for example in examples],
            "genres": [", ".join(genres[slug].name for slug in example.genres) for example in examples],
            "words": [len(example.text.split()) for example in examples],
        }
    )
    known = rows[rows["book"] >= 0]
    facts = [name for name in FACTS if name in rows]
    first = known[facts].replace("", np.nan).groupby(known["book"]).first().reindex(table.index)
    for name in facts:
        table[name] = first[name] if name in NUMBERS else first[name].fillna("")
    table["rows"] = known.groupby("book").size().reindex(table.index, fill_value=0)
    table["text"] = [example.text for example in examples]
    paths: list[dict[str, None]] = [{} for _ in examples]
    for book, found in zip(known["book"], known["paths"], strict=True):
        paths[book].update(dict.fromkeys(found))
    table["paths"] = [tuple(found) for found in paths]
    table["slugs"] = [example.genres for example in examples]
    return table


def select(table: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """Return the books that pass ``filters``, in the same order; columns as in ``books_table``."""
    kept = np.ones(len(table), dtype=bool)
    for column, low, high in filters.ranges:
        kept &= table[column].between(low, high).to_numpy()
    if filters.languages:
        kept &= table["language"].isin(filters.languages).to_numpy()
    if filters.genres:
        wanted = set(filters.genres)
        kept &= np.array([not wanted.isdisjoint(slugs) for slugs in table["slugs"]], dtype=bool)
    if filters.path:
        onward = filters.path + HEADING_SEPARATOR
        kept &= np.array(
            [any(path == filters.path or path.startswith(onward) for path in paths) for paths in table["paths"]],
            dtype=bool,
        )
    found = table[kept]
    for word in filters.words.split():
        found = found[_holds(found, word.casefold())]
    return found


def _holds(table: pd.DataFrame, word: str) -> list[bool]:
    cells = zip(table["title"], table["author"], table["text"], table["paths"], strict=True)
    return [
        word in title.casefold()
        or word in author.casefold()
        or word in text.casefold()
        or any(word in path.casefold() for path in paths)
        for title, author, text, paths in cells
    ]


def genre_counts(table: pd.DataFrame, genres: GenreList) -> pd.DataFrame:
    """Count the books of each genre.

    Parameters
    ----------
    table : DataFrame
        From ``books_table`` or ``select``.
    genres : GenreList
        Names of the genres.

    Returns
    -------
    DataFrame
        genre (name), books (each counts for every genre it has), share (of the table's books, in [0, 1]); the most
        frequent first, equal ones by name.
    """
    counts = Counter(genres[slug].name for slugs in table["slugs"] for slug in slugs)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    frame = pd.DataFrame(ordered, columns=["genre", "books"])
    frame["share"] = frame["books"] / max(1, len(table))
    return frame


def level_counts(table: pd.DataFrame, level: int, *, under: str = "") -> pd.DataFrame:
    """Count the books at one level of their paths.

    Parameters
    ----------
    table : DataFrame
        From ``books_table`` or ``select``.
    level : int
        From 1, the outermost.
    under : str, default=''
        Only paths that go on from this one.

    Returns
    -------
    DataFrame
        path (down to ``level``), books (each counts once), share (of the table's books, in [0, 1]); the most
        frequent first, equal ones by name. Empty when no path is so deep.
    """
    counts: Counter[str] = Counter()
    onward = under + HEADING_SEPARATOR if under else ""
    for paths in table["paths"]:
        cut = {tuple(path.split(HEADING_SEPARATOR)[:level]) for path in paths if path.startswith(onward)}
        counts.update(HEADING_SEPARATOR.join(levels) for levels in cut if len(levels) == level)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    frame = pd.DataFrame(ordered, columns=["path", "books"])
    frame["share"] = frame["books"] / max(1, len(table))
    return frame


def depth(table: pd.DataFrame) -> int:
    """Return how many levels the deepest path has; 0 without any."""
    lengths = (path.count(HEADING_SEPARATOR) + 1 for paths in table["paths"] for path in paths)
    return max(lengths, default=0)


def together(table: pd.DataFrame, genres: GenreList) -> pd.DataFrame:
    """Count the books that have two genres at once.

    Returns
    -------
    DataFrame
        genre, other (names; both orders of a pair), books (that have both), share (of ``genre``'s books that have
        ``other`` too, in (0, 1]). Pairs that never meet, and a genre with itself, are left out.
    """
    slugs = list(dict.fromkeys(slug for found in table["slugs"] for slug in found))
    at = {slug: position for position, slug in enumerate(slugs)}
    has = np.zeros((len(table), len(slugs)), dtype=np.float32)
    for row, found in enumerate(table["slugs"]):
        has[row, [at[slug] for slug in found]] = 1
    both = has.T @ has
    pairs = [
        (genres[slugs[i]].name, genres[slugs[j]].name, int(both[i, j]), float(both[i, j] / both[i, i]))
        for i, j in zip(*np.nonzero(both), strict=True)
        if i != j
    ]
    frame = pd.DataFrame(pairs, columns=["genre", "other", "books", "share"])
    return frame.sort_values(["books", "genre", "other"], ascending=[False, True, True], ignore_index=True)


def length_histogram(words: pd.Series, *, n_bins: int = 30) -> pd.DataFrame:
    """Count texts by their number of words.

    Bins have equal whole widths up to the 99th percentile; the last one holds all longer texts too.

    Returns
    -------
    DataFrame
        low, high (words, both included; ``high`` of the last bin is the longest text), books. Empty without texts.
    """
    lengths = words.to_numpy()
    if not len(lengths):
        return pd.DataFrame({"low": [], "high": [], "books": []}, dtype=int)
    least = int(lengths.min())
    width = max(1, -int(-(np.percentile(lengths, 99) + 1 - least) // n_bins))
    bins = np.minimum((lengths - least) // width, n_bins - 1).astype(int)
    counts = np.bincount(bins)
    low = least + width * np.arange(len(counts))
    high = low + width - 1
    high[-1] = max(int(high[-1]), int(lengths.max())) if len(counts) == n_bins else high[-1]
    return pd.DataFrame({"low": low, "high": high, "books": counts})


def as_csv(table: pd.DataFrame) -> bytes:
    """Return the books as a CSV file (UTF-8) that ``read_corpus`` and ``train`` read; no cell runs as a formula."""
    facts = [name for name in FACTS if name in table]
    stream = io.StringIO(newline="")
    columns = ["text", "slugs", "title", "author", "rows", *facts]
    write_examples(
        (
            LabelledText(text, slugs, extra=dict(zip(columns[2:], map(_cell, extra), strict=True)))
            for text, slugs, *extra in zip(*(table[name] for name in columns), strict=True)
        ),
        stream,
        "csv",
    )
    return stream.getvalue().encode()


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.10g}"
    return str(value)
