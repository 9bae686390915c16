"""The only writer of corrections, reviews and audit answers. Every function is one transaction and leaves a trail."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from classifier.models import Genre, Prediction
from classifier.predictions import Shown, text_hashes
from feedback.deleted import deleted_here
from feedback.limits import TooManyAnswers, check_limits, count_audit_answer
from feedback.models import AuditAnswer, Correction, Opinion, ReviewEvent, Suspect

VISITOR = "visitor"
# Who learns what the prediction service showed.
SERVICE = "import_predictions"
# Who erases what is older than the site keeps it.
RETENTION = "retention"
# An answer of the review queue that its reviewer took back.
UNDONE = "undone"
SAME_GENRES = gettext_noop("these genres already")
_ERASED = ["text", "note", "proposal"]


class ActionRefused(Exception):
    """An action that the state of the correction, or the answer itself, does not allow."""


@dataclass(frozen=True)
class Answer:
    """What a person says: exactly one of genres, none fits, not sure."""

    genres: tuple[str, ...] = ()
    none_fits: bool = False
    not_sure: bool = False
    proposal: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        """Return the kind of answer.

        Raises
        ------
        ActionRefused
            When there is no answer, or answers that contradict each other.
        """
        if self.genres and not self.none_fits and not self.not_sure:
            return Correction.Verdict.GENRES
        if self.genres:
            raise ActionRefused(
                _("You ticked genres and also “none of these fits” or “not sure”. Keep the one that is right.")
            )
        if self.none_fits and self.not_sure:
            raise ActionRefused(_("Choose either “none of these fits” or “not sure”."))
        if self.none_fits:
            return Correction.Verdict.NONE
        if self.not_sure:
            return Correction.Verdict.UNSURE
        if self.proposal:
            raise ActionRefused(
                _("You proposed a genre: tick “none of these fits” with it, or tick a genre of the list.")
            )
        raise ActionRefused(_("Nothing is ticked yet. Tick the genres that fit, “none of these fits” or “not sure”."))


@dataclass
class BulkResult:
    """How many corrections an action changed, and why it left others alone.

    Of an import: ``erased`` were deleted because the file says so; ``buried`` were deleted elsewhere and never here.
    """

    changed: int = 0
    erased: int = 0
    buried: int = 0
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, reason: str) -> None:
        """Count one left alone."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def submit_correction(
    *,
    shown: Shown,
    text: str,
    answer: Answer,
    visitor: str,
    at: datetime | None = None,
    limited: bool = True,
) -> Correction:
    """Store what a visitor says of a text. Sending the same prediction's answer again returns the first.

    ``at`` is when it was sent (default: now). Not ``limited`` is who is held back elsewhere.

    Raises
    ------
    ActionRefused
        When the answer contradicts itself, or the text is not the one that was shown.
    TooManyCorrections
        When the visitor sent too many.
    """
    verdict = answer.verdict
    hashes = text_hashes(text)
    if shown.text_hash not in hashes:
        raise ActionRefused(
            _("The text was changed after the genres were shown. Show its genres again, then correct them.")
        )
    genres = _known_genres(answer.genres)
    try:
        with transaction.atomic():
            earlier = Correction.objects.filter(prediction_uid=shown.uid).first()
            if earlier is not None:
                return earlier
            if limited:
                check_limits(visitor)
            correction = Correction.objects.create(
                prediction_uid=shown.uid,
                version_id=shown.version_id,
                shown=shown.genres,
                source=shown.source,
                text=text,
                text_hash=hashes[0],
                verdict=verdict,
                chosen=[genre.slug for genre in genres],
                proposal=answer.proposal,
                note=answer.note,
                visitor=visitor,
                created_at=at or timezone.now(),
            )
            correction.genres.set(genres)
            _record(correction, "submitted", by=VISITOR, before={})
            return correction
    except IntegrityError:
        # Two clicks at once: the other one was stored.
        return Correction.objects.get(prediction_uid=shown.uid)


@transaction.atomic
def tie_waiting() -> int:
    """Tell corrections that came before the prediction service's log what was shown, as far as it is known now.

    Safe to repeat. Returns how many there were.
    """
    known = Prediction.objects.filter(uid=OuterRef("prediction_uid"), source=Prediction.Source.SERVICE)
    waiting = Correction.objects.select_for_update().waiting().filter(Exists(known))
    n = 0
    for correction in waiting.order_by("pk"):
        prediction = Prediction.objects.get(uid=str(correction.prediction_uid))
        before = state_of(correction)
        correction.version_id, correction.shown = prediction.version_id, prediction.shown
        correction.save(update_fields=["version", "shown"])
        _record(correction, "tied", by=SERVICE, before=before)
        n += 1
    return n


