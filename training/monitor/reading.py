"""What the monitor page shows: the stored figures, alerts and their history, put in order. Nothing is measured here."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from classifier.alerts import open_alerts
from classifier.charts.parts import Event
from classifier.models import Alert, ModelEvent, ModelVersion
from training.models import MonitorState
from training.monitor.drawing import PERIODS, POINT_NEEDS, draw, time_axis

# A monitor that was not heard of for so long, and for three of its own looks, has stopped.
STALE_AFTER = timedelta(minutes=10)
ALERTS_SHOWN = 20

State, Action = ModelVersion.State, ModelEvent.Action


def monitor_page(days: int, *, now: datetime | None = None) -> dict[str, Any]:
    """Return what the page needs: the latest figures, charts over the last ``days`` days, alerts and their history."""
    now = now or timezone.now()
    state = MonitorState.objects.first()
    figures = state.figures if state else None
    roles = {row.state: row for row in ModelVersion.objects.filter(state__in=[State.CHAMPION, State.CHALLENGER])}
    champion = roles.get(State.CHAMPION)
    axis = time_axis(now, days)
    promotions = ModelEvent.objects.filter(to_state=State.CHAMPION).select_related("version").defer("gate")
    last = promotions.first()
    changes = [_marker(event) for event in promotions.filter(at__gte=axis.edges[0])]
    return {
        "figures": figures,
        "watched_at": state.watched_at if state else None,
        "is_stale": is_stale(state, now=now),
        "stale_minutes": int(stale_after().total_seconds() / 60),
        "champion": champion,
        "champion_since": last.at if last else None,
        "challenger": roles.get(State.CHALLENGER),
        # Somebody promoted since the monitor last looked: the figures are the earlier champion's.
        "is_behind": figures is not None and figures["champion"] != (champion.number if champion else None),
        "alerts": open_alerts(),
        "history": Alert.objects.select_related("version")[:ALERTS_SHOWN],
        "days": days,
        "periods": list(PERIODS),
        "changes": changes,
        "point_needs": POINT_NEEDS,
        "charts": draw(axis, figures, changes),
    }


def stale_after() -> timedelta:
    """Return after how long without a look the monitor counts as stopped."""
    return max(STALE_AFTER, 3 * timedelta(seconds=settings.GENRE_MONITOR_SECONDS))


def is_stale(state: MonitorState | None, *, now: datetime) -> bool:
    """Return whether the monitor has not looked for a while, or never."""
    return state is None or state.watched_at is None or now - state.watched_at > stale_after()


def _marker(event: ModelEvent) -> Event:
    """Return the line that a change of champion draws through the charts."""
    version = event.version
    is_back = event.action == Action.ROLL_BACK
    label = f"back to v{version.number}" if is_back else f"v{version.number}"
    if version.sabotage:
        label += " (bad)"
    title = f"{timezone.localtime(event.at):%-d %b, %H:%M}: {version} {'brought back' if is_back else 'promoted'}"
    if event.forced:
        title += ", although the gate blocked it"
    return Event(event.at, label, title, is_bad=bool(version.sabotage))
