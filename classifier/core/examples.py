"""Labelled texts in files: CSV, JSON lines, fastText and Annif TSV, read and written.

CSV and JSON lines keep every character of a text; fastText and Annif files hold one cleaned line a
text, because their readers know neither quotes nor line breaks. Every format may be gzip-compressed
(a name ending in ``.gz``) and may start with a UTF-8 byte order mark.
"""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from classifier.core.errors import CorpusError
from classifier.core.text import one_line

FORMATS = ("csv", "jsonl", "fasttext", "annif")
# The status of a row that is all that is left of a deleted correction: its document_id, and no text.
TOMBSTONE = "deleted"
FASTTEXT_LABEL = "__label__"
ANNIF_URI = "urn:genre:"

# A cell that starts with one of these, the last four in full width, may be a formula to a spreadsheet (OWASP, "CSV
# Injection"); a leading apostrophe makes it text. Apostrophes already there are doubled, so that reading back is exact.
_STARTS_FORMULA = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"'*{_STARTS_FORMULA}")
_ESCAPED = re.compile(rf"'+{_STARTS_FORMULA}")
_URI = re.compile(r"<([^<>\s]+)>")
_MAX_CELL = 10_000_000


@dataclass(frozen=True)
class LabelledText:
    """One text with its labels as written; ``extra`` holds the file's other columns, as strings or None."""

    text: str
    labels: tuple[str, ...]
    row: int = 0
    extra: dict[str, str | None] = field(default_factory=dict)


def guard_formula(cell: str) -> str:
    """Return ``cell`` so that no spreadsheet runs it; ``unguard_formula`` gives it back unchanged."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguard_formula(cell: str) -> str:
    """Undo ``guard_formula``."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def open_text(path: Path) -> io.StringIO:
    """Return the whole content of a plain or gzip text file, line ends untouched.

    Raises
    ------
    CorpusError
        When the file is missing, is not gzip though named so, is binary or is not UTF-8.
    """
    try:
        data = path.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
        elif path.suffix == ".gz":
            raise CorpusError(f"{path} is named .gz but is not a gzip file.")
        text = data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise CorpusError(f"{path} does not exist.") from error
    except IsADirectoryError as error:
        raise CorpusError(f"{path} is a folder; name a file in it.") from error
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path} is not UTF-8 text (byte {error.start:,}). Save it as UTF-8 and try again."
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise CorpusError(f"{path} can't be read: {error}") from error
    if "\x00" in text:
        raise CorpusError(f"{path} holds NUL bytes: it is a binary file, not text.")
    return io.StringIO(text, newline="")


def sniff_format(path: Path, head: str) -> str:
    """Return the format ``head`` (the first lines of ``path``) is written in, one of ``FORMATS``.

    Raises
    ------
    CorpusError
        When it is none of them.
    """
    first = next((line for line in head.splitlines() if line.strip()), "")
    if first.startswith(FASTTEXT_LABEL):
        return "fasttext"
    if first.lstrip().startswith("{"):
        return "jsonl"
    if "\t" in first and _URI.search(first.rsplit("\t", 1)[1]):
        return "annif"
    header = next(csv.reader([first]), [])
    if "text" in header and {"label", "labels"} & set(header):
        return "csv"
    raise CorpusError(
        f"{path} is in no format known here. Known are: CSV with a header text,label (several labels joined by |), "
        'JSON lines {"text": …, "labels": […]}, fastText lines (__label__slug text), Annif TSV (text<TAB><uri>), '
        "and the Kaggle Google Books file."
    )


def read_examples(stream: TextIO, file_format: str, *, name: str = "the file") -> Iterator[LabelledText]:
    """Yield the labelled texts of ``stream``, in order.

    A row without text or without label is yielded too: the caller counts it.

    Raises
    ------
    CorpusError
        When a row can't be what ``file_format`` claims; names the row.
    """
    readers = {"csv": _read_csv, "jsonl": _read_jsonl, "fasttext": _read_fasttext, "annif": _read_annif}
    if file_format not in readers:
        raise CorpusError(f"{file_format!r} is no known format; use one of {', '.join(FORMATS)}.")
    try:
        yield from readers[file_format](stream)
    except CorpusError as error:
        raise CorpusError(f"{name}: {error}") from error


def write_examples(examples: Iterable[LabelledText], stream: TextIO, file_format: str) -> int:
    """Write ``examples`` to ``stream`` (opened with ``newline=""``) and return how many.

    fastText and Annif lines need a word and a label: examples without are left out, and not counted.
    """
    writers = {"csv": _write_csv, "jsonl": _write_jsonl, "fasttext": _write_fasttext, "annif": _write_annif}
    return writers[file_format](examples, stream)


