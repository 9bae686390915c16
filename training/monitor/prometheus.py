"""The monitor's figures as Prometheus reads them: from the same rows as the page, measured anew nowhere.

Counters and histograms add up all hours since the first prediction, so that they never fall; the others are the
figures of the monitor's last look. A figure without enough data is absent. No label holds anything a visitor wrote.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max
from django.db.models.query import QuerySet
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from classifier.alerts import open_alerts
from classifier.models import ModelVersion
from training.core.profile import BOUNDS, Profile
from training.models import MonitorState, TrafficHour

__all__ = ["CONTENT_TYPE", "forget_settled", "scrape"]

State = ModelVersion.State
Totals = dict[tuple[int, str], Profile]
# What is said of a version: the figures' key, the metric, its help.
OF_A_VERSION = (
    ("expected_accuracy", "genre_expected_accuracy", "Mean calibrated score of the first genre: needs no labels"),
    ("audit_accuracy", "genre_audit_accuracy", "Share right among visitors asked by chance, weighted"),
    ("naive_accuracy", "genre_naive_accuracy", "Share right among corrections; too low, people correct what is wrong"),
    ("reported_wrong", "genre_reported_wrong_ratio", "Share of answers that were corrected as wrong"),
    ("abstained", "genre_abstained_ratio", "Share of texts that got no genre"),
)


def scrape(*, now: datetime | None = None) -> bytes:
    """Return all metrics as text."""
    registry = CollectorRegistry()
    registry.register(_Figures(now or timezone.now()))
    return generate_latest(registry)


class _Figures(Collector):
    """Reads the database when it is asked."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        totals = _totals(self._now)
        yield from _counters(totals)
        yield from _histograms(totals)
        yield from _roles()
        yield from _alerts()
        state = MonitorState.objects.first()
        if state is None or state.watched_at is None or not state.figures:
            return
        age = GaugeMetricFamily("genre_monitor_age_seconds", "Seconds since the monitor last looked")
        age.add_metric([], max(0.0, (self._now - state.watched_at).total_seconds()))
        yield age
        yield from _of_versions(state.figures["versions"])
        yield from _of_genres(state.figures.get("by_genre", []))
        yield from _drift(state.figures["drift"])
        yield from _shadow(state.figures["shadow"])


def _counters(totals: Totals) -> Iterator[Metric]:
    predictions = CounterMetricFamily("genre_predictions", "Texts read", labels=["version", "role"])
    abstained = CounterMetricFamily(
        "genre_abstained", "Texts that got no genre, by reason", labels=["version", "role", "reason"]
    )
    answers = CounterMetricFamily(
        "genre_answers", "Texts answered, by the first genre", labels=["version", "role", "genre"]
    )
    for (number, role), profile in sorted(totals.items()):
        predictions.add_metric([str(number), role], profile.n)
        for reason, count in sorted(profile.abstained.items()):
            abstained.add_metric([str(number), role, reason], count)
        for genre, count in sorted(profile.genres.items()):
            answers.add_metric([str(number), role, genre], count)
    yield predictions
    yield abstained
    yield answers


def _histograms(totals: Totals) -> Iterator[Metric]:
    confidence = HistogramMetricFamily(
        "genre_confidence", "Score of the first genre, of answered texts", labels=["version", "role"]
    )
    # Without a sum: the hours keep none, and a made-up one would be taken for a mean.
    times = HistogramMetricFamily("genre_milliseconds", "Time a prediction took", labels=["version", "role"])
    for (number, role), profile in sorted(totals.items()):
        labels = [str(number), role]
        confidence.add_metric(labels, _buckets(profile, "confidence"), float(profile.sums["confidence"]))
        times.add_metric(labels, _buckets(profile, "milliseconds"), None)
    yield confidence
    yield times


def _buckets(profile: Profile, name: str) -> list[tuple[str, float]]:
    edges = [*(f"{bound:g}" for bound in BOUNDS[name]), "+Inf"]
    reached, buckets = 0, []
    for edge, count in zip(edges, profile.bins[name], strict=True):
        reached += count
        buckets.append((edge, float(reached)))
    return buckets


def _roles() -> Iterator[Metric]:
    for state in (State.CHAMPION, State.CHALLENGER):
        family = GaugeMetricFamily(
            f"genre_{state}_info",
            f"The {state}; how it was made bad on purpose, if it was",
            labels=["version", "sabotage"],
        )
        for version in ModelVersion.objects.filter(state=state):
            family.add_metric([str(version.number), version.sabotage], 1)
        yield family


