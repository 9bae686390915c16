"""Answers, skips, settlements and undos: what reviewers do with cards. Corrections are changed through ``feedback.actions``."""

import random
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from classifier.models import Genre
from feedback.actions import ActionRefused, decide_correction, relabel, restore_correction, state_of
from feedback.models import Correction, Opinion, Suspect
from feedback.review.queue import CORRECTIONS, FIELD, release, take

REVIEW = "feedback.change_correction"
SETTLE = "feedback.settle_opinion"
_BACKEND = "django.contrib.auth.backends.ModelBackend"
AGREED = "two reviewers agree"
NONE_FITS = "no genre of the list fits"
UNUSABLE = "not usable for training"


@dataclass(frozen=True)
class Said:
    """What a reviewer says of a card: genres, or that none fits, or that the text is of no use."""

    genres: tuple[str, ...] = ()
    none_fits: bool = False
    unusable: bool = False

    @property
    def verdict(self) -> str:
        """Return the kind of answer.

        Raises
        ------
        ActionRefused
            When nothing is ticked, or what contradicts itself.
        """
        ticked = [bool(self.genres), self.none_fits, self.unusable]
        if sum(ticked) > 1:
            raise ActionRefused(
                _("Tick genres, or “none fits”, or “not usable”: one of the three. Nothing was saved yet.")
            )
        if not any(ticked):
            raise ActionRefused(_("Nothing is ticked yet. Tick genres, “none fits” or “not usable”, then save."))
        kinds = (Opinion.Verdict.GENRES, Opinion.Verdict.NONE, Opinion.Verdict.UNUSABLE)
        return next(kind for kind, is_ticked in zip(kinds, ticked, strict=True) if is_ticked)


def answer(*, queue: str, card: int, uid: uuid.UUID, said: Said, by: User) -> Opinion:
    """Store what a reviewer says of a card (by primary key). Sent again under the same ``uid``, it is stored once.

    A claim that ran out meanwhile does no harm: whoever else answered, the later answer counts as the second opinion.

    Raises
    ------
    ActionRefused
        When the answer contradicts itself, or the card needs none any more.
    """
    verdict = said.verdict
    slugs = _known(said.genres)
    store = _answer_correction if queue == CORRECTIONS else _answer_suspect
    try:
        with transaction.atomic():
            earlier: Opinion | None = Opinion.objects.filter(uid=uid, reviewer=by).first()
            if earlier is not None:
                return earlier
            opinion = store(card, uid, verdict, slugs, by)
            release(queue, uid, by)
            return opinion
    except IntegrityError:
        # Sent twice at once: the other one was stored.
        return Opinion.objects.get(uid=uid)


def _known(slugs: Sequence[str]) -> list[str]:
    known = set(Genre.objects.filter(slug__in=slugs).values_list("slug", flat=True))
    unknown = [slug for slug in slugs if slug not in known]
    if unknown:
        raise ActionRefused(
            _("There is no genre “%(slug)s” any more. The others are still ticked.") % {"slug": unknown[0]}
        )
    return sorted(known)


def _answer_correction(card: int, uid: uuid.UUID, verdict: str, slugs: list[str], by: User) -> Opinion:
    correction = _open_correction(card)
    given = list(correction.opinions.in_force())
    if any(opinion.reviewer_id == by.pk for opinion in given):
        raise ActionRefused(_("You answered this one already. Your first answer stays; undo it to give another."))
    if len(given) > 1:
        raise ActionRefused(_("Two others answered this one meanwhile. Your answer is not needed any more."))
    opinion = _opinion(by, uid=uid, correction=correction, kind=Opinion.Kind.ANSWER, verdict=verdict, genres=slugs)
    if given:
        outcome = AGREED if given[0].label == opinion.label else None
    else:
        opinion.wants_second = _is_drawn(by)
        outcome = None if opinion.wants_second else ""
    if outcome is not None:
        _apply(opinion, by, outcome)
    opinion.save()
    return opinion


def _open_correction(key: int) -> Correction:
    correction = Correction.objects.select_for_update().filter(pk=key).first()
    if correction is None or correction.is_erased:
        raise ActionRefused(_("Its author took this one back, or it was deleted. Nothing is left to decide on."))
    if correction.status != Correction.Status.PENDING:
        raise ActionRefused(_("Somebody else decided on this one meanwhile. Your answer is not needed any more."))
    return correction


def _is_drawn(by: User) -> bool:
    """Return whether a second opinion is wanted. Where nobody else reviews, the card would wait for ever."""
    if random.random() >= settings.GENRE_REVIEW_SECOND_SHARE:
        return False
    return get_user_model().objects.with_perm(REVIEW, backend=_BACKEND).exclude(pk=by.pk).exists()


def _apply(opinion: Opinion, by: User, reason: str) -> None:
    """Give the correction what an opinion says as its outcome."""
    correction = opinion.correction
    assert correction is not None
    opinion.before = state_of(correction)
    is_none = opinion.verdict == Opinion.Verdict.NONE
    approved = opinion.verdict == Opinion.Verdict.GENRES or (is_none and correction.verdict == Correction.Verdict.NONE)
    why = "" if approved else NONE_FITS if is_none else UNUSABLE
    decide_correction(
        correction=correction.pk,
        status=Correction.Status.APPROVED if approved else Correction.Status.REJECTED,
        slugs=opinion.genres,
        by=by,
        reason="; ".join(filter(None, [why, reason])),
    )
    # Later than what it did to the correction, so that an undo can tell what came after it.
    opinion.at = timezone.now()


