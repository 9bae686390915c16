"""Look for a better recipe: change one thing at a time and compare by cross-validation."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import fasttext
import numpy as np
from numpy.typing import NDArray

from classifier.core.errors import TrainingError
from classifier.core.model import GenreModel
from training.core.background import background_for
from training.core.baselines import Matrix, known_slugs, label_matrix, linear_svc, model_scores, primary_columns
from training.core.books import Example
from training.core.fit import FEW_EXAMPLES, FitParameters, fit, recommended, run_worker, training_lines
from training.core.metrics import evaluate_scores
from training.core.progress import OnStep
from training.core.split import stratified_folds
from training.core.vectors import WordVectors

RECOMMENDED = "recommended"
METRICS = ("accuracy", "f1_subj_avg", "ndcg", "recall_at_3")
AUTOTUNE_SECONDS = 10.0
N_SEEDS = 5
# Above every score: a text is given its best genre alone. The recipes' scores are uncalibrated and lie on
# different scales, so one threshold would favour some of them.
_BEST_ONLY = 2.0
# fastText's autotune checks itself on one of so many parts of what it may learn from.
_INNER_FOLDS = 5


@dataclass(frozen=True)
class Variant:
    """A recipe to try.

    ``parameters`` None is the peer, TF-IDF + LinearSVC. Scores are averaged over ``n_seeds`` models. With
    ``autotune_seconds`` fastText looks for epoch, lr, dim and n-grams by itself for so long, a fold.
    """

    name: str
    parameters: FitParameters | None
    with_vectors: bool = False
    with_background: bool = False
    n_seeds: int = 1
    autotune_seconds: float = 0


@dataclass(frozen=True)
class Result:
    """What a variant reached, out of fold, and how long all its folds took."""

    variant: Variant
    metrics: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class _Fold:
    """One fold: what is learned from, and what is scored."""

    train: list[Example]
    test: list[Example]
    background: list[Example]


def variants(n_train: int, has_vectors: bool) -> list[Variant]:
    """Return the recommended recipe for ``n_train`` examples, then one change of it at a time, then the peer."""
    base = recommended(n_train, with_vectors=has_vectors)
    helped = has_vectors and n_train < FEW_EXAMPLES
    first = Variant(RECOMMENDED, base, has_vectors, helped)
    found = [first]
    found += [replace(first, name=name, parameters=changed) for name, changed in _changes(base, has_vectors, helped)]
    if helped:
        found.append(replace(first, name="no background", parameters=replace(base, repeat=1), with_background=False))
    plain = FitParameters()
    if has_vectors:
        found.append(Variant("no vectors", plain))
        found.append(Variant("no vectors, word_ngrams 2", replace(plain, word_ngrams=2)))
    found.append(replace(first, name=f"{N_SEEDS} seeds averaged", n_seeds=N_SEEDS))
    found.append(Variant("no vectors, autotune", plain, autotune_seconds=AUTOTUNE_SECONDS))
    return [*found, Variant("linear_svc", None)]


def _changes(base: FitParameters, has_vectors: bool, helped: bool) -> Iterator[tuple[str, FitParameters]]:
    """Yield each changed parameter by name, unless it is what ``base`` has."""
    values: dict[str, Sequence[float | str]] = {
        "loss": ("softmax", "ova"),
        "word_ngrams": (2,),
        "epoch": (max(1, base.epoch // 2), base.epoch * 2),
        "lr": (base.lr / 2, min(10, base.lr * 2)),
        "vectors_deviation": (0.1, 0.3, 0.9) if has_vectors else (),
        "repeat": (1, 2, 4) if helped else (),
    }
    for name, tried in values.items():
        for value in tried:
            if value != getattr(base, name):
                yield f"{name} {value}", replace(base, **{name: value})  # type: ignore[arg-type]


def search(
    examples: Sequence[Example],
    variants: Sequence[Variant],
    *,
    vectors: WordVectors | None = None,
    starter: Sequence[Example] = (),
    n_folds: int = 5,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> list[Result]:
    """Score every variant out of fold on the same folds, a book never on two sides.

    Parameters
    ----------
    examples : sequence of Example
        The train side only: the test side must stay unseen, or it could not judge what is chosen here.
    variants : sequence of Variant
    vectors, starter
        For the variants that start from word vectors and learn from a background.
    n_folds, seed : int
        The seed makes the folds and is the models' own.
    on_step : callable, default=None
        Called with what is done and the done share in [0, 1].

    Returns
    -------
    list of Result
        In the order of ``variants``. A text is given its best genre alone, so that recipes with scores of
        different scales compare; the scores of all folds are pooled and measured once.

    Raises
    ------
    CorpusError
        When there are fewer different books than folds.
    TrainingError
        When a variant needs word vectors and there are none, or a fold can't be trained on.
    """
    if vectors is None and any(variant.with_vectors for variant in variants):
        raise TrainingError("A variant starts from word vectors, and there are none.")
    slugs = known_slugs(examples)
    scores = [np.zeros((len(examples), len(slugs))) for _ in variants]
    seconds = [0.0] * len(variants)
    wants_background = any(variant.with_background for variant in variants)
    folds = stratified_folds(examples, slugs, n_folds=n_folds, seed=seed)
    for number in range(n_folds):
        fold = _fold(examples, folds == number, starter if wants_background else ())
        for at, variant in enumerate(variants):
            if on_step:
                on_step(f"fold {number + 1} of {n_folds}: {variant.name}", (number + at / len(variants)) / n_folds)
            start = time.perf_counter()
            scores[at][folds == number] = _score(variant, fold, slugs, vectors, seed)
            seconds[at] += time.perf_counter() - start
    truth = label_matrix(examples, slugs)
    primary = primary_columns(examples, slugs)
    measured = [evaluate_scores(truth, matrix, primary, threshold=_BEST_ONLY) for matrix in scores]
    return [
        Result(variant, {name: metrics[name] for name in METRICS}, round(spent, 1))
        for variant, metrics, spent in zip(variants, measured, seconds, strict=True)
    ]


def _fold(examples: Sequence[Example], tested: NDArray[np.bool_], starter: Sequence[Example]) -> _Fold:
    train = [example for example, is_test in zip(examples, tested, strict=True) if not is_test]
    test = [example for example, is_test in zip(examples, tested, strict=True) if is_test]
    return _Fold(train, test, background_for(train, starter, beside=test) if starter else [])


def _score(variant: Variant, fold: _Fold, slugs: Sequence[str], vectors: WordVectors | None, seed: int) -> Matrix:
    if variant.parameters is None:
        return linear_svc(fold.train, fold.test, slugs, seed)
    texts = [example.text for example in fold.test]
    total = np.zeros((len(texts), len(slugs)))
    for number in range(variant.n_seeds):
        parameters = replace(variant.parameters, seed=seed + number)
        if variant.autotune_seconds:
            model = _autotuned(fold.train, parameters, variant.autotune_seconds)
        else:
            model = fit(
                fold.train,
                parameters,
                vectors=vectors if variant.with_vectors else None,
                background=fold.background if variant.with_background else (),
            )
        total += model_scores(model.predict_many, texts, slugs)
    return total / variant.n_seeds


def _autotuned(train: Sequence[Example], parameters: FitParameters, seconds: float) -> GenreModel:
    """Let fastText tune on a part of ``train``; the model is the one it makes of the rest.

    It can't be trained again on all of it: the file of a model does not tell the lr that was found. What is found
    depends on how far fastText gets in the time, so no two runs need be alike.
    """
    inner = stratified_folds(train, known_slugs(train), n_folds=_INNER_FOLDS, seed=parameters.seed) == 0
    with tempfile.TemporaryDirectory(prefix="genre-search-") as scratch:
        learned, checked, output = (Path(scratch, name) for name in ("learned.txt", "checked.txt", "model.bin"))
        for path, side in ((learned, ~inner), (checked, inner)):
            lines = training_lines([train[at] for at in np.flatnonzero(side).tolist()], seed=parameters.seed)
            path.write_text("".join(lines), encoding="utf-8")
        arguments = {
            "autotuneValidationFile": str(checked),
            "autotuneDuration": max(1, round(seconds)),
            "thread": 1,
            "seed": parameters.seed,
            "loss": parameters.loss,
        }
        job = {"scratch": scratch, "input": str(learned), "output": str(output), "arguments": arguments}
        # In the child process that fit uses: autotune can't be interrupted, and writes on standard error whatever it is told.
        run_worker(job, None)
        engine = fasttext.load_model(str(output))
    return GenreModel(engine, {"parameters": {"loss": parameters.loss}})
