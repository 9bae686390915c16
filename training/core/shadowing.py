"""Whether a challenger that nobody sees would be right as often as the champion that answers.

Only the champion's answers are commented on, and wrong ones far more often than right ones: among commented texts the
champion is mostly wrong, and any challenger would look better. So the two kinds of texts are told apart first, those
where the champion is known to be right and those where it is known to be wrong, and put together again in the
proportion that the audit found (post-stratification). Right as long as within each kind the commented texts are
like the others.
"""

from dataclasses import dataclass
from math import sqrt

from scipy import stats

from training.core.agreement import Estimate, korn_graubard, not_enough

# Texts of each kind.
NEEDS_OF_A_KIND = 15


@dataclass(frozen=True)
class Pairs:
    """Texts that both models answered and somebody commented on.

    Attributes
    ----------
    n_right, n_kept : int
        Texts where the champion is right, and those of them where the challenger is right too.
    n_wrong, n_gained : int
        Texts where the champion is wrong, and those of them where the challenger is right.
    """

    n_right: int = 0
    n_kept: int = 0
    n_wrong: int = 0
    n_gained: int = 0

    @property
    def n(self) -> int:
        """Texts of both kinds."""
        return self.n_right + self.n_wrong

    @property
    def n_rarer(self) -> int:
        """Texts of the rarer kind, which an estimate waits for."""
        return min(self.n_right, self.n_wrong)


def challenger_accuracy(champion: Estimate, pairs: Pairs) -> Estimate:
    """Return how often the challenger would be right, given the champion's audited accuracy.

    Without enough data, ``n`` and ``needs`` count the answers to the audit, or the texts of the rarer kind.
    """
    if champion.value is None:
        return champion
    if pairs.n_rarer < NEEDS_OF_A_KIND:
        return not_enough(pairs.n_rarer, NEEDS_OF_A_KIND)
    kept, gained = pairs.n_kept / pairs.n_right, pairs.n_gained / pairs.n_wrong
    value = champion.value * kept + (1 - champion.value) * gained
    variance = _variance(champion, pairs, slope=kept - gained)
    effective = value * (1 - value) / variance if 0 < value < 1 else float(pairs.n)
    low, high = korn_graubard(value, effective)
    return Estimate(value, low, high, pairs.n, NEEDS_OF_A_KIND, effective)


def loss_by_challenger(champion: Estimate, pairs: Pairs) -> tuple[float, float] | None:
    """Return how much less often the challenger would be right, and the chance of such a loss if it lost nothing.

    None where there is not enough data.
    """
    if champion.value is None or pairs.n_rarer < NEEDS_OF_A_KIND:
        return None
    lost, gained = 1 - pairs.n_kept / pairs.n_right, pairs.n_gained / pairs.n_wrong
    loss = champion.value * lost - (1 - champion.value) * gained
    return loss, float(stats.norm.sf(loss / sqrt(_variance(champion, pairs, slope=lost + gained))))


def _variance(champion: Estimate, pairs: Pairs, *, slope: float) -> float:
    """Return the variance of a sum over both kinds; ``slope`` is how it changes with the champion's accuracy."""
    if champion.value is None:
        raise ValueError("The champion's accuracy is not known.")
    share = champion.value
    return (
        share**2 * _careful(pairs.n_kept, pairs.n_right)
        + (1 - share) ** 2 * _careful(pairs.n_gained, pairs.n_wrong)
        + slope**2 * _careful(share * champion.effective, champion.effective)
    )


def _careful(successes: float, n: float) -> float:
    """Return the variance of a share, with one observation of each kind added: none is ever certain."""
    share = (successes + 1) / (n + 2)
    return share * (1 - share) / n
