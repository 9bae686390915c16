"""What pages say of links to results, and of what a browser remembers."""

from datetime import datetime

from django import template
from django.conf import settings

from feedback.sharing import share_ends

register = template.Library()


@register.simple_tag
def link_ends() -> datetime | None:
    """Return until when a link made now would hold; None where no links are made."""
    return share_ends()


@register.simple_tag
def remembered_days() -> int:
    """Return for how many days a browser remembers what was sent from it; 0: not at all."""
    return int(settings.GENRE_REMEMBER_DAYS)
