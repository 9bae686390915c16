"""Corrections people send, with the append-only trail of what happened to them, and results they share."""

import secrets
import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classifier.models import AppendOnly, AppendOnlyQuerySet, Genre, ModelVersion


def new_receipt() -> str:
    """Return an unguessable name for a correction's receipt link (128 bits)."""
    return secrets.token_urlsafe(16)


class CorrectionQuerySet(models.QuerySet["Correction"]):
    """Sets of corrections."""

    def approved_examples(self) -> "CorrectionQuerySet":
        """Return approved corrections that name a genre: what training may learn from, oldest first."""
        return (
            self.filter(status=Correction.Status.APPROVED, genres__isnull=False)
            .distinct()
            .order_by("pk")
            .prefetch_related("genres")
        )

    def erased(self) -> "CorrectionQuerySet":
        """Return those whose text is deleted: by their author, or because they were rejected long ago."""
        return self.filter(text="")

    def rejected_before(self, moment: datetime) -> "CorrectionQuerySet":
        """Return rejected ones that were decided on before ``moment`` and have their text still."""
        decided = Coalesce("reviewed_at", "created_at")
        return self.filter(status=Correction.Status.REJECTED).exclude(text="").alias(at=decided).filter(at__lt=moment)

    def waiting(self) -> "CorrectionQuerySet":
        """Return those that came before the prediction service's log (``is_waiting``)."""
        return self.filter(source=Correction.Source.SERVICE, version=None)

    def with_visitor_before(self, moment: datetime) -> "CorrectionQuerySet":
        """Return those sent before ``moment`` that name their visitor still."""
        return self.filter(created_at__lt=moment).exclude(visitor="")


class Correction(models.Model):
    """What a person says a text is, beside what they were shown. Written only by ``feedback.actions``."""

    class Status(models.TextChoices):
        """Where a correction stands in its review."""

        PENDING = "pending", "Pending"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Verdict(models.TextChoices):
        """Which kind of answer the person gave."""

        GENRES = "genres", _("These genres")
        NONE = "none", _("None of the genres fits")
        UNSURE = "unsure", _("Not sure")

    class Source(models.TextChoices):
        """How a correction arrived."""

        PAGE = "page", "Page"
        FILE = "file", "Uploaded file"
        EXAMPLE = "example", "Example"
        EXPLORE = "explore", "Lab"
        API = "api", "API"
        SERVICE = "service", "Prediction service"
        IMPORT = "import", "Import"

    receipt = models.CharField(max_length=40, unique=True, default=new_receipt, editable=False)
    prediction_uid = models.UUIDField(unique=True, null=True, blank=True, editable=False)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="corrections"
    )
    shown = models.JSONField(
        default=list, blank=True, help_text="What the model showed, best first: [[slug, score], …]."
    )
    source = models.CharField(max_length=10, choices=Source.choices)
    text = models.TextField(blank=True, help_text="Empty once withdrawn.")
    text_hash = models.CharField(max_length=64, db_index=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    chosen = models.JSONField(
        default=list, blank=True, help_text="The slugs the person ticked; never changed by review."
    )
    genres = models.ManyToManyField(Genre, blank=True, related_name="corrections", help_text="The genres after review.")
    proposal = models.CharField(max_length=80, blank=True, help_text="A genre the person misses in the list.")
    note = models.TextField(max_length=1000, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING, db_index=True)
    visitor = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="Keyed hash of the address, per day."
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="reviewed_corrections"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"correction {self.pk}"

    @property
    def is_erased(self) -> bool:
        """Return whether its text is deleted; there was one, always."""
        return not self.text

    @property
    def is_waiting(self) -> bool:
        """Return whether it came before the prediction service's log: what was shown is not known here yet."""
        return self.source == Correction.Source.SERVICE and self.version_id is None

    def slugs(self) -> tuple[str, ...]:
        """Return the reviewed genres, those the person ticked first in their order. One query unless prefetched."""
        rank = {slug: at for at, slug in enumerate(self.chosen)}
        slugs = [genre.slug for genre in self.genres.all()]
        return tuple(sorted(slugs, key=lambda slug: (rank.get(slug, len(rank)), slug)))


class ReviewEvent(AppendOnly):
    """One thing that happened to a correction. Holds no text, so that a withdrawal reaches everything."""

    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=150)
    action = models.CharField(max_length=20)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.action} by {self.by}"


