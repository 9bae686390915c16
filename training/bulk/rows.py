"""Read the rows of a catalogue one after the other: CSV, JSON lines or Parquet, plain, ``.gz`` or ``.zst``.

A row that can't be read is a row all the same: it carries the reason, never what it holds, and the next one is read.
What makes the rest of a file doubtful (no column of texts, a cut archive, a quote that is never closed) ends the run.
"""

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from classifier.core.errors import CorpusError
from training.bulk.places import Place, needed

FORMATS = ("csv", "jsonl", "parquet")
UNREADABLE = "unreadable"
TOO_LONG = "too-long"
_ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_PACKED = (".gz", ".zst")
# A line, and a cell, that is longer is taken for a quote that nobody closed.
LONGEST_LINE = 100_000_000
# Rows of a Parquet file that are in memory together.
_PARQUET_ROWS = 1000
# A small piece, since it may hold a thousand times its size.
_PACKED_BLOCK = 1 << 14
_BOM = b"\xef\xbb\xbf"


class Row(NamedTuple):
    """A row of the catalogue: its number in its file (JSON lines: the line), from 1; its id; its text.

    ``problem`` is '' or the reason why there is no text, ``detail`` says it in words of ours.
    """

    number: int
    id: str
    text: str
    problem: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Columns:
    """Which columns hold the texts and the ids, and how many bytes of UTF-8 a text may have.

    Without ``id`` the column of that name is used if there is one, else file and row number.
    """

    text: str = "text"
    id: str = ""
    max_bytes: int = 1_000_000


def format_of(name: str) -> str:
    """Return the format that a file's name tells, '' when none known here."""
    lower = name.lower()
    for ending in _PACKED:
        # Parquet is compressed inside.
        if lower.endswith(ending):
            found = format_of(lower.removesuffix(ending))
            return "" if found == "parquet" else found
    return next((kind for ending, kind in _ENDINGS.items() if lower.endswith(ending)), "")


