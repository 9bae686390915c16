"""From which score on a genre is chosen: a threshold for each genre, found in training on held-out texts.

Thresholds are of calibrated scores (``classifier.core.calibrate``) and stored as JSON in ``meta.json``.
A text none of whose genres reaches its own threshold gets no genre, only the nearest ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from classifier.core.errors import ModelDamaged

# The threshold of a genre that can't be chosen well enough: scores lie in [0, 1], so that none reaches it.
NEVER = 2.0


@dataclass(frozen=True)
class Thresholds:
    """What they were found for (``"f1"``, ``"precision=0.8"``) and the threshold of each genre, by slug."""

    aim: str
    genres: dict[str, float]

    def reached(self, slug: str, score: float) -> bool:
        """Return whether the score is enough for the genre."""
        return score >= self.genres[slug]

    def as_json(self) -> dict[str, Any]:
        """Return plain data for ``meta.json``."""
        return {"aim": self.aim, "genres": dict(self.genres)}

    @classmethod
    def from_json(cls, value: Any, slugs: Sequence[str]) -> "Thresholds | None":
        """Return what ``as_json`` wrote for a model of the genres ``slugs``; None for None.

        Raises
        ------
        ModelDamaged
            When a genre has no threshold, a threshold no genre, or one is neither above 0 and at most 1
            nor ``NEVER``.
        """
        if value is None:
            return None
        genres = value.get("genres") if isinstance(value, dict) else None
        if not isinstance(genres, dict) or not isinstance(value.get("aim"), str):
            raise ModelDamaged("The thresholds in meta.json can't be read.")
        if set(genres) != set(slugs):
            raise ModelDamaged("The thresholds in meta.json are of other genres than the model's.")
        for slug, threshold in genres.items():
            if not _is_threshold(threshold):
                raise ModelDamaged(f"The thresholds in meta.json hold {threshold!r} for {slug}, which is none.")
        return cls(value["aim"], {slug: float(threshold) for slug, threshold in genres.items()})


def _is_threshold(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return is_number and (0 < value <= 1 or value == NEVER)
