"""Fit a model's calibration out of fold, and measure how well calibrated scores are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from classifier.core.calibrate import SMALLEST, Calibration, log_odds
from classifier.core.errors import CorpusError
from classifier.core.model import GenreModel, Prediction
from training.core.baselines import label_matrix
from training.core.books import Example
from training.core.fit import FitParameters, fit
from training.core.split import stratified_folds, text_key
from training.core.vectors import WordVectors

N_FOLDS = 3
# With fewer positive texts a genre's own logistic curve would follow chance; it uses the pooled one.
MIN_POSITIVES = 30
# Under this many texts nothing is fitted.
MIN_TEXTS = 50

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Held:
    """Scores of texts by models that saw neither their books nor, through the word vectors, themselves.

    Attributes
    ----------
    raw : ndarray of shape (n_texts, n_genres)
        Softmax scores before calibration; every text was answered.
    n_words : ndarray of shape (n_texts,)
        Words of each text, at least 1.
    truth : ndarray of shape (n_texts, n_genres), dtype=bool
    primary : ndarray of shape (n_texts,)
        Column of the primary genre.
    slugs : tuple of str, length n_genres
    """

    raw: Matrix
    n_words: Matrix
    truth: NDArray[np.bool_]
    primary: NDArray[np.intp]
    slugs: tuple[str, ...]

    def calibrated(self, calibration: Calibration) -> Matrix:
        """Return the scores after calibration, shape ``(n_texts, n_genres)``, in [0, 1]."""
        rows = zip(self.raw.tolist(), self.n_words.tolist(), strict=True)
        applied = [calibration.apply(list(zip(self.slugs, row, strict=True)), int(n)) for row, n in rows]
        return np.array([[score for _, score in pairs] for pairs in applied]).reshape(self.raw.shape)


def out_of_fold(
    examples: Sequence[Example],
    parameters: FitParameters,
    *,
    vectors: WordVectors | None = None,
    n_folds: int = N_FOLDS,
    on_progress: Callable[[float], None] | None = None,
) -> Held | None:
    """Score the texts of a training side by models trained on parts of it.

    Each text is scored by a model that never saw its book, and texts that the word vectors learned from
    are left out: their scores would look better than those of new texts. None when too few texts are left.
    """
    seen = vectors.seen if vectors else frozenset()
    fresh = np.array([text_key(example.text) not in seen for example in examples], dtype=bool)
    if fresh.sum() < MIN_TEXTS:
        return None
    slugs = tuple(sorted({slug for example in examples for slug in example.genres}))
    try:
        folds = stratified_folds(examples, slugs, n_folds=n_folds, seed=parameters.seed)
    except CorpusError:
        return None
    raw = np.zeros((len(examples), len(slugs)))
    n_words = np.ones(len(examples))
    for fold in range(n_folds):
        if on_progress:
            on_progress(fold / n_folds)
        train = [example for example, at in zip(examples, folds, strict=True) if at != fold]
        if len({slug for example in train for slug in example.genres}) < 2:
            return None
        model = fit(train, parameters, vectors=vectors)
        for at in map(int, np.flatnonzero((folds == fold) & fresh)):
            raw[at], n_words[at] = raw_scores(model, examples[at].text, slugs)
    answered = raw.max(axis=1) > 0
    if answered.sum() < MIN_TEXTS:
        return None
    truth = label_matrix(examples, slugs)
    primary = np.array([slugs.index(example.genres[0]) for example in examples], dtype=np.intp)
    return Held(raw[answered], n_words[answered], truth[answered], primary[answered], slugs)


def fit_calibration(
    examples: Sequence[Example], parameters: FitParameters, *, vectors: WordVectors | None = None
) -> Calibration | None:
    """Fit the calibration of a model trained on ``examples``: ``fit_scores`` of ``out_of_fold``."""
    held = out_of_fold(examples, parameters, vectors=vectors)
    return fit_scores(held) if held else None


def raw_scores(model: GenreModel, text: str, slugs: Sequence[str]) -> tuple[Matrix, int]:
    """Return the model's scores before calibration, shape ``(n_genres,)``, and the number of words."""
    prediction = model.predict(text, calibrated=False)
    scores = {genre.slug: genre.score for genre in prediction.scores}
    return np.array([scores.get(slug, 0.0) for slug in slugs]), prediction.n_words


