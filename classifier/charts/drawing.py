"""Charts: from numbers to coordinates. Pure; templates draw them, the style sheet colours them.

A chart is drawn in a box of ``WIDTH`` by ``HEIGHT`` user units. Coordinates are ready-made texts, because a template
formats some thousands of them a page. Every chart carries its numbers as a table, too.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from classifier.charts.parts import (
    BOTTOM,
    COUNTS,
    HEIGHT,
    LEFT,
    LETTER,
    MARKER_LINE,
    MARKER_LINES,
    NAMES,
    NOTHING,
    RIGHT,
    ROW,
    SHAPES,
    SHARES,
    TOP,
    WIDTH,
    Axis,
    Chart,
    Event,
    Key,
    Label,
    Line,
    Link,
    Series,
    Shape,
    Unit,
)


def stacked_bars(key: str, title: str, *, axis: Axis, series: Sequence[Series], events: Sequence[Event] = ()) -> Chart:
    """Return counts over time, one bar a bucket, the series on top of each other."""
    totals = [sum(one.values[at] or 0 for one in series) for at in range(len(axis.names))]
    steps = _steps(max(totals, default=0), whole=True)
    shapes = []
    for at, name in enumerate(axis.names):
        left, right = axis.x(axis.edges[at]), axis.x(axis.edges[at + 1])
        below = 0.0
        for one in series:
            value = one.values[at] or 0
            if value:
                low, high = _y(below, steps), _y(below + value, steps)
                bar = _rectangle(left + 0.75, high, right - left - 1.5, low - high)
                shapes.append(Shape(bar, one.style, f"{name}, {one.name}: {COUNTS.write(value)}"))
            below += value
    most = max(range(len(totals)), key=lambda at: totals[at], default=0)
    desc = f"{COUNTS.write(sum(totals))} in all"
    if any(totals):
        desc += f"; most, {COUNTS.write(totals[most])}, {axis.names[most]}"
    return Chart(
        key=key,
        kind="bars",
        title=title,
        desc=f"{desc}.",
        legend=_legend(series),
        shapes=shapes,
        **_time(axis, series, steps, events, COUNTS),
    )


def lines(
    key: str,
    title: str,
    *,
    axis: Axis,
    series: Sequence[Series],
    events: Sequence[Event] = (),
    unit: Unit = SHARES,
    top: float = 0.0,
    note: str = "",
    hrefs: Sequence[str] = (),
) -> Chart:
    """Return values over time, a line a series; ``top`` is what the vertical axis reaches at least.

    With ``hrefs``, one for each bucket, the part of the plot that is a bucket's leads there.
    """
    known = [value for one in series for value in one.values if value is not None]
    steps = _steps(max([*known, top]))
    shapes, paths = [], []
    middles = [axis.x(start + (end - start) / 2) for start, end in pairwise(axis.edges)]
    for one in series:
        places = [
            None if value is None else (round(x, 1), round(_y(value, steps), 1))
            for x, value in zip(middles, one.values, strict=True)
        ]
        paths.append(Line(_path(places), one.style))
        shapes += [
            Shape(
                f"M{place[0]} {place[1]}{SHAPES[_first(one.style)]}",
                one.style,
                f"{name}, {one.name}: {unit.write(value)}",
            )
            for place, value, name in zip(places, one.values, axis.names, strict=True)
            if place is not None and value is not None
        ]
    spans = [_span(one, unit) for one in series]
    return Chart(
        key=key,
        kind="lines",
        title=title,
        desc=" ".join(span for span in spans if span) or _("No value."),
        note=note,
        legend=_legend(series),
        shapes=shapes,
        lines=paths,
        links=_links(axis, series, unit, hrefs) if hrefs else (),
        **_time(axis, series, steps, events, unit),
    )


def paired_rows(key: str, title: str, *, names: Sequence[str], series: Sequence[Series], note: str = "") -> Chart:
    """Return shares of categories as horizontal bars, the series of a category beside each other."""
    known = [value for one in series for value in one.values if value is not None]
    steps = _steps(max(known, default=0.0), room=3)
    right, top = WIDTH - 52, 22
    thick = (ROW - 8) / max(len(series), 1)
    shapes, values = [], []
    for at, name in enumerate(names):
        for rank, one in enumerate(series):
            value = one.values[at]
            if value is None:
                continue
            y = top + at * ROW + 4 + rank * thick
            length = value / steps[-1] * (right - NAMES)
            shapes.append(
                Shape(_rectangle(NAMES, y, length, thick - 1), one.style, f"{name}, {one.name}: {SHARES.write(value)}")
            )
            values.append(
                Label(f"{NAMES + length + 5:.1f}", SHARES.write(value), y=f"{y + thick - 1.5:.1f}", anchor="start")
            )
    labels = [
        Label(f"{NAMES - 8}", name, y=f"{top + at * ROW + ROW / 2 + 4:.1f}", anchor="end")
        for at, name in enumerate(names)
    ]
    grid = [
        Label(f"{NAMES + step / steps[-1] * (right - NAMES):.1f}", SHARES.tick(step), y=f"{top - 8}") for step in steps
    ]
    return Chart(
        key=key,
        kind="rows",
        title=title,
        note=note,
        shapes=shapes,
        **_shares(names, series),
        x_labels=grid,
        y_labels=labels,
        markers=values,
        height=top + len(names) * ROW + 6,
        left=NAMES,
        right=right,
        top=top,
        bottom=top + len(names) * ROW,
    )


def histogram(key: str, title: str, *, bounds: Sequence[str], series: Sequence[Series], note: str = "") -> Chart:
    """Return shares of bins as upright bars, the series of a bin beside each other.

    ``bounds`` are the texts at the bins' edges, one more than there are bins.
    """
    known = [value for one in series for value in one.values if value is not None]
    steps = _steps(max(known, default=0.0))
    names = [f"{low} to {high}" for low, high in pairwise(bounds)]
    broad = (WIDTH - LEFT - RIGHT) / max(len(names), 1)
    thick = (broad - 6) / max(len(series), 1)
    top = 16
    shapes = []
    for at, name in enumerate(names):
        for rank, one in enumerate(series):
            value = one.values[at]
            if value:
                y = _y(value, steps, top=top)
                bar = _rectangle(LEFT + at * broad + 3 + rank * thick, y, thick - 1, HEIGHT - BOTTOM - y)
                shapes.append(Shape(bar, one.style, f"{name}, {one.name}: {SHARES.write(value)}"))
    return Chart(
        key=key,
        kind="bars",
        title=title,
        note=note,
        shapes=shapes,
        **_shares(names, series),
        x_labels=[Label(f"{LEFT + at * broad:.1f}", bound) for at, bound in enumerate(bounds)],
        y_labels=_y_labels(steps, SHARES, top=top),
        top=top,
    )


def _shares(names: Sequence[str], series: Sequence[Series]) -> dict[str, Any]:
    """Return what all charts of categories share: words, legend and the table."""
    return {
        "desc": _differences(names, series),
        "head": [one.name for one in series],
        "rows": _table(names, series, SHARES),
        "legend": _legend(series),
    }


def _time(
    axis: Axis,
    series: Sequence[Series],
    steps: Sequence[float],
    events: Sequence[Event],
    unit: Unit,
) -> dict[str, Any]:
    """Return what all charts over time share: axes, markers and the table."""
    markers, lines_used = _markers(axis, events)
    return {
        "head": [one.name for one in series],
        "rows": _table(axis.names, series, unit),
        "x_labels": [Label(f"{axis.x(moment):.1f}", text) for moment, text in axis.ticks],
        "y_labels": _y_labels(steps, unit),
        "markers": markers,
        "cut": (MARKER_LINES - max(lines_used, 1)) * MARKER_LINE,
    }


def _links(axis: Axis, series: Sequence[Series], unit: Unit, hrefs: Sequence[str]) -> list[Link]:
    """Return each bucket's part of the plot as a link that says the bucket's name and values."""
    links = []
    for at, (href, (start, end)) in enumerate(zip(hrefs, pairwise(axis.edges), strict=True)):
        left, right = axis.x(start), axis.x(end)
        said = [f"{one.name} {unit.write(value)}" for one in series if (value := one.values[at]) is not None]
        band = _rectangle(left, TOP, right - left, HEIGHT - BOTTOM - TOP)
        links.append(Link(band, href, f"{axis.names[at]}: {', '.join(said) or NOTHING}"))
    return links


def _markers(axis: Axis, events: Sequence[Event]) -> tuple[list[Label], int]:
    """Place the events' labels above the plot so that none covers another; return them and how many lines they take.

    Where there is no room a label is left out; the event's line still has its title.
    """
    ends = [float("-inf")] * MARKER_LINES
    markers = []
    for event in sorted(events, key=lambda event: event.at):
        if not axis.has(event.at):
            continue
        x, wide = axis.x(event.at), len(event.label) * LETTER + 4
        is_left = x + wide > WIDTH
        start = x - wide if is_left else x
        line = next((line for line, end in enumerate(ends) if end <= start), None)
        if line is not None:
            ends[line] = start + wide + 4
        markers.append(
            Label(
                f"{x:.1f}",
                "" if line is None else event.label,
                y=f"{TOP - 6 - (line or 0) * MARKER_LINE}",
                anchor="end" if is_left else "start",
                title=event.title,
                is_bad=event.is_bad,
            )
        )
    return markers, sum(end > 0 for end in ends)


def _steps(top: float, *, whole: bool = False, room: int = 4) -> list[float]:
    """Return the values at which an axis from 0 is labelled; the last is at least ``top``.

    Steps are 1, 2 or 5 times a power of ten; for counts at least 1.
    """
    # Nothing here is finer than a millionth.
    if top < 1e-6:
        top = 1.0
    rough = top / room
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    if whole:
        step = max(step, 1.0)
    count = math.ceil(top / step - 1e-9)
    return [round(step * number, 10) for number in range(count + 1)]


def _y(value: float, steps: Sequence[float], *, top: float = TOP) -> float:
    return HEIGHT - BOTTOM - value / steps[-1] * (HEIGHT - BOTTOM - top)


def _y_labels(steps: Sequence[float], unit: Unit, *, top: float = TOP) -> list[Label]:
    return [Label(f"{_y(step, steps, top=top):.1f}", unit.tick(step)) for step in steps]


def _rectangle(x: float, y: float, width: float, height: float) -> str:
    # A sliver is still seen.
    width, height = max(width, 0.6), max(height, 0.6)
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"


def _path(places: Sequence[tuple[float, float] | None]) -> str:
    words, is_drawing = [], False
    for place in places:
        if place is not None:
            words.append(f"{'L' if is_drawing else 'M'}{place[0]} {place[1]}")
        is_drawing = place is not None
    return "".join(words)


def _table(names: Sequence[str], series: Sequence[Series], unit: Unit) -> list[tuple[str, Sequence[str]]]:
    columns = [[NOTHING if value is None else unit.write(value) for value in one.values] for one in series]
    return [(name, [column[at] for column in columns]) for at, name in enumerate(names)]


def _legend(series: Sequence[Series]) -> list[Key]:
    return [Key(one.name, one.style, SHAPES.get(_first(one.style), "")) for one in series]


def _first(style: str) -> str:
    """Return what a style is called, without what it adds ("s1 shadow")."""
    return style.split()[0]


def _span(one: Series, unit: Unit) -> str:
    known = [value for value in one.values if value is not None]
    if not known:
        return ""
    figures = {"low": unit.write(min(known)), "high": unit.write(max(known)), "last": unit.write(known[-1])}
    return _("%(name)s: between %(low)s and %(high)s, last %(last)s.") % {"name": one.name, **figures}


def _differences(names: Sequence[str], series: Sequence[Series]) -> str:
    """Return the largest value of each series in words."""
    said = []
    for one in series:
        known = [(value, name) for value, name in zip(one.values, names, strict=True) if value is not None]
        if known:
            value, name = max(known)
            said.append(f"{one.name}: most in {name}, {SHARES.write(value)}.")
    return " ".join(said) or "No value."
