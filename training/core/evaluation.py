"""Score methods side by side on the same examples: on one split, or by cross-validation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classifier.core.errors import CorpusError
from classifier.core.model import Prediction
from classifier.core.thresholds import NEVER, Thresholds
from training.core.baselines import (
    Method,
    fasttext_method,
    known_slugs,
    label_matrix,
    linear_svc,
    majority,
    model_scores,
    primary_columns,
)
from training.core.books import Example
from training.core.fit import FitParameters
from training.core.metrics import Threshold, evaluate_scores, genre_table
from training.core.progress import OnStep, silent
from training.core.split import stratified_folds
from training.core.vectors import WordVectors

FASTTEXT, SVC, MAJORITY = "fasttext", "linear_svc", "majority"
TITLES = {FASTTEXT: "fastText", SVC: "TF-IDF + LinearSVC", MAJORITY: "majority"}
# From which score a genre beyond the first counts as chosen by a method without thresholds of its own. A softmax
# shares 1 among a text's genres, so two equal genres get less than a half each; a squeezed SVC margin is 0.5 at
# the boundary.
THRESHOLDS = {FASTTEXT: 0.3, SVC: 0.5, MAJORITY: 0.5}

PredictMany = Callable[[list[str]], list[Prediction]]


@dataclass(frozen=True)
class Evaluation:
    """Metrics by method on the same ``n_examples`` texts; ``genres`` is the first method's genre table."""

    n_examples: int
    n_genres: int
    scores: dict[str, dict[str, float]]
    genres: list[dict[str, object]] = field(default_factory=list)
    n_folds: int = 0

    def as_json(self) -> dict[str, object]:
        """Return plain data for ``meta.json`` and metrics files."""
        return {
            "n_examples": self.n_examples,
            "n_genres": self.n_genres,
            "n_folds": self.n_folds,
            "methods": self.scores,
            "genres": self.genres,
        }


def decision_threshold(own: Thresholds | None, slugs: Sequence[str]) -> Threshold:
    """Return from which score our model chooses each of ``slugs``: its own thresholds, or one for all without them."""
    if own is None:
        return THRESHOLDS[FASTTEXT]
    return np.array([own.genres.get(slug, NEVER) for slug in slugs])


def _metrics(
    test: Sequence[Example],
    slugs: tuple[str, ...],
    scores: dict[str, NDArray[np.float64]],
    n_folds: int = 0,
    own: Thresholds | None = None,
) -> Evaluation:
    truth = label_matrix(test, slugs)
    primary = primary_columns(test, slugs)
    thresholds: dict[str, Threshold] = {**THRESHOLDS, FASTTEXT: decision_threshold(own, slugs)}
    table = {
        name: evaluate_scores(truth, matrix, primary, threshold=thresholds[name]) for name, matrix in scores.items()
    }
    genres = genre_table(truth, scores[FASTTEXT], slugs, threshold=thresholds[FASTTEXT])
    return Evaluation(len(test), len(slugs), table, genres, n_folds)


def evaluate_model(
    predict_many: PredictMany,
    train: Sequence[Example],
    test: Sequence[Example],
    *,
    thresholds: Thresholds | None = None,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Evaluation:
    """Score a trained model on ``test``, with the two baselines trained on ``train`` when there is one.

    With the model's ``thresholds`` its choice is what reaches them. A text for which it abstains, also
    because no genre does, counts as wrong in every metric.

    Raises
    ------
    CorpusError
        When ``test`` is empty.
    """
    if not test:
        raise CorpusError("There is no example to evaluate on: the test side of this data is empty.")
    slugs = known_slugs(train, test)
    report = on_step or silent
    report("model", 0.0)
    scores = {FASTTEXT: model_scores(predict_many, [example.text for example in test], slugs)}
    if train:
        for done, (name, method) in enumerate({SVC: linear_svc, MAJORITY: majority}.items(), start=1):
            report(TITLES[name], done / 3)
            scores[name] = method(train, test, slugs, seed)
    report("metrics", 1.0)
    return _metrics(test, slugs, scores, own=thresholds)


def compare(
    train: Sequence[Example],
    test: Sequence[Example],
    parameters: FitParameters,
    *,
    vectors: WordVectors | None = None,
    starter: Sequence[Example] = (),
    on_step: OnStep | None = None,
) -> Evaluation:
    """Train fastText and both baselines on ``train`` and score them on ``test``."""
    if not test:
        raise CorpusError("There is no example to evaluate on: the test side of this data is empty.")
    slugs = known_slugs(train, test)
    report = on_step or silent
    scores = {}
    methods = _methods(parameters, vectors, starter)
    for done, (name, method) in enumerate(methods.items()):
        report(TITLES[name], done / len(methods))
        scores[name] = method(train, test, slugs, parameters.seed)
    report("metrics", 1.0)
    return _metrics(test, slugs, scores)


def cross_validate(
    examples: Sequence[Example],
    parameters: FitParameters,
    *,
    n_folds: int = 5,
    vectors: WordVectors | None = None,
    starter: Sequence[Example] = (),
    on_step: OnStep | None = None,
) -> Evaluation:
    """Score every method out of fold: each text by a model that never saw its book.

    The scores of all folds are pooled and measured once, so that rare genres count as often as they occur.
    """
    slugs = known_slugs(examples)
    folds = stratified_folds(examples, slugs, n_folds=n_folds, seed=parameters.seed)
    methods = _methods(parameters, vectors, starter)
    report = on_step or silent
    scores = {name: np.zeros((len(examples), len(slugs))) for name in methods}
    for fold in range(n_folds):
        tested = folds == fold
        train = [example for example, is_test in zip(examples, tested, strict=True) if not is_test]
        test = [example for example, is_test in zip(examples, tested, strict=True) if is_test]
        for done, (name, method) in enumerate(methods.items()):
            report(f"fold {fold + 1} of {n_folds}: {TITLES[name]}", (fold + done / len(methods)) / n_folds)
            scores[name][tested] = method(train, test, slugs, parameters.seed)
    report("metrics", 1.0)
    return _metrics(examples, slugs, scores, n_folds)


def _methods(parameters: FitParameters, vectors: WordVectors | None, starter: Sequence[Example]) -> dict[str, Method]:
    return {FASTTEXT: fasttext_method(parameters, vectors, starter), SVC: linear_svc, MAJORITY: majority}
