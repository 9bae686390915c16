"""Turn a model's raw scores into probabilities that mean what they say.

Two steps, both fitted on texts the model did not train on and stored as JSON in ``meta.json``:

1. *Length*: fastText averages over words, so that long texts get flat scores. The logits are multiplied
   by ``scale * n_words ** power`` before the softmax (temperature scaling, Guo et al. 2017,
   :arxiv:`1706.04599`, with a temperature that depends on length).
2. *Genre*: each genre's log-odds go through a logistic function of its own (Platt 1999), so that a score
   is the probability that the genre applies. Genres are then independent: a text may have several.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from classifier.core.errors import ModelDamaged

# Raw scores are cut to this range before the logarithm; fastText itself adds 1e-5.
SMALLEST = 1e-7


@dataclass(frozen=True)
class Calibration:
    """The fitted numbers: ``scale`` and ``power`` of the length step, (slope, intercept) a genre."""

    scale: float
    power: float
    platt: dict[str, tuple[float, float]]

    def sharpen(self, scores: Sequence[float], n_words: int) -> list[float]:
        """Return the softmax of the raw scores' logits after the length step; same order, sum 1."""
        factor = self.scale * max(1, n_words) ** self.power
        logits = [math.log(max(score, SMALLEST)) * factor for score in scores]
        top = max(logits)
        powers = [math.exp(logit - top) for logit in logits]
        total = sum(powers)
        return [power / total for power in powers]

    def apply(self, pairs: Sequence[tuple[str, float]], n_words: int) -> list[tuple[str, float]]:
        """Return (slug, probability) for (slug, raw score) pairs of all genres of one text.

        Probabilities lie in [0, 1] and need not sum to 1. Empty input gives empty output.
        """
        if not pairs:
            return []
        sharp = self.sharpen([score for _, score in pairs], n_words)
        return [(slug, self._probability(slug, score)) for (slug, _), score in zip(pairs, sharp, strict=True)]

    def _probability(self, slug: str, score: float) -> float:
        if slug not in self.platt:
            return score
        slope, intercept = self.platt[slug]
        value = slope * log_odds(score) + intercept
        return 1 / (1 + math.exp(-value)) if value > -700 else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return plain data for ``meta.json``."""
        return {
            "scale": self.scale,
            "power": self.power,
            "platt": {key: list(value) for key, value in self.platt.items()},
        }

    @classmethod
    def from_json(cls, value: Any) -> "Calibration | None":
        """Return what ``as_json`` wrote; None for None.

        Raises
        ------
        ModelDamaged
            When the numbers are missing or no numbers.
        """
        if value is None:
            return None
        try:
            platt = {str(slug): (float(slope), float(intercept)) for slug, (slope, intercept) in value["platt"].items()}
            calibration = cls(float(value["scale"]), float(value["power"]), platt)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelDamaged(f"The calibration in meta.json can't be read: {error!r}.") from error
        numbers = [calibration.scale, calibration.power, *(number for pair in platt.values() for number in pair)]
        if not all(map(math.isfinite, numbers)):
            raise ModelDamaged("The calibration in meta.json holds what is no number.")
        return calibration


def log_odds(score: float) -> float:
    """Return the log-odds of a probability, cut so that it is finite."""
    score = min(max(score, SMALLEST), 1 - SMALLEST)
    return math.log(score / (1 - score))
