"""``manage.py ensure_model``: a fresh installation gets its first model."""

from typing import Any

from django.conf import settings

from classifier.commands import GenreCommand
from classifier.core.errors import GenreError
from classifier.genre_table import current_genres
from classifier.registry import get_version, load_version, promote
from training.management.commands.train import vectors_of
from training.pipeline import TrainingPlan, train_model


class Command(GenreCommand):
    """Train and promote the first model, if none answers."""

    help = "Train a model on the starter corpus and promote it, unless a sound champion is here already."
    examples = """
  manage.py ensure_model
"""

    def handle(self, **options: Any) -> None:
        """Check, train, promote."""
        try:
            champion = get_version("champion")
            load_version(champion)
        except GenreError as error:
            self.stderr.write(f"{error} Training on the starter corpus.")
        else:
            self.stdout.write(f"Version {champion.number} answers.")
            return
        with self.progress("starting") as report:
            trained = train_model(
                TrainingPlan(vectors=vectors_of(settings.GENRE_VECTORS)),
                current_genres(),
                by="ensure_model",
                report=report,
            )
        promote(trained.version.number, by="ensure_model", reason="first model of this installation")
        self.stdout.write(f"Version {trained.version.number} answers.", self.style.SUCCESS)
