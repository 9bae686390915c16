"""A throttle and daily caps, against one visitor poisoning the training data or outvoting the others in the audit."""

from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from feedback.models import AuditCount, Correction

MINUTE, DAY = 60, 24 * 3600


class TooManyCorrections(Exception):
    """A visitor sent more corrections than allowed; ``retry_after`` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many corrections; wait {retry_after} s")
        self.retry_after = retry_after


class TooManyAnswers(Exception):
    """A visitor answered the audit as often as is counted in a day."""


def check_limits(visitor: str) -> None:
    """Raise when ``visitor`` reached a limit. Counted in the database, so it holds across workers.

    Raises
    ------
    TooManyCorrections
    """
    now = timezone.now()
    sent = Correction.objects.filter(visitor=visitor)
    limits = ((MINUTE, settings.GENRE_CORRECTIONS_PER_MINUTE), (DAY, settings.GENRE_CORRECTIONS_PER_DAY))
    for seconds, limit in limits:
        recent = sent.filter(created_at__gt=now - timedelta(seconds=seconds)).order_by("created_at")
        times = list(recent.values_list("created_at", flat=True))
        if len(times) >= limit:
            oldest = times[-limit] if limit else now
            wait = (oldest + timedelta(seconds=seconds) - now).total_seconds()
            raise TooManyCorrections(max(1, round(wait)))


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
