"""``manage.py ensure_model``: a fresh installation gets its first model."""

from typing import Any

from django.conf import settings

from classifier.commands import CommandError, GenreCommand
from classifier.core.errors import ModelError
from classifier.genre_table import current_genres
from classifier.models import ModelVersion
from classifier.registry import NoChampion, get_version, last_good_before, load_version
from training.gating import promote_gated
from training.management.commands.build_neighbours import write_neighbours
from training.management.commands.train import vectors_of
from training.neighbours import has_neighbours
from training.pipeline import TrainingPlan, train_model


class Command(GenreCommand):
    """Train and promote the first model, if none answers."""

    help = (
        "Train a model on the starter corpus and promote it through the gate, unless a version answers already: the "
        "champion, or in place of one whose files are damaged the last good one before it."
    )
    examples = """
  manage.py ensure_model
"""

    def handle(self, **options: Any) -> None:
        """Check, train, promote."""
        try:
            champion = get_version("champion")
        except NoChampion as error:
            self.stderr.write(f"{error} Training on the starter corpus.")
            self._start_anew("first model of this installation")
            return
        answering, problem = self._who_answers(champion)
        if answering is None:
            self.stderr.write(
                f"{problem} No other can answer. Training on the starter corpus. Once the files are restored: "
                f"manage.py rollback --to {champion.number} --reason WHY"
            )
            self._start_anew(f"{champion} can't be loaded, nor any good one before it")
            return
        if problem:
            self.stderr.write(f"{problem} Restore its files from a backup, or run manage.py rollback --reason WHY")
        self.stdout.write(f"Version {answering.number} answers.")
        if not has_neighbours(answering):
            write_neighbours(self, answering)

    @staticmethod
    def _who_answers(champion: ModelVersion) -> tuple[ModelVersion | None, str]:
        """Return the version that answers visitors, and what is wrong with the champion."""
        try:
            load_version(champion)
        except ModelError as error:
            found = last_good_before(champion)
            return (found[0] if found else None), f"The champion, {champion}, can't be loaded: {error}"
        return champion, ""

    def _start_anew(self, reason: str) -> None:
        with self.progress("starting") as report:
            trained = train_model(
                TrainingPlan(vectors=vectors_of(settings.GENRE_VECTORS)),
                current_genres(),
                by="ensure_model",
                report=report,
            )
        number = trained.version.number
        promotion = promote_gated(number, by="ensure_model", reason=reason, is_alone=True)
        if not promotion.is_champion:
            raise CommandError(f"{promotion.refusal} `manage.py gate {number}` shows why.")
        self.stdout.write(f"Version {number} answers.", self.style.SUCCESS)
        write_neighbours(self, promotion.version)