class AuditCount(models.Model):
    """How many audit answers a visitor gave on a day, against one who would outvote the others. Kept for that day."""

    visitor = models.CharField(max_length=64, unique=True, help_text="Keyed hash that changes every day.")
    day = models.DateField(db_index=True)
    n = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.n} answers on {self.day}"


class AuditAnswer(AppendOnly):
    """A visitor's answer to "is this right?", asked of a random share of visitors. Holds no text."""

    class Answer(models.TextChoices):
        """What the visitor said of the first genre shown."""

        YES = "yes", "Yes"
        NO = "no", "No"
        UNSURE = "unsure", "Not sure"

    prediction_uid = models.UUIDField(unique=True, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="audit_answers")
    genre = models.CharField(max_length=60, help_text="Slug of the first genre shown.")
    score = models.FloatField(help_text="Its score.")
    share = models.FloatField(help_text="The chance with which the visitor was asked.")
    answer = models.CharField(max_length=10, choices=Answer.choices)
    predicted_at = models.DateTimeField(db_index=True, help_text="When the genres were shown.")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.answer} to {self.genre}"


class SharedResultQuerySet(models.QuerySet["SharedResult"]):
    """Sets of shared results."""

    def live(self, now: datetime) -> "SharedResultQuerySet":
        """Return those whose link shows them."""
        return self.filter(ended_at=None, expires_at__gt=now)

    def with_visitor_before(self, moment: datetime) -> "SharedResultQuerySet":
        """Return those made before ``moment`` that name their visitor still."""
        return self.filter(created_at__lt=moment).exclude(visitor="")


class SharedResult(models.Model):
    """A result that a person made a link to, as it was said then. Written only by ``feedback.sharing``.

    One that has ended is an empty row until it would have expired, so that its link says what became of it.
    """

    token = models.CharField(
        max_length=40, unique=True, default=new_receipt, editable=False, help_text="Of the link that shows it."
    )
    secret = models.CharField(
        max_length=40, unique=True, default=new_receipt, editable=False, help_text="Of the link that deletes it."
    )
    prediction_uid = models.UUIDField(
        unique=True, null=True, editable=False, help_text="So that two clicks make one link; never shown."
    )
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="shared_results"
    )
    answer = models.JSONField(default=dict, blank=True, help_text="What was said, in the API's shape.")
    text = models.TextField(blank=True, help_text="Empty once it has ended.")
    visitor = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="Keyed hash of the address, per day."
    )
    created_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(
        max_length=150, blank=True, help_text="Who of the staff removed it; empty where its author did."
    )

    objects = SharedResultQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"shared result {self.pk}"

    @property
    def state(self) -> str:
        """Where it stands: live, deleted (by its author), removed (by the staff) or expired."""
        if self.ended_at is not None:
            return "removed" if self.ended_by else "deleted"
        return "live" if self.expires_at > timezone.now() else "expired"


class QueueScore(models.Model):
    """How much the next model would learn from a correction, for the order in which reviewers get to see them.

    ``manage.py review_order`` computes it; until it has, the queue estimates it from the scores that were shown.
    """

    correction = models.OneToOneField(Correction, on_delete=models.CASCADE, related_name="queue_score")
    score = models.FloatField(db_index=True, help_text="Higher is sooner.")
    parts = models.JSONField(default=dict, help_text="What it is made of: uncertainty, novelty, disagreement, …")
    is_estimate = models.BooleanField(default=False, help_text="Made by the queue itself, from the shown scores alone.")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.score:.3f} for correction {self.correction_id}"


