"""Held-back scores: what calibration and thresholds are found on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classifier.core.calibrate import Calibration

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Held:
    """Scores of texts by models that saw neither their books nor, through the word vectors, themselves.

    Attributes
    ----------
    raw : ndarray of shape (n_texts, n_genres)
        Scores before calibration; every text was answered.
    n_words : ndarray of shape (n_texts,)
        Words of each text, at least 1.
    truth : ndarray of shape (n_texts, n_genres), dtype=bool
    primary : ndarray of shape (n_texts,)
        Column of the primary genre.
    slugs : tuple of str, length n_genres
    loss : str, default="softmax"
        The models' loss, under fastText's name.
    sources : ndarray of shape (n_texts,)
        Number of the collection each text is from; by default all are from one.
    """

    raw: Matrix
    n_words: Matrix
    truth: NDArray[np.bool_]
    primary: NDArray[np.intp]
    slugs: tuple[str, ...]
    loss: str = "softmax"
    sources: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))

    def __post_init__(self) -> None:
        if len(self.sources) != len(self.raw):
            object.__setattr__(self, "sources", np.zeros(len(self.raw), dtype=np.intp))

    def calibrated(self, calibration: Calibration) -> Matrix:
        """Return the scores after calibration, shape ``(n_texts, n_genres)``, in [0, 1]."""
        rows = zip(self.raw.tolist(), self.n_words.tolist(), strict=True)
        applied = [calibration.apply(list(zip(self.slugs, row, strict=True)), int(n)) for row, n in rows]
        return np.array([[score for _, score in pairs] for pairs in applied]).reshape(self.raw.shape)


def join(parts: Sequence[Held]) -> Held:
    """Return the texts of all parts, which share genres and loss; each part's collections stay apart."""
    first, sources, n_sources = parts[0], [], 0
    for part in parts:
        sources.append(part.sources + n_sources)
        n_sources += int(part.sources.max(initial=-1)) + 1
    return Held(
        np.concatenate([part.raw for part in parts]),
        np.concatenate([part.n_words for part in parts]),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.primary for part in parts]),
        first.slugs,
        first.loss,
        np.concatenate(sources),
    )