def answer_audit(*, shown: Shown, answer: str, visitor: str, at: datetime | None = None) -> AuditAnswer:
    """Count what a visitor says of the first genre shown. A second answer changes nothing and returns the first.

    The answer does not tell who gave it; that is counted apart, for a day. ``at`` is when it was given (default: now).

    Raises
    ------
    ActionRefused
        When the visitor was not asked, the answer is none that was offered, or the visitor's are enough for today.
    """
    if not shown.asked or shown.version_id is None:
        raise ActionRefused(_("Nobody was asked whether this prediction is right."))
    if answer not in AuditAnswer.Answer.values:
        raise ActionRefused(_("Answer with Yes, No or Not sure."))
    genre, score = shown.genres[0]
    at = at or timezone.now()
    try:
        with transaction.atomic():
            row: AuditAnswer | None = AuditAnswer.objects.filter(prediction_uid=shown.uid).first()
            if row is not None:
                return row
            count_audit_answer(visitor)
            return AuditAnswer.objects.create(
                prediction_uid=shown.uid,
                version_id=shown.version_id,
                genre=genre,
                score=score,
                share=shown.asked,
                answer=answer,
                # A row that was cleared away no longer tells when it was.
                predicted_at=Prediction.objects.filter(uid=shown.uid).values_list("at", flat=True).first() or at,
                at=at,
            )
    except TooManyAnswers as error:
        raise ActionRefused(_("Thank you: you have answered so often today that more is not counted.")) from error
    except IntegrityError:
        # Two clicks at once: the other one was stored.
        return AuditAnswer.objects.get(prediction_uid=shown.uid)


def _known_genres(slugs: Sequence[str]) -> list[Genre]:
    rows = {genre.slug: genre for genre in Genre.objects.filter(slug__in=slugs)}
    unknown = [slug for slug in slugs if slug not in rows]
    if unknown:
        raise ActionRefused(_("There is no genre “%(slug)s”.") % {"slug": unknown[0]})
    return [rows[slug] for slug in dict.fromkeys(slugs)]


@transaction.atomic
def review(*, corrections: Iterable[int], status: str, by: AbstractBaseUser, reason: str = "") -> BulkResult:
    """Approve, reject or reopen corrections (given by primary key).

    Withdrawn ones stay withdrawn, and nobody can judge a text that was deleted; one without genre can't be approved unless "none fits" is its answer.
    """
    result = BulkResult()
    rows = Correction.objects.select_for_update().filter(pk__in=list(corrections)).order_by("pk")
    for correction in rows:
        if correction.status == Correction.Status.WITHDRAWN:
            result.skip(gettext_noop("withdrawn by its author"))
        elif correction.is_erased:
            result.skip(gettext_noop("its text was deleted"))
        elif correction.status == status:
            result.skip(f"{status} already")
        elif status == Correction.Status.APPROVED and not _can_be_approved(correction):
            result.skip(gettext_noop("no genre chosen: set genres first, or reject it"))
        else:
            before = state_of(correction)
            correction.status = status
            _stamp(correction, by)
            correction.save(update_fields=["status", "reviewer", "reviewed_at"])
            _record(correction, status, by=by.get_username(), before=before, reason=reason)
            if status == Correction.Status.PENDING:
                _void_opinions(correction, by)
            result.changed += 1
    return result


def _void_opinions(correction: Correction, by: AbstractBaseUser) -> None:
    """Undo what reviewers said of a correction in the queue: who reopens it wants it looked at anew."""
    for opinion in correction.opinions.in_force():
        Opinion.objects.create(
            kind=Opinion.Kind.UNDO, undoes=opinion, correction=correction, reviewer_id=by.pk, by=by.get_username()
        )


def _can_be_approved(correction: Correction) -> bool:
    return _says_none(correction) or correction.genres.exists()


def _says_none(correction: Correction) -> bool:
    return correction.verdict == Correction.Verdict.NONE


