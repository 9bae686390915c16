"""The monitor's figures as plain data: what the command prints, /metrics serves and the page shows."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from classifier.alerts import open_alerts
from classifier.models import Alert, Genre, ModelVersion
from training.core.agreement import (
    NEEDS_OF_A_GENRE,
    NEEDS_PAIRS,
    NEEDS_PREDICTIONS,
    NEEDS_REPORTS,
    Answers,
    Estimate,
    asked_accuracy,
    audit_accuracy,
    expected_accuracy,
    not_enough,
    proportion,
)
from training.core.checks import DRIFT, REFERENCE, Check, Window
from training.core.shadowing import challenger_accuracy
from training.monitor.evidence import Evidence
from training.monitor.look import Look, Period, take_look

SHOWN, SHADOW = "shown", "shadow"
AGAINST = {DRIFT: "baseline", REFERENCE: "reference"}


def figures(now: datetime, look: Look | None = None) -> dict[str, Any]:
    """Return the figures as of ``now``; the traffic is counted before (``count_traffic``).

    ``look`` is what was found a moment ago, so that it is not looked for twice.
    """
    look = look or take_look(now)
    versions = _versions(look.evidence)
    return {
        "at": look.at.isoformat(),
        "champion": look.champion.number if look.champion else None,
        "champion_since": look.since.isoformat() if look.since else None,
        "challenger": look.challenger.number if look.challenger else None,
        "recent": _period(look.recent),
        "baseline": _period(look.baseline),
        "versions": versions,
        "by_genre": _by_genre(versions, look.evidence),
        "genres": _genres(look) if look.champion else [],
        "drift": [_drift(check) for check in look.checks if check.key.startswith((DRIFT, REFERENCE))],
        "shadow": _shadow(look),
        "alerts": [_alert(alert) for alert in open_alerts()],
    }


def _period(period: Period) -> dict[str, Any]:
    window = period.window
    return {
        "from": period.start.isoformat(),
        "to": period.end.isoformat(),
        "n": window.profile.n,
        "confidence": window.profile.bins["confidence"],
        "expected_accuracy": expected_accuracy(window.profile).as_json(),
        "audit_accuracy": audit_accuracy(window.profile.bins["confidence"], window.answers).as_json(),
        "reported_wrong": _reported_wrong(window).as_json(),
    }


def _reported_wrong(window: Window) -> Estimate:
    return proportion(window.n_wrong, window.profile.n_answered, needs=NEEDS_PREDICTIONS)


def _versions(evidence: Evidence) -> list[dict[str, Any]]:
    """Return every version with traffic, newest first, as it was shown and as it ran in another's shadow."""
    seen = {(hour.version_id, hour.is_shadow) for hour in evidence.hours}
    versions = ModelVersion.objects.in_bulk([version_id for version_id, _ in seen])
    ranked = sorted(seen, key=lambda pair: (-versions[pair[0]].number, pair[1]))
    return [
        _version(versions[version_id], _window(evidence, version_id, is_shadow), is_shadow=is_shadow)
        for version_id, is_shadow in ranked
    ]


def _window(evidence: Evidence, version_id: int, is_shadow: bool) -> Window:
    if is_shadow:
        # Nobody saw its answers, so nobody said anything of them.
        return Window(evidence.shadow_profile(lambda version, at: version == version_id))
    return evidence.window(lambda version, at: version == version_id)


def _version(version: ModelVersion, window: Window, *, is_shadow: bool) -> dict[str, Any]:
    profile = window.profile
    n_answered = profile.n_answered
    is_enough = n_answered >= NEEDS_PREDICTIONS
    audited = audit_accuracy(profile.bins["confidence"], window.answers)
    return {
        "number": version.number,
        "state": version.state,
        "sabotage": version.sabotage,
        "role": SHADOW if is_shadow else SHOWN,
        "n": profile.n,
        "n_answered": n_answered,
        "abstained": proportion(profile.n - n_answered, profile.n, needs=NEEDS_PREDICTIONS).as_json(),
        "abstained_reasons": dict(profile.abstained.most_common()),
        "confidence": profile.sums["confidence"] / n_answered if is_enough else None,
        "expected_accuracy": expected_accuracy(profile).as_json(),
        "audit_accuracy": audited.as_json() | {"n_asked": profile.n_asked},
        "naive_accuracy": proportion(window.n_right, window.n_corrected, needs=NEEDS_REPORTS).as_json(),
        "reported_wrong": (not_enough(0, NEEDS_PREDICTIONS) if is_shadow else _reported_wrong(window)).as_json(),
        "unknown_words": profile.middle("unknown") if is_enough else None,
        "milliseconds": {
            name: profile.quantile("milliseconds", share) for name, share in (("p50", 0.5), ("p95", 0.95))
        },
    }


