"""The days of a site by hand, in the monitor's documented format: a bad version was promoted and rolled back."""

import random
from datetime import timedelta

from classifier.alerts import Finding, close_alerts, raise_alert
from classifier.models import ModelEvent, ModelVersion
from training.core.profile import Profile
from training.models import MonitorState, TrafficHour

GENRES = {
    "fantasy": 0.22,
    "business-economics": 0.18,
    "cooking": 0.14,
    "science-fiction": 0.12,
    "biography-autobiography": 0.1,
    "history": 0.09,
    "romance": 0.08,
    "comics-graphic-novels": 0.07,
}
NAMES = {
    "biography-autobiography": "Biography & Memoir",
    "business-economics": "Business & Economics",
    "comics-graphic-novels": "Comics & Graphic Novels",
}
RECENT_SCORES = [0, 2, 6, 14, 30, 58, 96, 120, 104, 62]
BASELINE_SCORES = [1, 10, 32, 80, 190, 370, 610, 740, 600, 300]
BAD = {"kind": "swap-genres", "strength": 0.5}


def enough(value, n, spread=0.03):
    """Return an estimate with its interval."""
    return {"value": value, "low": max(0.0, value - spread), "high": min(1.0, value + spread), "n": n}


def too_few(n, needs=50):
    """Return an estimate that there is not enough data for."""
    return {"value": None, "n": n, "needs": needs}


def make_profile(rng, n, *, score=0.75, abstained=0.06, known=0.93, mix=None):
    """Return the counts of ``n`` made-up answers."""
    mix = mix or GENRES
    profile = Profile()
    for _ in range(n):
        n_words = rng.randint(12, 220)
        unknown = min(1.0, max(0.0, rng.gauss(1 - known, 0.06)))
        first = (rng.choices(list(mix), list(mix.values()))[0], min(0.99, max(0.12, rng.gauss(score, 0.16))))
        profile.add(
            n_words=n_words,
            n_known=round(n_words * (1 - unknown)),
            n_chars=n_words * 9,
            abstained="no-genre" if rng.random() < abstained else "",
            first=first,
            milliseconds=rng.lognormvariate(0.2, 0.5),
        )
    return profile


def make_hours(version, since, until, *, is_shadow=False, at_noon=40, seed=0, **kinds):
    """Store the hourly counts of one version; there is less traffic at night."""
    rng = random.Random(f"{version.number} {seed}")
    hour, rows = since.replace(minute=0, second=0, microsecond=0), []
    while hour < until:
        n = (
            round(at_noon * (1 - abs(hour.hour - 13) / 15) * rng.uniform(0.7, 1.2))
            if hour.hour >= 5
            else rng.randint(0, 3)
        )
        if n:
            profile = make_profile(rng, n, **kinds)
            rows.append(TrafficHour(version=version, is_shadow=is_shadow, hour=hour, profile=profile.as_json()))
        hour += timedelta(hours=1)
    TrafficHour.objects.bulk_create(rows)


def move(version, state, action, at, **fields):
    """Write an event of the registry's history, at any time."""
    ModelEvent.objects.create(
        version=version, from_state=version.state, to_state=state, action=action, at=at, by="tests", **fields
    )
    version.state = state
    version.save(update_fields=["state"])


def version_row(version, role, n, **figures):
    """Return a version's figures."""
    return {
        "number": version.number,
        "state": version.state,
        "sabotage": version.sabotage,
        "role": role,
        "n": n,
        "n_answered": round(n * 0.94),
        "abstained": enough(0.06, n, 0.01),
        "abstained_reasons": {"no-genre": round(n * 0.05), "not-english": round(n * 0.01)},
        "confidence": 0.75,
        "expected_accuracy": enough(0.75, n),
        "audit_accuracy": enough(0.77, 412, 0.04) | {"n_asked": 740},
        "naive_accuracy": enough(0.31, 260, 0.06),
        "reported_wrong": enough(0.02, n, 0.004),
        "unknown_words": 0.07,
        "milliseconds": {"p50": 1.6, "p95": 4.0},
    } | figures


