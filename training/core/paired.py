"""Compare two versions on the same texts: figures of each, and intervals of their differences by resampling the texts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.core.model import Prediction
from classifier.core.thresholds import Thresholds
from training.core.baselines import label_matrix, model_scores, primary_columns
from training.core.books import Example
from training.core.calibration import calibration_error
from training.core.evaluation import decision_threshold
from training.core.metrics import Flags, Scores, choose, top

N_DRAWS = 2000
# Of all 552 pairs of 24 honest trainings that differ in their seed alone, intervals of 95% call 3.1% worse in accuracy or
# F1 (up to 6 of 23 for one champion), these 0.4% (at most 1 of 23): where few texts differ, the ends are too near.
LEVEL = 0.99
N_BINS = 10
FIRST_GENRES = 3
# Draws times texts held in memory at once.
_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Answers:
    """What a version said of ``n_texts`` labelled texts.

    Attributes
    ----------
    slugs : tuple of str, length n_genres
        Columns: every genre of the texts and of the versions compared.
    known : frozenset of str
        The genres the version knows.
    truth, chosen, first : ndarray of shape (n_texts, n_genres), dtype=bool
        The genres each text has, those the version chooses for it, and its first ``FIRST_GENRES``.
    primary : ndarray of shape (n_texts,), dtype=int
        The column of each text's primary genre.
    right : ndarray of shape (n_texts,), dtype=bool
        Whether the version's first genre is the primary one. An abstention is wrong.
    score : ndarray of shape (n_texts,)
        The score of its first genre, also where it abstained and said what came nearest; nan without any.
    fits : ndarray of shape (n_texts,), dtype=bool
        Whether the text has that genre.
    """

    slugs: tuple[str, ...]
    known: frozenset[str]
    truth: Flags
    chosen: Flags
    first: Flags
    primary: NDArray[np.intp]
    right: Flags
    score: Scores
    fits: Flags

    @property
    def calibration_error(self) -> float:
        """The calibration error of the first score."""
        scored = ~np.isnan(self.score)
        return calibration_error(self.score[scored], self.fits[scored], n_bins=N_BINS)


@dataclass(frozen=True)
class Figures:
    """Accuracy of the primary genre, macro F1 and calibration error, each of shape ``(n_draws,)``."""

    accuracy: Scores
    f1: Scores
    calibration: Scores


@dataclass(frozen=True)
class Interval:
    """The middle 99% (``LEVEL``) of a difference over the draws."""

    low: float
    high: float


def answers_of(
    predictions: Sequence[Prediction],
    examples: Sequence[Example],
    slugs: tuple[str, ...],
    *,
    known: Sequence[str],
    thresholds: Thresholds | None = None,
) -> Answers:
    """Return the version's ``predictions`` of ``examples`` as arrays; ``slugs`` hold every genre of both."""
    scores = model_scores(lambda _: list(predictions), [example.text for example in examples], slugs)
    rows, primary = np.arange(len(examples)), primary_columns(examples, slugs)
    heads = [said.scores[0] if said.scores else None for said in predictions]
    return Answers(
        slugs=slugs,
        known=frozenset(known),
        truth=label_matrix(examples, slugs),
        chosen=choose(scores, threshold=decision_threshold(thresholds, slugs)),
        first=top(scores, FIRST_GENRES),
        primary=primary,
        right=top(scores, 1)[rows, primary],
        score=np.array([head.score if head else np.nan for head in heads], dtype=float),
        fits=np.array([h is not None and h.slug in e.genres for h, e in zip(heads, examples, strict=True)], dtype=bool),
    )


def draws(n_texts: int, *, n_draws: int = N_DRAWS, seed: int = 0) -> Iterator[Scores]:
    """Yield how often each text is drawn, in blocks of shape ``(n_drawn, n_texts)``; each row sums to ``n_texts``."""
    generator = np.random.default_rng(seed)
    n_left, size = n_draws, max(1, _AT_ONCE // n_texts)
    while n_left:
        n_drawn = min(size, n_left)
        picked = generator.integers(n_texts, size=(n_drawn, n_texts)) + n_texts * np.arange(n_drawn)[:, None]
        counts = np.bincount(picked.ravel(), minlength=n_drawn * n_texts)
        yield counts.reshape(n_drawn, n_texts).astype(float)
        n_left -= n_drawn


def figures(answers: Answers, weights: Scores) -> Figures:
    """Return the figures of each draw; ``weights`` of shape ``(n_draws, n_texts)`` say how often it holds each text."""
    n_drawn = weights.sum(axis=1)
    hits = weights @ (answers.truth & answers.chosen)
    named = weights @ answers.truth.astype(float) + weights @ answers.chosen
    # Over the genres that the truth or the choice holds, as training.core.metrics averages.
    f1 = np.divide(2 * hits, named, out=np.zeros_like(hits), where=named > 0).sum(axis=1) / np.maximum(
        (named > 0).sum(axis=1), 1
    )
    return Figures(weights @ answers.right / n_drawn, f1, _calibration_errors(answers, weights))


def _calibration_errors(answers: Answers, weights: Scores) -> Scores:
    """Return each draw's calibration error, over bins of exactly equal mass (a text may stand in two)."""
    scored = np.flatnonzero(~np.isnan(answers.score))
    if not len(scored):
        return np.zeros(len(weights))
    ordered = scored[np.argsort(answers.score[scored], kind="stable")]
    drawn = weights[:, ordered]
    start = np.zeros((len(weights), 1))
    mass = np.hstack([start, drawn.cumsum(axis=1)])
    excess = np.hstack([start, (drawn * (answers.score - answers.fits)[ordered]).cumsum(axis=1)])
    errors, shares = np.zeros(len(weights)), np.linspace(0, 1, N_BINS + 1)
    for row, (upto, sums) in enumerate(zip(mass, excess, strict=True)):
        if upto[-1]:
            edges = np.interp(shares * upto[-1], upto, sums)
            errors[row] = np.abs(edges[1:] - edges[:-1]).sum() / upto[-1]
    return errors


def compare(candidate: Answers, opponent: Answers, *, n_draws: int = N_DRAWS, seed: int = 0) -> dict[str, Interval]:
    """Return the interval of candidate minus opponent of each figure; every draw holds the same texts for both.

    References
    ----------
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (the percentile interval); Koehn,
    "Statistical significance tests for machine translation evaluation", EMNLP 2004 (paired, by test example).
    """
    differences: dict[str, list[Scores]] = {"accuracy": [], "f1": [], "calibration": []}
    for weights in draws(len(candidate.right), n_draws=n_draws, seed=seed):
        ours, theirs = figures(candidate, weights), figures(opponent, weights)
        for name, found in differences.items():
            found.append(getattr(ours, name) - getattr(theirs, name))
    outer = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    ends = {name: np.quantile(np.concatenate(found), outer) for name, found in differences.items()}
    return {name: Interval(float(low), float(high)) for name, (low, high) in ends.items()}


def on_all(answers: Answers) -> dict[str, float]:
    """Return the figures on all texts."""
    found = figures(answers, np.ones((1, len(answers.right))))
    calibration = answers.calibration_error
    return {"accuracy": float(found.accuracy[0]), "f1": float(found.f1[0]), "calibration": calibration}
