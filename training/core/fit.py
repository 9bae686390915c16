"""Train one fastText model, in a child process that can be stopped and whose progress can be read."""

import json
import platform
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence, Set
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import fasttext

from classifier.core.errors import TrainingError
from classifier.core.model import LABEL, GenreModel, to_line
from classifier.core.text import content_words
from training.core.books import Example
from training.core.vectors import WordVectors, write_vec

LOSSES = ("ova", "softmax", "hs", "ns")
# Between the sizes at which the recipes were found: 170 books, 1,300 and 21,500 texts.
FEW_EXAMPLES = 500
MANY_EXAMPLES = 5000
_ROOT = Path(__file__).resolve().parents[2]
_PROGRESS = re.compile(r"Progress:\s+([\d.]+)%.*?avg\.loss:\s+([\d.na-]+)")

OnProgress = Callable[[float, float], None]


@dataclass(frozen=True)
class FitParameters:
    """fastText's own training parameters, under fastText's names.

    The defaults were chosen by five-fold cross-validation on the starter corpus and the Kaggle file
    (docs/adr/0004). ``vectors_deviation`` is the spread of the word vectors training starts from; ``repeat`` says how
    often each example is learned from beside a background that is learned from once. One thread and a fixed seed make training repeatable to the byte; with two
    threads it never is.
    """

    epoch: int = 100
    lr: float = 1.0
    dim: int = 50
    word_ngrams: int = 1
    loss: str = "softmax"
    min_count: int = 1
    seed: int = 0
    vectors_deviation: float = 0.3
    repeat: int = 1

    def __post_init__(self) -> None:
        limits = {
            "epoch": (1, 10_000),
            "dim": (1, 1000),
            "word_ngrams": (1, 5),
            "min_count": (1, 1000),
            "repeat": (1, 100),
        }
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise TrainingError(f"{name} must lie between {low} and {high}, not {getattr(self, name)}.")
        if not 0 < self.lr <= 10:
            raise TrainingError(f"lr must lie between 0 and 10, not {self.lr}.")
        if not 0 < self.vectors_deviation <= 100:
            raise TrainingError(f"vectors_deviation must lie between 0 and 100, not {self.vectors_deviation}.")
        if self.loss not in LOSSES:
            raise TrainingError(f"loss must be one of {', '.join(LOSSES)}, not {self.loss!r}.")

    def as_fasttext(self) -> dict[str, Any]:
        """Return the keyword arguments of ``fasttext.train_supervised``."""
        return {
            "epoch": self.epoch,
            "lr": self.lr,
            "dim": self.dim,
            "wordNgrams": self.word_ngrams,
            "loss": self.loss,
            "minCount": self.min_count,
            "seed": self.seed,
            "thread": 1,
            "minn": 0,
            "maxn": 0,
            "bucket": 200_000 if self.word_ngrams > 1 else 0,
        }


def recommended(n_examples: int, *, with_vectors: bool) -> FitParameters:
    """Return the parameters that did best on data of this size (docs/experiments.md).

    Without vectors fastText must learn everything from the examples. With them it starts at the
    teacher's solution: a thousand texts and more should hardly move it, a few hundred should adapt it.
    """
    if not with_vectors:
        return FitParameters()
    if n_examples < FEW_EXAMPLES:
        return FitParameters(epoch=25, lr=0.3, vectors_deviation=0.2, loss="ova", repeat=2)
    if n_examples < MANY_EXAMPLES:
        return FitParameters(epoch=10, lr=0.01, vectors_deviation=0.9)
    return FitParameters(epoch=3, lr=0.1, vectors_deviation=0.3)


def training_lines(examples: Sequence[Example], *, seed: int, pairs: Set[str] = frozenset()) -> list[str]:
    """Return the lines fastText trains on, shuffled by ``seed``: it learns in file order.

    A line is ``__label__slug`` for each genre, then the words; the words can hold no label, because
    ``tokens`` leaves no underscore. ``pairs`` are the word pairs that are tokens too.
    """
    lines = [
        " ".join([*(f"{LABEL}{slug}" for slug in sorted(example.genres)), to_line(content_words(example.text), pairs)])
        for example in examples
    ]
    random.Random(seed).shuffle(lines)
    return lines


