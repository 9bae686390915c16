"""The service with its model and its batch answers in an S3 that is asked over HTTP."""

import json

import pytest

from classifier.core.model import read_meta
from cortex.tests.asking import TEXT
from cortex.tests.functional.server import running
from genre_site.tests.s3 import s3_bucket

JOB = "69d6faf82e4660d3"


@pytest.fixture(scope="module")
def bucket():
    with s3_bucket() as found:
        yield found


@pytest.fixture(scope="module")
def model_uri(bucket, model_folder):
    return bucket.put_folder(model_folder, "models/m7")


def test_a_model_in_s3_becomes_ready_and_answers_and_batches_are_written_there(
    tmp_path, bucket, model, model_folder, model_uri
):
    sha256 = read_meta(model_folder)["model_sha256"]
    settings = {"MODEL_SHA256": sha256, "BATCH_URI": f"{bucket.uri}/jobs"}
    with running(tmp_path, model_uri, **bucket.env, **settings) as server:
        assert server.get("/ready")[0] == 200
        assert json.loads(server.get("/metadata")[1])["model_sha256"] == sha256
        answer = json.loads(server.post([TEXT, "too short"], **{"X-Cortex-Job-ID": JOB})[1])
        assert server.post(None, "/on-job-complete", **{"X-Cortex-Job-ID": JOB})[0] == 200
    first = answer["predictions"][0]["results"][0]
    assert (first["slug"], first["score"]) == ("fantasy", model.predict(TEXT).scores[0].score)
    written = {name: json.loads(data) for name, data in bucket.read(f"jobs/{JOB}").items()}
    summary = written.pop("job.json")
    assert (summary["batches"], summary["texts"], summary["failed"]) == (1, 2, 1)
    assert [batch["predictions"] for batch in written.values()] == [answer["predictions"]]


def test_another_hash_than_the_one_that_was_meant_never_becomes_ready(tmp_path, bucket, model_uri, other_model_folder):
    meant = read_meta(other_model_folder)["model_sha256"]
    with running(tmp_path, model_uri, **bucket.env, MODEL_SHA256=meant) as server:
        said = [server.get("/ready") for _ in range(3)]
        assert server.post({"text": TEXT})[0] == 503
    assert {status for status, _ in said} == {503}
    assert "not the one that was meant" in said[0][1]


def test_a_model_that_was_changed_in_s3_never_becomes_ready(tmp_path, bucket, model_folder):
    uri = bucket.put_folder(model_folder, "models/changed")
    bucket.put("models/changed/model.bin", (model_folder / "model.bin").read_bytes() + b"x")
    with running(tmp_path, uri, **bucket.env) as server:
        assert server.get("/ready")[0] == 503
        assert "damaged" in server.get("/ready")[1]


def test_a_store_that_is_away_is_told_without_its_address(tmp_path, bucket):
    env = bucket.env | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    with running(tmp_path, f"{bucket.uri}/models/m7", **env) as server:
        status, said = server.get("/ready")
    assert (status, "can't be fetched" in said, "127.0.0.1" in said) == (503, True, False)
