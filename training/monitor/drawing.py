"""Which charts the monitor page has: the hourly counts in buckets of time, and recent traffic beside what was before."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.utils import timezone

from classifier.charts import drawing as charts
from classifier.charts.parts import STYLES, TIMES, Axis, Chart, Event, Series
from classifier.models import ModelVersion
from training.core.profile import BOUNDS, Profile, merged
from training.models import TrafficHour

# Days on the time axis, and the hours a bucket spans: about thirty buckets each.
PERIODS = {1: 1, 7: 6, 30: 24}
DEFAULT_DAYS = 7
# A point of a line stands for at least so many texts.
POINT_NEEDS = 10
# Genres drawn in the genre mix; the page's table of genres names all.
MIX_GENRES = 12


@dataclass(frozen=True)
class Traffic:
    """What one version was asked and said in one role, bucket by bucket."""

    version: ModelVersion
    is_shadow: bool
    buckets: list[Profile]

    def series(self, value: Callable[[Profile], float | None]) -> Series:
        """Return ``value`` of each bucket. A version keeps its style across charts and periods."""
        style = STYLES[(self.version.number - 1) % len(STYLES)]
        values = [value(profile) for profile in self.buckets]
        if self.is_shadow:
            return Series(f"{self.version}, shadow", f"{style} shadow", values)
        return Series(str(self.version), style, values)


def time_axis(now: datetime, days: int) -> Axis:
    """Return the last ``days`` days in buckets of ``PERIODS[days]`` hours of local time; the last bucket holds ``now``."""
    hours = PERIODS[days]
    local = timezone.localtime(now)
    steps = [timedelta(hours=hours * step) for step in range(1 - days * 24 // hours, 2)]
    if hours == 1:
        # In absolute time, so that no hour is missing or double when the clocks change.
        full = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        edges = [timezone.localtime(full + step) for step in steps]
    else:
        start = local.replace(hour=local.hour // hours * hours, minute=0, second=0, microsecond=0, tzinfo=None)
        edges = [timezone.make_aware(start + step) for step in steps]
    day, clock = "%-d %b", "%H:%M"
    if hours == 24:
        names = [f"{edge:{day}}" for edge in edges[:-1]]
        ticks = [(edge, f"{edge:{day}}") for edge in edges[:-1:5]]
    else:
        names = [f"{low:{day}}, {low:{clock}} to {high:{clock}}" for low, high in pairwise(edges)]
        style, every = (clock, 4) if hours == 1 else (day, 24)
        ticks = [(edge, f"{edge:{style}}") for edge in edges[:-1] if edge.hour % every == 0]
    # Differences between times of one zone ignore its change of clocks; those of UTC don't.
    return Axis([edge.astimezone(UTC) for edge in edges], names, [(edge.astimezone(UTC), text) for edge, text in ticks])


def draw(axis: Axis, figures: dict[str, Any] | None, events: list[Event]) -> list[Chart]:
    """Return the page's charts."""
    return [*_over_time(axis, events), *(_recent_and_before(figures) if figures else ())]


def _over_time(axis: Axis, events: list[Event]) -> list[Chart]:
    traffic = _traffic(axis)
    shown = [one for one in traffic if not one.is_shadow]
    together = [merged(profiles) for profiles in zip(*(one.buckets for one in shown), strict=True)]
    together = together or [Profile() for _ in axis.names]
    points = f"A point stands for at least {POINT_NEEDS} texts."

    def line(key: str, title: str, value: Callable[[Profile], float | None], note: str, top: float) -> Chart:
        series = [one.series(value) for one in traffic]
        return charts.lines(key, title, axis=axis, events=events, series=series, top=top, note=f"{note} {points}")

    return [
        charts.stacked_bars(
            "requests",
            "Requests by version",
            axis=axis,
            events=events,
            series=[one.series(lambda profile: profile.n) for one in shown],
        ),
        line(
            "confidence",
            "Right, by the scores",
            _confidence,
            "The mean score of the first genre: how often the model itself expects to be right.",
            1.0,
        ),
        line("abstained", "Texts without an answer", _abstained, "The share of texts that got no genre.", 0.1),
        line(
            "unknown", "Unknown words", _unknown, "The mean share of a text's words that the model does not know.", 0.1
        ),
        charts.lines(
            "latency",
            "Time a prediction takes",
            axis=axis,
            events=events,
            series=[
                Series("half of the texts within", "typical", [_quantile(profile, 0.5) for profile in together]),
                Series("95 of 100 within", "slow", [_quantile(profile, 0.95) for profile in together]),
            ],
            unit=TIMES,
            note=f"Of the answers that visitors saw; read from a histogram and rounded up. {points}",
        ),
    ]


def _traffic(axis: Axis) -> list[Traffic]:
    """Return the hours on the axis, added up in its buckets, by version and role; the oldest version first."""
    buckets: dict[tuple[int, bool], list[Profile]] = defaultdict(lambda: [Profile() for _ in axis.names])
    hours = TrafficHour.objects.filter(hour__gte=axis.edges[0], hour__lt=axis.edges[-1]).order_by()
    for version_id, is_shadow, hour, profile in hours.values_list("version_id", "is_shadow", "hour", "profile"):
        at = bisect_right(axis.edges, hour) - 1
        buckets[version_id, is_shadow][at].merge(Profile.from_json(profile))
    versions = ModelVersion.objects.only("number", "meta").in_bulk([version_id for version_id, _ in buckets])
    found = [Traffic(versions[version_id], is_shadow, its) for (version_id, is_shadow), its in buckets.items()]
    return sorted(found, key=lambda one: (one.version.number, one.is_shadow))


def _recent_and_before(figures: dict[str, Any]) -> list[Chart]:
    genres = figures["genres"][:MIX_GENRES]
    note = "Recent: the last 24 hours, at most since the champion was promoted. Before: the week before that."
    return [
        charts.histogram(
            "scores",
            "Score of the first genre",
            bounds=[f"{bound:.0%}" for bound in (0, *BOUNDS["confidence"], 1)],
            series=[
                Series("recent", "recent", _shares(figures["recent"]["confidence"])),
                Series("before", "before", _shares(figures["baseline"]["confidence"])),
            ],
            note=note,
        ),
        charts.paired_rows(
            "genres",
            "Genres answered",
            names=[genre["name"] for genre in genres],
            series=[
                Series("recent", "recent", [genre["share"] for genre in genres]),
                Series("before", "before", [genre["baseline_share"] for genre in genres]),
            ],
            note=note,
        ),
    ]


def _confidence(profile: Profile) -> float | None:
    return profile.sums["confidence"] / profile.n_answered if profile.n_answered >= POINT_NEEDS else None


def _abstained(profile: Profile) -> float | None:
    return sum(profile.abstained.values()) / profile.n if profile.n >= POINT_NEEDS else None


def _unknown(profile: Profile) -> float | None:
    return profile.middle("unknown") if profile.n_answered >= POINT_NEEDS else None


def _shares(counts: list[int]) -> list[float | None]:
    total = sum(counts)
    return [count / total if total >= POINT_NEEDS else None for count in counts]


def _quantile(profile: Profile, share: float) -> float | None:
    return profile.quantile("milliseconds", share) if profile.n >= POINT_NEEDS else None
