"""What the database tells of the last weeks: hours of traffic, what people said of answers, and windows over both."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.db.models import QuerySet

from classifier.models import OWN_SOURCES, Prediction
from feedback.models import AuditAnswer, Correction
from training.core.agreement import Answers
from training.core.checks import Window
from training.core.profile import Profile, merged
from training.core.shadowing import Pairs
from training.models import TrafficHour

# Of a version and a moment: whether it counts.
Chosen = Callable[[int, datetime], bool]
# Corrections that say nothing of the answer, and those that are void.
SPEAKING = (Correction.Verdict.GENRES, Correction.Verdict.NONE)
VOID = (Correction.Status.WITHDRAWN, Correction.Status.REJECTED)


@dataclass(frozen=True)
class Hour:
    """What a version was asked and said within an hour."""

    version_id: int
    is_shadow: bool
    is_service: bool
    at: datetime
    profile: Profile


@dataclass(frozen=True)
class Report:
    """A correction of an answer: its first genre, and the genres that are right.

    Those that the visitor ticked, until a reviewer approved others.
    """

    uid: UUID
    version_id: int
    at: datetime
    genre: str
    chosen: frozenset[str]

    @property
    def is_right(self) -> bool:
        """Whether the first genre stays."""
        return self.genre in self.chosen


def _reviewed(approved: QuerySet[Correction]) -> dict[int, frozenset[str]]:
    """Return the genres of approved corrections, by primary key."""
    genres: dict[int, set[str]] = {pk: set() for pk in approved.values_list("pk", flat=True)}
    links = Correction.genres.through.objects.filter(correction__in=approved.values("pk"))
    for pk, slug in links.values_list("correction_id", "genre__slug").iterator():
        genres[pk].add(slug)
    return {pk: frozenset(slugs) for pk, slugs in genres.items()}


@dataclass(frozen=True)
class Reply:
    """A yes or no to the audit's question."""

    uid: UUID
    version_id: int
    at: datetime
    genre: str
    score: float
    share: float
    is_right: bool


class Evidence:
    """Everything between two moments that figures are made from.

    Read once, with few columns and no texts. Each thing counts at the time of its prediction, so that answers and what
    is said of them fall into the same window.
    """

    def __init__(self, start: datetime, end: datetime) -> None:
        self._start, self._end = start, end

    @cached_property
    def hours(self) -> list[Hour]:
        """The counted traffic."""
        rows = TrafficHour.objects.filter(hour__gte=self._start, hour__lte=self._end).order_by("hour")
        return [
            Hour(row.version_id, row.is_shadow, row.is_service, row.hour, Profile.from_json(row.profile))
            for row in rows
        ]

    @cached_property
    def reports(self) -> list[Report]:
        """The corrections of answers; those of texts that got no answer say nothing of its being right."""
        corrections = (
            Correction.objects.filter(
                created_at__gte=self._start,
                created_at__lte=self._end,
                verdict__in=SPEAKING,
                version__isnull=False,
                prediction_uid__isnull=False,
            )
            .exclude(status__in=VOID)
            .exclude(source__in=OWN_SOURCES)
            .order_by()
        )
        predictions = Prediction.objects.filter(uid__in=corrections.values("prediction_uid")).order_by()
        known = {uid: (at, abstained) for uid, at, abstained in predictions.values_list("uid", "at", "abstained")}
        reviewed = _reviewed(corrections.filter(status=Correction.Status.APPROVED))
        found = []
        rows = corrections.values_list("pk", "prediction_uid", "version_id", "shown", "chosen", "created_at")
        for pk, uid, version_id, shown, chosen, created_at in rows.iterator():
            # The prediction itself may have been cleared away.
            at, abstained = known.get(uid, (created_at, ""))
            if shown and not abstained:
                found.append(Report(uid, version_id, at, shown[0][0], reviewed.get(pk, frozenset(chosen))))
        return found

    @cached_property
    def replies(self) -> list[Reply]:
        """The answers to the audit, without "not sure"."""
        rows = (
            AuditAnswer.objects.filter(predicted_at__gte=self._start, predicted_at__lte=self._end)
            .exclude(answer=AuditAnswer.Answer.UNSURE)
            .order_by()
            .values_list("prediction_uid", "version_id", "predicted_at", "genre", "score", "share", "answer")
        )
        return [Reply(*row, answer == AuditAnswer.Answer.YES) for *row, answer in rows.iterator()]

    def window(self, chosen: Chosen, *, with_service: bool = True) -> Window:
        """Return what was shown, and what people said of it; perhaps without the traffic of the prediction service."""
        reports = self.reports_of(chosen)
        answers = Answers()
        for reply in self.replies_of(chosen):
            answers.add(score=reply.score, share=reply.share, is_right=reply.is_right)
        return Window(
            profile=merged(
                hour.profile
                for hour in self.hours
                if not hour.is_shadow and (with_service or not hour.is_service) and chosen(hour.version_id, hour.at)
            ),
            n_corrected=len(reports),
            n_right=sum(report.is_right for report in reports),
            answers=answers,
        )

    def reports_of(self, chosen: Chosen) -> list[Report]:
        """Return the corrections of these answers."""
        return [report for report in self.reports if chosen(report.version_id, report.at)]

    def replies_of(self, chosen: Chosen) -> list[Reply]:
        """Return the audit's answers about these."""
        return [reply for reply in self.replies if chosen(reply.version_id, reply.at)]

    def shadow_profile(self, chosen: Chosen) -> Profile:
        """Return what a challenger said unseen."""
        return merged(hour.profile for hour in self.hours if hour.is_shadow and chosen(hour.version_id, hour.at))

    def pairs(self, challenger_id: int, champion: Chosen) -> Pairs:
        """Return how the challenger fares on the champion's answers that somebody commented on.

        A yes to the audit names a right genre, a no does not.
        """
        right = {reply.uid: (True, {reply.genre}) for reply in self.replies_of(champion) if reply.is_right}
        known = right | {report.uid: (report.is_right, report.chosen) for report in self.reports_of(champion)}
        counts = {True: [0, 0], False: [0, 0]}
        for uid, first in self._first_unseen(challenger_id).items():
            if uid in known:
                is_right, genres = known[uid]
                counts[is_right][0] += 1
                counts[is_right][1] += first in genres
        return Pairs(*counts[True], *counts[False])

    def _first_unseen(self, challenger_id: int) -> dict[UUID, str]:
        """Return the challenger's first genre ('' for none) in whose shadow a commented answer was given."""
        rows = Prediction.objects.filter(version=challenger_id, at__gte=self._start, at__lte=self._end).order_by()
        commented = (
            Correction.objects.filter(created_at__gte=self._start, prediction_uid__isnull=False).values(
                "prediction_uid"
            ),
            AuditAnswer.objects.filter(predicted_at__gte=self._start).values("prediction_uid"),
        )
        found = {}
        for uids in commented:
            for uid, shown, abstained in rows.filter(shadow_of__in=uids).values_list("shadow_of", "shown", "abstained"):
                found[uid] = shown[0][0] if shown and not abstained else ""
        return found
