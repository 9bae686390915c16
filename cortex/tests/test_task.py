"""A task of Cortex reads a file and writes a file, whole or not at all."""

import json

import pytest

from cortex import task
from cortex.tests.asking import TEXT


@pytest.fixture
def job(tmp_path, monkeypatch, model_folder):
    """Return a function that runs the task with the job's config, and returns its exit code."""
    monkeypatch.setattr(task, "JOB", tmp_path / "job.json")
    monkeypatch.setattr("logging.config.dictConfig", lambda config: None)
    monkeypatch.setenv("MODEL_URI", str(model_folder))

    def run(**config):
        task.JOB.write_text(json.dumps({"job_id": "1", "config": config}))
        return task.main()

    return run


def test_each_line_gets_its_answer(job, tmp_path):
    lines = [json.dumps(TEXT), json.dumps({"text": TEXT, "limit": 1}), "", "no JSON", json.dumps("too short")]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    assert job(input=str(tmp_path / "in.jsonl"), output=f"file://{tmp_path}/out.jsonl") == 0
    said = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [each["results"][0]["slug"] for each in said[:2]] == ["fantasy", "fantasy"]
    assert (len(said), ["error" in each for each in said]) == (4, [False, False, True, True])


def test_a_task_that_fails_writes_nothing_and_says_why(job, tmp_path, caplog):
    assert job(input="somewhere") == 1
    assert "'output'" in caplog.text
    assert job(input=str(tmp_path / "nothing"), output=str(tmp_path / "out.jsonl")) == 1
    assert not (tmp_path / "out.jsonl").exists()