def fit(
    examples: Sequence[Example],
    parameters: FitParameters | None = None,
    *,
    vectors: WordVectors | None = None,
    background: Sequence[Example] = (),
    on_progress: OnProgress | None = None,
) -> GenreModel:
    """Train a model on ``examples``.

    Parameters
    ----------
    examples : sequence of Example
        With at least two genres among them.
    parameters : FitParameters, default=None
        None means ``recommended(len(examples), vectors is not None)``.
    vectors : WordVectors, default=None
        Start from these word vectors: ``dim`` becomes theirs, and every word and pair of theirs is known to
        the model.
    background : sequence of Example, default=()
        Learned from too, once each, however often ``parameters.repeat`` has the examples learned from.
    on_progress : callable, default=None
        Called with the done share in [0, 1] and the average loss.

    Returns
    -------
    GenreModel
        In memory; its ``meta`` holds the parameters and package versions. Same examples, parameters
        and machine: same bytes.

    Raises
    ------
    TrainingError
        When there are fewer than two genres, or fastText fails (it may meet NaN with a high ``lr``).
    """
    parameters = parameters or recommended(len(examples), with_vectors=vectors is not None)
    if vectors is not None:
        parameters = replace(parameters, dim=vectors.dim)
    slugs = {slug for example in [*examples, *background] for slug in example.genres}
    if len(slugs) < 2:
        raise TrainingError(f"Training needs examples of at least two genres; there are {len(slugs)}.")
    with tempfile.TemporaryDirectory(prefix="genre-fit-") as scratch:
        lines, output = Path(scratch, "train.txt"), Path(scratch, "model.bin")
        texts = [*list(examples) * parameters.repeat, *background]
        pairs = vectors.pairs if vectors else frozenset()
        lines.write_text("".join(training_lines(texts, seed=parameters.seed, pairs=pairs)), encoding="utf-8")
        job: dict[str, Any] = {
            "scratch": scratch,
            "input": str(lines),
            "output": str(output),
            "arguments": parameters.as_fasttext(),
        }
        if vectors is not None:
            start = Path(scratch, "start.vec")
            write_vec(vectors, start, deviation=parameters.vectors_deviation)
            job["arguments"] = parameters.as_fasttext() | {"pretrainedVectors": str(start)}
        run_worker(job, on_progress)
        engine = fasttext.load_model(str(output))
    meta = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "parameters": asdict(parameters),
        "versions": {name: version(name) for name in ("fasttext-community", "numpy", "scikit-learn")}
        | {"python": platform.python_version()},
        "n_train": len(examples),
        "n_background": len(background),
        "genres": sorted(slugs),
    }
    return GenreModel(engine, meta)


def run_worker(job: dict[str, Any], on_progress: OnProgress | None) -> None:
    """Run the training process; it ends by itself when this process does (its standard input closes)."""
    with subprocess.Popen(
        [sys.executable, "-m", "training.core.fit_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        encoding="utf-8",
        errors="replace",
    ) as worker:
        assert worker.stdin is not None and worker.stderr is not None
        try:
            worker.stdin.write(json.dumps(job) + "\n")
            worker.stdin.flush()
            said = _follow(worker.stderr, on_progress)
        except BaseException:
            worker.kill()
            raise
        finally:
            worker.stdin.close()
    if worker.returncode:
        advice = " A lower --lr helps." if "NaN" in said else ""
        raise TrainingError(f"fastText could not train: {said or f'exit {worker.returncode}'}.{advice}")


def _follow(stream: IO[str], on_progress: OnProgress | None) -> str:
    """Report progress until the stream ends; return the last line that is no progress."""
    said = ""
    # Universal newlines turn fastText's carriage returns into lines.
    for line in stream:
        progress = _PROGRESS.search(line)
        if progress and on_progress:
            loss = progress[2]
            on_progress(float(progress[1]) / 100, float(loss) if "n" not in loss else float("nan"))
        elif line.strip() and not progress:
            said = line.strip()
    return said
