"""The comparisons that a look at the traffic makes: each tells how sure and how large a difference is.

A comparison without enough data returns nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isnan, sqrt

from scipy import stats

from training.core.agreement import Answers, Estimate, audit_accuracy
from training.core.drift import LARGE_PSI, LEAST_PSI, LEVEL, MODEL_REASONS, NEEDS_TEXTS, TEXT_REASONS, compare
from training.core.profile import BOUNDS, Profile

# The keys of the alerts they may raise; a signal of ``drift`` follows "drift:".
DRIFT = "drift:"
REFERENCE = "reference"
REPORTED_WRONG = "reported-wrong"
AUDIT_ACCURACY = "audit-accuracy"
EXPECTED_ACCURACY = "expected-accuracy"
CALIBRATION = "calibration"
MISSING_GENRE = "missing-genre"
LATENCY = "latency"

# An alert that is open stays open while there is weaker evidence for it, or it would come and go with every look.
LEVEL_TO_STAY = 0.01
EFFECT_TO_STAY = 0.5
# What matters: half as many reports again, so many points of accuracy, a genre named a quarter as often or less.
LEAST_RISE = 0.5
LEAST_DROP_AUDITED = 0.1
LEAST_DROP_EXPECTED = 0.05
LEAST_OVERCONFIDENCE = 0.1
LEAST_GONE = 0.75
LEAST_SLOWDOWN = 4.0
# Milliseconds, an upper end of a bin; what is slower than before and faster than this is nobody's concern.
SLOW = 100.0
# Effective answers to the audit.
NEEDS_AUDITED = 20
# A new genre mix is told by this many genres.
N_NAMED = 4


@dataclass(frozen=True)
class Window:
    """What happened in a stretch of time: the traffic, and what people said of its answers.

    Attributes
    ----------
    profile : Profile
    n_corrected, n_right : int
        Corrections of answers, and those of them that kept the first genre.
    answers : Answers
        To the audit.
    """

    profile: Profile = field(default_factory=Profile)
    n_corrected: int = 0
    n_right: int = 0
    answers: Answers = field(default_factory=Answers)

    @property
    def n_wrong(self) -> int:
        """Answers reported as wrong; never more than there are, though a late report may outlive its hour."""
        return min(self.n_corrected - self.n_right, self.profile.n_answered)

    @property
    def audited(self) -> Estimate:
        """The accuracy that the audit found."""
        return audit_accuracy(self.profile.bins["confidence"], self.answers, needs=NEEDS_AUDITED)


@dataclass(frozen=True)
class Check:
    """One comparison: how surely there is a difference, and how large it is.

    Attributes
    ----------
    key : str
        Of the alert it may raise.
    what : str
        What was compared: a signal of ``drift``, or a word of its own.
    p, q : float
        Chance of a difference as large when there is none; corrected for all comparisons of the look.
    effect, least : float
        How large, and from where it matters.
    said : str
        The figures, for people.
    n_now, n_before : int
        What they rest on.
    """

    key: str
    what: str
    p: float
    effect: float
    least: float
    said: str
    n_now: int
    n_before: int
    q: float = 1.0

    def holds(self, *, is_open: bool = False) -> bool:
        """Return whether it is more than chance and matters; with ``is_open``, enough to keep an open alert up."""
        if is_open:
            return self.q < LEVEL_TO_STAY and self.effect >= self.least * EFFECT_TO_STAY
        return self.q < LEVEL and self.effect >= self.least


def drift_from(now: Profile, before: Profile, *, is_reference: bool = False) -> Iterator[Check]:
    """Compare every signal; the training reference is other texts anyway, and only a large drift from it counts."""
    least = LARGE_PSI if is_reference else LEAST_PSI
    for drift in compare(now, before, least_psi=least):
        yield Check(
            key=REFERENCE if is_reference else DRIFT + drift.signal,
            what=drift.signal,
            p=drift.p,
            effect=drift.psi,
            least=least,
            said=f"{_said(drift.signal, now, before)} (stability index {drift.psi:.2f})",
            n_now=drift.n_recent,
            n_before=drift.n_baseline,
        )


def missing_genre(now: Profile, before: Profile, *, key: str = MISSING_GENRE) -> Iterator[Check]:
    """Look for the genre that is named so much less often than before that it may be gone."""
    if min(now.n_answered, before.n_answered) < NEEDS_TEXTS:
        return
    found: list[tuple[float, float, str]] = []
    for slug, count in before.genres.items():
        gone = 1 - (now.genres[slug] / now.n_answered) / (count / before.n_answered)
        if gone >= LEAST_GONE * EFFECT_TO_STAY:
            sides = ((now.genres[slug], now.n_answered), (count, before.n_answered))
            found.append((fisher(*sides, alternative="less"), gone, slug))
    # The rarest chance among as many as there are genres (Bonferroni).
    p, gone, slug = min(found, default=(1.0, 0.0, ""))
    share = before.genres[slug] / before.n_answered
    said = f"{slug} is named for {now.genres[slug] / now.n_answered:.1%} of texts, before {share:.1%}" if slug else ""
    yield Check(
        key,
        "missing genre",
        min(1.0, p * len(before.genres)),
        gone,
        LEAST_GONE,
        said,
        now.n_answered,
        before.n_answered,
    )


def expected(now: Profile, before: Profile, *, key: str = EXPECTED_ACCURACY) -> Iterator[Check]:
    """Look for a drop of the mean confidence (Welch's test; the sums give the variance)."""
    if min(now.n_answered, before.n_answered) < NEEDS_TEXTS:
        return
    (mean, spread), (mean_before, spread_before) = _mean(now), _mean(before)
    p = stats.ttest_ind_from_stats(
        mean, spread, now.n_answered, mean_before, spread_before, before.n_answered, equal_var=False, alternative="less"
    ).pvalue
    if isnan(p):
        # All scores alike on both sides.
        p = float(mean >= mean_before)
    said = f"by the scores {mean:.0%} of the answers are right, before {mean_before:.0%}"
    yield Check(
        key,
        "expected accuracy",
        float(p),
        mean_before - mean,
        LEAST_DROP_EXPECTED,
        said,
        now.n_answered,
        before.n_answered,
    )


def _mean(profile: Profile) -> tuple[float, float]:
    """Return the mean of the first scores, and their standard deviation."""
    n, total = profile.n_answered, float(profile.sums["confidence"])
    # p - p (1 - p) is the square of p.
    squares = total - float(profile.sums["spread"])
    return total / n, sqrt(max(0.0, squares / n - (total / n) ** 2))


def reported(now: Window, before: Window) -> Iterator[Check]:
    """Look for a rise of the share of answers that people report as wrong."""
    n, n_before = now.profile.n_answered, before.profile.n_answered
    if min(n, n_before) < NEEDS_TEXTS:
        return
    share, share_before = now.n_wrong / n, before.n_wrong / n_before
    yield Check(
        REPORTED_WRONG,
        "reported wrong",
        fisher((now.n_wrong, n), (before.n_wrong, n_before), alternative="greater"),
        # No report at all counts as half a one: the rise stays a number.
        share / max(share_before, 0.5 / n_before) - 1,
        LEAST_RISE,
        f"people report {share:.1%} of the answers as wrong, before {share_before:.1%}",
        n,
        n_before,
    )


def audited(now: Window, before: Window) -> Iterator[Check]:
    """Look for a drop of the accuracy that the audit finds."""
    this, that = now.audited, before.audited
    if this.value is None or that.value is None:
        return
    yield Check(
        AUDIT_ACCURACY,
        "audit accuracy",
        fisher(_counts(this), _counts(that), alternative="less"),
        that.value - this.value,
        LEAST_DROP_AUDITED,
        f"by the audit {this.value:.0%} of the answers are right, before {that.value:.0%}",
        this.n,
        that.n,
    )


def calibration(now: Window) -> Iterator[Check]:
    """Look for scores that promise more than the audit finds."""
    found = now.audited
    if found.value is None:
        return
    promised = float(now.profile.sums["confidence"]) / now.profile.n_answered
    right, n = _counts(found)
    yield Check(
        CALIBRATION,
        "calibration",
        float(stats.binomtest(right, n, min(1.0, promised), alternative="less").pvalue),
        promised - found.value,
        LEAST_OVERCONFIDENCE,
        f"by the scores {promised:.0%} of the answers are right, by the audit {found.value:.0%}",
        found.n,
        now.profile.n_answered,
    )


def latency(now: Profile, before: Profile) -> Iterator[Check]:
    """Look for a rise of the time that the slowest twentieth of the texts takes."""
    p95, p95_before = now.quantile("milliseconds", 0.95), before.quantile("milliseconds", 0.95)
    if p95 is None or p95_before is None or min(now.n, before.n) < NEEDS_TEXTS:
        return
    first_slow = BOUNDS["milliseconds"].index(p95_before) + 1
    slow, slow_before = (sum(profile.bins["milliseconds"][first_slow:]) for profile in (now, before))
    yield Check(
        LATENCY,
        "latency",
        fisher((slow, now.n), (slow_before, before.n), alternative="greater"),
        p95 / p95_before if p95 >= SLOW else 0.0,
        LEAST_SLOWDOWN,
        f"95% of the texts are answered within {p95:g} ms, before within {p95_before:g} ms",
        now.n,
        before.n,
    )


def silent(profile: Profile) -> int:
    """Return how many texts the model gave no answer to, for its own reasons."""
    return sum(profile.abstained[reason] for reason in MODEL_REASONS)


def _counts(estimate: Estimate) -> tuple[int, int]:
    """Return an estimate as the successes and trials of the simple sample that tells as much."""
    n = max(1, round(estimate.effective))
    return round((estimate.value or 0.0) * n), n


def fisher(now: tuple[int, int], before: tuple[int, int], *, alternative: str) -> float:
    """Return the p-value of Fisher's exact test on two (count, total)."""
    table = [[count, total - count] for count, total in (now, before)]
    return float(stats.fisher_exact(table, alternative=alternative).pvalue)


def _said(signal: str, now: Profile, before: Profile) -> str:
    if signal == "genres":
        return _genres_said(now, before)
    if signal == "confidence":
        return f"mean confidence {_mean(now)[0]:.2f}, before {_mean(before)[0]:.2f}"
    if signal == "unknown":
        return f"{now.middle(signal):.0%} of the words are unknown, before {before.middle(signal):.0%}"
    if signal == "abstained":
        return f"no answer to {silent(now) / now.n:.1%} of the texts, before {silent(before) / before.n:.1%}"
    if signal == "language":
        shares = [sum(p.abstained[reason] for reason in TEXT_REASONS) / p.n for p in (now, before)]
        return f"{shares[0]:.1%} of the texts are no English prose, before {shares[1]:.1%}"
    halves = [profile.quantile(signal, 0.5) for profile in (now, before)]
    return f"half of the texts have fewer than {halves[0]:g} {signal}, before {halves[1]:g}"


def _genres_said(now: Profile, before: Profile) -> str:
    shares = {
        slug: (now.genres[slug] / now.n_answered, before.genres[slug] / before.n_answered)
        for slug in {*now.genres, *before.genres}
    }
    ranked = sorted(shares, key=lambda slug: (-abs(shares[slug][0] - shares[slug][1]), slug))
    return ", ".join(f"{slug} {shares[slug][0]:.1%} (before {shares[slug][1]:.1%})" for slug in ranked[:N_NAMED])
