"""The app that reads texts: genres, models, predictions."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def seed_genres(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Bring the genre table up to the shipped list; rows are added and never changed or deleted."""
    from classifier.genre_table import sync_genres

    sync_genres(using=using)


class ClassifierConfig(AppConfig):
    """Settings of the app."""

    name = "classifier"
    verbose_name = "Genres and models"

    def ready(self) -> None:
        """Connect what must happen after each migration."""
        from classifier import checks  # noqa: F401

        post_migrate.connect(seed_genres, sender=self)
