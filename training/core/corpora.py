"""Read labelled books from any known file into one shape, and account for every row.

``read_corpus`` finds the format by itself (or is told), maps the file's labels to genres and returns
a ``Corpus``: the usable examples, and for each row that is not used the reason why.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from classifier.core.errors import CorpusError
from classifier.core.examples import FORMATS, LabelledText, open_text, read_examples, sniff_format
from classifier.core.genres import Genre, GenreList
from classifier.core.model import sha256_of
from classifier.core.text import tokens

STARTER_FILE = Path(__file__).resolve().parent.parent / "assets" / "starter_books.csv"
KAGGLE = "kaggle"
ALL_FORMATS = (KAGGLE, *FORMATS)
# Under this many words a description says nothing about its book ("No description available.").
MIN_WORDS = 5

NO_TEXT = "no text"
SHORT_TEXT = f"text of fewer than {MIN_WORDS} words"
NO_LABEL = "no genre given"
NO_GENRE = "no label that maps to a genre"
SAME_TEXT = "same text and labels as an earlier row"


@dataclass(frozen=True)
class Example:
    """One book or text with its genres.

    ``genres`` are slugs, the primary genre first. ``row`` counts the file's data rows from 1, and
    ``n_rows`` of them hold this text; ``uid`` names the correction an example of feedback came from.
    """

    text: str
    genres: tuple[str, ...]
    title: str = ""
    author: str = ""
    source: str = ""
    row: int = 0
    uid: str = ""
    n_rows: int = 1


@dataclass
class Corpus:
    """The examples of one file and the account of its rows.

    ``n_rows == n_used_rows + sum(map(len, unusable.values()))``; ``unusable`` maps a reason to the
    numbers of its rows; ``unmapped`` counts labels that mean no genre; ``notes`` are findings for people.
    """

    name: str
    file_format: str
    sha256: str = ""
    n_rows: int = 0
    examples: list[Example] = field(default_factory=list)
    unusable: dict[str, list[int]] = field(default_factory=dict)
    unmapped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def n_used_rows(self) -> int:
        """Rows that contribute to an example."""
        return self.n_rows - sum(map(len, self.unusable.values()))

    def refuse(self, row: int, reason: str) -> None:
        """Record that ``row`` is not used."""
        self.unusable.setdefault(reason, []).append(row)

    def genre_counts(self) -> Counter[str]:
        """Return how many examples have each genre (slugs)."""
        return Counter(slug for example in self.examples for slug in example.genres)

    def account(self) -> dict[str, object]:
        """Return the account as plain data, for ``meta.json`` and reports."""
        return {
            "name": self.name,
            "format": self.file_format,
            "sha256": self.sha256,
            "rows": self.n_rows,
            "used_rows": self.n_used_rows,
            "examples": len(self.examples),
            "unusable_rows": {reason: len(rows) for reason, rows in self.unusable.items()},
            "unmapped_labels": dict(self.unmapped.most_common()),
        }


def detect_format(path: Path, head: str) -> str:
    """Return the format of a file that begins with ``head``, one of ``ALL_FORMATS``.

    Raises
    ------
    CorpusError
        When it is none of them.
    """
    from training.core.kaggle import looks_like_kaggle

    return KAGGLE if looks_like_kaggle(head) else sniff_format(path, head)


def read_corpus(path: Path, genres: GenreList, *, file_format: str = "") -> Corpus:
    """Read ``path`` and map its labels to ``genres``.

    Parameters
    ----------
    path : Path
        A plain or gzip file in one of ``ALL_FORMATS``; UTF-8, with or without a byte order mark.
    genres : GenreList
        What labels may mean.
    file_format : str, default=''
        One of ``ALL_FORMATS``; '' finds it by the file's content.

    Returns
    -------
    Corpus
        Examples in file order, each text once.

    Raises
    ------
    CorpusError
        When the file can't be read, is not in the format it claims, or has no usable example.
    """
    from training.core.kaggle import read_kaggle

    stream = open_text(path)
    file_format = file_format or detect_format(path, stream.read(65536))
    stream.seek(0)
    if file_format not in ALL_FORMATS:
        raise CorpusError(f"{file_format!r} is no known format; use one of {', '.join(ALL_FORMATS)}.")
    corpus = Corpus(name=path.name, file_format=file_format, sha256=sha256_of(path))
    if file_format == KAGGLE:
        read_kaggle(stream, genres, corpus)
    else:
        collect(read_examples(stream, file_format, name=str(path)), genres, corpus)
    if not corpus.examples:
        reasons = ", ".join(f"{len(rows)} × {reason}" for reason, rows in corpus.unusable.items())
        raise CorpusError(f"{path} has no usable row ({reasons or 'it is empty'}).")
    return corpus


def collect(records: Iterable[LabelledText], genres: GenreList, corpus: Corpus) -> None:
    """Add ``records`` to ``corpus``: map labels, merge repeated texts, count what can't be used."""
    found: dict[tuple[str, ...], tuple[LabelledText, Counter[str]]] = {}
    n_rows: Counter[tuple[str, ...]] = Counter()
    for record in records:
        corpus.n_rows += 1
        words = tuple(tokens(record.text))
        n_rows[words] += 1
        slugs = map_labels(record.labels, genres, corpus.unmapped)
        if not words:
            corpus.refuse(record.row, NO_TEXT)
        elif len(words) < MIN_WORDS:
            corpus.refuse(record.row, SHORT_TEXT)
        elif not record.labels:
            corpus.refuse(record.row, NO_LABEL)
        elif not slugs:
            corpus.refuse(record.row, NO_GENRE)
        elif words in found and not set(slugs) - set(found[words][1]):
            corpus.refuse(record.row, SAME_TEXT)
        else:
            found.setdefault(words, (record, Counter()))[1].update(slugs)
    for words, (record, counts) in found.items():
        corpus.examples.append(
            Example(
                text=record.text,
                genres=by_frequency(counts),
                title=record.extra.get("title") or "",
                author=record.extra.get("author") or "",
                source=corpus.name,
                row=record.row,
                n_rows=n_rows[words],
            )
        )


def map_labels(labels: Iterable[str], genres: GenreList, unmapped: Counter[str]) -> list[str]:
    """Return the slug of each label that means a genre; count the others in ``unmapped``."""
    slugs = []
    for label in labels:
        genre: Genre | None = genres.find(label)
        if genre is None:
            unmapped[label] += 1
        else:
            slugs.append(genre.slug)
    return slugs


def by_frequency(counts: Counter[str]) -> tuple[str, ...]:
    """Return the keys, most frequent first; equal counts in the order first seen."""
    return tuple(slug for slug, _ in counts.most_common())
