"""One shard of a catalogue: predict its rows, write them, and the record that makes the shard a finished one.

Runs in any process, on any machine that reaches the model folder and the output; it knows no Django. The same rows and
the same job give the same bytes wherever they are predicted.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from classifier.core.errors import ModelDamaged
from classifier.core.model import GenreModel, read_meta
from classifier.core.text import UNREADABLE as NO_READING
from classifier.core.text import Reading, check_text
from training.bulk.places import Place, needed
from training.bulk.rows import Row

RECORDS = "_records"
COLUMNS = ("id", "genres", "chosen", "abstained", "reason", "version")


@dataclass(frozen=True)
class Job:
    """What is done with every row, and by which model. Shards of another job are no shards of this one."""

    out: str
    folder: str
    version: int
    sha256: str
    meta_sha256: str
    file_format: str
    limit: int = 5
    threshold: float = 0.0
    max_bytes: int = 1_000_000

    @property
    def key(self) -> str:
        """What tells this job from others; where model and output lie does not matter."""
        told = {name: value for name, value in asdict(self).items() if name not in ("out", "folder")}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Shard:
    """Rows of one file that are predicted and written together. A shard never holds rows of two files."""

    index: int
    source: str
    rows: tuple[Row, ...]

    @property
    def digest(self) -> str:
        """The SHA-256 of the rows."""
        digest = hashlib.sha256(self.source.encode("utf-8", "surrogatepass"))
        for row in self.rows:
            digest.update(json.dumps(row).encode())
        return digest.hexdigest()


class Answer(NamedTuple):
    """A row of the output. ``reason`` is '' or why no genre is sure enough, or why the row was not read."""

    id: str
    genres: tuple[tuple[str, float], ...]
    chosen: tuple[str, ...]
    reason: str
    version: int

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "id": self.id,
            "genres": [{"slug": slug, "score": score} for slug, score in self.genres],
            "chosen": list(self.chosen),
            "abstained": bool(self.reason),
            "reason": self.reason or None,
            "version": self.version,
        }


def cut(source: str, rows: Iterable[Row], *, first: int, most_rows: int, most_bytes: int) -> Iterator[Shard]:
    """Yield the shards of one file, numbered from ``first``: each of at most so many rows and characters of text.

    A text that is longer alone is a shard alone.
    """
    held: list[Row] = []
    size = 0
    for row in rows:
        if held and (len(held) == most_rows or size + len(row.text) > most_bytes):
            yield Shard(first, source, tuple(held))
            first, held, size = first + 1, [], 0
        held.append(row)
        size += len(row.text)
    if held:
        yield Shard(first, source, tuple(held))


def meta_digest(meta: dict[str, Any]) -> str:
    """Return the SHA-256 of what ``meta.json`` says: calibration and thresholds change answers, too."""
    return hashlib.sha256(json.dumps(meta, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=1)
def _model(folder: str, sha256: str, meta_sha256: str) -> GenreModel:
    """Load the model, once in each process; its files must be those that the job names."""
    meta = read_meta(Path(folder))
    if (meta.get("model_sha256"), meta_digest(meta)) != (sha256, meta_sha256):
        raise ModelDamaged(f"{folder} holds another model than the one this run began with.")
    return GenreModel.load(Path(folder), meta)


def shard_name(index: int, file_format: str) -> str:
    """Return the name of a shard's file."""
    return f"part-{index:06d}.{file_format}"


def record_name(index: int) -> str:
    """Return the name of a shard's record."""
    return f"{RECORDS}/part-{index:06d}.json"


def finished(job: Job, shard: Shard, digest: str) -> dict[str, Any] | None:
    """Return the record of a shard that an earlier run has finished; None when it must be done.

    It counts when rows, model and settings are the same and the file still is what was written.
    """
    out = Place.at(job.out)
    said = (out / record_name(shard.index)).read()
    if said is None:
        return None
    try:
        record: dict[str, Any] = json.loads(said)
        is_same = (record["job"], record["rows_sha256"]) == (job.key, digest)
    except (ValueError, KeyError, TypeError):
        return None
    data = (out / record["file"]).read() if is_same else None
    return record if data is not None and hashlib.sha256(data).hexdigest() == record["sha256"] else None