def _read_csv(stream: TextIO) -> Iterator[LabelledText]:
    csv.field_size_limit(_MAX_CELL)
    reader = csv.DictReader(stream, strict=True)
    try:
        header = reader.fieldnames or []
    except csv.Error as error:
        raise CorpusError(f"the header is not sound CSV: {error}.") from error
    label_column = next((column for column in ("label", "labels") if column in header), None)
    if "text" not in header or label_column is None:
        raise CorpusError(f"the header needs the columns text and label; it has {', '.join(header) or 'none'}.")
    rows = enumerate(reader, start=1)
    while True:
        try:
            row, cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise CorpusError(f"line {reader.line_num} is not sound CSV: {error}.") from error
        if None in cells or None in cells.values():
            raise CorpusError(f"row {row} has more or fewer cells than the header's {len(header)}.")
        values = {column: unguard_formula(cell) for column, cell in cells.items()}
        text, labels = values.pop("text"), values.pop(label_column)
        yield LabelledText(text, _split_labels(labels), row, dict(values))


def _split_labels(cell: str) -> tuple[str, ...]:
    return tuple(label.strip() for label in cell.split("|") if label.strip())


def _read_jsonl(stream: TextIO) -> Iterator[LabelledText]:
    for row, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        # ValueError: not JSON, or a number of more digits than Python reads.
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"line {row} is not JSON: {error}.") from error
        if not isinstance(record, dict) or not isinstance(record.get("text"), str):
            raise CorpusError(f'line {row} needs an object with a string "text".')
        labels = record.get("labels", record.get("label", []))
        labels = [labels] if isinstance(labels, str) else labels
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise CorpusError(f'line {row}: "labels" must be a list of strings.')
        extra = {
            key: None
            if value is None
            else _storable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for key, value in record.items()
            if key not in ("text", "label", "labels")
        }
        labels = tuple(_storable(label.strip()) for label in labels if label.strip())
        yield LabelledText(_storable(record["text"]), labels, row, extra)


def _storable(value: str) -> str:
    """Return ``value`` without what JSON may spell and no database can hold: NUL and half a surrogate pair."""
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


def _read_fasttext(stream: TextIO) -> Iterator[LabelledText]:
    for row, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        words = line.split()
        count = next((at for at, word in enumerate(words) if not word.startswith(FASTTEXT_LABEL)), len(words))
        labels = tuple(word.removeprefix(FASTTEXT_LABEL) for word in words[:count])
        yield LabelledText(" ".join(words[count:]), labels, row)


def _read_annif(stream: TextIO) -> Iterator[LabelledText]:
    for row, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        text, tab, uris = line.rstrip("\r\n").rpartition("\t")
        if not tab:
            raise CorpusError(f"line {row} has no tab between the text and its subjects.")
        labels = tuple(re.split("[/#:]", uri)[-1] for uri in _URI.findall(uris))
        yield LabelledText(text.strip(), labels, row)


def _write_csv(examples: Iterable[LabelledText], stream: TextIO) -> int:
    writer, count, columns = csv.writer(stream, lineterminator="\r\n"), 0, None
    for example in examples:
        if columns is None:
            columns = list(example.extra)
            writer.writerow(["text", "label", *columns])
        cells = [example.text, "|".join(example.labels), *(example.extra[column] or "" for column in columns)]
        writer.writerow([guard_formula(cell) for cell in cells])
        count += 1
    if columns is None:
        writer.writerow(["text", "label"])
    return count


def _write_jsonl(examples: Iterable[LabelledText], stream: TextIO) -> int:
    count = 0
    for example in examples:
        record = {"text": example.text, "labels": list(example.labels), **example.extra}
        stream.write(json.dumps(record, ensure_ascii=False) + "\n")
        count += 1
    return count


def _write_fasttext(examples: Iterable[LabelledText], stream: TextIO) -> int:
    count = 0
    for example in examples:
        line = one_line(example.text)
        if line and example.labels:
            stream.write(" ".join([*(f"{FASTTEXT_LABEL}{label}" for label in example.labels), line]) + "\n")
            count += 1
    return count


def _write_annif(examples: Iterable[LabelledText], stream: TextIO) -> int:
    count = 0
    for example in examples:
        line = one_line(example.text)
        if line and example.labels:
            uris = " ".join(f"<{ANNIF_URI}{label}>" for label in example.labels)
            stream.write(f"{line}\t{uris}\n")
            count += 1
    return count
