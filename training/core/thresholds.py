"""Find, on held-out texts, the score from which each genre is chosen.

The aim is the operator's. Calibrated scores alone do not settle it: the threshold that maximises a genre's
expected F1 is half of that best F1, so another one for each genre and never above a half.

References
----------
Lipton, Elkan, Naryanaswamy, "Optimal thresholding of classifiers to maximize F1 measure", ECML PKDD 2014,
:arxiv:`1402.1892`; a threshold a genre from validation data: Yang, "A study of thresholding strategies for
text categorization", SIGIR 2001 (SCut).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from classifier.core.calibrate import Calibration
from classifier.core.errors import TrainingError
from classifier.core.thresholds import NEVER, Thresholds
from training.core.calibration import MIN_POSITIVES
from training.core.held import Held

F1, PRECISION, NONE = "f1", "precision", "none"
# A precision seen on fewer texts is chance: on ten, one of 0.8 has a standard error of 0.13 already.
MIN_CHOSEN = 10
# Thresholds have four digits in `meta.json`. Scores are cut to as many first: one reaches a threshold of four
# digits exactly when its cut does, so that nothing shifts by rounding.
DIGITS = 4
STEP = 1e-4


@dataclass(frozen=True)
class Aim:
    """What thresholds are for: ``f1``, a ``precision`` of at least ``precision``, or ``none`` at all."""

    kind: str = NONE
    precision: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Aim":
        """Return the aim that is spelled ``f1``, ``precision=0.8`` or ``none``.

        Raises
        ------
        TrainingError
        """
        if text in (F1, NONE):
            return cls(text)
        kind, _, number = text.partition("=")
        try:
            precision = float(number)
        except ValueError:
            precision = 0.0
        if kind != PRECISION or not 0 < precision <= 1:
            raise TrainingError(
                f"Thresholds are for f1, for precision=P with P above 0 and at most 1 (precision=0.8), or none; not {text!r}."
            )
        return cls(PRECISION, precision)

    def __str__(self) -> str:
        return f"{PRECISION}={self.precision}" if self.kind == PRECISION else self.kind


def fit_thresholds(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], slugs: Sequence[str], aim: Aim
) -> dict[str, float]:
    """Return the threshold of each genre.

    Parameters
    ----------
    scores : ndarray of shape (n_texts, n_genres)
        Calibrated scores in [0, 1] of texts that the scoring model did not see.
    truth : ndarray of shape (n_texts, n_genres), dtype=bool
        The genres each text has.
    slugs : sequence of str, length n_genres
    aim : Aim

    Returns
    -------
    dict of str to float
        In (0, 1], four digits; a score that equals it is enough. A genre of fewer than ``MIN_POSITIVES``
        texts gets the one threshold that serves the aim for all (text, genre) pairs together.

        For ``f1`` the threshold with the greatest F1, the highest of equal ones. For a precision the
        lowest threshold that has it on at least ``MIN_CHOSEN`` texts, and ``NEVER`` where none has: such a
        genre is not chosen at all, for a wrong claim is what the operator wanted to avoid. Empty for ``none``.

    References
    ----------
    See the module.
    """
    if aim.kind == NONE:
        return {}
    # The millionth keeps 0.0003 / STEP, which is 2.9999999999999996, what it means.
    cut = np.floor(scores / STEP + 1e-6) * STEP
    pooled = _threshold(cut.ravel(), truth.ravel(), aim)
    return {
        slug: _threshold(cut[:, at], truth[:, at], aim) if truth[:, at].sum() >= MIN_POSITIVES else pooled
        for at, slug in enumerate(slugs)
    }


def thresholds_of(held: Held, calibration: Calibration, aim: Aim) -> Thresholds | None:
    """Return the thresholds found on the texts that the calibration was fitted on; None when none are asked for."""
    genres = fit_thresholds(held.calibrated(calibration), held.truth, held.slugs, aim)
    return Thresholds(str(aim), genres) if genres else None


def _threshold(scores: NDArray[np.float64], truth: NDArray[np.bool_], aim: Aim) -> float:
    if not truth.any():
        return NEVER
    precision, recall, thresholds = precision_recall_curve(truth, scores)
    # The curve ends in a point that no threshold gives.
    precision, recall = precision[:-1], recall[:-1]
    if aim.kind == F1:
        f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(float).tiny)
        best = thresholds[f1 == f1.max()][-1]
    else:
        n_chosen = len(scores) - np.searchsorted(np.sort(scores), thresholds)
        enough = thresholds[(precision >= aim.precision) & (n_chosen >= MIN_CHOSEN)]
        best = enough[0] if len(enough) else NEVER
    # A threshold of 0 would say that every text has the genre.
    return round(max(float(best), STEP), DIGITS)
