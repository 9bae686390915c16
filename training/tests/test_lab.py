"""The lab's runs are queued, watched, stopped, made again by the command they name, and kept as they are."""

import json
import os
import shlex
import sys
import time

import pytest

from classifier import registry
from classifier.core.errors import ModelError, TrainingError
from classifier.core.files import write_json
from classifier.core.genres import canonical_genres
from classifier.core.model import MODEL_FILE, read_meta, sha256_of
from classifier.genre_table import sync_genres
from classifier.models import ModelVersion
from training import lab
from training.core.fit import FitParameters
from training.inputs import find_inputs
from training.lab_job import Job
from training.lab_worker import work_off
from training.tests.helpers import run as run_command
from training.tests.helpers import write_books
from training.uploads import keep_upload

# Says that it has begun the first run that nobody has, as the worker does, and goes on for ever.
STAND_IN = """
import json, pathlib, sys, time
for folder in sorted(pathlib.Path(sys.argv[1]).glob("*/")):
    if not any((folder / name).exists() for name in ("progress.json", "stopped.json", "result.json")):
        (folder / "draft").write_text(json.dumps({"share": 0.5, "phase": "training"}))
        (folder / "draft").rename(folder / "progress.json")
        print("loud and clear", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def data(tmp_path):
    return write_books(tmp_path / "made-up books.csv")


@pytest.fixture
def job(data):
    return Job(data, FitParameters(epoch=5, dim=5), "none")


@pytest.fixture
def folder(tmp_path, settings):
    settings.GENRE_LAB_DIR = tmp_path / "lab"
    return settings.GENRE_LAB_DIR


@pytest.fixture
def no_worker(folder, monkeypatch):
    """The runs stay queued until the test works them off itself."""
    monkeypatch.setattr(lab, "_start_worker", lambda batch: None)


@pytest.fixture
def stand_in(folder, monkeypatch):
    monkeypatch.setattr(lab, "COMMAND", (sys.executable, "-S", "-c", STAND_IN))
    yield
    lab.stop_all()


def states():
    return [run.state for run in lab.runs()]


def wait_for(*expected):
    end = time.monotonic() + 20
    while states() != list(expected):
        assert time.monotonic() < end, states()
        time.sleep(0.02)


def trained(*jobs):
    """Return the runs of some jobs, worked off here."""
    ids = lab.start(jobs)
    work_off(lab.lab_dir() / ids[0].partition("/")[0], canonical_genres())
    return [lab.get_run(run_id) for run_id in ids]


@pytest.mark.functional
@pytest.mark.django_db
def test_runs_are_worked_off_in_order_and_one_that_fails_does_not_end_the_others(no_worker, fit_here, job, tmp_path):
    assert lab.start([]) == []
    missing = Job(tmp_path / "missing.csv", FitParameters(), "none")
    first, failed, last = trained(job, missing, Job(job.data, FitParameters(epoch=6, dim=5), "none"))
    assert [first.state, failed.state, last.state] == [lab.DONE, lab.FAILED, lab.DONE]
    assert "does not exist" in failed.why
    assert {*lab.METRICS, "n_train", "n_test", "average_loss", "seconds"} == set(first.result)
    assert first.result["n_train"] + first.result["n_test"] == 36
    assert first.job == job
    assert first.average_loss == first.result["average_loss"] == 0.1
    assert [run.id for run in lab.runs()] == [first.id, failed.id, last.id]


def test_a_hundred_runs_and_more_stay_in_order(no_worker, job):
    ids = lab.start([job] * 101)
    assert [run.id for run in lab.runs()] == ids
    assert (ids[9].rpartition("/")[2], ids[100].rpartition("/")[2]) == ("010", "101")


@pytest.mark.functional
@pytest.mark.django_db
def test_data_that_was_changed_after_a_run_was_asked_for_is_refused(no_worker, fit_here, data):
    parameters = FitParameters(epoch=5, dim=5)
    same = Job(data, parameters, "none", data_sha256=sha256_of(data))
    changed = Job(data, parameters, "none", data_sha256="0" * 64)
    measured = Job(data, parameters, "none", test=data, data_sha256=same.data_sha256, test_sha256="0" * 64)
    done, *failed = trained(same, changed, measured)
    assert (done.state, done.job) == (lab.DONE, same)
    for run in failed:
        assert run.state == lab.FAILED
        assert "was changed after this run was asked for" in run.why


def test_runs_compare_by_what_their_files_hold(data):
    parameters = FitParameters()
    copy = data.with_name("copy.csv")
    assert Job(data, parameters, data_sha256="a").texts == Job(copy, parameters, data_sha256="a").texts
    assert Job(data, parameters, data_sha256="a").texts != Job(data, parameters, data_sha256="b").texts
    assert Job(data, parameters).texts != Job(data, parameters, test=copy).texts


def test_a_run_from_before_hashes_were_recorded_is_read(job):
    written = {name: value for name, value in job.as_json().items() if not name.endswith("_sha256")}
    assert Job.from_json(written) == job


def test_runs_like_those_that_are_done_are_expected_to_take_as_long(no_worker, job, data):
    first, second, running = lab.start([job] * 3)
    (other,) = lab.start([Job(data.with_name("other.csv"), job.parameters, "none")])
    assert lab.expected_seconds(lab.get_run(running), lab.runs()) is None
    for run_id, seconds in ((first, 10.0), (second, 14.0), (other, 99.0)):
        write_json(lab.get_run(run_id).folder / lab.RESULT, {"seconds": seconds})
    assert lab.expected_seconds(lab.get_run(running), lab.runs()) == 12
    assert lab.get_run(running).elapsed == 0
    write_json(lab.get_run(running).folder / lab.PROGRESS, {"share": 0.2, "phase": "x", "began": time.time() - 5})
    assert 5 <= lab.get_run(running).elapsed < 60


def test_uploads_beside_the_runs_are_no_runs(no_worker, job):
    (run_id,) = lab.start([job])
    upload = lab.lab_dir() / "data" / "0" / lab.JOB
    write_json(upload, job.as_json())
    assert [run.id for run in lab.runs()] == [run_id]


def test_an_error_that_nobody_foresaw_is_told_too(no_worker, monkeypatch, job, capsys):
    def fail(*args, **options):
        raise MemoryError("too much")

    monkeypatch.setattr("training.pipeline.make_model", fail)
    (run,) = trained(job)
    assert (run.state, run.why) == (lab.FAILED, "MemoryError: too much")
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.functional
@pytest.mark.django_db
def test_a_queued_run_that_is_stopped_is_passed_over(no_worker, fit_here, job):
    first, second = lab.start([job, job])
    lab.stop(first)
    work_off(lab.lab_dir() / first.partition("/")[0], canonical_genres())
    assert states() == [lab.STOPPED, lab.DONE]
    lab.stop(second)
    assert states() == [lab.STOPPED, lab.DONE]


@pytest.mark.functional
@pytest.mark.django_db
def test_the_command_of_a_run_makes_the_same_model(no_worker, fit_here, job, model_dir):
    sync_genres()
    (run,) = trained(job)
    words = shlex.split(lab.command_of(run))
    assert words[:4] == ["manage.py", "train", "--data", str(job.data)]
    run_command(*words[1:])
    version = registry.get_version("newest")
    assert version.sha256 == sha256_of(run.model / MODEL_FILE)
    same = ("parameters", "evaluation", "inputs", "split_sha256", "calibration", "thresholds", "reference", "vectors")
    recorded = read_meta(run.model)
    assert {name: version.meta[name] for name in same} == {name: recorded[name] for name in same}
    assert set(recorded) == set(version.meta)


@pytest.mark.functional
@pytest.mark.django_db
def test_a_kept_run_is_a_candidate_with_every_file_as_it_was(no_worker, fit_here, job, model_dir):
    (run,) = trained(job)
    version = lab.keep(run.id, by="tests")
    assert version.state == ModelVersion.State.CANDIDATE
    copies = {path.name: path.read_bytes() for path in registry.folder_of(version).iterdir()}
    assert copies == {path.name: path.read_bytes() for path in run.model.iterdir()}
    assert "seen.json" in copies
    assert version.events.get().by == "tests"
    assert run.id in version.events.get().reason
    assert lab.keep(run.id, by="tests") == version
    lab.delete(run.id)
    assert lab.runs() == []
    assert not run.folder.parent.exists()
    registry.promote(version.number, by="tests")


@pytest.mark.functional
@pytest.mark.django_db
def test_the_gate_finds_what_a_kept_run_of_an_upload_learned_from(no_worker, fit_here, data, model_dir):
    upload = keep_upload(data.name, data.read_bytes())
    data.unlink()
    (run,) = trained(Job(upload, FitParameters(epoch=5, dim=5), "none", data_sha256=sha256_of(upload)))
    found, lost = find_inputs(lab.keep(run.id, by="tests").meta)
    assert ([each.path for each in found], lost) == ([upload], [])


@pytest.mark.functional
@pytest.mark.django_db
def test_a_run_that_is_not_done_or_was_changed_is_not_kept(no_worker, fit_here, job, model_dir):
    (queued,) = lab.start([job])
    with pytest.raises(TrainingError, match="is queued; only one that is done"):
        lab.keep(queued, by="tests")
    (run,) = trained(job)
    with (run.model / MODEL_FILE).open("ab") as file:
        file.write(b"more")
    with pytest.raises(ModelError, match="does not match the hash"):
        lab.keep(run.id, by="tests")
    assert not list(model_dir.iterdir())


def test_a_run_has_a_short_name_of_its_own(folder):
    for batch, when in (("1", "2026-11-01T10:15:07+00:00"), ("2", "2026-11-01T10:15:07+00:00"), ("3", "")):
        write_json(lab.lab_dir() / batch / "001" / lab.JOB, Job(folder, FitParameters()).as_json() | {"when": when})
    assert [run.name for run in lab.runs()] == [
        "Run 3/001",
        "Run 1, 1 Nov 10:15:07 (2/001)",
        "Run 1, 1 Nov 10:15:07 (1/001)",
    ]
    write_json(lab.lab_dir() / "2" / "001" / lab.JOB, Job(folder, FitParameters()).as_json() | {"when": ""})
    assert lab.get_run("1/001").name == "Run 1, 1 Nov 10:15:07"


@pytest.mark.parametrize("run_id", ["", "../..", "20261123T101500000000/01"])
def test_a_run_that_does_not_exist_is_an_error_for_people(folder, run_id):
    with pytest.raises(TrainingError, match="There is no run"):
        lab.get_run(run_id)


@pytest.mark.functional
def test_stopping_a_run_ends_its_process_and_the_next_has_its_turn(stand_in, job):
    first, *_ = lab.start([job, job, job])
    wait_for(lab.RUNNING, lab.QUEUED, lab.QUEUED)
    worker = json.loads((lab.lab_dir() / first).with_name("worker.json").read_text())
    lab.stop(first)
    assert lab.process_start(worker["pid"]) == ""
    wait_for(lab.STOPPED, lab.RUNNING, lab.QUEUED)
    lab.stop_all()
    assert states() == [lab.STOPPED] * 3


def test_a_worker_that_died_leaves_failed_runs_with_its_last_words(stand_in, job):
    lab.start([job, job])
    wait_for(lab.RUNNING, lab.QUEUED)
    # As the system does when memory runs out.
    lab._workers[-1].kill()
    lab._workers[-1].wait()
    running, waiting = lab.runs()
    assert (running.state, running.why) == (lab.FAILED, "Its process ended while training: loud and clear")
    assert (waiting.state, waiting.why) == (lab.FAILED, "Its process ended before its turn: loud and clear")


def test_a_process_that_has_the_pid_of_a_dead_worker_is_left_alone(no_worker, job):
    (run_id,) = lab.start([job])
    run = lab.get_run(run_id)
    write_json(run.folder.parent / lab.WORKER, {"pid": os.getpid(), "started": "long ago"})
    write_json(run.folder / lab.PROGRESS, {"share": 0.1, "phase": "training"})
    assert states() == [lab.FAILED]
    assert lab.process_start(os.getpid())
    lab.stop(run_id)
    lab._end_worker(run.folder.parent)
    assert states() == [lab.FAILED]


def test_a_folder_that_is_no_run_is_passed_over(no_worker, job):
    (run_id,) = lab.start([job])
    (lab.lab_dir() / "notes").mkdir()
    broken = lab.get_run(run_id).folder.with_name("02")
    broken.mkdir()
    (broken / lab.JOB).write_text("no json")
    assert states() == [lab.QUEUED]
