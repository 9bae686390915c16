"""Which card a reviewer gets next: never one that lies before somebody else, the most instructive first."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from classifier.models import Genre
from classifier.wording import GenreLine, genre_lines
from feedback.models import Claim, Correction, Opinion, QueueScore, Suspect

CORRECTIONS, LABELS = "corrections", "labels"
# What a claim and an opinion call the card of each queue.
FIELD = {CORRECTIONS: "correction", LABELS: "suspect"}
# Somebody else may take the same card in the same instant; then the next one is tried.
_TRIES = 20
# Corrections without a score that are given one at a time; the others follow with the next card.
_PLACED_AT_ONCE = 500
_SUGGESTED = 9


@dataclass(frozen=True)
class Card:
    """What lies before a reviewer. A second reviewer sees what the first one saw, and not what the first one said."""

    queue: str
    claim: Claim
    text: str
    title: str
    shown: list[GenreLine]
    chosen: list[GenreLine]
    verdict: str
    proposal: str
    note: str
    suggested: list[Genre]
    others: list[Genre]
    n_waiting: int
    undone: Opinion | None

    @property
    def uid(self) -> str:
        """The claim's name, which the form brings back."""
        return str(self.claim.uid)


def estimate(shown: list[list[Any]], chosen: list[str]) -> dict[str, float]:
    """Return what the shown scores alone tell of how much a correction teaches; every part is in [0, 1]."""
    scores = sorted((float(score) for _, score in shown), reverse=True)
    best, second = [*scores, 0.0, 0.0][:2]
    slugs = {slug for slug, _ in shown[: max(1, len(chosen))]}
    both = slugs | set(chosen)
    return {
        "uncertainty": min(1.0, max(0.0, 1.0 - (best - second))),
        "disagreement": 1.0 - len(slugs & set(chosen)) / len(both) if both else 1.0,
    }


def place_new() -> int:
    """Give corrections that have no score yet an estimated one, and return how many."""
    new = Correction.objects.filter(status=Correction.Status.PENDING, queue_score=None).exclude(text="").order_by("pk")
    rows = []
    for key, shown, chosen in new.values_list("pk", "shown", "chosen")[:_PLACED_AT_ONCE]:
        parts = estimate(shown, chosen)
        score = sum(parts.values()) / len(parts)
        rows.append(QueueScore(correction_id=key, score=score, parts=parts, is_estimate=True))
    QueueScore.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def waiting(queue: str, by: User) -> QuerySet[Any]:
    """Return what waits for this reviewer, best first: what was skipped least, then what teaches most.

    Of corrections: those nobody answered, and those whose one answer wants a second that is not the same reviewer's.
    """
    mine = Q(reviewer=by)
    skips = Count("opinions", filter=Q(opinions__reviewer=by, opinions__kind=Opinion.Kind.SKIP), distinct=True)
    if queue == LABELS:
        held = Q(correction__status=Correction.Status.APPROVED) & ~Q(correction__text="")
        open_ones = Suspect.objects.filter(~Q(text="") | held, status=Suspect.Status.OPEN)
        return open_ones.select_related("correction").annotate(skips=skips).order_by("skips", "-score", "pk")
    given = Opinion.objects.in_force().filter(correction=OuterRef("pk"))
    answered = (
        given.order_by().values("correction").annotate(n=Count("pk")).values("n")  # one row a correction
    )
    return (
        Correction.objects.filter(status=Correction.Status.PENDING)
        .exclude(text="")
        .alias(n_given=answered)
        .exclude(Exists(given.filter(mine)))
        .filter(Q(n_given=None) | (Q(n_given=1) & Exists(given.filter(wants_second=True))))
        .annotate(skips=skips)
        .order_by("skips", F("queue_score__score").desc(nulls_last=True), "pk")
    )


def next_card(queue: str, by: User) -> Card | None:
    """Return the card before this reviewer: the one they have already, or the next that nobody else has."""
    claim = _claim(queue, by)
    return None if claim is None else card_of(claim, by)


def _claim(queue: str, by: User) -> Claim | None:
    field = FIELD[queue]
    if queue == CORRECTIONS:
        place_new()
    for _ in range(_TRIES):
        with transaction.atomic():
            now = timezone.now()
            until = now + timedelta(minutes=settings.GENRE_REVIEW_CLAIM_MINUTES)
            cards = waiting(queue, by)
            own = _claims(queue).filter(reviewer=by).select_related(field).first()
            if own is not None and cards.filter(pk=getattr(own, f"{field}_id")).exists():
                own.until = until
                own.save(update_fields=["until"])
                return own
            taken = _claims(queue).filter(until__gt=now).exclude(reviewer=by).values(field)
            card = cards.exclude(pk__in=taken).first()
            if card is None:
                return None
            try:
                return take(queue, card, by)
            except IntegrityError:
                continue
    return None


def take(queue: str, card: Correction | Suspect, by: User) -> Claim:
    """Lay a card before a reviewer, in the place of the one they had.

    Raises
    ------
    IntegrityError
        When somebody else took it in the same instant; the transaction goes on.
    """
    now = timezone.now()
    until = now + timedelta(minutes=settings.GENRE_REVIEW_CLAIM_MINUTES)
    with transaction.atomic():
        _claims(queue).filter(reviewer=by).delete()
        Claim.objects.filter(**{FIELD[queue]: card}, until__lte=now).delete()
        return Claim.objects.create(**{FIELD[queue]: card}, reviewer=by, until=until)


def release(queue: str, uid: uuid.UUID, by: User) -> None:
    """Take a card away from its reviewer."""
    _claims(queue).filter(uid=uid, reviewer=by).delete()


def _claims(queue: str) -> QuerySet[Claim]:
    return Claim.objects.filter(**{f"{FIELD[queue]}__isnull": False})


def card_of(claim: Claim, by: User) -> Card:
    """Return what the reviewer of a claim sees."""
    queue = CORRECTIONS if claim.correction is not None else LABELS
    last = Opinion.objects.filter(reviewer=by, **{FIELD[queue]: getattr(claim, FIELD[queue])}).order_by("pk").last()
    common: dict[str, Any] = {
        "queue": queue,
        "claim": claim,
        "undone": last.undoes if last is not None and last.kind == Opinion.Kind.UNDO else None,
        "n_waiting": waiting(queue, by).count(),
    }
    if claim.correction is not None:
        correction = claim.correction
        shown, chosen = correction.shown, correction.chosen
        said: dict[str, Any] = {
            "text": correction.text,
            "title": "",
            "verdict": correction.verdict,
            "proposal": correction.proposal,
            "note": correction.note,
        }
    else:
        assert claim.suspect is not None
        shown, chosen = claim.suspect.suggested, claim.suspect.given
        said = {"text": claim.suspect.words, "title": claim.suspect.title, "verdict": "", "proposal": "", "note": ""}
    genres = {genre.slug: genre for genre in Genre.objects.filter(Q(retired=False) | Q(slug__in=chosen))}
    named = [genres[slug] for slug in dict.fromkeys([*(slug for slug, _ in shown), *chosen]) if slug in genres]
    suggested = named[:_SUGGESTED]
    return Card(
        **common,
        **said,
        shown=genre_lines((slug, float(score)) for slug, score in shown),
        chosen=genre_lines((slug, 0.0) for slug in chosen),
        suggested=suggested,
        others=[genre for genre in genres.values() if genre not in suggested],
    )
