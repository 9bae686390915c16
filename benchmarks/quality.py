"""``make bench-quality``: ours beside its peers on the pinned benchmark sets under GENRE_DATA_DIR.

- ``kaggle``: 211 books, the given five folds; word vectors from the four files.
- ``four_files``: the given sides; word vectors from the train side only.
- ``default:FILE``: the shipped default's recipe (starter corpus and vectors built without FILE), tested on FILE.
- Noise: the share of 1,000 inputs of ``benchmarks.noise`` that the shipped default refuses, kind by kind.

Ours is the mean of several seeds; intervals are bootstrapped over the test texts, those of the difference to
``linear_svc`` paired. Nothing is tuned here: the recipe is ``training.core.fit.recommended``.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from benchmarks.noise import noise_inputs
from benchmarks.report import QUICK, publish
from classifier.core.genres import canonical_genres
from classifier.core.language import language_of
from classifier.core.model import GenreModel, sha256_of
from training.core.background import background_for
from training.core.baselines import Method, linear_svc, majority, model_scores, primary_columns
from training.core.books import Example
from training.core.calibration import (
    across_sources,
    calibration_error,
    expected_error_by_chance,
    fit_scores,
    held_scores,
)
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.fit import fit, recommended
from training.core.four_files import COLUMNS, FOUR_FILES
from training.core.metrics import ndcg, top
from training.core.pinned import (
    KAGGLE_FILE,
    KAGGLE_PINS,
    Pinned,
    read_four_files,
    read_kaggle_primary,
)
from training.core.split import frozen_split, is_kept_from_vectors
from training.core.vectors import BOOK_VECTORS, WordVectors, load_vectors, teach

SEEDS = range(1 if QUICK else 5)
RESAMPLES = 1000
SHOWN = (
    "dataset",
    "method",
    "accuracy",
    "low",
    "high",
    "r_at_3",
    "macro_f1",
    "ndcg",
    "ece",
    "ece_by_chance",
    "coverage",
    "over_svc",
    "over_svc_low",
    "over_svc_high",
    "n",
)
Scores = NDArray[np.float64]


def train_ours(
    train: Sequence[Example],
    test: Sequence[Example],
    vectors: WordVectors | None,
    starter: Sequence[Example],
    seed: int,
) -> GenreModel:
    """Train with the recommended parameters and calibrate, as ``manage.py train`` does."""
    parameters = replace(recommended(len(train), with_vectors=vectors is not None), seed=seed)
    is_of_starter = train[0].source == STARTER_FILE.name
    background = background_for(train, starter, beside=test) if vectors and not is_of_starter else []
    model = fit(train, parameters, vectors=vectors, background=background)
    model.meta["language"] = language_of(example.text for example in train)
    held = held_scores(
        train,
        parameters,
        starter=STARTER_FILE.name if is_of_starter else "",
        vectors=vectors,
        background=background,
    )
    model.calibrate(fit_scores(held) if held else None)
    return model


def ours(vectors: WordVectors | None, starter: Sequence[Example] = ()) -> Method:
    """Return the method that starts from ``vectors``."""

    def score(train: Sequence[Example], test: Sequence[Example], slugs: Sequence[str], seed: int) -> Scores:
        model = train_ours(train, test, vectors, starter, seed)
        return model_scores(model.predict_many, [example.text for example in test], slugs)

    return score


def figures(scores: Scores, primary: NDArray[np.intp]) -> dict[str, float]:
    """Return one row's metrics; the primary genre is the only right one."""
    truth = np.zeros(scores.shape, dtype=bool)
    truth[np.arange(len(primary)), primary] = True
    answered = scores.max(axis=1) > 0
    best = scores.argmax(axis=1)
    correct = (best == primary) & answered
    return {
        "accuracy": float(correct.mean()),
        "r_at_3": float((top(scores, 3) & truth).any(axis=1).mean()),
        "macro_f1": float(
            f1_score(primary, np.where(answered, best, -1), labels=np.unique(primary), average="macro", zero_division=0)
        ),
        "ndcg": ndcg(truth, scores),
        "ece": calibration_error(scores.max(axis=1)[answered], correct[answered]),
        "coverage": float(answered.mean()),
    }


def interval(difference: NDArray[np.float64]) -> tuple[float, float]:
    """Return the bootstrap 95% interval of the mean of ``difference`` over texts."""
    generator = np.random.default_rng(0)
    means = [difference[generator.integers(0, len(difference), len(difference))].mean() for _ in range(RESAMPLES)]
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def rows_of(name: str, scores: dict[str, list[Scores]], primary: NDArray[np.intp]) -> list[dict[str, object]]:
    """Return a row a method; a method of several seeds is the mean of their figures."""
    hits = {
        method: np.mean([(run.argmax(axis=1) == primary) & (run.max(axis=1) > 0) for run in runs], axis=0)
        for method, runs in scores.items()
    }
    rows: list[dict[str, object]] = []
    for method, runs in scores.items():
        measured = [figures(run, primary) for run in runs]
        mean = {key: float(np.mean([figure[key] for figure in measured])) for key in measured[0]}
        low, high = interval(hits[method])
        row: dict[str, object] = {
            "dataset": name,
            "method": method,
            **mean,
            "low": low,
            "high": high,
            "n": len(primary),
        }
        row["ece_by_chance"] = expected_error_by_chance(runs[0].max(axis=1), n_draws=300)
        row["over_svc"] = float((hits[method] - hits["linear_svc"]).mean())
        row["over_svc_low"], row["over_svc_high"] = interval(hits[method] - hits["linear_svc"])
        rows.append(row)
    return rows


