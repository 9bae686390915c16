"""Labels that models which did not learn from them find hard to believe: where a training set is probably wrong.

The method is confident learning's for several labels a text: each text is scored out of fold; a genre it has is believed
as far as its score goes, one it has not as far as the score is from 1 (self-confidence); the least believed genre decides
of the label. fastText's scores share 1 among a text's genres, so a text of two genres could at best give each a half: a
genre's share is held against what it would be if the label were right. Without that, texts of several genres came first and
planted errors last (docs/experiments.md).

Written here because it is a few lines, and cleanlab, whose figures it reproduces (a test holds it), is under a licence
(AGPL) that a site would have to pass on.

References
----------
Northcutt, Jiang, Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 2021. Thyagarajan et al.,
"Identifying incorrect annotations in multi-label classification data", 2022.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.core.baselines import known_slugs, label_matrix, model_scores
from training.core.books import Example
from training.core.fit import fit, recommended
from training.core.progress import OnStep, silent
from training.core.split import stratified_folds
from training.core.vectors import teach

Scores = NDArray[np.float64]
N_FOLDS = 5


@dataclass(frozen=True)
class Suspicions:
    """How hard each label is to believe.

    Attributes
    ----------
    doubt : ndarray of shape (n_examples,)
        In [0, 1]; 0 where the model had no answer, which says nothing of the label.
    scores : ndarray of shape (n_examples, n_genres)
        Out of fold.
    slugs : tuple of str, length n_genres
    """

    doubt: Scores
    scores: Scores
    slugs: tuple[str, ...]

    def order(self) -> NDArray[np.intp]:
        """Return the positions of the examples, the least believed label first."""
        return np.argsort(-self.doubt, kind="stable")

    def suggested(self, at: int, limit: int = 3) -> list[tuple[str, float]]:
        """Return the genres the models would give an example, best first."""
        best = np.argsort(-self.scores[at], kind="stable")[:limit]
        return [(self.slugs[genre], float(self.scores[at, genre])) for genre in best if self.scores[at, genre] > 0]


def label_quality(truth: NDArray[np.bool_], scores: Scores) -> Scores:
    """Return how far each row's labels can be believed, in [0, 1]: as far as the least believed genre.

    Parameters
    ----------
    truth : ndarray of shape (n_texts, n_genres), dtype=bool
    scores : ndarray of shape (n_texts, n_genres)
        Out of fold, in [0, 1], each genre's for itself.
    """
    return np.asarray(np.where(truth, scores, 1.0 - scores).min(axis=1, initial=1.0), dtype=np.float64)


def for_themselves(truth: NDArray[np.bool_], scores: Scores) -> Scores:
    """Return scores that share 1 among the genres of a text as scores of each genre for itself, same shape.

    A genre that the text has gets its share times the number of the text's genres, 1 at most: an equal share is full belief.
    """
    shares = scores / np.maximum(scores.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    own = np.minimum(1.0, shares * truth.sum(axis=1, keepdims=True))
    return np.asarray(np.where(truth, own, shares), dtype=np.float64)


def out_of_fold_scores(
    examples: Sequence[Example],
    slugs: tuple[str, ...],
    *,
    n_folds: int = N_FOLDS,
    seed: int = 0,
    on_step: OnStep = silent,
) -> Scores:
    """Score each example by a model that saw neither it nor its book, nor did the word vectors it started from.

    Raises
    ------
    CorpusError, TrainingError
        When there are too few books or genres.
    """
    folds = stratified_folds(examples, slugs, n_folds=n_folds, seed=seed)
    scores = np.zeros((len(examples), len(slugs)))
    for fold in range(n_folds):
        on_step(f"models that did not see part {fold + 1} of {n_folds}", fold / n_folds)
        held = np.flatnonzero(folds == fold).tolist()
        train = [examples[at] for at in np.flatnonzero(folds != fold).tolist()]
        vectors = teach(train)
        model = fit(train, replace(recommended(len(train), with_vectors=True), seed=seed), vectors=vectors)
        scores[held] = model_scores(model.predict_many, [examples[at].text for at in held], slugs)
    return scores


def suspicions(
    examples: Sequence[Example], *, n_folds: int = N_FOLDS, seed: int = 0, on_step: OnStep = silent
) -> Suspicions:
    """Return how hard the label of each example is to believe.

    Raises
    ------
    CorpusError, TrainingError
        When there are too few books or genres.
    """
    slugs = known_slugs(examples)
    scores = out_of_fold_scores(examples, slugs, n_folds=n_folds, seed=seed, on_step=on_step)
    truth = label_matrix(examples, slugs)
    doubt = 1.0 - label_quality(truth, for_themselves(truth, scores))
    doubt[scores.max(axis=1, initial=0.0) == 0] = 0.0
    return Suspicions(doubt, scores, slugs)
