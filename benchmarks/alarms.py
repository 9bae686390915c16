"""Run ``make bench-alarms``: false alarms, alarms that fail to come, and how right the audit is.

*Undisturbed*: nothing is wrong, and whatever the monitor raises is a false alarm. Each replay plays 5,000 requests
with a look every 250. In one story a new, equally good version has taken over after 5,000 requests; in the other a
champion stays from its first request on, 1,000 a day. A challenger, the same training with another seed, reads a fifth.

*Damaged*: the version that takes over is bad in one way; how many requests until the first alarm.

*Audit*: 60,000 requests, as a site with 2,000 a day has within the month that the figures look back. Who sees a wrong
answer reports it several times as likely as who sees a right one confirms it, and whether the audit is answered
depends on the confidence. Where the naive figure (right ones among the corrections) misleads by more than 10 points, the audit's
should be within 3 points of the truth. Months are played until there are as many such ones as replays.
"""

import random
import statistics
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from benchmarks.pretend import AUDIT_SHARE, Chunk, Pool, Said, Visitors, play, reference_of, starter_pool, together
from benchmarks.report import QUICK, publish
from training.core.agreement import Answers, audit_accuracy
from training.core.checks import Window
from training.core.judge import ALARMS, judge, problems
from training.core.profile import Profile
from training.core.shadow_checks import Shadow

REPLAYS = 5 if QUICK else 100
MONTHS_AT_MOST = 3 * REPLAYS
DAMAGED_REPLAYS = 2 if QUICK else 20
REQUESTS = 5000
EVERY = 250
A_DAY = 1000
AUDIT_REQUESTS = 60_000
# Points that the audit's figure may be off, and those from which the naive one misleads.
CLOSE, FAR = 0.03, 0.10
# What must hold: so many false alarms at most, of each story's replays; so often close, where the naive figure misleads.
FALSE_ALARMS = 0.05
OFTEN_CLOSE = 0.95

Found = list[tuple[int, str]]


class Looks:
    """The alerts that a row of looks opens."""

    def __init__(self, reference: Profile) -> None:
        self.found: Found = []
        self._reference = reference
        self._open: set[str] = set()

    def look(self, done: int, recent: Chunk, baseline: Window) -> None:
        """Judge, and note what is new."""
        shadow = Shadow(recent.challenger, recent.window, recent.pairs)
        checks = judge(recent.window, baseline, reference=self._reference, shadow=shadow)
        held = set(problems(checks, self._open))
        self.found.extend((done, key) for key in sorted(held - self._open))
        self._open = held


def after_promotion(pool: Pool, seed: int, *, before: Pool | None = None) -> Found:
    """Return (requests, key) of each alert opened once a version has taken over from one that answered as ``before``."""
    rng = random.Random(seed)
    visitors = Visitors.drawn(rng)
    looks = Looks(reference_of(pool, rng))
    baseline = play(before or pool, visitors, rng, REQUESTS).window
    recent = together([])
    for done in range(EVERY, REQUESTS + 1, EVERY):
        recent = together([recent, play(pool, visitors, rng, EVERY)])
        looks.look(done, recent, baseline)
    return looks.found


