"""``manage.py predict_corpus``."""

import time
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand
from classifier.core.errors import CorpusError
from classifier.registry import folder_of, get_version, load_version
from training.bulk.places import Place
from training.bulk.pools import here_or_processes, workers_of
from training.bulk.rows import FORMATS, Columns, find_sources
from training.bulk.run import MOST_ROWS, predict_catalogue
from training.bulk.shards import Job, meta_digest

INTERRUPTED = 130


class Command(GenreCommand):
    """Predict a catalogue."""

    help = (
        "Tell the genres of every text of a catalogue: a CSV, JSON lines or Parquet file (.gz and .zst too), a folder of "
        "them, or an address such as s3://bucket/prefix. OUT is a folder or an address; it gets shards of rows, each "
        "whole or not there, and at the end manifest.json. Run again after it was stopped: finished shards are kept."
    )
    examples = """
  manage.py predict_corpus books.csv genres/ --jobs 4
  manage.py predict_corpus s3://catalogue/2026/ s3://catalogue/genres/ --scheduler tcp://scheduler:8786
  manage.py predict_corpus shop.jsonl.gz genres/ --text-column blurb --id-column isbn --format parquet -l 3 -t 0.2
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("input", metavar="IN", help="file, folder or address of the catalogue")
        parser.add_argument("output", metavar="OUT", help="folder or address for the shards and manifest.json")
        parser.add_argument("-l", "--limit", type=int, default=5, help="genres a text at most (default: %(default)s)")
        parser.add_argument(
            "-t", "--threshold", type=float, default=0.0, help="smallest score that is told (default: %(default)s)"
        )
        parser.add_argument("--model", default="champion", metavar="N|champion", help="which version answers")
        parser.add_argument("--text-column", default="text", metavar="NAME", help="default: %(default)s")
        parser.add_argument(
            "--id-column", default="", metavar="NAME", help='default: "id" if there is one, else file and row number'
        )
        parser.add_argument(
            "--format", choices=FORMATS, dest="file_format", help="of the shards (default: that of the first file)"
        )
        who = parser.add_mutually_exclusive_group()
        who.add_argument("--jobs", type=int, default=1, metavar="N", help="processes of this machine (default: 1)")
        who.add_argument("--scheduler", metavar="tcp://…", help="a dask scheduler, whose workers do it")
        parser.add_argument(
            "--shard-rows", type=int, default=MOST_ROWS, metavar="N", help="rows a shard at most (default: %(default)s)"
        )
        parser.add_argument("--strict", action="store_true", help="exit 1 when a row could not be read")

    def handle(self, **options: Any) -> None:
        """Predict, and say what became of it."""
        catalogue, out = _places(options)
        columns = Columns(options["text_column"], options["id_column"], settings.GENRE_MAX_TEXT_BYTES)
        sources = find_sources(catalogue, columns)
        job = replace(_job_of(options["model"]), out=options["output"] if not out.is_local else out.path)
        job = replace(
            job,
            file_format=options["file_format"] or sources[0].format,
            limit=options["limit"],
            threshold=options["threshold"],
        )
        scheduler = options["scheduler"]
        pool = workers_of(scheduler) if scheduler else here_or_processes(options["jobs"])
        began = time.monotonic()
        try:
            with self.progress("starting") as report:

                def on_rows(done: int, predicted: int, share: float) -> None:
                    seconds = time.monotonic() - began
                    left = seconds * (1 - share) / share if share else 0.0
                    report(f"{done:,} rows, {predicted / seconds:,.0f} rows/s, {_duration(left)} remaining", share)

                outcome = predict_catalogue(
                    sources, job, pool, columns=columns, most_rows=options["shard_rows"], on_rows=on_rows
                )
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. Finished shards are kept; the same command goes on from there.", returncode=INTERRUPTED
            ) from None
        except OSError as error:
            raise CommandError(f"{error}. Finished shards are kept; the same command goes on from there.") from error
        rate = f", {outcome.predicted / outcome.seconds:,.0f} rows/s" if outcome.predicted else ""
        self.stdout.write(
            f"{outcome.rows:,} rows in {outcome.shards:,} shards ({outcome.kept:,} kept from before), version "
            f"{job.version}, {_duration(outcome.seconds)}{rate}."
        )
        if outcome.failures:
            message = f"{outcome.failures:,} rows could not be read; manifest.json lists them."
            if options["strict"]:
                raise CommandError(message)
            self.stderr.write(message)


def _places(options: dict[str, Any]) -> tuple[Place, Place]:
    """Return where the catalogue is and where its predictions go; refuse wrong usage."""
    if options["limit"] < 1 or options["jobs"] < 1 or options["shard_rows"] < 1:
        raise CommandError("-l, --jobs and --shard-rows need at least 1.", returncode=2)
    if not 0 <= options["threshold"] <= 1:
        raise CommandError("-t needs a score from 0 to 1.", returncode=2)
    try:
        catalogue, out = Place.at(options["input"]), Place.at(options["output"])
    except CorpusError as error:
        raise CommandError(str(error), returncode=2) from error
    if not catalogue.exists():
        raise CommandError(f"{options['input']} does not exist.", returncode=2)
    if f"{out.path}/".startswith(f"{catalogue.path}/"):
        raise CommandError(
            "OUT lies inside IN, so that a second run would read what the first has written.", returncode=2
        )
    if out.is_local and out.fs.isfile(out.path):
        raise CommandError(f"{options['output']} is a file; name a folder.", returncode=2)
    return catalogue, out


def _job_of(name: str) -> Job:
    """Return a job for a version, whose files are checked before anybody waits for a worker."""
    version = get_version(name)
    meta = load_version(version).meta
    return Job(
        out="",
        folder=str(folder_of(version).resolve()),
        version=version.number,
        sha256=version.sha256,
        meta_sha256=meta_digest(meta),
        file_format="",
        max_bytes=settings.GENRE_MAX_TEXT_BYTES,
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