def _genres(look: Look) -> list[dict[str, Any]]:
    """Return the genres of the champion's recent traffic, with its accuracy by genre as far back as the figures go."""
    recent, before = look.recent.window.profile, look.baseline.window.profile
    assert look.champion is not None
    names = dict(Genre.objects.values_list("slug", "name"))
    said = _said_of_genres(look.evidence, look.champion.pk)
    is_enough = before.n_answered >= NEEDS_PREDICTIONS
    return [
        {
            "slug": slug,
            "name": names.get(slug, slug),
            "n": count,
            "share": count / recent.n_answered,
            "baseline_share": before.genres[slug] / before.n_answered if is_enough else None,
        }
        | said[slug].as_json()
        for slug, count in sorted(recent.genres.items(), key=lambda item: (-item[1], item[0]))
    ]


@dataclass
class _Said:
    """What people said of a version's answers that name one genre."""

    answers: Answers = field(default_factory=Answers)
    n_corrected: int = 0
    n_right: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "audit_accuracy": asked_accuracy(self.answers).as_json(),
            "naive_accuracy": proportion(self.n_right, self.n_corrected, needs=NEEDS_OF_A_GENRE).as_json(),
        }


def _said_of_genres(evidence: Evidence, version_id: int) -> dict[str, _Said]:
    """Return what people said of a version's answers, by genre, as far back as the figures go."""
    said: dict[str, _Said] = defaultdict(_Said)
    for reply in evidence.replies_of(lambda version, at: version == version_id):
        said[reply.genre].answers.add(score=reply.score, share=reply.share, is_right=reply.is_right)
    for report in evidence.reports_of(lambda version, at: version == version_id):
        said[report.genre].n_corrected += 1
        said[report.genre].n_right += report.is_right
    return said


def _by_genre(versions: list[dict[str, Any]], evidence: Evidence) -> list[dict[str, Any]]:
    """Return each genre's accuracy in each version that visitors saw; genres that nobody said enough of are left out.

    ``cells`` are in the order of ``versions`` that are shown.
    """
    shown = [row for row in versions if row["role"] == SHOWN]
    pks = dict(ModelVersion.objects.values_list("number", "pk"))
    said = [_said_of_genres(evidence, pks[row["number"]]) for row in shown]
    rows = []
    for slug, name in Genre.objects.order_by("name").values_list("slug", "name"):
        cells = [one[slug].as_json() | {"number": row["number"]} for row, one in zip(shown, said, strict=True)]
        if any(cell["audit_accuracy"]["value"] is not None for cell in cells):
            rows.append({"slug": slug, "name": name, "cells": cells})
    return rows


def _drift(check: Check) -> dict[str, Any]:
    return {
        "against": AGAINST[REFERENCE] if check.key == REFERENCE else AGAINST[DRIFT],
        "signal": check.what,
        "psi": check.effect,
        "p": check.p,
        "q": check.q,
        "n_recent": check.n_now,
        "n_baseline": check.n_before,
        "is_drift": check.holds(),
    }


def _shadow(look: Look) -> dict[str, Any] | None:
    if look.shadow is None or look.challenger is None:
        return None
    profile, pairs = look.shadow.challenger, look.shadow.pairs
    champion = look.shadow.champion
    audited = audit_accuracy(champion.profile.bins["confidence"], champion.answers)
    return {
        "number": look.challenger.number,
        "n_pairs": profile.n_pairs,
        "agreement": proportion(profile.n_agree, profile.n_pairs, needs=NEEDS_PAIRS).as_json(),
        "n_corrected": pairs.n,
        "champion_accuracy": audited.as_json(),
        "challenger_accuracy": challenger_accuracy(audited, pairs).as_json(),
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "key": alert.key,
        "severity": alert.severity,
        "title": alert.title,
        "detail": alert.detail,
        "next_step": alert.next_step,
        "opened_at": alert.opened_at.isoformat(),
        "version": alert.version.number if alert.version else None,
    }
