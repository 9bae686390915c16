"""A result as JSON and as text, for pages that offer it to be copied."""

from django import template

from classifier.answers import answer_of, as_json, as_text
from classifier.predictions import Shown

register = template.Library()


@register.filter
def shown_as_json(shown: Shown) -> str:
    """Return what was shown in the API's shape."""
    return as_json(answer_of(shown))


@register.filter
def shown_as_text(shown: Shown) -> str:
    """Return what was shown in lines."""
    return as_text(answer_of(shown))