def _alerts() -> Iterator[Metric]:
    family = GaugeMetricFamily("genre_alerts_open", "1 for each open alert", labels=["severity", "key"])
    for alert in open_alerts():
        family.add_metric([alert.severity, alert.key], 1)
    yield family


def _of_versions(rows: list[dict[str, Any]]) -> Iterator[Metric]:
    labels = ["version", "role"]
    for key, name, says in OF_A_VERSION:
        families = _estimates(name, says, labels)
        for row in rows:
            _add_estimate(families, [str(row["number"]), row["role"]], row[key])
        yield from families.values()
    unknown = GaugeMetricFamily("genre_unknown_words_ratio", "Mean share of words unknown to the model", labels=labels)
    for row in rows:
        if row["unknown_words"] is not None:
            unknown.add_metric([str(row["number"]), row["role"]], row["unknown_words"])
    yield unknown


def _of_genres(rows: list[dict[str, Any]]) -> Iterator[Metric]:
    families = _estimates(
        "genre_audit_accuracy_by_genre", "Share right among visitors asked by chance, by genre", ["version", "genre"]
    )
    for row in rows:
        for cell in row["cells"]:
            _add_estimate(families, [str(cell["number"]), row["slug"]], cell["audit_accuracy"])
    yield from families.values()


def _estimates(name: str, says: str, labels: list[str]) -> dict[str, GaugeMetricFamily]:
    """Return the gauges of a figure and of both ends of its interval."""
    return {
        "value": GaugeMetricFamily(name, says, labels=labels),
        "low": GaugeMetricFamily(f"{name}_low", f"Lower end of the 95% interval of {name}", labels=labels),
        "high": GaugeMetricFamily(f"{name}_high", f"Upper end of the 95% interval of {name}", labels=labels),
    }


def _add_estimate(families: dict[str, GaugeMetricFamily], labels: list[str], estimate: dict[str, Any]) -> None:
    for end, family in families.items():
        if (value := estimate.get(end)) is not None:
            family.add_metric(labels, value)


def _drift(rows: list[dict[str, Any]]) -> Iterator[Metric]:
    labels = ["signal", "against"]
    psi = GaugeMetricFamily("genre_drift_psi", "Population stability index of recent traffic", labels=labels)
    found = GaugeMetricFamily("genre_drift_detected", "1 where it counts as drift, after correction", labels=labels)
    for row in rows:
        psi.add_metric([row["signal"], row["against"]], row["psi"])
        found.add_metric([row["signal"], row["against"]], float(row["is_drift"]))
    yield psi
    yield found


def _shadow(shadow: dict[str, Any] | None) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "genre_shadow_agreement_ratio", "Share of texts for which challenger and champion agree", labels=["version"]
    )
    accuracies = _estimates(
        "genre_shadow_accuracy", "Share that the challenger would have had right, by what people said", ["version"]
    )
    if shadow:
        labels = [str(shadow["number"])]
        if shadow["agreement"]["value"] is not None:
            family.add_metric(labels, shadow["agreement"]["value"])
        _add_estimate(accuracies, labels, shadow["challenger_accuracy"])
    yield family
    yield from accuracies.values()


# Sums over hours long past, which a scrape need not add up again, and what they were made from.
_settled: tuple[tuple[Any, ...], Totals] = ((), {})


def forget_settled() -> None:
    """Drop the sums kept between scrapes (tests)."""
    global _settled
    _settled = ((), {})


def _totals(now: datetime) -> Totals:
    """Return the counts of each version and role over all time.

    Hours before yesterday are added up once a day, and again when such hours were counted late: every time while the
    monitor is still catching up with them.
    """
    global _settled
    horizon = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    settled = TrafficHour.objects.filter(hour__lt=horizon)
    rows = settled.aggregate(count=Count("pk"), last=Max("counted_at"))
    fresh = _sums(TrafficHour.objects.filter(hour__gte=horizon))
    key = (horizon, rows["count"], rows["last"])
    if _settled[0] != key:
        _settled = (key, _sums(settled))
    return _add(_settled[1].items(), fresh.items())


def _sums(hours: QuerySet[TrafficHour]) -> Totals:
    numbers = dict(ModelVersion.objects.values_list("pk", "number"))
    rows = hours.order_by().values_list("version_id", "is_shadow", "profile").iterator()
    return _add(
        ((numbers[version_id], "shadow" if is_shadow else "shown"), Profile.from_json(profile))
        for version_id, is_shadow, profile in rows
    )


def _add(*parts: Iterable[tuple[tuple[int, str], Profile]]) -> Totals:
    totals: Totals = defaultdict(Profile)
    for part in parts:
        for key, profile in part:
            totals[key].merge(profile)
    return totals
