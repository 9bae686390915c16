import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from classifier.core.errors import TrainingError
from classifier.core.model import GenreModel
from training.core import fit as fit_module
from training.core.books import Example
from training.core.fit import LOSSES, FitParameters, fit, training_lines

QUICK = FitParameters(epoch=3, lr=0.5, dim=4, seed=3)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where training keeps its temporary files, so that a test can see that none are left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def digest(model, tmp_path):
    path = tmp_path / "digest.bin"
    model._engine.save_model(str(path))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.functional
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(examples, tmp_path):
    first, second, other = (digest(fit(examples, replace(QUICK, seed=seed)), tmp_path) for seed in (3, 3, 4))
    assert first == second
    assert first != other


@pytest.mark.functional
def test_training_in_this_process_gives_the_bytes_of_the_training_process(request, examples, tmp_path):
    first = digest(fit(examples, QUICK), tmp_path)
    request.getfixturevalue("fit_here")
    assert digest(fit(examples, QUICK), tmp_path) == first


@pytest.mark.functional
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_gives_finite_sane_scores(examples, loss):
    model = fit(examples, replace(QUICK, loss=loss, epoch=20))
    for prediction in model.predict_many(example.text for example in examples):
        scores = [genre.score for genre in prediction.scores]
        assert len(scores) == 3
        assert all(0 <= score <= 1 for score in scores)


def test_a_small_corpus_is_learned(examples, model):
    right = [model.predict(example.text).scores[0].slug == example.genres[0] for example in examples]
    assert sum(right) == len(examples)


@pytest.mark.functional
def test_word_runs_are_learned_too(examples):
    model = fit(examples, replace(QUICK, word_ngrams=2, epoch=20))
    assert model.predict("dragon wizard").scores
    assert model.meta["parameters"]["word_ngrams"] == 2


def test_the_model_says_how_it_was_made(model, examples):
    assert model.meta["parameters"]["seed"] == 1
    assert model.meta["n_train"] == len(examples)
    assert model.meta["genres"] == list(model.slugs) == ["business-economics", "cooking", "fantasy"]
    assert model.meta["versions"]["fasttext-community"] == "0.11.9"
    assert json.loads(json.dumps(model.meta)) == model.meta


def test_training_lines_carry_every_genre_and_one_line_a_text():
    examples = [Example("A Dragon\r\n__label__cooking wakes", ("young-adult", "fantasy"))]
    assert training_lines(examples, seed=0) == ["__label__fantasy __label__young-adult dragon cooking wakes\n"]


def test_training_lines_are_shuffled_by_the_seed(examples):
    first, second, other = (training_lines(examples, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first != other
    assert sorted(first) == sorted(other)


@pytest.mark.functional
def test_a_label_in_a_text_makes_no_genre(examples):
    hostile = [replace(example, text=f"__label__hacked {example.text} \n__label__evil x") for example in examples]
    assert fit(hostile, QUICK).slugs == ("business-economics", "cooking", "fantasy")


@pytest.mark.functional
def test_a_text_with_half_a_surrogate_pair_can_be_learned(examples):
    assert fit([replace(examples[0], text="dragon \ud800 wizard"), *examples[1:]], QUICK).slugs


@pytest.mark.parametrize("examples", [[], [Example("a dragon wakes in the hall", ("fantasy",))] * 3])
def test_it_needs_two_genres(examples):
    with pytest.raises(TrainingError, match=f"at least two genres; there are {min(1, len(examples))}"):
        fit(examples, QUICK)


@pytest.mark.parametrize(
    "values",
    [
        {"epoch": 0},
        {"epoch": 10_001},
        {"dim": 0},
        {"dim": 1001},
        {"word_ngrams": 0},
        {"word_ngrams": 6},
        {"min_count": 0},
        {"lr": 0},
        {"lr": -1},
        {"lr": 10.5},
        {"lr": float("nan")},
        {"lr": float("inf")},
        {"loss": "hinge"},
    ],
    ids=str,
)
def test_it_refuses_parameters_out_of_range(values):
    with pytest.raises(TrainingError, match=next(iter(values))):
        FitParameters(**values)


@pytest.mark.functional
def test_progress_is_told_as_a_share_that_grows(examples):
    told = []
    fit(examples, replace(QUICK, epoch=200), on_progress=lambda share, loss: told.append((share, loss)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(0 <= share <= 1 for share in shares)


@pytest.mark.functional
def test_a_training_that_fasttext_refuses_says_why_and_leaves_nothing(examples, scratch, monkeypatch):
    monkeypatch.setattr(fit_module, "training_lines", lambda examples, **options: [])
    with pytest.raises(TrainingError, match="fastText could not train: .*Empty vocabulary"):
        fit(examples, QUICK)
    assert list(scratch.iterdir()) == []


@pytest.mark.functional
def test_an_interruption_ends_the_training_process_and_leaves_nothing(examples, scratch):
    def interrupt(share, loss):
        raise KeyboardInterrupt

    start = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        fit(examples, replace(QUICK, epoch=10_000), on_progress=interrupt)
    assert time.perf_counter() - start < 10
    assert list(scratch.iterdir()) == []


@pytest.mark.functional
def test_training_leaves_no_temporary_file(examples, scratch):
    assert isinstance(fit(examples, QUICK), GenreModel)
    assert list(scratch.iterdir()) == []


@pytest.mark.functional
def test_the_training_process_ends_with_its_parent(tmp_path, examples):
    lines = tmp_path / "train.txt"
    lines.write_text("".join(training_lines(examples, seed=0) * 200))
    (tmp_path / "scratch").mkdir()
    job = {
        "scratch": str(tmp_path / "scratch"),
        "input": str(lines),
        "output": str(tmp_path / "model.bin"),
        "arguments": FitParameters(epoch=10_000).as_fasttext(),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "training.core.fit_worker"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as worker:
        worker.stdin.write(json.dumps(job).encode() + b"\n")
        worker.stdin.flush()
        # Its progress, on a line that begins with a carriage return.
        assert b"Read" in worker.stderr.readline()
        assert worker.poll() is None
        # What the system does when the parent dies.
        worker.stdin.close()
        worker.stderr.read()
        assert worker.wait(timeout=5) == 1
    assert not (tmp_path / "model.bin").exists()
    assert not (tmp_path / "scratch").exists()


@pytest.mark.functional
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_killed_training_leaves_no_text_on_the_disk(examples, scratch):
    def kill(worker_said, on_progress):
        # The training has begun; with one thread fastText tells no progress before its end.
        assert worker_said.readline()
        assert list(scratch.glob("genre-fit-*/train.txt"))
        os.kill(os.getpid(), signal.SIGKILL)

    # A fork of this process: another Python would import scikit-learn first.
    child = os.fork()
    if not child:
        try:
            fit_module._follow = kill
            fit(examples * 50, FitParameters(epoch=10_000, dim=200))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while list(scratch.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(scratch.iterdir()) == []
