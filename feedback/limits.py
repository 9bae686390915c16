"""Throttles and daily caps.

Against one visitor poisoning the training data, outvoting the others in the audit or filling the site with links.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from feedback.models import AuditCount, Correction, SharedResult

MINUTE, DAY = 60, 24 * 3600


class TooMany(Exception):
    """A visitor sent more than allowed; ``retry_after`` is in seconds."""

    what = ""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many {self.what}; wait {retry_after} s")
        self.retry_after = retry_after


class TooManyCorrections(TooMany):
    """More corrections than allowed."""

    what = "corrections"


class TooManyLinks(TooMany):
    """More links to results than allowed."""

    what = "links"


class TooManyAnswers(Exception):
    """A visitor answered the audit as often as is counted in a day."""


def check_limits(visitor: str) -> None:
    """Raise when ``visitor`` sent as many corrections as are taken.

    Raises
    ------
    TooManyCorrections
    """
    sent = Correction.objects.filter(visitor=visitor)
    per_minute, per_day = settings.GENRE_CORRECTIONS_PER_MINUTE, settings.GENRE_CORRECTIONS_PER_DAY
    _check(sent, per_minute, per_day, TooManyCorrections)


def check_share_limits(visitor: str) -> None:
    """Raise when ``visitor`` made as many links as may be made; deleted ones count too.

    Raises
    ------
    TooManyLinks
    """
    made = SharedResult.objects.filter(visitor=visitor)
    _check(made, settings.GENRE_SHARES_PER_MINUTE, settings.GENRE_SHARES_PER_DAY, TooManyLinks)


def _check(sent: QuerySet[Any], per_minute: int, per_day: int, refusal: type[TooMany]) -> None:
    """Count in the database, so that it holds across workers."""
    now = timezone.now()
    for seconds, limit in ((MINUTE, per_minute), (DAY, per_day)):
        recent = sent.filter(created_at__gt=now - timedelta(seconds=seconds)).order_by("created_at")
        times = list(recent.values_list("created_at", flat=True))
        if len(times) >= limit:
            oldest = times[-limit] if limit else now
            wait = (oldest + timedelta(seconds=seconds) - now).total_seconds()
            raise refusal(max(1, round(wait)))


def count_audit_answer(visitor: str) -> None:
    """Count one more answer of ``visitor`` to the audit; yesterday's counts are erased. Holds across workers.

    Raises
    ------
    TooManyAnswers
        When the visitor reached the day's limit.
    """
    today = timezone.now().date()
    AuditCount.objects.filter(day__lt=today).delete()
    AuditCount.objects.get_or_create(visitor=visitor, defaults={"day": today})
    room = AuditCount.objects.filter(visitor=visitor, n__lt=settings.GENRE_AUDIT_ANSWERS_PER_DAY)
    if not room.update(n=F("n") + 1):
        raise TooManyAnswers
