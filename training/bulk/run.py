"""Predict a whole catalogue: read it once, in order, cut it into shards, hand them out, write the manifest at the end.

The output is a folder: ``part-000000.csv`` … hold an answer for each row, in the order of the rows; ``_records`` holds
what makes each shard a finished one; ``manifest.json`` is there only when all are. A run that was killed goes on where
it was: it reads the catalogue again, which costs little beside predicting it, and keeps the shards whose rows are the same.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

from classifier.core.errors import CorpusError
from training.bulk.places import Place
from training.bulk.pools import Pool
from training.bulk.rows import Columns, Source
from training.bulk.shards import RECORDS, Job, Shard, cut, finished, predict_shard, record_name

MANIFEST = "manifest.json"
MOST_ROWS = 10_000
# With its rows a shard travels to a worker as one message; dask warns of messages above 10 MB.
MOST_BYTES = 8_000_000
# The manifest lists as many failures; the records hold all.
LISTED_FAILURES = 10_000

# Called with rows done, rows predicted in this run and the done share in [0, 1].
OnRows = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Outcome:
    """What a run did."""

    rows: int
    failures: int
    shards: int
    kept: int
    predicted: int
    seconds: float


def predict_catalogue(
    sources: Sequence[Source],
    job: Job,
    pool: AbstractContextManager[Pool],
    *,
    columns: Columns,
    most_rows: int = MOST_ROWS,
    on_rows: OnRows = lambda done, predicted, share: None,
) -> Outcome:
    """Predict every row of ``sources`` and write shards and manifest.

    Raises
    ------
    CorpusError, ModelError, WorkersLost
        The shards that were finished stay, and a second run keeps them.
    """
    began = time.monotonic()
    out = Place.at(job.out)
    # A manifest tells that all is there.
    (out / MANIFEST).remove()
    _remove_drafts(out)
    run = _Run(job, sources, most_rows, on_rows)
    with pool as opened:
        run.work_off(opened)
    records = [run.records[index] for index in sorted(run.records)]
    _remove_others(out, records, job.file_format)
    manifest = _manifest(job, sources, columns, most_rows, records)
    (out / MANIFEST).write((json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    failures = manifest["failures"]["count"]
    return Outcome(
        manifest["rows_out"], failures, len(records), run.kept, run.predicted, seconds=time.monotonic() - began
    )


class _Run:
    """The shards on their way."""

    def __init__(self, job: Job, sources: Sequence[Source], most_rows: int, on_rows: OnRows) -> None:
        self._job, self._sources, self._most_rows, self._on_rows = job, sources, most_rows, on_rows
        self._bytes = sum(source.bytes for source in sources)
        self.records: dict[int, dict[str, Any]] = {}
        self.kept = self.predicted = self._done = self._read = 0

    def work_off(self, pool: Pool) -> None:
        """Keep the pool busy until every shard has its record; no more shards are in memory than it works on."""
        waiting: set[Any] = set()
        for shard in self._shards():
            self._read += len(shard.rows)
            digest = shard.digest
            if (record := finished(self._job, shard, digest)) is not None:
                self.kept += 1
                self._add(shard.index, record)
                continue
            waiting.add(pool.submit(_numbered, self._job, shard, digest))
            while len(waiting) >= pool.window:
                waiting = self._take(pool, waiting)
        while waiting:
            waiting = self._take(pool, waiting)

    def _shards(self) -> Iterator[Shard]:
        index = 0
        for source in self._sources:
            for shard in cut(source.name, source.rows(), first=index, most_rows=self._most_rows, most_bytes=MOST_BYTES):
                yield shard
                index = shard.index + 1

    def _take(self, pool: Pool, waiting: set[Any]) -> set[Any]:
        done, rest = pool.wait(waiting)
        for future in done:
            found = future.result()
            self.predicted += found["record"]["rows"]
            self._add(found["index"], found["record"])
        return rest

    def _add(self, index: int, record: dict[str, Any]) -> None:
        self.records[index] = record
        self._done += record["rows"]
        read = sum(source.share * source.bytes for source in self._sources) / (self._bytes or 1)
        self._on_rows(self._done, self.predicted, read * self._done / self._read)


def _numbered(job: Job, shard: Shard, digest: str) -> dict[str, Any]:
    return {"index": shard.index, "record": predict_shard(job, shard, digest)}


def _remove_drafts(out: Place) -> None:
    """Remove what a killed run was writing."""
    if out.is_local and out.exists():
        for folder in (out, out / RECORDS):
            for path in folder.fs.glob(f"{folder.path}/.part-*.tmp"):
                folder.fs.rm_file(path)


def _remove_others(out: Place, records: Sequence[dict[str, Any]], file_format: str) -> None:
    """Remove shards that an earlier run of another kind has left, so that the folder holds this one's alone."""
    ours = {record["file"] for record in records} | {record_name(index) for index, _ in enumerate(records)}
    for file in list(out.files()) if out.exists() else []:
        name = file.path.removeprefix(f"{out.path}/")
        if name.removeprefix(f"{RECORDS}/").startswith("part-") and name not in ours:
            file.remove()


def _manifest(
    job: Job, sources: Sequence[Source], columns: Columns, most_rows: int, records: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    rows_in, rows_out = sum(source.n_rows for source in sources), sum(record["rows"] for record in records)
    if rows_in != rows_out:
        raise CorpusError(f"{rows_in:,} rows were read but {rows_out:,} written. Run the same command again.")
    failures = [{"source": record["source"], **failure} for record in records for failure in record["failures"]]
    return {
        "rows_in": rows_in,
        "rows_out": rows_out,
        "abstained": sum(record["abstained"] for record in records),
        "model": {"version": job.version, "sha256": job.sha256, "meta_sha256": job.meta_sha256},
        "settings": {
            "format": job.file_format,
            "limit": job.limit,
            "threshold": job.threshold,
            "columns": asdict(columns),
            "shard_rows": most_rows,
        },
        "inputs": [
            {"name": source.name, "rows": source.n_rows, "bytes": source.bytes, "sha256": source.sha256}
            for source in sources
        ],
        "shards": [
            {name: record[name] for name in ("file", "source", "first_row", "last_row", "rows", "bytes", "sha256")}
            for record in records
        ],
        "failures": {"count": len(failures), "listed": failures[:LISTED_FAILURES]},
    }