class Source:
    """One file of a catalogue. ``name`` is its path below the catalogue, and begins the ids of rows without one."""

    def __init__(self, place: Place, name: str, columns: Columns) -> None:
        self.place, self.name, self.columns = place, name, columns
        self.format = format_of(place.name)
        self.bytes = place.size()
        self.n_rows = 0
        self._digest = hashlib.sha256()
        # What of the file has been read, from 0 to 1.
        self.share = 0.0

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file, once all rows were read."""
        return self._digest.hexdigest()

    def rows(self) -> Iterator[Row]:
        """Yield the rows in order.

        Raises
        ------
        CorpusError
            When the file is not what its name says or lacks a column; names the row and the columns there are.
        """
        read = {"csv": self._csv, "jsonl": self._jsonl, "parquet": self._parquet}[self.format]
        try:
            for row in read():
                self.n_rows += 1
                yield self._cut(row)
        except (OSError, EOFError, zlib.error) as error:
            raise CorpusError(f"{self.name} can't be read after row {self.n_rows:,}: {error}") from error
        self.share = 1.0

    def _cut(self, row: Row) -> Row:
        limit = self.columns.max_bytes
        # A character has at least a byte: most texts need not be encoded to know.
        if len(row.text) * 4 > limit and (size := len(row.text.encode("utf-8", "replace"))) > limit:
            return row._replace(text="", problem=TOO_LONG, detail=f"{size:,} bytes, at most {limit:,} are read")
        return row

    def _id(self, number: int, value: Any) -> str:
        if value is None:
            return f"{self.name}:{number}"
        # Half a surrogate pair can be written to no file.
        return str(value).encode("utf-8", "replace").decode()

    def _id_column(self, there: Sequence[str]) -> str:
        """Return the column of ids, '' for none; refuse columns that are not there."""
        for wanted, option in ((self.columns.text, "--text-column"), (self.columns.id, "--id-column")):
            if wanted and wanted not in there:
                raise CorpusError(
                    f"{self.name} has no column {wanted!r}; it has {', '.join(there) or 'none'}. "
                    f"Name the right one with {option}."
                )
        return self.columns.id or ("id" if "id" in there and self.columns.text != "id" else "")

    def _lines(self) -> Iterator[bytes]:
        with self.place.open() as file:
            counted = _Counted(file, self._digest)
            raw = io.BufferedReader(counted)
            stream = _unpacked(raw, self.place.name)
            first = True
            while line := stream.readline(LONGEST_LINE):
                self.share = counted.count / self.bytes if self.bytes else 1.0
                yield line.removeprefix(_BOM) if first else line
                first = False
            # What stands behind a packed stream belongs to the file's hash, too.
            while raw.read(1 << 20):
                pass

    def _csv(self) -> Iterator[Row]:
        csv.field_size_limit(LONGEST_LINE - 1)
        # Bytes that are no UTF-8 become half surrogate pairs, which proper UTF-8 can't hold: the row is known by them.
        reader = csv.reader((line.decode("utf-8", "surrogateescape") for line in self._lines()), strict=True)
        header: list[str] | None = None
        number = 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if header is None or "field limit" in str(error):
                    raise CorpusError(f"{self.name} is not sound CSV after row {number}: {error}.") from error
                number += 1
                yield Row(number, self._id(number, None), "", UNREADABLE, f"not sound CSV: {error}")
                continue
            if header is None:
                header = cells
                id_column = self._id_column(header)
                text_at, id_at = header.index(self.columns.text), header.index(id_column) if id_column else None
                continue
            # A blank line is no row.
            if not cells:
                continue
            number += 1
            if len(cells) != len(header):
                detail = f"{len(cells)} cells, but the header has {len(header)}"
                yield Row(number, self._id(number, None), "", UNREADABLE, detail)
                continue
            name = self._id(number, None if id_at is None else cells[id_at])
            if not _is_utf8(cells[text_at]):
                yield Row(number, name, "", UNREADABLE, "not UTF-8")
            else:
                yield Row(number, name, cells[text_at])

    def _jsonl(self) -> Iterator[Row]:
        number, id_column, pending = 0, None, False
        for line in self._lines():
            # The rest of a line that was cut for its length.
            if pending:
                pending = not line.endswith(b"\n")
                continue
            number += 1
            if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
                pending = True
                yield Row(number, self._id(number, None), "", TOO_LONG, f"a line of more than {LONGEST_LINE:,} bytes")
                continue
            if not line.strip():
                continue
            record, detail = _json_object(line)
            if record is None:
                yield Row(number, self._id(number, None), "", UNREADABLE, detail)
                continue
            if id_column is None:
                id_column = self._id_column(list(record))
            text = record.get(self.columns.text)
            name = self._id(number, record.get(id_column) if id_column else None)
            if self.columns.text not in record:
                yield Row(number, name, "", UNREADABLE, f"no {self.columns.text!r}")
            elif not isinstance(text, str | None):
                yield Row(number, name, "", UNREADABLE, f"{self.columns.text!r} is no string")
            else:
                yield Row(number, name, text or "")

    def _parquet(self) -> Iterator[Row]:
        pa = needed("pyarrow", what="Parquet")
        pq = needed("pyarrow.parquet", what="Parquet")
        # Its reader jumps about in the file, so that the hash takes a reading of its own.
        with self.place.open() as file:
            while block := file.read(1 << 20):
                self._digest.update(block)
        number = 0
        try:
            with self.place.open() as file:
                table = pq.ParquetFile(file)
                there = table.schema_arrow.names
                id_column = self._id_column(there)
                kind = table.schema_arrow.field(self.columns.text).type
                kind = kind.value_type if pa.types.is_dictionary(kind) else kind
                if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
                    raise CorpusError(f"{self.name}: the column {self.columns.text!r} holds {kind}, not strings.")
                wanted = [self.columns.text, *([id_column] if id_column else [])]
                for batch in table.iter_batches(batch_size=_PARQUET_ROWS, columns=wanted):
                    texts = batch.column(self.columns.text)
                    ids = batch.column(id_column) if id_column else None
                    for at in range(len(batch)):
                        number += 1
                        name = self._id(number, None if ids is None else ids[at].as_py())
                        try:
                            yield Row(number, name, texts[at].as_py() or "")
                        except UnicodeDecodeError:
                            yield Row(number, name, "", UNREADABLE, "not UTF-8")
                    self.share = number / table.metadata.num_rows
        except pa.ArrowException as error:
            raise CorpusError(f"{self.name} is not sound Parquet after row {number:,}: {error}") from error


def find_sources(catalogue: Place, columns: Columns) -> list[Source]:
    """Return the files of a catalogue in the order of their paths; hidden files and those of other kinds are left out.

    Raises
    ------
    CorpusError
        When there is none that can be read.
    """
    found = []
    for file in catalogue.files():
        name = file.path.removeprefix(f"{catalogue.path}/") if file != catalogue else file.name
        is_hidden = any(part.startswith((".", "_")) for part in name.split("/"))
        if format_of(name) and (file == catalogue or not is_hidden):
            found.append(Source(file, name, columns))
    if not found:
        raise CorpusError(
            f"{catalogue.path} holds no file named .csv, .jsonl, .ndjson or .parquet (the first three also .gz or .zst)."
        )
    return found


class _Counted(io.RawIOBase):
    """A file that counts and hashes what is read of it."""

    def __init__(self, file: IO[bytes], digest: Any) -> None:
        self._file, self._digest, self.count = file, digest, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._digest.update(data)
        self.count += len(data)
        return len(data)


def _unpacked(raw: IO[bytes], name: str) -> IO[bytes]:
    if name.lower().endswith(".gz"):
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if name.lower().endswith(".zst"):
        return io.BufferedReader(_Zstandard(raw, needed("zstandard", what="A .zst file")))
    return raw


class _Zstandard(io.RawIOBase):
    """What a .zst file holds, frame after frame. The package's own reader takes a file that was cut for its end."""

    def __init__(self, file: IO[bytes], zstandard: Any) -> None:
        self._file, self._zstandard = file, zstandard
        self._frame: Any = None
        self._packed, self._ready = b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            self._packed = self._packed or self._file.read(_PACKED_BLOCK)
            if not self._packed:
                if self._frame is not None:
                    raise EOFError("the file ends inside a compressed frame")
                return 0
            self._frame = self._frame or self._zstandard.ZstdDecompressor().decompressobj()
            try:
                self._ready = memoryview(self._frame.decompress(self._packed))
            except self._zstandard.ZstdError as error:
                raise OSError(str(error)) from error
            self._packed = self._frame.unused_data
            if self._frame.eof:
                self._frame = None
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _json_object(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """Return the object a line holds, or None and why it holds none."""
    try:
        record = json.loads(line)
    except UnicodeDecodeError:
        return None, "not UTF-8"
    # ValueError: not JSON, or a number of more digits than Python reads. Its message may quote the line.
    except (ValueError, RecursionError):
        return None, "not JSON"
    return (record, "") if isinstance(record, dict) else (None, "no JSON object")
