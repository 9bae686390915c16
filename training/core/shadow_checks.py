"""The comparisons of a challenger with the champion in whose shadow it reads."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from scipy import stats

from training.core.agreement import NEEDS_PAIRS
from training.core.checks import Check, Window, drift_from, expected, fisher, missing_genre, silent
from training.core.drift import LEAST_PSI, NEEDS_TEXTS, compare
from training.core.profile import Profile
from training.core.shadowing import Pairs, loss_by_challenger

# The keys of the alerts.
SHADOW_WORSE = "shadow-worse"
SHADOW_DIFFERS = "shadow-differs"

# What matters, in shares of the texts.
LEAST_RISE_OF_ABSTENTIONS = 0.05
LEAST_LOSS = 0.05
# Two honest trainings put the same genre first on nearly every text; below this a challenger is another model altogether.
LEAST_AGREEMENT = 0.7


@dataclass(frozen=True)
class Shadow:
    """A challenger beside the champion, over the same stretch of time.

    Attributes
    ----------
    challenger : Profile
        What it said in the champion's shadow, with ``n_pairs`` and ``n_agree``.
    champion : Window
    pairs : Pairs
        Texts that both answered and somebody commented on.
    """

    challenger: Profile
    champion: Window
    pairs: Pairs = field(default_factory=Pairs)


def shadowed(shadow: Shadow) -> Iterator[Check]:
    """Compare the challenger with the champion: for the worse, and by itself for what differs, as a better one may."""
    mine, its = shadow.challenger, shadow.champion.profile
    yield from missing_genre(mine, its, key=SHADOW_WORSE)
    yield from expected(mine, its, key=SHADOW_WORSE)
    yield from _abstains_more(mine, its)
    yield from _knows_less(mine, its)
    found = loss_by_challenger(shadow.champion.audited, shadow.pairs)
    if found:
        loss, p = found
        said = f"it would be right {loss:.0%} of the time less often"
        n = shadow.pairs.n
        yield Check(SHADOW_WORSE, "accuracy", p, loss, LEAST_LOSS, said, n, n)
    for check in drift_from(mine, its):
        # In service this would raise an alarm at once; the texts are the same, so it is the model.
        if check.what == "genres":
            yield replace(check, key=SHADOW_DIFFERS)
    if mine.n_pairs >= NEEDS_PAIRS:
        agreement = mine.n_agree / mine.n_pairs
        p = float(stats.binomtest(mine.n_agree, mine.n_pairs, LEAST_AGREEMENT, alternative="less").pvalue)
        said = f"both put the same genre first on {agreement:.0%} of the texts"
        yield Check(SHADOW_DIFFERS, "agreement", p, LEAST_AGREEMENT - agreement, 0.0, said, mine.n_pairs, mine.n_pairs)


def _abstains_more(now: Profile, before: Profile) -> Iterator[Check]:
    if min(now.n, before.n) < NEEDS_TEXTS:
        return
    n_silent, n_silent_before = silent(now), silent(before)
    rise = n_silent / now.n - n_silent_before / before.n
    said = (
        f"it gives no answer to {n_silent / now.n:.0%} of the texts, the champion to {n_silent_before / before.n:.0%}"
    )
    p = fisher((n_silent, now.n), (n_silent_before, before.n), alternative="greater")
    yield Check(SHADOW_WORSE, "abstained", p, rise, LEAST_RISE_OF_ABSTENTIONS, said, now.n, before.n)


def _knows_less(now: Profile, before: Profile) -> Iterator[Check]:
    for drift in compare(now, before, signals=("unknown",)):
        share, share_before = now.middle("unknown"), before.middle("unknown")
        said = f"it does not know {share:.0%} of the words, the champion {share_before:.0%}"
        effect = drift.psi if share > share_before else 0.0
        yield Check(SHADOW_WORSE, "unknown", drift.p, effect, LEAST_PSI, said, drift.n_recent, drift.n_baseline)
