"""The answers of batch jobs, in the store that BATCH_URI names."""

import json

import pytest

from cortex import batches
from cortex.tests.asking import TEXT, call, serve

JOB = "69d6faf82e4660d3"
OTHER = "Whisk the butter, the sugar and the flour, then roast the garlic in the oven."


@pytest.fixture
def service(model_folder, tmp_path):
    return serve(model_folder, batch_uri=str(tmp_path / "jobs"))


def test_a_job_leaves_its_answers_its_counts_and_what_could_not_be_read(service, tmp_path):
    answer = call(service, "POST", "/", [TEXT, "short"], x_cortex_job_id=JOB)[1]
    # Delivered twice, written once.
    for _ in range(2):
        assert call(service, "POST", "/", [OTHER], x_cortex_job_id=JOB)[0] == 200
    status, summary, _ = call(service, "POST", "/on-job-complete", x_cortex_job_id=JOB)
    assert (status, summary) == (200, {"job_id": JOB, "batches": 2, "texts": 3, "failed": 1, "complete": True})
    written = {path.name: json.loads(path.read_text()) for path in (tmp_path / "jobs" / JOB).iterdir()}
    (failure,) = written["job.json"]["failures"]
    assert (failure["item"], failure["error"]["status"]) == (1, 422)
    assert written[f"{failure['batch']}.json"]["predictions"] == answer["predictions"]
    assert "wizard" not in str(written)


def test_a_batch_without_a_job_is_answered_and_not_written(service, tmp_path):
    assert call(service, "POST", "/", [TEXT])[0] == 200
    assert not (tmp_path / "jobs").exists()


@pytest.mark.parametrize("job", ["../../etc", "a/b", "x" * 65, "..", " "])
def test_a_job_that_cannot_name_a_folder_is_refused(service, tmp_path, job):
    assert call(service, "POST", "/", [TEXT], x_cortex_job_id=job)[0] == 400
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_takes_nothing_fails_the_batch_after_some_attempts(model_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "WAIT_SECONDS", 0)
    (tmp_path / "file").write_text("")
    service = serve(model_folder, batch_uri=str(tmp_path / "file"))
    status, answer, _ = call(service, "POST", "/", [TEXT], x_cortex_job_id=JOB)
    assert (status, str(tmp_path) in answer["title"]) == (503, False)
