"""What the monitor keeps: hourly counts of the traffic, and its latest figures."""

from django.db import models

from classifier.models import ModelVersion


class TrafficHour(models.Model):
    """What one version was asked and said within one hour, as counts. Survives the predictions it was made from."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="traffic_hours")
    is_shadow = models.BooleanField(default=False, help_text="The version was challenger: nobody saw its answers.")
    is_service = models.BooleanField(
        default=False, help_text="Answers of the prediction service, beside which no challenger reads."
    )
    hour = models.DateTimeField(db_index=True, help_text="When the hour began.")
    profile = models.JSONField(help_text="The counts: training.core.profile.Profile as JSON.")
    counted_at = models.DateTimeField(auto_now=True, null=True, help_text="When the counts last grew.")

    class Meta:
        ordering = ["hour", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "is_shadow", "is_service", "hour"], name="training_one_row_a_version_and_hour"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version}, {self.hour:%Y-%m-%d %H:00}"


class MonitorState(models.Model):
    """The monitor's one row: how far the predictions are counted, and what it last found."""

    counted_up_to = models.BigIntegerField(default=0, help_text="Primary key of the last prediction counted.")
    figures = models.JSONField(null=True, help_text="The latest figures, as `manage.py monitor --format json`.")
    watched_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"monitor state of {self.watched_at}"
