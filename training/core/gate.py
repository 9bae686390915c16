"""The gate: may a candidate become champion? Checks on what two versions said of the same texts, and what they cost.

Every limit stands here or comes from the settings; none may be moved to let a drill pass.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from training.core.evaluation import PredictMany
from training.core.paired import FIRST_GENRES, LEVEL, Answers, Interval, compare, on_all
from training.core.seen import FairTexts

# With fewer texts nearly every difference could be chance.
MIN_TEXTS = 50
# A genre has collapsed when of at least so many hits at most this share is left, and chance hardly does that. With
# 35 genres and one-sided tests the level keeps a false alarm below one in five gates even without the share.
COLLAPSE_HITS, COLLAPSE_SHARE, COLLAPSE_P = 5, 0.5, 0.005
# Without opponent: the shipped first model is off by .24 on the starter corpus, whose texts are clearer than those it is
# calibrated for. Scores that mean nothing are off by more than this.
CALIBRATION_WORSE, CALIBRATION_LIMIT = 0.05, 0.35
# Twice as slow is bad; under a millisecond nobody notices.
SLOWER, NEGLIGIBLE_MILLISECONDS = 2.0, 1.0
# Of at most so many texts so many are timed in all, in rounds.
TIMED_TEXTS, TIMED_IN_ALL, TIMED_WORDS = 300, 900, 100


@dataclass(frozen=True)
class Check:
    """One thing the gate looks at: its value, the limit in words, and how it came about."""

    name: str
    passed: bool
    value: float | None
    limit: str
    detail: str = ""


@dataclass(frozen=True)
class GenreHits:
    """How many of a genre's ``n_texts`` have it among each version's first genres; ``p`` is the sign test's."""

    genre: str
    n_texts: int
    opponent: int
    candidate: int
    p: float
    is_known: bool

    @property
    def has_collapsed(self) -> bool:
        """Whether the candidate can't tell the genre any more, and it is not chance."""
        is_halved = self.candidate <= COLLAPSE_SHARE * self.opponent
        return not self.is_known or (self.opponent >= COLLAPSE_HITS and is_halved and self.p < COLLAPSE_P)


