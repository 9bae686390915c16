"""What a model was asked and what it said, as counts: small, mergeable, without a text.

Profiles are compared to find drift (``training.core.drift``). The bounds of the bins are fixed, so that
profiles of different hours, versions and trainings are comparable.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from classifier.core.model import Prediction

# Lower bounds of the second bin and those after it.
WORD_BOUNDS = (10, 20, 35, 50, 75, 100, 150, 250, 500, 2000)
CHAR_BOUNDS = (100, 250, 500, 750, 1000, 1500, 2500, 5000, 20_000, 100_000)
SHARE_BOUNDS = tuple(step / 10 for step in range(1, 10))
# Milliseconds; roughly a factor of 1.6 a step.
TIME_BOUNDS = (0.1, 0.16, 0.25, 0.4, 0.63, 1.0, 1.6, 2.5, 4.0, 6.3, 10.0, 25.0, 100.0, 1000.0)
BOUNDS = {
    "words": WORD_BOUNDS,
    "characters": CHAR_BOUNDS,
    "unknown": SHARE_BOUNDS,
    "confidence": SHARE_BOUNDS,
    "milliseconds": TIME_BOUNDS,
}


@dataclass
class Profile:
    """Counts over ``n`` texts.

    Attributes
    ----------
    n : int
        Texts, answered or not.
    abstained : Counter of str
        Texts without an answer, by reason.
    genres : Counter of str
        Answered texts by the slug of the first genre.
    bins : dict of str to list of int
        Histograms over ``BOUNDS[name]``: ``words`` (content words) and ``characters`` of all texts; of answered ones
        the ``unknown`` share of words, the ``confidence`` (score of the first genre); ``milliseconds`` of all.
    sums : Counter of str
        Sums over answered texts: ``confidence``, and its variance as a forecast of being right, ``spread``
        (p (1 - p)).
    n_asked : int
        Texts whose visitor was asked whether the answer is right.
    n_pairs, n_agree : int
        Of a challenger: texts that the champion answered too, and how often both put the same genre first.
    """

    n: int = 0
    abstained: Counter[str] = field(default_factory=Counter)
    genres: Counter[str] = field(default_factory=Counter)
    bins: dict[str, list[int]] = field(
        default_factory=lambda: {name: [0] * (len(bounds) + 1) for name, bounds in BOUNDS.items()}
    )
    sums: Counter[str] = field(default_factory=Counter)
    n_asked: int = 0
    n_pairs: int = 0
    n_agree: int = 0

    @property
    def n_answered(self) -> int:
        """Texts with an answer."""
        return sum(self.genres.values())

    def add(
        self,
        *,
        n_words: int,
        n_known: int,
        n_chars: int,
        abstained: str,
        first: tuple[str, float] | None,
        milliseconds: float | None = None,
        was_asked: bool = False,
    ) -> None:
        """Count one text; ``first`` is the first genre and its score."""
        self.n += 1
        self.n_asked += was_asked
        self._count("words", n_words)
        self._count("characters", n_chars)
        if milliseconds is not None:
            self._count("milliseconds", milliseconds)
        if abstained or first is None:
            self.abstained[abstained or "no-words"] += 1
            return
        slug, score = first
        self.genres[slug] += 1
        self._count("unknown", 1 - n_known / n_words if n_words else 1.0)
        self._count("confidence", score)
        self.sums["confidence"] += score  # type: ignore[assignment]
        self.sums["spread"] += score * (1 - score)  # type: ignore[assignment]

    def _count(self, name: str, value: float) -> None:
        self.bins[name][bisect_right(BOUNDS[name], value)] += 1

    def merge(self, other: "Profile") -> None:
        """Add the counts of ``other``."""
        self.n += other.n
        self.n_asked += other.n_asked
        self.n_pairs += other.n_pairs
        self.n_agree += other.n_agree
        self.abstained.update(other.abstained)
        self.genres.update(other.genres)
        self.sums.update(other.sums)
        for name, counts in other.bins.items():
            self.bins[name] = [mine + its for mine, its in zip(self.bins[name], counts, strict=True)]

    def quantile(self, name: str, share: float) -> float | None:
        """Return the upper bound of the bin that holds the ``share`` quantile of ``bins[name]``; None without counts.

        The last bin has no upper bound: its lower one is returned.
        """
        counts, total = self.bins[name], sum(self.bins[name])
        if not total:
            return None
        reached = 0
        for at, count in enumerate(counts):
            reached += count
            if reached >= share * total:
                return float(BOUNDS[name][min(at, len(BOUNDS[name]) - 1)])
        raise AssertionError("the counts of a histogram don't add up")

    def middle(self, name: str) -> float:
        """Return the mean of a histogram of shares, each bin counted as its middle; 0 without counts."""
        edges = (0.0, *BOUNDS[name], 1.0)
        middles = [(low + high) / 2 for low, high in pairwise(edges)]
        total = sum(self.bins[name])
        return sum(middle * count for middle, count in zip(middles, self.bins[name], strict=True)) / (total or 1)

    def as_json(self) -> dict[str, Any]:
        """Return plain data that ``from_json`` turns back."""
        return {
            "n": self.n,
            "abstained": dict(self.abstained),
            "genres": dict(self.genres),
            "bins": self.bins,
            "sums": {name: round(float(value), 6) for name, value in self.sums.items()},
            "n_asked": self.n_asked,
            "n_pairs": self.n_pairs,
            "n_agree": self.n_agree,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Profile":
        """Return the profile that ``as_json`` wrote."""
        return cls(
            n=data["n"],
            abstained=Counter(data["abstained"]),
            genres=Counter(data["genres"]),
            bins={name: list(data["bins"][name]) for name in BOUNDS},
            sums=Counter(data["sums"]),
            n_asked=data.get("n_asked", 0),
            n_pairs=data["n_pairs"],
            n_agree=data["n_agree"],
        )


def merged(profiles: Iterable[Profile]) -> Profile:
    """Return profiles added up."""
    total = Profile()
    for profile in profiles:
        total.merge(profile)
    return total


def profile_of(texts: Iterable[str], predictions: Iterable[Prediction]) -> Profile:
    """Return the profile of what a model said of ``texts``: the training reference that live traffic is held against."""
    profile = Profile()
    for text, prediction in zip(texts, predictions, strict=True):
        profile.add(
            n_words=prediction.n_words,
            n_known=prediction.n_known,
            n_chars=len(text),
            abstained=prediction.abstained,
            first=prediction.scores[0] if prediction.scores else None,
        )
    return profile
