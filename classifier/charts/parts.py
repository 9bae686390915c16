"""The parts of a chart: what goes into it, what a template draws of it, and how its values are written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# The box of a drawing over time, and the room around its plot.
WIDTH, HEIGHT = 440, 236
LEFT, RIGHT, TOP, BOTTOM = 48, 18, 54, 28
# Categories of horizontal bars: room for their names, and for a pair of bars with its gap.
NAMES, ROW = 184, 36
# Version markers write their names in this many lines above the plot; a letter is about so wide.
MARKER_LINES, MARKER_LINE, LETTER = 3, 15, 7.5
# Styles of versions; the style sheet and the patterns know as many.
STYLES = ("s0", "s1", "s2", "s3", "s4", "s5")
# Points differ in shape as well as in colour. Drawn around (0, 0).
CIRCLE = "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z"
SQUARE = "m-2.8-2.8h5.6v5.6h-5.6z"
SHAPES = {
    "s0": CIRCLE,
    "s1": SQUARE,
    "s2": "m0-3.6l3.6 6.2h-7.2z",
    "s3": "m0-3.9l3.9 3.9l-3.9 3.9l-3.9-3.9z",
    "s4": "m0 3.6l3.6-6.2h-7.2z",
    "s5": "m-3.4-1h2.4v-2.4h2v2.4h2.4v2h-2.4v2.4h-2v-2.4h-2.4z",
    "typical": CIRCLE,
    "slow": SQUARE,
}
NOTHING = "–"


@dataclass(frozen=True)
class Series:
    """One line, or one kind of bar: a value for each place on the axis, None where there is none."""

    name: str
    style: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Event:
    """Something that happened at a moment: a vertical line with a short label."""

    at: datetime
    label: str
    title: str
    is_bad: bool = False


@dataclass(frozen=True)
class Axis:
    """Time in buckets, or a text in passages.

    Attributes
    ----------
    edges : sequence of datetime, or of numbers
        Where buckets begin, and where the last one ends: one more than there are buckets.
    names : sequence of str
        What a bucket is called in a table.
    ticks : sequence of (datetime or number, str)
        What is written under the axis.
    """

    edges: Sequence[Any]
    names: Sequence[str]
    ticks: Sequence[tuple[Any, str]]

    def x(self, moment: Any) -> float:
        """Return where ``moment`` is, in user units."""
        first, last = self.edges[0], self.edges[-1]
        return float(LEFT + (moment - first) / (last - first) * (WIDTH - LEFT - RIGHT))

    def has(self, moment: Any) -> bool:
        """Return whether ``moment`` is on the axis."""
        return bool(self.edges[0] <= moment <= self.edges[-1])


@dataclass(frozen=True)
class Shape:
    """A bar, or a point of a line: an SVG path, and what it stands for."""

    d: str
    style: str
    title: str


@dataclass(frozen=True)
class Line:
    """A line of a series; it breaks where there is no value."""

    d: str
    style: str


@dataclass(frozen=True)
class Label:
    """A word at a place, a line through the plot with it."""

    at: str
    text: str
    y: str = ""
    anchor: str = "middle"
    title: str = ""
    is_bad: bool = False


@dataclass(frozen=True)
class Key:
    """One entry of a legend."""

    name: str
    style: str
    shape: str


@dataclass(frozen=True)
class Link:
    """A part of the plot that leads somewhere: an SVG path, the address, and what it says."""

    d: str
    href: str
    title: str


@dataclass(frozen=True)
class Chart:
    """What a template needs to draw one chart and write its table."""

    key: str
    kind: str
    title: str
    desc: str
    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    legend: Sequence[Key]
    shapes: Sequence[Shape] = ()
    lines: Sequence[Line] = ()
    x_labels: Sequence[Label] = ()
    y_labels: Sequence[Label] = ()
    markers: Sequence[Label] = ()
    # One for each bucket, or none at all.
    links: Sequence[Link] = ()
    note: str = ""
    # The lines above the plot that no marker needs are cut off.
    cut: int = 0
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM

    @property
    def shown_height(self) -> int:
        """Height of what is drawn."""
        return self.height - self.cut

    @property
    def linked_rows(self) -> list[tuple[str, Sequence[str], str]]:
        """The rows of the table, each with the address its name leads to; '' for none."""
        hrefs = [link.href for link in self.links] or [""] * len(self.rows)
        return [(name, cells, href) for (name, cells), href in zip(self.rows, hrefs, strict=True)]

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to draw."""
        return not self.shapes


def whole(value: float) -> str:
    """Return a count as people write it."""
    return f"{value:,.0f}"


def percent(value: float) -> str:
    """Return a share as a percentage; a small one keeps a decimal."""
    return f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"


def milliseconds(value: float) -> str:
    """Return a time in milliseconds."""
    return f"{value:.3g} ms" if value < 1000 else f"{value:,.0f} ms"


@dataclass(frozen=True)
class Unit:
    """How values are written in a table, and the rounder ones at an axis."""

    write: Callable[[float], str]
    tick: Callable[[float], str]


COUNTS = Unit(whole, whole)
SHARES = Unit(percent, lambda share: f"{100 * share:g}%")
TIMES = Unit(milliseconds, milliseconds)