@transaction.atomic
def set_genres(
    *, corrections: Iterable[int], slugs: Sequence[str], by: AbstractBaseUser, reason: str = ""
) -> BulkResult:
    """Give corrections (by primary key) other genres; what the person ticked stays on record.

    An approved correction keeps at least one genre, unless "none fits" is its answer.

    Raises
    ------
    ActionRefused
        When a genre does not exist.
    """
    genres = _known_genres(slugs)
    result = BulkResult()
    rows = Correction.objects.select_for_update().filter(pk__in=list(corrections)).order_by("pk")
    for correction in rows:
        before = state_of(correction)
        if correction.status == Correction.Status.WITHDRAWN:
            result.skip(gettext_noop("withdrawn by its author"))
        elif correction.is_erased:
            result.skip(gettext_noop("its text was deleted"))
        elif set(before["genres"]) == {genre.slug for genre in genres}:
            result.skip(SAME_GENRES)
        elif not genres and correction.status == Correction.Status.APPROVED and not _says_none(correction):
            result.skip(gettext_noop("approved: needs a genre"))
        else:
            correction.genres.set(genres)
            _stamp(correction, by)
            correction.save(update_fields=["reviewer", "reviewed_at"])
            _record(correction, "edited", by=by.get_username(), before=before, reason=reason)
            result.changed += 1
    return result


@transaction.atomic
def decide_correction(
    *, correction: int, status: str, slugs: Sequence[str], by: AbstractBaseUser, reason: str = ""
) -> None:
    """Give one correction (by primary key) its outcome in the review queue; rejected, its genres stay as they are.

    Raises
    ------
    ActionRefused
        When its state does not allow it.
    """
    if status == Correction.Status.APPROVED:
        set_genres(corrections=[correction], slugs=slugs, by=by, reason=reason)
    result = review(corrections=[correction], status=status, by=by, reason=reason)
    _refuse_skipped(result)


def _refuse_skipped(result: BulkResult, *, but: str = "") -> None:
    """Refuse what an action on one correction left alone, unless it did so because of ``but``."""
    for why in result.skipped.keys() - {but}:
        raise ActionRefused(_("Nothing was saved: %(why)s.") % {"why": _(why)})


@transaction.atomic
def restore_correction(*, correction: int, state: Mapping[str, Any], by: AbstractBaseUser, reason: str = "") -> None:
    """Put one correction (by primary key) back to a state that ``state_of`` returned, on record as undone."""
    row = Correction.objects.select_for_update().get(pk=correction)
    before = state_of(row)
    row.status = state["status"]
    row.genres.set(Genre.objects.filter(slug__in=state["genres"]))
    _stamp(row, by)
    row.save(update_fields=["status", "reviewer", "reviewed_at"])
    _record(row, UNDONE, by=by.get_username(), before=before, reason=reason)


@transaction.atomic
def relabel(
    *,
    correction: Correction | None,
    text: str,
    given: Sequence[str],
    slugs: Sequence[str],
    by: AbstractBaseUser,
    reason: str = "",
) -> Correction:
    """Give a text of the training data other genres: as an approved correction of it, the one given or a new one.

    Raises
    ------
    ActionRefused
        When a genre does not exist, or the correction can't be changed.
    """
    if correction is not None:
        result = set_genres(corrections=[correction.pk], slugs=slugs, by=by, reason=reason)
        _refuse_skipped(result, but=SAME_GENRES)
        return correction
    genres = _known_genres(slugs)
    made = Correction(
        source=Correction.Source.IMPORT,
        text=text,
        text_hash=text_hashes(text)[0],
        verdict=Correction.Verdict.GENRES,
        chosen=list(given),
        status=Correction.Status.APPROVED,
    )
    _stamp(made, by)
    made.save()
    made.genres.set(genres)
    _record(made, "relabelled", by=by.get_username(), before={"genres": sorted(given)}, reason=reason)
    return made


@transaction.atomic
def withdraw(*, correction: Correction, by: str = VISITOR) -> Correction:
    """Take a correction back: its text, note and proposal are erased. Safe to repeat."""
    row = Correction.objects.select_for_update().get(pk=correction.pk)
    if row.status != Correction.Status.WITHDRAWN:
        before = state_of(row)
        row.status = Correction.Status.WITHDRAWN
        _erase(row)
        row.save(update_fields=["status", *_ERASED])
        _record(row, "withdrawn", by=by, before=before)
    return row