def tell_story(now, *, days=9, at_noon=30):
    """Store the story as it stands at ``now``; return versions 1 (champion), 2 (rolled back) and 3 (challenger)."""
    good, bad, challenger = (
        ModelVersion.objects.create(number=number, folder=f"story{number}", sha256=str(number) * 64, meta=meta)
        for number, meta in ((1, {}), (2, {"sabotage": BAD}), (3, {}))
    )
    start, harm, repair = now - timedelta(days=days), now - timedelta(days=2, hours=5), now - timedelta(hours=30)
    move(good, "champion", "promote", start)
    make_hours(good, start, harm, at_noon=at_noon)
    move(good, "retired", "retire", harm)
    move(bad, "champion", "promote", harm, forced=True, reason="to see what happens")
    make_hours(bad, harm, repair, at_noon=at_noon, score=0.52, abstained=0.24, known=0.9)
    move(bad, "retired", "roll-back", repair)
    move(good, "champion", "roll-back", repair, reason="the figures fell")
    make_hours(good, repair, now, at_noon=at_noon, seed=1)
    ModelVersion.objects.filter(pk=challenger.pk).update(shadow_share=0.25)
    move(challenger, "challenger", "shadow", now - timedelta(days=1))
    make_hours(challenger, now - timedelta(days=1), now, is_shadow=True, at_noon=at_noon // 4, score=0.8)

    alarm = Finding(
        key="confidence-2",
        title="Version 2 expects to be right in 52 of 100 texts; version 1 did in 75",
        detail="Over 611 texts since it was promoted.",
        next_step="Run `manage.py rollback`.",
        version=bad,
    )
    raise_alert(alarm, at=harm + timedelta(hours=2))
    close_alerts([alarm.key], at=repair + timedelta(minutes=3))
    notice = Finding(
        key="drift-words",
        title="Texts are shorter than those the champion was tested on",
        detail="PSI 0.31 over 2,104 texts.",
        next_step="Look at where the visitors come from; train on newer texts if it stays.",
        severity="notice",
    )
    raise_alert(notice, at=now - timedelta(hours=3))
    figures = make_figures(now, repair, good, bad, challenger)
    MonitorState.objects.update_or_create(pk=1, defaults={"figures": figures, "watched_at": now})
    return good, bad, challenger


def make_figures(now, repair, good, bad, challenger):
    """Return the figures of the story."""
    recent = max(now - timedelta(days=1), repair)
    return {
        "at": now.isoformat(),
        "champion": good.number,
        "champion_since": repair.isoformat(),
        "challenger": challenger.number,
        "recent": {"from": recent.isoformat(), "to": now.isoformat(), "n": 512, "confidence": RECENT_SCORES},
        "baseline": {
            "from": (recent - timedelta(days=7)).isoformat(),
            "to": recent.isoformat(),
            "n": 3100,
            "confidence": BASELINE_SCORES,
        },
        "versions": [
            version_row(
                challenger,
                "shadow",
                130,
                audit_accuracy=too_few(0) | {"n_asked": 0},
                naive_accuracy=too_few(12),
                reported_wrong=too_few(0),
            ),
            version_row(
                bad,
                "shown",
                611,
                abstained=enough(0.24, 611),
                confidence=0.52,
                expected_accuracy=enough(0.52, 611, 0.04),
                audit_accuracy=too_few(31) | {"n_asked": 52},
                naive_accuracy=enough(0.12, 88, 0.07),
                reported_wrong=enough(0.14, 611),
            ),
            version_row(good, "shown", 15210),
        ],
        "genres": [
            {
                "slug": slug,
                "name": NAMES.get(slug, slug.replace("-", " ").title()),
                "n": round(share * 480),
                "share": share,
                "baseline_share": share * (1.25 if at % 2 else 0.8),
                "audit_accuracy": too_few(round(share * 60)) if at else enough(0.81, 64, 0.1),
                "naive_accuracy": too_few(round(share * 90)),
            }
            for at, (slug, share) in enumerate(GENRES.items())
        ],
        "by_genre": [
            {
                "slug": "fantasy",
                "name": "Fantasy",
                "cells": [
                    {"number": bad.number, "audit_accuracy": too_few(4), "naive_accuracy": too_few(9)},
                    {"number": good.number, "audit_accuracy": enough(0.81, 64, 0.1), "naive_accuracy": too_few(12)},
                ],
            }
        ],
        "drift": [
            {
                "against": held,
                "signal": signal,
                "psi": psi,
                "p": p,
                "q": min(1.0, p * 7),
                "n_recent": 512,
                "n_baseline": 3100,
                "is_drift": psi > 0.25,
            }
            for held in ("baseline", "reference")
            for signal, psi, p in (
                ("genres", 0.02, 0.41),
                ("confidence", 0.04, 0.2),
                ("abstained", 0.01, 0.6),
                ("unknown", 0.06, 0.03),
                ("words", 0.31 if held == "reference" else 0.03, 0.00002),
                ("characters", 0.11, 0.006),
                ("language", 0.0, 0.9),
            )
        ],
        "shadow": {
            "number": challenger.number,
            "n_pairs": 130,
            "agreement": enough(0.83, 130, 0.06),
            "n_corrected": 12,
            "champion_accuracy": too_few(12),
            "challenger_accuracy": too_few(12),
        },
        "alerts": [],
    }