def steady(pool: Pool, seed: int) -> Found:
    """Return (requests, key) of each alert opened in the first days of a champion that stays."""
    rng = random.Random(seed)
    visitors = Visitors.drawn(rng)
    looks = Looks(reference_of(pool, rng))
    day: deque[Chunk] = deque()
    week: deque[Chunk] = deque(maxlen=7 * A_DAY // EVERY)
    for done in range(EVERY, REQUESTS + 1, EVERY):
        day.append(play(pool, visitors, rng, EVERY))
        if len(day) > A_DAY // EVERY:
            week.append(day.popleft())
        looks.look(done, together(day), together(week).window)
    return looks.found


def audited(pool: Pool, seed: int, requests: int = AUDIT_REQUESTS) -> dict[str, float]:
    """Return the truth of one month, the naive figure, the audit's, and whether its interval holds the truth."""
    rng = random.Random(seed)
    visitors = Visitors.drawn(rng)
    answered = [said for said in pool if not said.abstained]
    answers, texts, comments = Answers(), Counter[float](), [0, 0]
    n_right = 0
    for said in rng.choices(answered, k=requests):
        texts[said.first[1]] += 1
        n_right += said.is_right
        if visitors.comments(said, rng):
            comments[said.is_right] += 1
        if rng.random() < AUDIT_SHARE and visitors.answers(said, rng):
            answers.add(score=said.first[1], share=AUDIT_SHARE, is_right=said.is_right)
    profile = Profile()
    for score, count in texts.items():
        at = Profile()
        at.add(n_words=1, n_known=1, n_chars=1, abstained="", first=("any", score))
        profile.bins["confidence"] = [
            mine + count * its for mine, its in zip(profile.bins["confidence"], at.bins["confidence"], strict=True)
        ]
    found = audit_accuracy(profile.bins["confidence"], answers)
    truth = n_right / requests
    if found.value is None or found.low is None or found.high is None:
        raise SystemExit(f"{requests} requests bring only {found.n} answers.")
    return {
        "truth": truth,
        "naive": comments[True] / sum(comments),
        "audit": found.value,
        "unweighted": sum(answers.n_right) / found.n,
        "answers": found.n,
        "is_covered": found.low <= truth <= found.high,
    }


def _half_wrong(pool: Pool) -> list[Said]:
    return [said._replace(is_right=said.is_right and at % 2 == 0) for at, said in enumerate(pool)]


def _unsure(pool: Pool) -> list[Said]:
    return [said._replace(first=(said.first[0], said.first[1] * 0.75)) for said in pool]


def _forgetful(pool: Pool) -> list[Said]:
    return [said._replace(n_known=(said.n_known + 1) // 2) for said in pool]


def _without_a_genre(pool: Pool) -> list[Said]:
    (lost, _), (instead, _) = Counter(said.first[0] for said in pool).most_common(2)
    return [
        said._replace(first=(instead, said.first[1]), is_right=False) if said.first[0] == lost else said
        for said in pool
    ]


def _silent(pool: Pool) -> list[Said]:
    return [said._replace(abstained="no-genre") if at % 7 == 0 else said for at, said in enumerate(pool)]


DAMAGES: dict[str, Callable[[Pool], list[Said]]] = {
    "half of the right answers become wrong": _half_wrong,
    "scores a quarter lower": _unsure,
    "half of the words unknown": _forgetful,
    "the commonest genre lost": _without_a_genre,
    "no answer to a seventh": _silent,
}


def undisturbed_row(name: str, replays: list[Found]) -> dict[str, Any]:
    """Return a row for the alerts of undisturbed replays."""
    keys = Counter(key for found in replays for _, key in found)
    return {
        "traffic": f"undisturbed: {name}",
        "replays": len(replays),
        "alerts": keys.total(),
        "which": dict(keys),
        "unheard": None,
        "requests_to_alarm_median": None,
        "requests_to_alarm_worst": None,
    }


def damaged_row(name: str, replays: list[Found]) -> dict[str, Any]:
    """Return a row for the first alarms of damaged replays."""
    first = [min((done for done, key in found if key in ALARMS), default=None) for found in replays]
    heard = [done for done in first if done is not None]
    keys = Counter(key for found in replays for _, key in found)
    return {
        "traffic": f"damaged: {name}",
        "replays": len(replays),
        "alerts": keys.total(),
        "which": dict(keys),
        "unheard": len(replays) - len(heard),
        "requests_to_alarm_median": statistics.median(heard) if heard else None,
        "requests_to_alarm_worst": max(heard, default=None),
    }


def is_misled(row: dict[str, float]) -> bool:
    """Return whether the naive figure is far from the truth."""
    return abs(row["naive"] - row["truth"]) > FAR


def misled_months(month: Callable[[int], dict[str, float]]) -> list[dict[str, float]]:
    """Return months of other seeds, until in ``REPLAYS`` of them the naive figure misleads."""
    rows: list[dict[str, float]] = []
    while sum(map(is_misled, rows)) < REPLAYS:
        if len(rows) >= MONTHS_AT_MOST:
            raise SystemExit(f"The naive figure misleads in too few of {len(rows)} months to judge the audit by.")
        rows.append(month(len(rows)))
    return rows


def audit_facts(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Return how the audit's figure fared beside the naive one."""
    misled = [row for row in rows if is_misled(row)]
    close = sum(abs(row["audit"] - row["truth"]) <= CLOSE for row in misled)
    return {
        "requests": AUDIT_REQUESTS,
        "seeds": len(rows),
        "naive_misleads": len(misled),
        "audit_within_3_points": close,
        "mean_answers": round(statistics.mean(row["answers"] for row in rows)),
        "mean_error_naive": round(statistics.mean(abs(row["naive"] - row["truth"]) for row in rows), 4),
        "mean_error_unweighted": round(statistics.mean(abs(row["unweighted"] - row["truth"]) for row in rows), 4),
        "mean_error_audit": round(statistics.mean(abs(row["audit"] - row["truth"]) for row in rows), 4),
        "worst_error_audit": round(max(abs(row["audit"] - row["truth"]) for row in rows), 4),
        "interval_holds_truth": round(statistics.mean(row["is_covered"] for row in rows), 3),
    }


def main() -> None:
    """Measure and publish."""
    pool = starter_pool()
    rows = [
        undisturbed_row("after a promotion", [after_promotion(pool, seed) for seed in range(REPLAYS)]),
        undisturbed_row("a champion that stays", [steady(pool, seed) for seed in range(REPLAYS)]),
    ]
    for name, damage in DAMAGES.items():
        bad = damage(pool)
        rows.append(damaged_row(name, [after_promotion(bad, seed, before=pool) for seed in range(DAMAGED_REPLAYS)]))
    facts = audit_facts(misled_months(lambda seed: audited(pool, seed)))
    publish(
        "alarms",
        rows,
        shown=("traffic", "replays", "alerts", "unheard", "requests_to_alarm_median", "requests_to_alarm_worst"),
        requests=REQUESTS,
        look_every=EVERY,
        texts=len(pool),
        accuracy=round(statistics.mean(said.is_right for said in pool), 4),
        audit=facts,
    )
    if any(row["alerts"] > FALSE_ALARMS * row["replays"] for row in rows if row["unheard"] is None):
        raise SystemExit("Too many false alarms.")
    if facts["audit_within_3_points"] < OFTEN_CLOSE * facts["naive_misleads"]:
        raise SystemExit("The audit's figure is too often too far from the truth.")


if __name__ == "__main__":
    main()