def _erase(correction: Correction) -> None:
    """Empty everything the person wrote; the keyed hash stays, so that no file can bring the text back.

    What was copied from such a file for the search of label errors goes too.
    """
    if correction.source != Correction.Source.EXAMPLE:
        Suspect.objects.exclude(text_hash="").filter(text_hash=correction.text_hash).update(text="", title="")
    correction.text = correction.note = correction.proposal = ""


@transaction.atomic
def erase_rejected(*, corrections: Iterable[int], before: datetime) -> int:
    """Erase what people wrote in rejected corrections (by primary key) decided on before a moment; return how many."""
    rows = list(Correction.objects.select_for_update().rejected_before(before).filter(pk__in=list(corrections)))
    for correction in rows:
        state = state_of(correction)
        _erase(correction)
        correction.save(update_fields=_ERASED)
        _record(correction, "erased", by=RETENTION, before=state)
    return len(rows)


def forget_visitors(*, corrections: Iterable[int]) -> int:
    """Erase the hash that names the visitor of corrections (by primary key), and return how many had one."""
    return Correction.objects.filter(pk__in=list(corrections)).exclude(visitor="").update(visitor="")


@dataclass(frozen=True)
class Imported:
    """One correction of a file, ready to be stored. Without text it is the tombstone of a deleted one."""

    text: str
    genres: tuple[str, ...]
    verdict: str = Correction.Verdict.GENRES
    status: str = Correction.Status.PENDING
    receipt: str = ""
    chosen: tuple[str, ...] | None = None
    shown: tuple[tuple[str, float], ...] = ()
    proposal: str = ""
    note: str = ""


@transaction.atomic
def import_corrections(*, rows: Iterable[Imported], by: str) -> BulkResult:
    """Store corrections of a file, all or none; one that is here already is left alone.

    "Here already" means the same receipt, or the same text with the same genres. A text that was deleted here stays so,
    and a tombstone deletes the correction with its receipt. Of one that is not here it is kept, against older files.

    Raises
    ------
    ActionRefused
        When a genre does not exist.
    """
    result, deleted = BulkResult(), deleted_here()
    for row in rows:
        if not row.text:
            _bury(row.receipt, by=by, result=result)
            continue
        hashes = text_hashes(row.text)
        genres = _known_genres(row.genres)
        if row.receipt and Correction.objects.filter(receipt=row.receipt).exists():
            result.skip("here already (same receipt)")
            continue
        if deleted.has(row.text):
            result.skip("its text was deleted here")
            continue
        same_text = Correction.objects.filter(text_hash__in=hashes).exclude(text="").prefetch_related("genres")
        if not row.receipt and any(set(other.slugs()) == set(row.genres) for other in same_text):
            result.skip("here already (same text and genres)")
            continue
        correction = Correction(
            source=Correction.Source.IMPORT,
            text=row.text,
            text_hash=hashes[0],
            verdict=row.verdict,
            status=row.status,
            chosen=list(row.genres if row.chosen is None else row.chosen),
            shown=list(row.shown),
            proposal=row.proposal,
            note=row.note,
        )
        if row.receipt:
            correction.receipt = row.receipt
        correction.save()
        correction.genres.set(genres)
        _record(correction, "imported", by=by, before={})
        result.changed += 1
    return result


def _bury(receipt: str, *, by: str, result: BulkResult) -> None:
    correction = Correction.objects.filter(receipt=receipt).first()
    if correction is None:
        correction = Correction.objects.create(
            receipt=receipt,
            source=Correction.Source.IMPORT,
            verdict=Correction.Verdict.UNSURE,
            status=Correction.Status.WITHDRAWN,
        )
        _record(correction, "imported", by=by, before={})
        result.buried += 1
    elif correction.is_erased:
        result.skip("deleted already")
    else:
        withdraw(correction=correction, by=by)
        result.erased += 1


def _stamp(correction: Correction, by: AbstractBaseUser) -> None:
    correction.reviewer_id = by.pk
    correction.reviewed_at = timezone.now()


def state_of(correction: Correction) -> dict[str, Any]:
    """Return what a review may change, as the trail keeps it."""
    slugs = sorted(correction.genres.values_list("slug", flat=True))
    return {"status": correction.status, "genres": slugs}


def _record(correction: Correction, action: str, *, by: str, before: dict[str, Any], reason: str = "") -> None:
    ReviewEvent.objects.create(
        correction=correction, action=action, by=by, before=before, after=state_of(correction), reason=reason
    )
