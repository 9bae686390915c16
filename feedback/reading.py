"""What the corrections say all together, read for the lab: counts over time, disagreements, second looks."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate

from classifier.models import OWN_SOURCES, ModelVersion, Prediction
from feedback.actions import UNDONE
from feedback.models import AuditAnswer, Correction, ReviewEvent

# What stands for the answer "none of the genres fits", and for a text that got no answer.
NONE_FITS = ""
_SPEAKING = (Correction.Verdict.GENRES, Correction.Verdict.NONE)
_VOID = (Correction.Status.WITHDRAWN, Correction.Status.REJECTED)
_REOPENED = (Correction.Status.PENDING, UNDONE)
_EDITED = "edited"
# To withdraw is no review, whoever enters it.
_DECISIONS = (Correction.Status.APPROVED, Correction.Status.REJECTED, *_REOPENED, _EDITED)


def corrections_by_day() -> list[tuple[date, str, int]]:
    """Return (day, status today, how many were sent), oldest first."""
    rows = Correction.objects.order_by().annotate(day=TruncDate("created_at")).values("day", "status")
    return [(row["day"], row["status"], row["n"]) for row in rows.annotate(n=Count("pk")).order_by("day", "status")]


@dataclass
class Agreement:
    """What people said of one version's first genres.

    ``n_right`` of ``n_corrections`` keep the first genre: people mostly correct what is wrong, so that this share is too
    low. ``n_yes`` of ``n_answers`` are of visitors drawn at random, yes or no.
    """

    number: int
    sabotage: str
    n_corrections: int = 0
    n_right: int = 0
    n_answers: int = 0
    n_yes: int = 0


def agreement_by_version() -> list[Agreement]:
    """Return what people said of each version that somebody commented on, the newest first.

    Corrections that are "not sure", withdrawn or rejected say nothing, nor do those of texts that got no answer, or of
    our own examples and tries.
    """
    found: dict[int, Agreement] = {}
    versions = {version.pk: version for version in ModelVersion.objects.all()}

    def of(version_id: int) -> Agreement:
        version = versions[version_id]
        return found.setdefault(version_id, Agreement(version.number, version.sabotage))

    for version_id, first, chosen in _answers(_speaking().filter(version__isnull=False)):
        row = of(version_id)
        row.n_corrections += 1
        row.n_right += first in chosen
    answers = AuditAnswer.objects.exclude(answer=AuditAnswer.Answer.UNSURE).order_by()
    for each in answers.values("version_id", "answer").annotate(n=Count("pk")):
        row = of(each["version_id"])
        row.n_answers += each["n"]
        row.n_yes += each["n"] * (each["answer"] == AuditAnswer.Answer.YES)
    return sorted(found.values(), key=lambda row: -row.number)


def disagreements() -> Counter[tuple[str, str]]:
    """Return how often the first genre shown was corrected to which genre (slugs); ``NONE_FITS`` for none of them.

    A person who chose two others counts for both.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for _, first, chosen in _answers(_speaking()):
        if first not in chosen:
            counts.update((first, slug) for slug in chosen or [NONE_FITS])
    return counts


def _speaking() -> QuerySet[Correction]:
    rows = Correction.objects.filter(verdict__in=_SPEAKING).exclude(status__in=_VOID)
    return rows.exclude(source__in=OWN_SOURCES).order_by()


def _answers(corrections: QuerySet[Correction]) -> Iterable[tuple[int, str, Sequence[str]]]:
    """Yield (version's key, first genre shown, what the person chose) of each correction of an answer."""
    abstained = set(
        Prediction.objects.filter(uid__in=corrections.filter(prediction_uid__isnull=False).values("prediction_uid"))
        .exclude(abstained="")
        .values_list("uid", flat=True)
    )
    rows = corrections.values_list("version_id", "prediction_uid", "shown", "chosen")
    for version_id, uid, shown, chosen in rows.iterator():
        if shown and uid not in abstained:
            yield version_id, shown[0][0], chosen


@dataclass
class SecondLooks:
    """What became of reviewers' decisions when another reviewer looked.

    A look that changes nothing is not recorded, unless it approves what the other one edited. ``n_changed`` therefore
    counts every disagreement, ``n_kept`` only some agreements: ``n_changed`` out of ``n_reviewed`` is the honest share.

    Attributes
    ----------
    n_reviewed : int
        Corrections that some reviewer decided on.
    n_by_several : int
        Of these, those on which more than one did.
    n_changed, n_kept : int
        Corrections of which some decision was changed by another reviewer; of which one was approved as edited, and
        none changed.
    pairs : Counter of (first reviewer, second reviewer, is_kept)
        Second looks, one each.
    """

    n_reviewed: int = 0
    n_by_several: int = 0
    n_changed: int = 0
    n_kept: int = 0
    pairs: Counter[tuple[str, str, bool]] = field(default_factory=Counter)


def second_looks() -> SecondLooks:
    """Compare each reviewer's decision with the one before it, where that was another reviewer's.

    A decision approves, rejects, reopens or edits. To reopen, or to undo one's own, asks for another look, which is then
    no disagreement.
    """
    trails: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    events = ReviewEvent.objects.filter(action__in=_DECISIONS).order_by("pk")
    for correction, by, action in events.values_list("correction_id", "by", "action").iterator():
        trails[correction].append((by, action))
    looks = SecondLooks(n_reviewed=len(trails))
    for trail in trails.values():
        looks.n_by_several += len({by for by, _ in trail}) > 1
        kept = [
            (first, second, earlier == _EDITED and later == Correction.Status.APPROVED)
            for (first, earlier), (second, later) in pairwise(trail)
            if first != second and earlier not in _REOPENED
        ]
        looks.pairs.update(kept)
        looks.n_changed += any(not is_kept for *_, is_kept in kept)
        looks.n_kept += bool(kept) and all(is_kept for *_, is_kept in kept)
    return looks
