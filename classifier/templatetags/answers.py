"""What was answered, for the pages: genres in the reader's language; a result as JSON and as text, to be copied."""

from django import template

from classifier.answers import answer_of, as_json, as_text
from classifier.predictions import Shown
from classifier.wording import genre_words

register = template.Library()
register.filter(genre_words)


@register.filter
def shown_as_json(shown: Shown) -> str:
    """Return what was shown in the API's shape."""
    return as_json(answer_of(shown))


@register.filter
def shown_as_text(shown: Shown) -> str:
    """Return what was shown in lines."""
    return as_text(answer_of(shown))