def fit_scores(held: Held) -> Calibration | None:
    """Fit both steps of the calibration; the length step's likelihood is about the primary genre.

    Returns
    -------
    Calibration or None
        None when no text was scored.
    """
    if not len(held.raw):
        return None
    logits = np.log(np.maximum(held.raw, SMALLEST))
    log_words = np.log(np.maximum(held.n_words, 1))
    rows = np.arange(len(held.raw))

    def loss(point: Matrix) -> float:
        factors = np.exp(point[0] + point[1] * log_words)[:, None]
        # A little pull towards "as it is" keeps tiny sets from running away.
        return float(-log_softmax(logits * factors, axis=1)[rows, held.primary].mean() + 1e-3 * (point**2).sum())

    best = minimize(loss, np.zeros(2), method="Nelder-Mead")
    scale, power = float(np.exp(best.x[0])), float(best.x[1])
    length_step = Calibration(scale, power, {})
    sharp = [length_step.sharpen(row, int(n)) for row, n in zip(held.raw, held.n_words, strict=True)]
    odds = np.array([[log_odds(score) for score in row] for row in sharp])
    pooled = _platt(odds.ravel(), held.truth.ravel())
    platt = {
        slug: _platt(odds[:, at], held.truth[:, at]) if held.truth[:, at].sum() >= MIN_POSITIVES else pooled
        for at, slug in enumerate(held.slugs)
    }
    return Calibration(scale, power, platt)


def _platt(odds: Matrix, truth: NDArray[np.bool_]) -> tuple[float, float]:
    if truth.all() or not truth.any():
        return 1.0, 0.0
    curve = LogisticRegression(C=1.0).fit(odds.reshape(-1, 1), truth)
    # A falling curve would turn the order of scores round; that is chance, not calibration.
    return max(0.05, float(curve.coef_[0, 0])), float(curve.intercept_[0])


def calibration_error(scores: NDArray[np.float64], correct: NDArray[np.bool_], *, n_bins: int = 10) -> float:
    """Return the expected calibration error over ``n_bins`` bins of equal mass; 0 is perfect.

    Parameters
    ----------
    scores : ndarray of shape (n_texts,)
        The score of the genre shown first.
    correct : ndarray of shape (n_texts,), dtype=bool
        Whether that genre is right.

    References
    ----------
    Naeini, Cooper, Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015;
    bins of equal mass as in Nguyen and O'Connor, EMNLP 2015.
    """
    if not len(scores):
        return 0.0
    order = np.argsort(scores, kind="stable")
    bins = np.array_split(order, min(n_bins, len(scores)))
    gaps = [abs(scores[at].mean() - correct[at].mean()) * len(at) for at in bins]
    return float(sum(gaps) / len(scores))


def first_score_error(predictions: Sequence[Prediction], examples: Sequence[Example]) -> float:
    """Return the calibration error of the first genre of each answered prediction, right when the text has it."""
    answered = [(p.scores[0], e.genres) for p, e in zip(predictions, examples, strict=True) if p.scores]
    scores = np.array([first.score for first, _ in answered])
    correct = np.array([first.slug in genres for first, genres in answered], dtype=bool)
    return round(calibration_error(scores, correct), 4)


def expected_error_by_chance(
    scores: NDArray[np.float64], *, n_bins: int = 10, n_draws: int = 2000, seed: int = 0
) -> float:
    """Return the 95th percentile of the calibration error that perfectly calibrated scores would show by chance."""
    generator = np.random.default_rng(seed)
    draws = generator.random((n_draws, len(scores))) < scores
    return float(np.quantile([calibration_error(scores, draw, n_bins=n_bins) for draw in draws], 0.95))
