"""Read labelled books from any known file into one shape, and account for every row.

``read_corpus`` finds the format by itself (or is told), maps the file's labels to genres and returns
a ``Corpus``: the usable examples, and for each row that is not used the reason why.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO

from classifier.core.errors import CorpusError
from classifier.core.examples import FORMATS, TOMBSTONE, LabelledText, open_text, read_examples, sniff_format
from classifier.core.genres import GenreList
from classifier.core.model import sha256_of
from classifier.core.text import tokens
from training.core.books import (
    DELETED,
    MIN_WORDS,
    NO_GENRE,
    NO_LABEL,
    NO_TEXT,
    SAME_TEXT,
    SHORT_TEXT,
    Corpus,
    Example,
    by_frequency,
    map_labels,
)
from training.core.four_files import FORMAT, four_file_records, looks_like_four_files
from training.core.kaggle import looks_like_kaggle, read_kaggle

STARTER_FILE = Path(__file__).resolve().parent.parent / "assets" / "starter_books.csv"
KAGGLE = "kaggle"
ALL_FORMATS = (KAGGLE, *FORMATS)
IsDeleted = Callable[[LabelledText], bool]


def detect_format(path: Path, head: str) -> str:
    """Return the format of a file that begins with ``head``, one of ``ALL_FORMATS`` or that of ``four_files``.

    Raises
    ------
    CorpusError
        When it is none of them.
    """
    if looks_like_four_files(head):
        return FORMAT
    return KAGGLE if looks_like_kaggle(head) else sniff_format(path, head)


def read_corpus(path: Path, genres: GenreList, *, file_format: str = "", is_deleted: IsDeleted | None = None) -> Corpus:
    """Read ``path`` and map its labels to ``genres``.

    Parameters
    ----------
    path : Path
        A plain or gzip file in one of ``ALL_FORMATS``, or ``four_files.csv.gz`` beside the files it names; UTF-8,
        with or without a byte order mark.
    genres : GenreList
        What labels may mean.
    file_format : str, default=''
        What ``detect_format`` returns; '' finds it by the file's content.
    is_deleted : callable, default=None
        Of a row: whether somebody deleted its text, so that it is not used. Asked of ``FORMATS``, in which corrections
        are exported.

    Returns
    -------
    Corpus
        Examples in file order, each text once.

    Raises
    ------
    CorpusError
        When the file can't be read, is not in the format it claims, or has no usable example.
    """
    stream = open_text(path)
    file_format = file_format or detect_format(path, stream.read(65536))
    stream.seek(0)
    if file_format not in (*ALL_FORMATS, FORMAT):
        raise CorpusError(f"{file_format!r} is no known format; use one of {', '.join(ALL_FORMATS)}.")
    corpus = Corpus(path.name, file_format, sha256_of(path), path=path, genres_digest=genres.digest)
    if file_format == KAGGLE:
        read_kaggle(stream, genres, corpus)
    else:
        collect(read_records(path, stream, file_format), genres, corpus, is_deleted if file_format in FORMATS else None)
    if not corpus.examples:
        reasons = ", ".join(f"{len(rows)} × {reason}" for reason, rows in corpus.unusable.items())
        raise CorpusError(f"{path} has no usable row ({reasons or 'it is empty'}).")
    return corpus


def read_records(path: Path, stream: TextIO, file_format: str) -> Iterator[LabelledText]:
    """Yield the rows of a file that is not the Kaggle file; ``stream`` is its content."""
    if file_format == FORMAT:
        return four_file_records(path)
    return read_examples(stream, file_format, name=str(path))


def collect(
    records: Iterable[LabelledText], genres: GenreList, corpus: Corpus, is_deleted: IsDeleted | None = None
) -> None:
    """Add ``records`` to ``corpus``: map labels, merge repeated texts, count what can't be used."""
    # By a digest of the words: those of 100,000 texts would fill a gigabyte.
    found: dict[bytes, tuple[LabelledText, Counter[str]]] = {}
    n_rows: Counter[bytes] = Counter()
    ids: defaultdict[bytes, list[str]] = defaultdict(list)
    for record in records:
        corpus.n_rows += 1
        if record.extra.get("status") == TOMBSTONE or (is_deleted and is_deleted(record)):
            corpus.refuse(record.row, DELETED)
            continue
        words = tokens(record.text)
        key = hashlib.sha256(" ".join(words).encode()).digest()
        n_rows[key] += 1
        if document_id := record.extra.get("document_id"):
            ids[key].append(document_id)
        slugs = map_labels(record.labels, genres, corpus.unmapped)
        if not words:
            corpus.refuse(record.row, NO_TEXT)
        elif len(words) < MIN_WORDS:
            corpus.refuse(record.row, SHORT_TEXT)
        elif not record.labels:
            corpus.refuse(record.row, NO_LABEL)
        elif not slugs:
            corpus.refuse(record.row, NO_GENRE)
        elif key in found and not set(slugs) - set(found[key][1]):
            corpus.refuse(record.row, SAME_TEXT)
        else:
            found.setdefault(key, (record, Counter()))[1].update(slugs)
    for key, (record, counts) in found.items():
        corpus.examples.append(
            Example(
                text=record.text,
                genres=by_frequency(counts),
                title=record.extra.get("title") or "",
                author=record.extra.get("author") or "",
                source=corpus.name,
                row=record.row,
                n_rows=n_rows[key],
                document_ids=tuple(ids.get(key, ())),
            )
        )
