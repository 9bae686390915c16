"""The only writer of shared results: make a link, end it, forget who made it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classifier.answers import answer_of
from classifier.predictions import Shown, text_hashes
from feedback.actions import ActionRefused
from feedback.limits import check_share_limits
from feedback.models import SharedResult

CHANGED = _("The text was changed after the genres were shown. Show its genres again, then make the link.")
OFF = _("No links are made on this site.")
NOTHING = _("There is nothing to share: no genre was shown.")


def share_ends(at: datetime | None = None) -> datetime | None:
    """Return until when a link made now (or ``at``) would hold; None where the operator wants no links."""
    days = settings.GENRE_SHARE_DAYS
    return (at or timezone.now()) + timedelta(days=days) if days else None


def share_result(*, shown: Shown, text: str, visitor: str) -> SharedResult:
    """Store what was shown of a text, with the text. Sharing the same result again returns the first link.

    Raises
    ------
    ActionRefused
        When links are switched off, no genre was shown, or the text is not the one that was read.
    TooManyLinks
        When the visitor made too many.
    """
    now = timezone.now()
    expires_at = share_ends(now)
    if expires_at is None:
        raise ActionRefused(OFF)
    if not shown.genres:
        raise ActionRefused(NOTHING)
    if shown.text_hash not in text_hashes(text):
        raise ActionRefused(CHANGED)
    try:
        with transaction.atomic():
            earlier = SharedResult.objects.filter(prediction_uid=shown.uid)
            if (live := earlier.live(now).first()) is not None:
                return live
            # One that is over keeps its own link, which says so.
            earlier.update(prediction_uid=None)
            check_share_limits(visitor)
            return SharedResult.objects.create(
                prediction_uid=shown.uid,
                version_id=shown.version_id,
                answer=answer_of(shown),
                text=text,
                visitor=visitor,
                created_at=now,
                expires_at=expires_at,
            )
    except IntegrityError:
        # Two clicks at once: the other one was stored.
        return SharedResult.objects.get(prediction_uid=shown.uid)


@transaction.atomic
def end_shares(*, shares: Iterable[int], by: str = "") -> int:
    """Erase text and genres of shared results (by primary key) and return how many. Safe to repeat.

    ``by`` is who of the staff did it; '' is the author.
    """
    rows = list(SharedResult.objects.select_for_update().filter(pk__in=list(shares), ended_at=None))
    for share in rows:
        share.text, share.answer, share.prediction_uid = "", {}, None
        share.ended_at, share.ended_by = timezone.now(), by
        share.save(update_fields=["text", "answer", "prediction_uid", "ended_at", "ended_by"])
    return len(rows)


def forget_sharers(*, shares: Iterable[int]) -> int:
    """Erase the hash that names the visitor of shared results (by primary key), and return how many had one."""
    return SharedResult.objects.filter(pk__in=list(shares)).exclude(visitor="").update(visitor="")
