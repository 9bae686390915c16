"""How often a model is right, from what people answer and from its own scores; with intervals, or not at all.

Every estimate has a 95% interval, or says how many observations it still needs.

References
----------
Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). Horvitz and Thompson,
"A generalization of sampling without replacement from a finite universe", JASA 47 (1952). Hájek in *Foundations of
Statistical Inference* (1971). Holt and Smith, "Post stratification", JRSS A 142 (1979). Korn and Graubard, "Confidence
intervals for proportions with small expected number of positive counts estimated from survey data", Survey
Methodology 24 (1998).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from scipy import stats

from training.core.profile import SHARE_BOUNDS, Profile

CONFIDENCE = 0.95
# Observations that an estimate needs.
NEEDS_PREDICTIONS = 100
NEEDS_REPORTS = 30
NEEDS_ANSWERS = 30
NEEDS_PAIRS = 100
# Of one genre among many: the interval tells how little ten say.
NEEDS_OF_A_GENRE = 10
# A stratum with fewer answers joins its neighbour: their mean would be an accident.
LEAST_ANSWERS = 10
N_STRATA = len(SHARE_BOUNDS) + 1


@dataclass(frozen=True)
class Estimate:
    """A share with its 95% interval.

    Attributes
    ----------
    value, low, high : float or None
        In [0, 1]; None where there is not enough data.
    n : int
        Observations it rests on.
    needs : int
        Observations it needs at least.
    effective : float
        Observations of a simple random sample that would tell as much; ``n`` unless weighted.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    needs: int
    effective: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return plain data: value, interval and n, or n and what it needs."""
        if self.value is None:
            return {"value": None, "n": self.n, "needs": self.needs}
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def not_enough(n: int, needs: int) -> Estimate:
    """Return the estimate that says "not enough data yet"."""
    return Estimate(None, None, None, n, needs)


def proportion(successes: int, n: int, *, needs: int) -> Estimate:
    """Return the share of ``successes`` among ``n`` equal observations, with Wilson's interval.

    Parameters
    ----------
    successes, n : int
        0 <= successes <= n.
    needs : int
        Below so many there is no estimate.
    """
    if n < max(1, needs):
        return not_enough(n, needs)
    interval = stats.binomtest(successes, n).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(successes / n, float(interval.low), float(interval.high), n, needs, float(n))


def expected_accuracy(profile: Profile, *, needs: int = NEEDS_PREDICTIONS) -> Estimate:
    """Return the share of answers that are right by the model's own account: the mean score of the first genre.

    A calibrated score is the chance that the genre fits, so that its mean forecasts the accuracy without anybody's
    answer, and p (1 - p) is what each text adds to the variance. **Valid only while the calibration holds**: a model
    that learned wrong labels is sure of wrong answers. That is why it stands beside ``audit_accuracy``.

    References
    ----------
    The average-confidence baseline of Garg et al., "Leveraging unlabeled data to predict out-of-distribution
    performance" (ATC, 2022, :arxiv:`2201.04234`) and of Guillory et al., "Predicting with confidence on unseen
    distributions" (DoC, 2021, :arxiv:`2107.03315`). Both correct it by a labelled set; our calibration is fitted on
    texts of other sources for the same reason.
    """
    n = profile.n_answered
    if n < max(1, needs):
        return not_enough(n, needs)
    value = profile.sums["confidence"] / n
    margin = float(stats.norm.ppf(0.5 + CONFIDENCE / 2)) * sqrt(max(0.0, float(profile.sums["spread"]))) / n
    return Estimate(value, max(0.0, value - margin), min(1.0, value + margin), n, needs, float(n))


@dataclass
class Answers:
    """Yes and no answers to the audit, by bin of the first genre's score (the bins of ``Profile``).

    Attributes
    ----------
    n, n_right : list of int, length N_STRATA
        Answers, and those that said yes.
    weight, weight_squared, weight_right : list of float, length N_STRATA
        Sums of 1 / share, of its square, and of it over the yes answers; ``share`` is the chance of being asked.
    """

    n: list[int] = field(default_factory=lambda: [0] * N_STRATA)
    n_right: list[int] = field(default_factory=lambda: [0] * N_STRATA)
    weight: list[float] = field(default_factory=lambda: [0.0] * N_STRATA)
    weight_squared: list[float] = field(default_factory=lambda: [0.0] * N_STRATA)
    weight_right: list[float] = field(default_factory=lambda: [0.0] * N_STRATA)

    def add(self, *, score: float, share: float, is_right: bool) -> None:
        """Count one answer; "not sure" is none."""
        at = bisect_right(SHARE_BOUNDS, score)
        self.n[at] += 1
        self.n_right[at] += is_right
        self.weight[at] += 1 / share
        self.weight_squared[at] += 1 / share**2
        self.weight_right[at] += is_right / share

    def merge(self, other: "Answers") -> None:
        """Add the answers of ``other``."""
        for name in ("n", "n_right", "weight", "weight_squared", "weight_right"):
            mine, its = getattr(self, name), getattr(other, name)
            mine[:] = [left + right for left, right in zip(mine, its, strict=True)]


def audit_accuracy(texts: Sequence[int], answers: Answers, *, needs: int = NEEDS_ANSWERS) -> Estimate:
    """Estimate the accuracy over all answered texts from the few whose visitors said whether it is right.

    Who is asked is drawn at random with a known chance; who answers is not: people may answer rather when the
    answer is plainly right, or plainly wrong. So texts are sorted into strata by the model's confidence, and each
    answer stands for the texts of its stratum: it weighs texts / answers, the inverse of the chance of being asked
    and answering (Horvitz–Thompson weights, normed within the stratum as by Hájek; post-stratification). Where the
    chance of being asked changed meanwhile, answers are weighted by its inverse first.

    Right as long as, among texts of equal confidence, those whose visitors answer are no more often right than the
    others.

    Parameters
    ----------
    texts : sequence of int, length N_STRATA
        Answered texts by confidence: ``profile.bins["confidence"]``.
    answers : Answers
    needs : int, default=NEEDS_ANSWERS

    Returns
    -------
    Estimate
        With the interval of Korn and Graubard: Clopper and Pearson's for the effective number of answers.
    """
    n = sum(answers.n)
    strata = _strata(texts, answers)
    total = sum(stratum.texts for stratum in strata)
    if n < max(1, needs) or not total:
        return not_enough(n, needs)
    value = variance = 0.0
    for stratum in strata:
        part = stratum.texts / total
        value += part * stratum.weight_right / stratum.weight
        effective = stratum.weight**2 / stratum.weight_squared
        # One right and one wrong answer are added, or a stratum of yes alone would claim to be certain.
        careful = (effective * stratum.weight_right / stratum.weight + 1) / (effective + 2)
        variance += part**2 * careful * (1 - careful) / effective
    value = min(max(value, 0.0), 1.0)
    effective = value * (1 - value) / variance if 0 < value < 1 else float(n)
    low, high = korn_graubard(value, effective)
    return Estimate(value, low, high, n, needs, effective)


def asked_accuracy(answers: Answers, *, needs: int = NEEDS_OF_A_GENRE) -> Estimate:
    """Estimate the accuracy from the answers alone, without strata: of one genre, where there are too few for these.

    Each answer weighs the inverse of the chance that its visitor was asked, so that days on which more were asked
    count no more than others (Hájek's ratio). ``effective`` is Kish's effective sample size, the interval that of Korn
    and Graubard.

    Parameters
    ----------
    answers : Answers
    needs : int, default=NEEDS_OF_A_GENRE

    References
    ----------
    Kish, *Survey Sampling* (1965), section 11.7.
    """
    n, weight = sum(answers.n), sum(answers.weight)
    if n < max(1, needs):
        return not_enough(n, needs)
    value = min(sum(answers.weight_right) / weight, 1.0)
    effective = weight**2 / sum(answers.weight_squared)
    low, high = korn_graubard(value, effective)
    return Estimate(value, low, high, n, needs, effective)


@dataclass
class _Stratum:
    texts: float = 0.0
    n: int = 0
    weight: float = 0.0
    weight_squared: float = 0.0
    weight_right: float = 0.0

    def take(self, other: "_Stratum") -> None:
        self.texts += other.texts
        self.n += other.n
        self.weight += other.weight
        self.weight_squared += other.weight_squared
        self.weight_right += other.weight_right


def _strata(texts: Sequence[int], answers: Answers) -> list[_Stratum]:
    """Return the strata from unsure to sure, none with fewer than ``LEAST_ANSWERS`` unless it is the only one."""
    columns = zip(texts, answers.n, answers.weight, answers.weight_squared, answers.weight_right, strict=True)
    merged: list[_Stratum] = []
    open_one = _Stratum()
    for column in columns:
        open_one.take(_Stratum(*column))
        if open_one.n >= LEAST_ANSWERS:
            merged.append(open_one)
            open_one = _Stratum()
    if merged:
        # The surest texts, too few of them answered.
        merged[-1].take(open_one)
    elif open_one.n:
        merged.append(open_one)
    return merged


def korn_graubard(value: float, effective: float) -> tuple[float, float]:
    """Return the 95% interval of a share that tells as much as ``effective`` simple observations, a real number."""
    right, tail = value * effective, (1 - CONFIDENCE) / 2
    low = stats.beta.ppf(tail, right, effective - right + 1) if value > 0 else 0.0
    high = stats.beta.ppf(1 - tail, right + 1, effective - right) if value < 1 else 1.0
    return float(low), float(high)
