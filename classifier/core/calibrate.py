"""Turn a model's raw scores into probabilities that mean what they say.

Two steps, both fitted on texts the model did not train on and stored as JSON in ``meta.json``:

1. *Length*: fastText averages over words, so that long texts get flat scores. The logits are multiplied
   by ``scale * n_words ** power`` before the softmax (temperature scaling, Guo et al. 2017,
   :arxiv:`1706.04599`, with a temperature that depends on length). A softmax score's logit is its
   logarithm, an ``ova`` score's its log-odds: each gives back what fastText computed.
2. *Genre*: each genre's log-odds go through a logistic function of its own (Platt 1999), so that a score
   is the probability that the genre applies. Genres are then independent: a text may have several.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Any

from classifier.core.errors import ModelDamaged

# Raw scores are cut to this range before the logarithm; fastText itself adds 1e-5.
SMALLEST = 1e-7
# The curve that changes nothing.
AS_IT_IS = (1.0, 0.0)


@dataclass(frozen=True)
class Calibration:
    """The fitted numbers: ``scale`` and ``power`` of the length step, (slope, intercept) a genre; the model's loss."""

    scale: float
    power: float
    platt: dict[str, tuple[float, float]]
    loss: str = "softmax"

    def odds(self, scores: Sequence[float], n_words: int) -> list[float]:
        """Return the log-odds of each genre's share after the length step, in the order of the raw ``scores``."""
        factor = self.scale * max(1, n_words) ** self.power
        if self.loss == "ova":
            logits = [log_odds(score) * factor for score in scores]
            top = max(logits)
            powers = [exp(value - top) for value in logits]
        else:
            # The exponential of a logarithm times the factor, in one step.
            top = max(SMALLEST, *scores)
            powers = [((score if score > SMALLEST else SMALLEST) / top) ** factor for score in scores]
        total = sum(powers) + SMALLEST
        # A share p has the odds p / (1 - p), and p is its power over the total.
        return [log((power + SMALLEST) / (total - power)) for power in powers]

    def apply(self, pairs: Sequence[tuple[str, float]], n_words: int) -> list[tuple[str, float]]:
        """Return (slug, probability) for (slug, raw score) pairs of all genres of one text.

        Probabilities lie in [0, 1] and need not sum to 1. Empty input gives empty output.
        """
        if not pairs:
            return []
        result, platt = [], self.platt
        for (slug, _), odds in zip(pairs, self.odds([score for _, score in pairs], n_words), strict=True):
            slope, intercept = platt.get(slug, AS_IT_IS)
            value = slope * odds + intercept
            result.append((slug, 1 / (1 + exp(-value)) if value > -700 else 0.0))
        return result

    def as_json(self) -> dict[str, Any]:
        """Return plain data for ``meta.json``."""
        return {
            "scale": self.scale,
            "power": self.power,
            "loss": self.loss,
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
            calibration = cls(float(value["scale"]), float(value["power"]), platt, str(value.get("loss", "softmax")))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelDamaged(f"The calibration in meta.json can't be read: {error!r}.") from error
        numbers = [calibration.scale, calibration.power, *(number for pair in platt.values() for number in pair)]
        if not all(map(isfinite, numbers)):
            raise ModelDamaged("The calibration in meta.json holds what is no number.")
        return calibration


def log_odds(score: float) -> float:
    """Return the log-odds of a probability, cut so that it is finite."""
    score = min(max(score, SMALLEST), 1 - SMALLEST)
    return log(score / (1 - score))
