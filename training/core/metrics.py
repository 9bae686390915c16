"""Multi-label metrics under Annif's names, computed by scikit-learn.

Functions take arrays of shape ``(n_texts, n_genres)``: ``truth`` and ``chosen`` are boolean, ``scores``
real numbers, more is better. Every metric lies in [0, 1] and more is better.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import ndcg_score, precision_recall_fscore_support

Flags = NDArray[np.bool_]
Scores = NDArray[np.float64]
# One number for all genres, or an array of shape (n_genres,).
Threshold = float | Scores

# How Annif's `eval` prints them (annif/eval.py), and the keys of the JSON file.
NAMES = {
    "accuracy": "Accuracy (primary genre)",
    "precision_doc_avg": "Precision (doc avg)",
    "recall_doc_avg": "Recall (doc avg)",
    "f1_doc_avg": "F1 score (doc avg)",
    "precision_subj_avg": "Precision (subj avg)",
    "recall_subj_avg": "Recall (subj avg)",
    "f1_subj_avg": "F1 score (subj avg)",
    "precision_microavg": "Precision (microavg)",
    "recall_microavg": "Recall (microavg)",
    "f1_microavg": "F1 score (microavg)",
    "f1_at_5": "F1@5",
    "ndcg": "NDCG",
    "precision_at_1": "Precision@1",
    "recall_at_3": "Recall@3",
}
DECISION_THRESHOLD = 0.5


def choose(scores: Scores, *, threshold: Threshold = DECISION_THRESHOLD) -> Flags:
    """Return which genres a text is given.

    With one number: the best genre, and every one that reaches it. With a threshold for each genre, which
    are the model's own: those that reach theirs and no other, as the model itself chooses (and as Annif
    evaluates). A row of zeros (the model abstained) gets none.
    """
    chosen = (scores >= threshold) & (scores > 0)
    if np.ndim(threshold):
        return chosen
    answered = np.flatnonzero(scores.max(axis=1, initial=0) > 0)
    chosen[answered, scores[answered].argmax(axis=1)] = True
    return chosen


def top(scores: Scores, k: int) -> Flags:
    """Return the ``k`` best genres of each text; equal scores in column order; no genre with score 0."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    chosen = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(chosen, order, True, axis=1)
    return chosen & (scores > 0)


def evaluate_scores(
    truth: Flags, scores: Scores, primary: NDArray[np.intp], *, threshold: Threshold = DECISION_THRESHOLD
) -> dict[str, float]:
    """Return every metric of ``NAMES``.

    Parameters
    ----------
    truth : ndarray of shape (n_texts, n_genres), dtype=bool
        The genres each text has; at least one a row.
    scores : ndarray of shape (n_texts, n_genres)
        In [0, 1]; all zeros where the model abstained (counted as wrong).
    primary : ndarray of shape (n_texts,)
        Column of each text's primary genre.
    threshold : float or ndarray of shape (n_genres,), default=0.5
        Score from which a genre counts as chosen, see ``choose``.

    Returns
    -------
    dict of str to float
        "subj avg" is over the genres that the truth or the choice holds, as in Annif's evaluation.
    """
    chosen = choose(scores, threshold=threshold)
    result = {"accuracy": float((top(scores, 1)[np.arange(len(primary)), primary]).mean())}
    seen = np.flatnonzero(truth.any(axis=0) | chosen.any(axis=0))
    averages = (("doc_avg", "samples"), ("subj_avg", "macro"), ("microavg", "micro"))
    for suffix, average in averages:
        labels = seen if average == "macro" else None
        precision, recall, f1, _ = precision_recall_fscore_support(
            _padded(truth), _padded(chosen), labels=labels, average=average, zero_division=0
        )
        for name, value in (("precision", precision), ("recall", recall), ("f1", f1)):
            result[f"{name}_{suffix}"] = float(value)
    result["f1_at_5"] = f1_at(truth, scores, 5)
    result["ndcg"] = ndcg(truth, scores)
    result["precision_at_1"] = float((truth & top(scores, 1)).any(axis=1).mean())
    result["recall_at_3"] = float(((truth & top(scores, 3)).sum(axis=1) / truth.sum(axis=1)).mean())
    return {key: round(result[key], 4) for key in NAMES}


def _padded(flags: Flags) -> Flags:
    """Add a genre nobody has: scikit-learn reads a single column as the two classes no and yes."""
    return np.pad(flags, ((0, 0), (0, 1)))


def ndcg(truth: Flags, scores: Scores) -> float:
    """Return the normalised discounted cumulative gain over all genres; 0 for a text without answer."""
    answered = scores.max(axis=1, initial=0) > 0
    if truth.shape[1] < 2:
        return float(answered.mean())
    gain = float(ndcg_score(truth[answered], scores[answered])) if answered.any() else 0.0
    return gain * float(answered.mean())


def f1_at(truth: Flags, scores: Scores, k: int) -> float:
    """Return the F1 score of the ``k`` best genres, averaged over the texts."""
    chosen = top(scores, k)
    hits = (truth & chosen).sum(axis=1)
    return float((2 * hits / (truth.sum(axis=1) + chosen.sum(axis=1))).mean())


def genre_table(
    truth: Flags, scores: Scores, slugs: tuple[str, ...], *, threshold: Threshold = DECISION_THRESHOLD
) -> list[dict[str, object]]:
    """Return support, precision, recall and F1 of each genre that the truth holds, most frequent first."""
    chosen = choose(scores, threshold=threshold)
    precision, recall, f1, support = precision_recall_fscore_support(
        _padded(truth), _padded(chosen), average=None, zero_division=0
    )
    rows: list[dict[str, object]] = [
        {
            "genre": slug,
            "support": int(support[at]),
            "precision": round(float(precision[at]), 4),
            "recall": round(float(recall[at]), 4),
            "f1": round(float(f1[at]), 4),
        }
        for at, slug in enumerate(slugs)
        if support[at]
    ]
    return sorted(rows, key=lambda row: -int(str(row["support"])))