class Suspect(models.Model):
    """A text of the training data whose label the models that did not learn from it find hard to believe.

    The text of a correction stays with the correction. That of a file is copied here, because the site does not read
    the operator's files; it goes when the same text is deleted here, or when the next search no longer suspects it.
    """

    class Status(models.TextChoices):
        """What a reviewer said of the label."""

        OPEN = "open", "Open"
        RIGHT = "right", "The label is right"
        WRONG = "wrong", "The label is wrong"

    key = models.CharField(max_length=64, unique=True, help_text="Names the text and the label it was given.")
    correction = models.ForeignKey(
        Correction,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="suspicions",
        help_text="The correction that holds the text, or that holds the better label since.",
    )
    source = models.CharField(max_length=200, help_text="The file, or feedback.")
    row = models.BigIntegerField(default=0, help_text="In the file.")
    title = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True, help_text="Of a file; empty where a correction holds it.")
    text_hash = models.CharField(max_length=64, blank=True, db_index=True)
    given = models.JSONField(default=list, help_text="The slugs of the label it has.")
    suggested = models.JSONField(default=list, help_text="What the models say, best first: [[slug, score], …].")
    score = models.FloatField(db_index=True, help_text="How hard to believe the label is; higher is sooner.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN, db_index=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-score", "pk"]
        verbose_name = "suspected label"

    def __str__(self) -> str:
        return f"label of {self.source}, row {self.row}"

    @property
    def words(self) -> str:
        """The text, wherever it is kept; '' when it was deleted."""
        return self.correction.text if self.correction is not None and not self.text else self.text


class Claim(models.Model):
    """A card that lies before one reviewer, so that nobody else gets it meanwhile. Ends by an answer, or by time.

    ``uid`` is on the form: an answer that is sent twice is stored once.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    correction = models.OneToOneField(Correction, on_delete=models.CASCADE, null=True, related_name="claim")
    suspect = models.OneToOneField(Suspect, on_delete=models.CASCADE, null=True, related_name="claim")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="review_claims")
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(correction__isnull=True) ^ Q(suspect__isnull=True), name="feedback_claim_of_one_card"
            )
        ]

    def __str__(self) -> str:
        return f"claim of {self.reviewer}"


class OpinionQuerySet(AppendOnlyQuerySet):
    """Sets of opinions."""

    def in_force(self) -> "OpinionQuerySet":
        """Return the answers that nobody has undone."""
        kinds = (Opinion.Kind.ANSWER, Opinion.Kind.SETTLEMENT)
        return self.filter(kind__in=kinds, undone_by__isnull=True)


class Opinion(AppendOnly):
    """What one reviewer did with one card: an answer, a settlement, a skip, or that an earlier answer was undone.

    Append-only, and without text. A correction gets an answer as its outcome at once, or, where a second opinion is
    wanted, once two agree or somebody settles it.
    """

    class Kind(models.TextChoices):
        """What was done."""

        ANSWER = "answer", "Answer"
        SETTLEMENT = "settlement", "Settled"
        SKIP = "skip", "Skipped"
        UNDO = "undo", "Undone"

    class Verdict(models.TextChoices):
        """What an answer says."""

        GENRES = "genres", _("These genres")
        NONE = "none", _("None of the genres fits")
        UNUSABLE = "unusable", _("Not usable")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="The claim's, of an answer.")
    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, null=True, related_name="opinions")
    suspect = models.ForeignKey(Suspect, on_delete=models.PROTECT, null=True, related_name="opinions")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="opinions"
    )
    by = models.CharField(max_length=150)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True)
    genres = models.JSONField(default=list)
    wants_second = models.BooleanField(default=False, help_text="Drawn for a second opinion, when it was given.")
    before = models.JSONField(
        null=True, help_text="What the outcome replaced; null where the answer waits for another."
    )
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="undone_by")
    at = models.DateTimeField(default=timezone.now, editable=False)

    objects = OpinionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        permissions = [("settle_opinion", "Can settle any conflict between two reviewers, also one's own")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.by}"

    @property
    def label(self) -> frozenset[str]:
        """What it says as a set, to be compared with another's; never empty."""
        return frozenset(self.genres) or frozenset({f"({self.verdict})"})
