"""The drill as one HTML page: what happened, with charts, for people to read."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from classifier.charts.drawing import lines
from classifier.charts.parts import Axis, Chart, Event, Series
from classifier.core.files import replacing
from training.core.sabotage import KINDS
from training.drill import ALERT_WITHIN, REQUESTS_A_LOOK, Act, Drill, Look

PHASES = {
    "good": "the good model",
    "shadow": "as challenger",
    "bad": "in service",
    "recovered": "rolled back",
}
TICKS = 6


def write_report(story: Drill, path: Path) -> None:
    """Write the page to ``path``, whole or not at all."""
    style = (Path(settings.BASE_DIR) / "static" / "css" / "site.css").read_text(encoding="utf-8")
    context = {
        "story": story,
        "style": style,
        "opening": _chart("opening", "Before: the good model", story.looks),
        "acts": [_act(act) for act in story.acts],
        "n_blocked": sum(not report.passed for report in story.honest),
        "alert_within": ALERT_WITHIN,
        "requests_a_look": REQUESTS_A_LOOK,
        "written": timezone.localtime(),
    }
    with replacing(path) as file, translation.override("en"):
        file.write(render_to_string("training/drill.html", context))


def _act(act: Act) -> dict[str, Any]:
    what = KINDS[act.kind].what
    return {
        "act": act,
        "what": what[0].upper() + what[1:],
        "chart": _chart(act.kind, "Figures after each look of the monitor", act.looks),
    }


def _chart(key: str, title: str, looks: list[Look]) -> Chart | None:
    looks = [look for look in looks if look.n]
    if not looks:
        return None
    hour = timedelta(hours=1)
    edges = [looks[0].at - hour, *(look.at for look in looks)]
    names = [f"{number * REQUESTS_A_LOOK:,}" for number in range(1, len(looks) + 1)]
    every = max(1, len(looks) // TICKS)
    ticks = [
        (look.at, name) for number, (look, name) in enumerate(zip(looks, names, strict=True), 1) if not number % every
    ]
    return lines(
        key,
        title,
        axis=Axis(edges=edges, names=names, ticks=ticks),
        series=[
            Series("right in truth", "s0", [look.right for look in looks]),
            Series("expected from the scores", "s1", [look.expected for look in looks]),
            Series("asked of visitors (audit)", "s2", [look.audit for look in looks]),
            Series("reported as wrong", "s3", [look.reported_wrong for look in looks]),
        ],
        events=[*_phases(looks), *_alerts(looks)],
        top=1.0,
        note="Along the axis: requests. The truth is known because the traffic is simulated; the monitor sees the rest.",
    )


def _phases(looks: list[Look]) -> list[Event]:
    events: list[Event] = []
    last = ""
    for look in looks:
        if look.phase != last:
            start = look.at - timedelta(hours=1)
            events.append(Event(start, PHASES[look.phase], f"version {look.version}, {PHASES[look.phase]}"))
            last = look.phase
    return events[1:]


def _alerts(looks: list[Look]) -> list[Event]:
    events, seen = [], set[tuple[str, str]]()
    for look in looks:
        new = [key for key in look.alerts if (look.phase, key) not in seen]
        seen |= {(look.phase, key) for key in new}
        if new:
            events.append(Event(look.at, "alert", f"alert: {', '.join(new)}", is_bad=True))
    return events
