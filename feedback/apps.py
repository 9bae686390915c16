"""The app that keeps corrections and their review."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

REVIEWER_GROUP = "Reviewer"
REVIEWER_RIGHTS = (
    ("feedback", "view_correction"),
    ("feedback", "change_correction"),
    ("feedback", "view_reviewevent"),
    ("feedback", "view_auditanswer"),
    ("feedback", "view_sharedresult"),
    ("feedback", "change_sharedresult"),
    ("classifier", "view_genre"),
    ("classifier", "view_modelversion"),
    ("classifier", "view_modelevent"),
    ("classifier", "view_prediction"),
    ("classifier", "view_alert"),
)


def make_reviewer_group(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Make the Reviewer group with just the rights a reviewer needs; rights added by hand stay."""
    from django.apps import apps
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    for label in ("classifier", "feedback"):
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    group, _ = Group.objects.using(using).get_or_create(name=REVIEWER_GROUP)
    for app, codename in REVIEWER_RIGHTS:
        group.permissions.add(Permission.objects.using(using).get(content_type__app_label=app, codename=codename))


class FeedbackConfig(AppConfig):
    """Settings of the app."""

    name = "feedback"
    verbose_name = "Corrections"

    def ready(self) -> None:
        """Connect what must happen after each migration."""
        post_migrate.connect(make_reviewer_group, sender=self)
