"""The monitor's figures in words. What there is too little data for is said so, never written as a number."""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join

from classifier.charts.parts import NOTHING
from classifier.charts.parts import milliseconds as in_milliseconds
from classifier.charts.parts import percent as in_percent

register = template.Library()

SIGNALS = {
    "genres": "Genres answered",
    "confidence": "Confidence",
    "abstained": "Texts without an answer",
    "unknown": "Unknown words",
    "words": "Words in a text",
    "characters": "Characters in a text",
    "language": "Language",
}
AGAINST = {"baseline": "the days before", "reference": "the texts it was tested on"}
ROLES = {"shown": "shown to visitors", "shadow": "shadow: seen by nobody"}


@register.filter
def estimate(figure: dict[str, Any] | None) -> str:
    """Return an estimate with its interval, or how much data is there and how much it takes."""
    if figure is None:
        return NOTHING
    if figure.get("value") is None:
        return f"Not enough data yet ({figure['n']:,} of {figure['needs']:,})"
    return f"{in_percent(figure['value'])} ({in_percent(figure['low'])} to {in_percent(figure['high'])})"


@register.filter
def percent(share: float | None) -> str:
    """Return a share as a percentage; a dash for none."""
    return NOTHING if share is None else in_percent(share)


@register.filter
def milliseconds(time: float | None) -> str:
    """Return a time; a dash for none."""
    return NOTHING if time is None else in_milliseconds(time)


@register.filter
def whole(count: int) -> str:
    """Return a count as people write it."""
    return f"{count:,}"


@register.filter
def chance(p: float) -> str:
    """Return a probability; a tiny one as such."""
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


@register.filter
def commands(text: str) -> str:
    """Return a text with what stands between backticks marked as code."""
    parts = text.split("`")
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if at % 2 else part,) for at, part in enumerate(parts))
    )


@register.filter
def signal(name: str) -> str:
    """Return a drift signal in words."""
    return SIGNALS.get(name, name)


@register.filter
def against(name: str) -> str:
    """Return in words what recent traffic was held against."""
    return AGAINST.get(name, name)


@register.filter
def role(name: str) -> str:
    """Return a role in words."""
    return ROLES.get(name, name)


@register.filter
def words(slug: str) -> str:
    """Return a machine's name with spaces."""
    return slug.replace("-", " ")