def folded(
    examples: Sequence[Pinned], scorers: dict[str, tuple[Method, Sequence[int]]], slugs: Sequence[str]
) -> dict[str, list[Scores]]:
    """Score each example by methods trained on the other folds."""
    result = {}
    for method, (score, seeds) in scorers.items():
        runs = []
        for seed in seeds:
            run = np.zeros((len(examples), len(slugs)))
            for fold in sorted({pinned.side for pinned in examples}):
                inside = np.array([pinned.side == fold for pinned in examples])
                train = [pinned.example for pinned in examples if pinned.side != fold]
                run[inside] = score(train, [pinned.example for pinned in examples if pinned.side == fold], slugs, seed)
            runs.append(run)
        result[method] = runs
    return result


def peers(vectors: WordVectors, starter: Sequence[Example]) -> dict[str, tuple[Method, Sequence[int]]]:
    """Return the methods of the table and their seeds."""
    return {
        "majority": (majority, [0]),
        "linear_svc": (linear_svc, [0]),
        "fasttext": (ours(None), [0]),
        "ours": (ours(vectors, starter), SEEDS),
    }


def kaggle(books: list[Pinned], four: list[Pinned], starter: Sequence[Example]) -> list[dict[str, object]]:
    """Measure the 211 books."""
    slugs = sorted({pinned.example.genres[0] for pinned in books})
    vectors = teach([pinned.example for pinned in four])
    return rows_of(
        "kaggle", folded(books, peers(vectors, starter), slugs), primary_columns([b.example for b in books], slugs)
    )


def four_files(four: list[Pinned], starter: Sequence[Example]) -> list[dict[str, object]]:
    """Measure the four files' test side. A part of the train side stays out of the vectors, for calibration."""
    slugs = sorted({pinned.example.genres[0] for pinned in four})
    train = [pinned.example for pinned in four if pinned.side == "train"]
    test = [pinned.example for pinned in four if pinned.side == "test"]
    vectors = teach([example for example in train if not is_kept_from_vectors(example)])
    scores = {
        method: [score(train, test, slugs, seed) for seed in seeds]
        for method, (score, seeds) in peers(vectors, starter).items()
    }
    return rows_of("four_files", scores, primary_columns(test, slugs))


def default(held: str, four: list[Pinned], starter: Sequence[Example]) -> list[dict[str, object]]:
    """Measure the shipped default's recipe on a file whose texts nothing in it has seen."""
    genres = canonical_genres()
    train = [starter[at] for at in frozen_split(starter).train]
    test = [pinned.example for pinned in four if pinned.file == held]
    base = [example for example in train if not is_kept_from_vectors(example)]
    files = [name for name in COLUMNS if name != held]
    sources = {name: [pinned.example for pinned in four if pinned.file == name] for name in files}
    vectors = replace(
        teach([*base, *(example for texts in sources.values() for example in texts)]),
        across=across_sources(sources, base),
    )
    slugs = list(genres.slugs)
    scores = {
        method: [score(train, test, slugs, seed) for seed in seeds]
        for method, (score, seeds) in peers(vectors, starter).items()
    }
    return rows_of(f"default:{held}", scores, primary_columns(test, slugs))


def noise() -> list[dict[str, object]]:
    """Count the refused noise inputs of each kind: what the shipped vectors and the starter corpus make of them."""
    starter = read_corpus(STARTER_FILE, canonical_genres()).examples
    train = [starter[at] for at in frozen_split(starter).train]
    model = train_ours(train, [], load_vectors(BOOK_VECTORS), [], seed=0)
    refused: dict[str, list[bool]] = {}
    for kind, text in noise_inputs(1000):
        refused.setdefault(kind, []).append(bool(model.predict(text).abstained))
    rows: list[dict[str, object]] = [
        {"kind": kind, "abstained": float(np.mean(flags)), "n": len(flags)} for kind, flags in refused.items()
    ]
    every = [flag for flags in refused.values() for flag in flags]
    return [*rows, {"kind": "all", "abstained": float(np.mean(every)), "n": len(every)}]


def main() -> int:
    """Measure and publish."""
    folder = Path(os.environ.get("GENRE_DATA_DIR") or "data")
    if not (folder / "four_files.csv.gz").exists():
        sys.stderr.write(f"The benchmark sets are not in {folder}; set GENRE_DATA_DIR.\n")
        return 1
    genres = canonical_genres()
    four, books = read_four_files(folder, genres), read_kaggle_primary(folder, genres)
    starter = read_corpus(STARTER_FILE, genres).examples
    rows = kaggle(books, four, starter)
    if not QUICK:
        rows += four_files(four, starter)
        for held in COLUMNS:
            rows += default(held, four, starter)
    names = (FOUR_FILES, *COLUMNS, KAGGLE_FILE, KAGGLE_PINS)
    publish(
        "quality",
        rows,
        shown=SHOWN,
        seeds=len(SEEDS),
        date=datetime.now(UTC).date().isoformat(),
        noise=noise(),
        sha256={path.name: sha256_of(path) for path in [*(folder / name for name in names), STARTER_FILE]},
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