@dataclass(frozen=True)
class GateReport:
    """What the gate found.

    ``texts`` counts the texts: ``data`` (all examples), ``test`` (of them on the test side), ``left_out`` (known to a
    version, or tied to what is), ``repeated``, ``compared``, and ``feedback`` (corrections among those compared).
    """

    candidate: int
    opponent: int | None
    sabotage: str
    data: tuple[str, ...]
    texts: dict[str, int]
    checks: tuple[Check, ...]
    genres: tuple[GenreHits, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """The names of the checks that failed."""
        return tuple(check.name for check in self.checks if not check.passed)

    def as_json(self, *, with_genres: bool = True) -> dict[str, Any]:
        """Return plain data for metrics files, and without the many genres for the history."""
        found = asdict(self) | {"passed": self.passed, "blocked_by": list(self.blocked_by)}
        if not with_genres:
            del found["genres"]
        return found


def check_overlap(texts: FairTexts) -> Check:
    """Block a candidate that was trained on what is frozen for testing."""
    detail = f"{texts.n_left_out} of the {texts.n_test} texts of the test side are known to a version and left out"
    if texts.n_overlapping:
        detail = (
            f"it was trained on {texts.n_overlapping} of the {texts.n_test} texts that are frozen for testing; train it "
            f"again without --test, or name other --data; {detail}"
        )
    return Check("overlap", not texts.n_overlapping, float(texts.n_overlapping), "0", detail)


def check_corrections(n_trained_on: int, gone: dict[str, int]) -> Check:
    """Block a candidate that learned from corrections that were taken back since; ``gone`` counts them by what became of them."""
    n_gone = sum(gone.values())
    detail = f"it learned from {n_trained_on}, all approved still" if n_trained_on else "it learned from none"
    if n_gone:
        reasons = ", ".join(f"{count} {what}" for what, count in gone.items())
        detail = f"of the {n_trained_on} it learned from: {reasons}; train again without them"
    return Check("corrections", not n_gone, float(n_gone), "0", detail)


def check_inputs(n_found: int, gone: Sequence[str], lost: Sequence[str] = ()) -> Check:
    """Block a candidate that learned from files that are ``gone`` or changed since: nobody can make it again, or say why.

    Such files of the opponent alone (``lost``) are a warning: nothing can be measured on them.
    """
    detail = f"{n_found} on record, here and unchanged"
    if lost:
        detail = (
            f"warning: nothing can be measured on {', '.join(lost)} of the opponent: gone or changed since training"
        )
    if gone:
        detail = f"it learned from {', '.join(gone)}: gone or changed since; restore what it was, or train again"
    return Check("input files", not gone, float(len(gone)), "0", detail)


def measure(candidate: Answers, opponent: Answers | None) -> tuple[list[Check], list[GenreHits]]:
    """Check what the candidate said of the texts, beside what the opponent said of them."""
    mine = on_all(candidate)
    if opponent is None:
        most = float(np.bincount(candidate.primary).max() / len(candidate.primary))
        return [
            check_above("accuracy", mine["accuracy"], most, "the share of the most frequent genre"),
            Check("f1_subj_avg", True, mine["f1"], "", "no opponent to hold it against"),
            check_calibration(mine["calibration"]),
        ], []
    theirs, intervals = on_all(opponent), compare(candidate, opponent)
    genres = genre_hits(candidate, opponent)
    return [
        check_no_worse("accuracy", mine["accuracy"], theirs["accuracy"], intervals["accuracy"]),
        check_no_worse("f1_subj_avg", mine["f1"], theirs["f1"], intervals["f1"]),
        check_genres(genres),
        check_calibration(mine["calibration"], theirs["calibration"], intervals["calibration"]),
    ], genres


def check_above(name: str, value: float, limit: float, what: str) -> Check:
    """Block a figure that does not exceed what costs nothing."""
    return Check(name, value > limit, value, f"above {limit:.3f}", f"the limit is {what}")


def check_no_worse(name: str, mine: float, theirs: float, interval: Interval) -> Check:
    """Block a candidate whose figure is below the opponent's beyond chance: the whole interval lies below 0."""
    detail = f"{mine:.3f} against {theirs:.3f}; {_words(interval)}"
    return Check(name, interval.high >= 0, mine - theirs, "interval reaches 0", detail)


def check_calibration(mine: float, theirs: float | None = None, interval: Interval | None = None) -> Check:
    """Block scores that say less of the chance to be right than the opponent's, beyond chance and beyond what matters."""
    if theirs is None or interval is None:
        return Check("calibration", mine <= CALIBRATION_LIMIT, mine, f"at most {CALIBRATION_LIMIT:g}")
    limit = theirs + CALIBRATION_WORSE
    detail = f"{mine:.3f} against {theirs:.3f}; {_words(interval)}"
    return Check("calibration", mine <= limit or interval.low <= 0, mine, f"at most {limit:.3f}", detail)


def _words(interval: Interval) -> str:
    return f"{LEVEL:.0%} interval of the difference {interval.low:+.3f} to {interval.high:+.3f}"


def genre_hits(candidate: Answers, opponent: Answers) -> list[GenreHits]:
    """Return both versions' hits in each genre that the opponent knows and the texts have, most frequent first."""
    found = []
    for at, slug in enumerate(candidate.slugs):
        has_it = candidate.truth[:, at]
        if slug not in opponent.known or not has_it.any():
            continue
        ours, theirs = candidate.first[has_it, at], opponent.first[has_it, at]
        n_lost, n_won = int((theirs & ~ours).sum()), int((ours & ~theirs).sum())
        n_differing = n_lost + n_won
        p = float(binomtest(n_lost, n_differing, alternative="greater").pvalue) if n_differing else 1.0
        hits = GenreHits(slug, int(has_it.sum()), int(theirs.sum()), int(ours.sum()), p, slug in candidate.known)
        found.append(hits)
    return sorted(found, key=lambda hits: -hits.n_texts)


def check_genres(genres: Sequence[GenreHits]) -> Check:
    """Block a candidate that lost a genre, though other genres may make up for it in the averages."""
    lost = [hits for hits in genres if hits.has_collapsed]
    parts = [
        f"{hits.genre}: {f'{hits.candidate} of {hits.n_texts} texts, was {hits.opponent}' if hits.is_known else 'unknown to it'}"
        for hits in lost
    ]
    detail = "; ".join(parts) or f"none of {len(genres)} collapsed (among the first {FIRST_GENRES} of its texts)"
    return Check("genres", not lost, float(len(lost)), "0", detail)


def check_latency(mine: float, theirs: float | None, *, most: float) -> Check:
    """Block a model that answers slowly: above ``most`` milliseconds, or noticeably and twice as slow as the opponent."""
    limit = most if theirs is None else min(most, max(SLOWER * theirs, NEGLIGIBLE_MILLISECONDS))
    detail = f"milliseconds of the processor for {TIMED_WORDS} words" + (
        "" if theirs is None else f"; the opponent takes {theirs:.2f}"
    )
    return Check("latency", mine <= limit, mine, f"at most {limit:.2f}", detail)


def check_size(n_bytes: int, *, most: int) -> Check:
    """Block a model file of more than ``most`` bytes."""
    return Check("size", n_bytes <= most, n_bytes / 1e6, f"at most {most / 1e6:g}", "megabytes of the model file")


def milliseconds(
    models: Sequence[PredictMany],
    texts: Sequence[str],
    n_words: int,
    *,
    clock: Callable[[], float] = time.thread_time,
) -> list[float]:
    """Return how long each model takes for ``TIMED_WORDS`` words, on ``texts`` that have ``n_words`` in all.

    The models take turns, and the fastest round of each counts; the clock is the processor's time for this thread. Both
    because what else the machine does only ever slows one down, and must block nobody.
    """
    rounds: list[list[float]] = [[] for _ in models]
    for _ in range(TIMED_IN_ALL // len(texts)):
        for predict_many, taken in zip(models, rounds, strict=True):
            start = clock()
            predict_many(list(texts))
            taken.append(clock() - start)
    return [min(taken) * 1000 * TIMED_WORDS / n_words for taken in rounds]
