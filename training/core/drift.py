"""Tell whether texts or answers differ between two profiles by more than chance, and by much.

Two questions, and both must say yes. A test on the counts tells chance: with many texts it finds any trifle. The
population stability index tells how much: with few texts it is large by chance alone.

References
----------
Siddiqi, *Credit Risk Scorecards* (2006), for the index and its usual bounds: below 0.1 no change that matters, from
0.25 a large one. Yurdakul and Naranjo, "Statistical properties of the population stability index", Journal of Risk
Model Validation 14 (2020), for how it grows with the number of categories where texts are few. Benjamini and
Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57 (1995).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from classifier.core.model import NO_GENRE
from training.core.profile import Profile

# What the model says, and what people paste. How many words a model knows depends on both.
OUTPUTS = ("genres", "confidence", "abstained", "unknown")
INPUTS = ("words", "characters", "language")
SIGNALS = OUTPUTS + INPUTS
# Of the reasons to abstain: the model's own, and those that speak of the text.
MODEL_REASONS = (NO_GENRE, "nothing-known")
TEXT_REASONS = ("not-english", "not-prose")

# The corrected p-value below which a difference is no chance. A look tests some twenty differences, and looks
# follow each other every hour: `make bench-alarms` counts how often undisturbed traffic is called otherwise.
LEVEL = 0.001
# The index from which a difference matters.
LEAST_PSI = 0.1
LARGE_PSI = 0.25
# Texts each side needs.
NEEDS_TEXTS = 200
# Counts expected in each cell for the chi-squared test to hold (Cochran, Biometrics 10, 1954).
LEAST_EXPECTED = 5
# Added to each count, so that an empty category has a logarithm.
SMOOTHING = 0.5

Table = NDArray[np.float64]


@dataclass(frozen=True)
class Drift:
    """How one signal differs between two profiles.

    Attributes
    ----------
    signal : str
        One of ``SIGNALS``.
    psi : float
        Population stability index, 0 or more; 0 is no difference.
    p : float
        Chance of a difference as large when there is none.
    q : float
        ``p`` corrected for the comparisons made together.
    n_recent, n_baseline : int
        Texts on each side.
    is_drift : bool
        More than chance, and enough to matter.
    """

    signal: str
    psi: float
    p: float
    q: float
    n_recent: int
    n_baseline: int
    is_drift: bool


def compare(
    recent: Profile,
    baseline: Profile,
    *,
    signals: Sequence[str] = SIGNALS,
    least_psi: float = LEAST_PSI,
    needs: int = NEEDS_TEXTS,
) -> list[Drift]:
    """Compare two profiles signal by signal.

    Parameters
    ----------
    recent, baseline : Profile
    signals : sequence of str, default=SIGNALS
    least_psi : float, default=LEAST_PSI
        The index from which a difference matters.
    needs : int, default=NEEDS_TEXTS
        Texts that each side must have.

    Returns
    -------
    list of Drift
        In the order of ``signals``; a signal with too few texts on either side is left out. The p-values are
        corrected over this list; who makes more comparisons at a time corrects over all of them.
    """
    found = []
    for signal in signals:
        table = counts_of(signal, recent, baseline)
        n_recent, n_baseline = (int(total) for total in table.sum(axis=1))
        if min(n_recent, n_baseline) >= needs:
            table = pooled(table, is_ordered=signal in recent.bins)
            found.append((signal, stability_index(table), p_value(table), n_recent, n_baseline))
    corrected = correct([p for _, _, p, _, _ in found])
    return [
        Drift(signal, psi, p, q, n_recent, n_baseline, q < LEVEL and psi >= least_psi)
        for (signal, psi, p, n_recent, n_baseline), q in zip(found, corrected, strict=True)
    ]


def correct(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for being looked at together (Benjamini and Hochberg); empty for none."""
    if not p_values:
        return []
    return [float(q) for q in stats.false_discovery_control(p_values)]


def counts_of(signal: str, recent: Profile, baseline: Profile) -> Table:
    """Return the counts behind ``signal``, shape (2, n_categories), recent first."""
    if signal in recent.bins:
        return np.array([recent.bins[signal], baseline.bins[signal]], dtype=float)
    sides = [_categories(signal, profile) for profile in (recent, baseline)]
    names = sorted(set().union(*sides))
    return np.array([[side.get(name, 0) for name in names] for side in sides], dtype=float).reshape(2, len(names))


def _categories(signal: str, profile: Profile) -> Mapping[str, int]:
    if signal == "genres":
        return profile.genres
    # Abstentions for what the text is say nothing of the model, and the other way round.
    reasons = MODEL_REASONS if signal == "abstained" else TEXT_REASONS
    counts = {reason: profile.abstained[reason] for reason in reasons}
    others = profile.n_answered if signal == "abstained" else profile.n - sum(counts.values())
    return counts | {"": others}


def pooled(table: Table, *, is_ordered: bool) -> Table:
    """Return the table with rare categories pooled until each cell is expected to hold ``LEAST_EXPECTED`` texts.

    Bins of a histogram join their smaller neighbour, other categories the next rare one. Two are always left, where
    there are two.
    """
    table = table[:, table.sum(axis=0) > 0]
    share = table.sum(axis=1).min() / max(table.sum(), 1.0)
    while table.shape[1] > 2:
        totals = table.sum(axis=0)
        rarest = int(totals.argmin())
        if totals[rarest] * share >= LEAST_EXPECTED:
            break
        if is_ordered:
            beside = [at for at in (rarest - 1, rarest + 1) if 0 <= at < len(totals)]
        else:
            beside = [at for at in range(len(totals)) if at != rarest]
        into = min(beside, key=lambda at: float(totals[at]))
        table = table.copy()
        table[:, into] += table[:, rarest]
        table = np.delete(table, rarest, axis=1)
    return table


def p_value(table: Table) -> float:
    """Return the chance of a table as uneven when both rows are drawn alike; 1 for a single category or an empty row.

    The chi-squared test, or Fisher's exact one where two categories are left and the counts are small.
    """
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return 1.0
    result = stats.chi2_contingency(table)
    if result.expected_freq.min() < LEAST_EXPECTED:
        return float(stats.fisher_exact(table.astype(int)).pvalue)
    return float(result.pvalue)


def stability_index(table: Table) -> float:
    """Return the population stability index of the two rows: the sum of (a - b) ln(a / b) over the shares."""
    if table.shape[1] < 2:
        return 0.0
    smooth = table + SMOOTHING
    recent, baseline = smooth / smooth.sum(axis=1, keepdims=True)
    return float(((recent - baseline) * np.log(recent / baseline)).sum())
