"""``manage.py ensure_model``: a fresh installation gets its first model."""

from typing import Any

from django.conf import settings

from classifier.commands import CommandError, GenreCommand
from classifier.core.errors import GenreError
from classifier.genre_table import current_genres
from classifier.registry import get_version, load_version
from training.gating import promote_gated
from training.management.commands.train import vectors_of
from training.pipeline import TrainingPlan, train_model


class Command(GenreCommand):
    """Train and promote the first model, if none answers."""

    help = (
        "Train a model on the starter corpus and promote it through the gate, unless a sound champion is here already."
    )
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
        number = trained.version.number
        promotion = promote_gated(number, by="ensure_model", reason="first model of this installation")
        if not promotion.is_champion:
            raise CommandError(f"{promotion.refusal} `manage.py gate {number}` shows why.")
        self.stdout.write(f"Version {number} answers.", self.style.SUCCESS)
