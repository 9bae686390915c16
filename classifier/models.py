"""Genres, model versions and predictions as they are stored."""

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from classifier.core.errors import GenreListError
from classifier.core.genres import Genre as CoreGenre
from classifier.core.genres import GenreList
from classifier.core.marks import sabotage_of


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Sets of rows that are written once."""

    def update(self, **kwargs: Any) -> int:
        """Refuse."""
        raise ValidationError("This is a history: its rows are never changed.")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise ValidationError("This is a history: its rows are never deleted.")


class AppendOnly(models.Model):
    """A row that is written once: an update or a delete through the ORM is refused."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; refuse to update."""
        if not self._state.adding:
            raise ValidationError("This is a history: its rows are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise ValidationError("This is a history: its rows are never deleted.")


class Genre(models.Model):
    """A genre people and models may name. The table is the truth; ``genres.toml`` only seeds it."""

    slug = models.SlugField(
        max_length=60,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*$")],
        help_text="For machines: small letters, digits, hyphens. Never changes once used.",
    )
    name = models.CharField(max_length=80, unique=True)
    description = models.CharField(max_length=200, blank=True, help_text="One line, shown where the genre is shown.")
    headings = models.TextField(
        blank=True, help_text="BISAC headings that mean this genre, one a line, levels joined by “ / ”."
    )
    aliases = models.TextField(blank=True, help_text="Other and older names, one a line.")
    retired = models.BooleanField(default=False, help_text="No longer offered to people; old labels stay.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a name, alias or heading that another genre has: labels would mean two things."""
        if self.retired:
            # It claims nothing, so that its name may become an alias of the genre it was merged into.
            return
        others = Genre.objects.exclude(pk=self.pk).filter(retired=False)
        try:
            GenreList(genre.as_core() for genre in [*others, self])
        except GenreListError as error:
            raise ValidationError(str(error)) from error

    def as_core(self) -> CoreGenre:
        """Return the genre as the cores know it."""
        return CoreGenre(
            slug=self.slug,
            name=self.name,
            description=self.description,
            headings=tuple(self.headings.splitlines()),
            aliases=tuple(self.aliases.splitlines()),
        )


class ModelVersion(models.Model):
    """One trained model: a folder under GENRE_MODEL_DIR and its place in the life of models."""

    class State(models.TextChoices):
        """Where a version stands."""

        CANDIDATE = "candidate", "Candidate"
        CHALLENGER = "challenger", "Challenger (shadow)"
        CHAMPION = "champion", "Champion"
        RETIRED = "retired", "Retired"

    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CANDIDATE)
    folder = models.CharField(max_length=200, help_text="Below GENRE_MODEL_DIR.")
    sha256 = models.CharField(max_length=64)
    meta = models.JSONField(default=dict)
    shadow_share = models.FloatField(default=0.0, help_text="Of a challenger: the share of live traffic it reads too.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="champion"), name="classifier_one_champion"),
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="challenger"), name="classifier_one_challenger"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number} (bad on purpose: {self.sabotage})" if self.sabotage else f"version {self.number}"

    @property
    def sabotage(self) -> str:
        """How the model was made bad on purpose, for ever on record; '' for an honest one."""
        return sabotage_of(self.meta)


class ModelEvent(AppendOnly):
    """One change in the life of a version: who, when, why."""

    class Action(models.TextChoices):
        """What was done."""

        REGISTER = "register", "Registered"
        PROMOTE = "promote", "Promoted"
        ROLL_BACK = "roll-back", "Rolled back"
        SHADOW = "shadow", "Shadow"
        RETIRE = "retire", "Retired"

    action = models.CharField(max_length=10, choices=Action.choices, blank=True)
    forced = models.BooleanField(default=False, help_text="Promoted although the gate blocked it.")
    gate = models.JSONField(null=True, blank=True, help_text="What the gate found.")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="events")
    from_state = models.CharField(max_length=10, blank=True)
    to_state = models.CharField(max_length=10)
    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.CharField(max_length=150)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.version}: {self.from_state or 'new'} → {self.to_state}"


class Deployment(models.Model):
    """A version of the prediction service that was sent to a cluster. Written by ``cortex.deploy.recording``."""

    place = models.CharField(max_length=200, help_text="The cluster: its operator's address.")
    name = models.CharField(max_length=42, help_text="What callers ask for.")
    release_version = models.CharField(max_length=42, help_text="The name of this version alone.")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="deployments")
    kind = models.CharField(max_length=10)
    image = models.CharField(max_length=500)
    release = models.JSONField(help_text="All of what was sent, so that it can be sent again.")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["place", "release_version"], name="classifier_one_deployment_a_version")
        ]

    def __str__(self) -> str:
        return self.release_version