def _answer_suspect(card: int, uid: uuid.UUID, verdict: str, slugs: list[str], by: User) -> Opinion:
    suspect = Suspect.objects.select_for_update(of=("self",)).select_related("correction").filter(pk=card).first()
    if suspect is None or not suspect.words:
        raise ActionRefused(_("This text was deleted meanwhile. Nothing is left to decide on."))
    if suspect.status != Suspect.Status.OPEN:
        raise ActionRefused(_("Somebody else decided on this one meanwhile. Your answer is not needed any more."))
    if verdict != Opinion.Verdict.GENRES:
        raise ActionRefused(_("Say which genres are right: the ones it has, or better ones. Or skip it."))
    opinion = _opinion(by, uid=uid, suspect=suspect, kind=Opinion.Kind.ANSWER, verdict=verdict, genres=slugs)
    is_right = set(slugs) == set(suspect.given)
    opinion.before = {"genres": sorted(suspect.given)}
    suspect.status = Suspect.Status.RIGHT if is_right else Suspect.Status.WRONG
    if not is_right:
        suspect.correction = relabel(
            correction=suspect.correction,
            text=suspect.text,
            given=suspect.given,
            slugs=slugs,
            by=by,
            reason=f"label of {suspect.source}, row {suspect.row}",
        )
    suspect.save(update_fields=["status", "correction"])
    opinion.save()
    return opinion


@transaction.atomic
def settle(*, correction: int, said: Said, by: User) -> Opinion:
    """Decide a conflict between two reviewers: what a third person says is what the correction gets.

    Raises
    ------
    ActionRefused
        When it is no conflict any more, or one's own without the right to settle those.
    """
    verdict, slugs = said.verdict, _known(said.genres)
    row = _open_correction(correction)
    given = list(row.opinions.in_force())
    if len(given) < 2:
        raise ActionRefused(_("One of the two answers was undone meanwhile: there is nothing to settle."))
    if not may_settle(given, by):
        raise ActionRefused(_("One of the two answers is yours. A third person must settle it."))
    opinion = _opinion(by, correction=row, kind=Opinion.Kind.SETTLEMENT, verdict=verdict, genres=slugs)
    _apply(opinion, by, "settled between " + " and ".join(other.by for other in given))
    opinion.save()
    return opinion


def may_settle(given: Sequence[Opinion], by: Any) -> bool:
    """Return whether this person may settle a conflict between these answers."""
    return by.has_perm(SETTLE) or all(opinion.reviewer_id != by.pk for opinion in given)


@transaction.atomic
def skip(*, queue: str, card: int, uid: uuid.UUID, by: User) -> None:
    """Put a card behind all others, for this reviewer. Safe to repeat."""
    known = Correction.objects if queue == CORRECTIONS else Suspect.objects
    if Opinion.objects.filter(uid=uid).exists() or not known.filter(pk=card).exists():
        return
    _opinion(by, uid=uid, kind=Opinion.Kind.SKIP, **{f"{FIELD[queue]}_id": card}).save()
    release(queue, uid, by)


@transaction.atomic
def undo(*, queue: str, by: User) -> Opinion:
    """Undo this reviewer's last answer of a queue, and lay its card before them again.

    Raises
    ------
    ActionRefused
        When there is none, or somebody has built on it since.
    """
    last = _last_answer(queue, by)
    if last is None:
        raise ActionRefused(_("There is nothing of yours to undo."))
    if queue == CORRECTIONS:
        _undo_correction(last, by)
    else:
        _undo_suspect(last, by)
    undone = _opinion(by, kind=Opinion.Kind.UNDO, undoes=last, **{FIELD[queue]: getattr(last, FIELD[queue])})
    undone.save()
    if last.kind == Opinion.Kind.ANSWER:
        # Somebody else may have it before them by now; they go on with it.
        with suppress(IntegrityError):
            take(queue, getattr(last, FIELD[queue]), by)
    return undone


def _last_answer(queue: str, by: User) -> Opinion | None:
    mine = Opinion.objects.in_force().filter(reviewer=by, **{f"{FIELD[queue]}__isnull": False})
    found: Opinion | None = mine.select_related(FIELD[queue]).order_by("pk").last()
    return found


def _undo_correction(last: Opinion, by: User) -> None:
    assert last.correction_id is not None
    correction = Correction.objects.select_for_update().get(pk=last.correction_id)
    if correction.is_erased:
        raise ActionRefused(_("Its author took your last one back meanwhile. There is nothing left to undo."))
    later = correction.events.filter(at__gt=last.at).exists()
    if later or correction.opinions.in_force().filter(pk__gt=last.pk).exists():
        raise ActionRefused(_("Somebody has gone on with your last one meanwhile. Change it in the admin."))
    if last.before is not None:
        restore_correction(correction=correction.pk, state=last.before, by=by, reason="undone in the review queue")


def _undo_suspect(last: Opinion, by: User) -> None:
    assert last.suspect_id is not None
    suspect = Suspect.objects.select_for_update(of=("self",)).select_related("correction").get(pk=last.suspect_id)
    if not suspect.words:
        raise ActionRefused(_("The text of your last one was deleted meanwhile. There is nothing left to undo."))
    if suspect.status == Suspect.Status.WRONG:
        # Back to the label it had. To reject the correction would, after a time, count as a deletion of the text.
        assert suspect.correction is not None
        relabel(
            correction=suspect.correction,
            text=suspect.words,
            given=suspect.given,
            slugs=suspect.given,
            by=by,
            reason="undone in the review queue",
        )
    suspect.status = Suspect.Status.OPEN
    suspect.save(update_fields=["status"])


def _opinion(by: User, **fields: Any) -> Opinion:
    return Opinion(reviewer=by, by=by.get_username(), **fields)