def predict_shard(job: Job, shard: Shard, digest: str) -> dict[str, Any]:
    """Predict a shard, write it, then its record; return the record.

    Raises
    ------
    ModelMissing, ModelDamaged
        When the model folder is not there, or not the job's.
    """
    model = _model(job.folder, job.sha256, job.meta_sha256)
    answers, failures, n_abstained = [], [], 0
    for row in shard.rows:
        answer, detail = answer_row(model, row, job)
        answers.append(answer)
        n_abstained += bool(answer.reason)
        if detail:
            failures.append({"row": row.number, "reason": answer.reason, "detail": detail})
    data = encode(answers, job.file_format)
    record = {
        "file": shard_name(shard.index, job.file_format),
        "source": shard.source,
        "first_row": shard.rows[0].number,
        "last_row": shard.rows[-1].number,
        "rows": len(answers),
        "abstained": n_abstained,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "rows_sha256": digest,
        "job": job.key,
        "failures": failures,
    }
    out = Place.at(job.out)
    (out / str(record["file"])).write(data)
    # Last: a shard without a record is not finished.
    (out / record_name(shard.index)).write(json.dumps(record, indent=1).encode())
    return record


def answer_row(model: GenreModel, row: Row, job: Job) -> tuple[Answer, str]:
    """Return the answer to a row, and in words why it failed; '' when it was read.

    A text that is too short or no prose was read: the model abstains. Too long ones were left out by the reader.
    """
    if row.problem:
        return Answer(row.id, (), (), row.problem, job.version), row.detail
    reading = Reading(row.text)
    try:
        check_text(reading, max_bytes=job.max_bytes)
    except tuple(NO_READING) as error:
        return Answer(row.id, (), (), NO_READING[type(error)], job.version), ""
    prediction = model.predict(reading)
    genres = tuple((slug, round(score, 6)) for slug, score in prediction.top(job.limit, job.threshold))
    chosen = tuple(genre.slug for genre in prediction.chosen)
    return Answer(row.id, genres, chosen, prediction.abstained, job.version), ""


def encode(answers: Sequence[Answer], file_format: str) -> bytes:
    """Return the answers as the bytes of a file: ``csv``, ``jsonl`` or ``parquet``."""
    if file_format == "parquet":
        return _parquet(answers)
    stream = io.StringIO(newline="")
    if file_format == "jsonl":
        for answer in answers:
            stream.write(json.dumps(answer.as_json(), ensure_ascii=False) + "\n")
    else:
        # Ids stand as they came, unguarded against spreadsheets: they must match those of the catalogue.
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for answer in answers:
            genres = "|".join(f"{slug}={score}" for slug, score in answer.genres)
            abstained = "true" if answer.reason else "false"
            writer.writerow([answer.id, genres, "|".join(answer.chosen), abstained, answer.reason, answer.version])
    return stream.getvalue().encode()


def _parquet(answers: Sequence[Answer]) -> bytes:
    pa = needed("pyarrow", what="Parquet")
    pq = needed("pyarrow.parquet", what="Parquet")
    genre = pa.struct([("slug", pa.string()), ("score", pa.float64())])
    kinds = (pa.string(), pa.list_(genre), pa.list_(pa.string()), pa.bool_(), pa.string(), pa.int32())
    schema = pa.schema(list(zip(COLUMNS, kinds, strict=True)))
    stream = io.BytesIO()
    table = pa.Table.from_pylist([answer.as_json() for answer in answers], schema=schema)
    pq.write_table(table, stream, compression="zstd")
    return stream.getvalue()
