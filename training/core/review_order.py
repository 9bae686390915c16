"""In which order reviewers should see texts, so that the next model learns most from each.

A text is worth the more, the less sure the model is of it (uncertainty sampling), the less it resembles what training
knows already (novelty), and the more people contradict the model (disagreement). Sorted by that alone, a queue asks
about the same few genres again and again; so the genre that training knows least has the next turn, and the model's own
first guess tells whose turn a text is. ``make simulate-review`` measures the order.

References
----------
Settles, "Active Learning Literature Survey", University of Wisconsin-Madison 2009. Ertekin et al., "Learning on the
border: active learning in imbalanced data classification", CIKM 2007.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.core.text import content_words

Scores = NDArray[np.float64]
# What people say against the model counts half of what makes a text fully worth asking about.
DISAGREEMENT_WEIGHT = 0.5
_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class ReviewOrder:
    """The order, and what it was made of.

    Attributes
    ----------
    order : ndarray of shape (n_texts,)
        Positions of the texts, the first to be reviewed first.
    score : ndarray of shape (n_texts,)
        The order as a number in (0, 1]: 1 for the first.
    uncertainty, novelty, disagreement : ndarray of shape (n_texts,)
        In [0, 1].
    """

    order: NDArray[np.intp]
    score: Scores
    uncertainty: Scores
    novelty: Scores
    disagreement: Scores


def uncertainty(scores: Scores) -> Scores:
    """Return 1 less the best genre's score of each row of ``(n_texts, n_genres)``; 1 where there is no answer."""
    best = scores.max(axis=1, initial=0.0)
    return np.asarray(1.0 - np.clip(best, 0.0, 1.0), dtype=np.float64)


def novelty(texts: Sequence[str], known: Sequence[str]) -> Scores:
    """Return 1 less the cosine to the most similar ``known`` text, by TF-IDF of content words, shape ``(n_texts,)``."""
    if not texts:
        return np.zeros(0)
    words = [content_words(text) for text in [*texts, *known]]
    if not known or not any(words):
        return np.ones(len(texts))
    weights = TfidfVectorizer(analyzer=list, sublinear_tf=True).fit_transform(words)
    new, old = weights[: len(texts)], weights[len(texts) :].T.tocsc()
    nearest = np.zeros(len(texts))
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        block = slice(start, start + _ROWS_AT_ONCE)
        nearest[block] = (new[block] @ old).max(axis=1).toarray().ravel()
    return np.clip(1.0 - nearest, 0.0, 1.0)


def disagreement(shown: Sequence[Sequence[str]], chosen: Sequence[Sequence[str]]) -> Scores:
    """Return how far what people chose is from what the model showed first: 1 less the Jaccard index of the two sets.

    As many of the shown genres count as the person chose, one at least. Nobody's choice disagrees fully.
    """
    found = np.ones(len(chosen))
    for at, (genres, said) in enumerate(zip(shown, chosen, strict=True)):
        first, own = set(genres[: max(1, len(said))]), set(said)
        if first | own:
            found[at] = 1.0 - len(first & own) / len(first | own)
    return found


def review_order(
    scores: Scores,
    fresh: Scores,
    contradicted: Scores | None = None,
    *,
    n_known: NDArray[np.intp],
    limit: int | None = None,
) -> ReviewOrder:
    """Order texts for review.

    Parameters
    ----------
    scores : ndarray of shape (n_texts, n_genres)
        What the model says of each text; a row of zeros where it has no answer.
    fresh : ndarray of shape (n_texts,)
        Their ``novelty``.
    contradicted : ndarray of shape (n_texts,), default=None
        Their ``disagreement``; None where nobody said anything.
    n_known : ndarray of shape (n_genres,)
        How many examples of each genre training has.
    limit : int, default=None
        Order only so many; the others are left out of ``order`` and have a score of 0.
    """
    n_texts = len(scores)
    unsure = uncertainty(scores)
    against = np.zeros(n_texts) if contradicted is None else contradicted
    worth = 1.0 - (1.0 - unsure * fresh) * (1.0 - DISAGREEMENT_WEIGHT * against)
    order = _in_turns(worth, scores, n_known.astype(np.float64), n_texts if limit is None else min(limit, n_texts))
    score = np.zeros(n_texts)
    score[order] = 1.0 - np.arange(len(order)) / max(1, n_texts)
    return ReviewOrder(order, score, unsure, fresh, against)


def _in_turns(worth: Scores, scores: Scores, n_known: Scores, limit: int) -> NDArray[np.intp]:
    """Return the ``limit`` first positions: the genre known least has the next turn, its worthiest text is asked about."""
    guess = scores.argmax(axis=1) if scores.shape[1] else np.zeros(len(scores), dtype=np.intp)
    # Texts without an answer are a genre of their own, known as well as genres are on average.
    guess = np.where(scores.max(axis=1, initial=0.0) > 0, guess, len(n_known))
    known = np.append(n_known, n_known.mean() if len(n_known) else 0.0)
    waiting: dict[int, list[int]] = {}
    for at in np.argsort(-worth, kind="stable")[::-1]:
        waiting.setdefault(int(guess[at]), []).append(int(at))
    order: list[int] = []
    while len(order) < limit:
        genre = min(waiting, key=lambda one: (known[one], one))
        order.append(waiting[genre].pop())
        known[genre] += 1
        if not waiting[genre]:
            del waiting[genre]
    return np.array(order, dtype=np.intp)
