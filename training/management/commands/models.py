"""``manage.py models``."""

import json
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import GenreCommand, Table
from classifier.models import ModelEvent, ModelVersion

# Too wide for a terminal.
JSON_ONLY = ("sha256", "folder")


class Command(GenreCommand):
    """List model versions."""

    help = "List the model versions: state, data, figures; with --history, who promoted what, when and why."
    examples = """
  manage.py models
  manage.py models --history
  manage.py models --format json
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--history", action="store_true", help="show every change of state, newest first")
        parser.add_argument("--format", choices=["table", "json"], default="table", dest="output")

    def handle(self, *, history: bool, output: str, **options: Any) -> None:
        """Show."""
        rows = self._events() if history else self._versions()
        if output == "json":
            self.stdout.write(json.dumps(rows, indent=1, default=str))
            return
        if not rows:
            self.out.print("No model yet. Next: manage.py ensure_model, or manage.py train")
            return
        table = Table()
        columns = [column for column in rows[0] if column not in JSON_ONLY]
        for column in columns:
            table.add_column(column.replace("_", " "))
        for row in rows:
            table.add_row(*(str(row[column]) for column in columns))
        self.out.print(table)

    @staticmethod
    def _versions() -> list[dict[str, Any]]:
        rows = []
        for version in ModelVersion.objects.all():
            scores = version.meta.get("evaluation", {}).get("methods", {}).get("fasttext", {})
            rows.append(
                {
                    "number": version.number,
                    "state": version.state,
                    "created": f"{version.created_at:%Y-%m-%d %H:%M}",
                    "trained_on": ", ".join(entry["name"] for entry in version.meta.get("inputs", [])),
                    "examples": version.meta.get("n_train", ""),
                    "accuracy": scores.get("accuracy", ""),
                    "f1_subj_avg": scores.get("f1_subj_avg", ""),
                    "sha256": version.sha256,
                    "folder": version.folder,
                }
            )
        return rows

    @staticmethod
    def _events() -> list[dict[str, Any]]:
        return [
            {
                "at": f"{event.at:%Y-%m-%d %H:%M:%S}",
                "version": event.version.number,
                "change": f"{event.from_state or 'new'} → {event.to_state}",
                "by": event.by,
                "reason": event.reason,
            }
            for event in ModelEvent.objects.select_related("version")
        ]