class DeploymentEvent(AppendOnly):
    """Something done with a deployment, or tried: who, when, and what came of it."""

    class Action(models.TextChoices):
        """What was done."""

        DEPLOY = "deploy", "Deployed"
        CANARY = "canary", "Canary"
        SHADOW = "shadow", "Shadow"
        PROMOTE = "promote", "Promoted"
        ROLL_BACK = "rollback", "Rolled back"
        REFRESH = "refresh", "Refreshed"
        DELETE = "delete", "Deleted"

    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="events")
    action = models.CharField(max_length=10, choices=Action.choices)
    succeeded = models.BooleanField()
    shares = models.JSONField(default=dict, help_text="Of the traffic, afterwards, in percent by version.")
    replaced = models.CharField(max_length=42, blank=True, help_text="The other version that had traffic before.")
    message = models.TextField(blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.deployment}: {self.get_action_display()}{'' if self.succeeded else ', failed'}"


class Prediction(models.Model):
    """What a version said of a text, without the text."""

    class Source(models.TextChoices):
        """Where the text came from."""

        PAGE = "page", "Page"
        FILE = "file", "Uploaded file"
        EXAMPLE = "example", "Example"
        EXPLORE = "explore", "Lab"
        API = "api", "API"
        SERVICE = "service", "Prediction service"
        SEVERAL = "several", "Table of texts"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="predictions")
    source = models.CharField(max_length=10, choices=Source.choices)
    shown = models.JSONField(help_text="The genres shown, best first: [[slug, score], …].")
    abstained = models.CharField(max_length=30, blank=True)
    n_words = models.PositiveIntegerField()
    n_known = models.PositiveIntegerField(default=0, help_text="Words of them that the model knows.")
    n_chars = models.PositiveIntegerField(default=0)
    milliseconds = models.FloatField()
    text_hash = models.CharField(max_length=64, help_text="Keyed hash of the text: equal texts, equal hashes.")
    asked = models.FloatField(
        default=0.0, help_text="The chance with which the visitor was asked whether it is right; 0 when not asked."
    )
    shadow_of = models.UUIDField(
        null=True, blank=True, db_index=True, help_text="Of a challenger: the prediction that was shown in its place."
    )
    at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    stored_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it was stored, if that was later than it was made."
    )

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"prediction {self.uid}"


# Texts of our own: what is shown and said of them tells nothing of visitors. A correction has its prediction's source.
OWN_SOURCES = (Prediction.Source.EXAMPLE, Prediction.Source.EXPLORE)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Sets of keys."""

    def live(self) -> "ApiKeyQuerySet":
        """Return those that open anything now."""
        return self.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


class ApiKey(models.Model):
    """A key of a program, of which only a hash is kept. Written by ``classifier.keys``."""

    class Scope(models.TextChoices):
        """What a key opens."""

        PREDICT = "predict", "Ask for genres"
        FEEDBACK = "feedback", "Send corrections"
        READ_MONITOR = "read-monitor", "Read the metrics"
        ADMIN = "admin", "Everything"

    name = models.CharField(max_length=80, help_text="Whose it is and what for.")
    prefix = models.CharField(max_length=12, unique=True, editable=False, help_text="How logs and lists name it.")
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Texts and corrections a minute; empty means GENRE_API_PER_MINUTE."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=150, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="To the minute.")

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def state(self) -> str:
        """Whether it opens anything: live, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= timezone.now() else "live"


class IdempotentAnswer(models.Model):
    """What a write of a program was answered, so that the same request sent again is not done again."""

    digest = models.CharField(
        max_length=64, unique=True, help_text="Keyed hash of who asked and their Idempotency-Key."
    )
    request = models.CharField(max_length=64, help_text="Keyed hash of what they asked.")
    status = models.PositiveSmallIntegerField(default=0, help_text="0 while it is being answered.")
    body = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.digest[:12]


class Alert(models.Model):
    """Something is wrong with a model or its traffic, from when it was seen until it was over."""

    class Severity(models.TextChoices):
        """How soon somebody should look."""

        ALARM = "alarm", "Alarm"
        NOTICE = "notice", "Notice"

    key = models.CharField(max_length=120, help_text="What is wrong, for machines: one open alert a key.")
    severity = models.CharField(max_length=10, choices=Severity.choices)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    next_step = models.TextField(blank=True, help_text="What to do next.")
    opened_at = models.DateTimeField(default=timezone.now, db_index=True)
    seen_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(closed_at=None), name="classifier_one_open_alert_a_key")
        ]

    def __str__(self) -> str:
        return self.title
