"""A catalogue in an S3 that is asked over HTTP, and its predictions there."""

import json

from genre_site.tests.running import Site
from genre_site.tests.s3 import s3_bucket
from training.tests.test_bulk import BOOKS, as_csv

PREDICT = """
from django.core.management import call_command

call_command("predict_corpus", {given!r}, {out!r}, "--format", "jsonl", "--shard-rows", "2", "--jobs", {jobs!r})
"""


def test_a_catalogue_in_s3_gets_the_same_answers_as_on_this_machine(tmp_path, model_folder):
    site = Site(tmp_path / "site", [model_folder])
    (tmp_path / "books.csv").write_bytes(as_csv(BOOKS))
    site.run(PREDICT.format(given=str(tmp_path / "books.csv"), out=str(tmp_path / "out"), jobs="1"))
    here = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("part-*")}
    with s3_bucket() as bucket:
        site.env |= bucket.env
        bucket.put("books/books.csv", as_csv(BOOKS))
        places = {"given": f"{bucket.uri}/books/books.csv", "out": f"{bucket.uri}/told", "jobs": "2"}
        site.run(PREDICT.format(**places))
        there = bucket.read("told")
        # The second run finds every shard, and leaves the same bytes.
        site.run(PREDICT.format(**places))
        again = bucket.read("told")
    manifest = json.loads(there["manifest.json"])
    assert {name: data for name, data in there.items() if name.startswith("part-")} == here
    assert len(here) == 2
    assert (manifest["rows_in"], manifest["rows_out"], manifest["failures"]["count"]) == (3, 3, 0)
    assert {name: data for name, data in again.items() if name.startswith("part-")} == here
