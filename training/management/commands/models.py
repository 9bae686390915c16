"""``manage.py models``."""

import argparse
import json
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from classifier.commands import GenreCommand, Table
from classifier.models import ModelEvent, ModelVersion
from classifier.registry import champion_on
from feedback.deleted import learned_by, taken_back, taken_back_line

# Too wide for a terminal.
JSON_ONLY = ("sha256", "folder")
# Shown where some row has one.
RARE = ("share", "sabotage", "taken_back", "forced", "gate")


def moment_of(text: str) -> date | datetime:
    """Return the day or the moment spelled ``text``, in the site's zone, or refuse it as wrong usage (exit 2)."""
    try:
        moment = parse_date(text) or parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2026-11-01 or 2026-11-01T12:00")
    if isinstance(moment, datetime) and timezone.is_naive(moment):
        return timezone.make_aware(moment)
    return moment


class Command(GenreCommand):
    """List model versions."""

    help = (
        "List the model versions: state, data, figures, and how many corrections they learned from that were deleted or "
        "taken back since; with --history, who promoted what, when and why, and what the "
        "gate said; with --on, which version answered then."
    )
    examples = """
  manage.py models
  manage.py models --history
  manage.py models --on 2026-11-01
  manage.py models --on 2026-11-01T12:00 --format json
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--history", action="store_true", help="show every change of state, newest first")
        which.add_argument(
            "--on",
            type=moment_of,
            metavar="DATE[TIME]",
            help="show which version answered at that moment, or in the course of that day",
        )
        parser.add_argument("--format", choices=["table", "json"], default="table", dest="output")

    def handle(self, *, history: bool, on: date | datetime | None, output: str, **options: Any) -> None:
        """Show."""
        if on is not None:
            rows, nothing = _answered(on), "No version answered then."
        else:
            rows = _events() if history else _versions()
            nothing = "No model yet. Next: manage.py ensure_model, or manage.py train"
        if output == "json":
            self.stdout.write(json.dumps(rows, indent=1, default=str))
        elif rows:
            self.out.print(_table(rows))
        else:
            self.out.print(nothing)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table()
    columns = [
        column
        for column in rows[0]
        if column not in JSON_ONLY and (column not in RARE or any(row[column] for row in rows))
    ]
    for column in columns:
        table.add_column(column.replace("_", " "), no_wrap=column in RARE)
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)


def _time(moment: datetime) -> str:
    """Return a moment as the site's clocks show it."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


def _versions() -> list[dict[str, Any]]:
    rows = []
    versions = list(ModelVersion.objects.all())
    gone = taken_back({version.number: learned_by(version) for version in versions})
    for version in versions:
        scores = version.meta.get("evaluation", {}).get("methods", {}).get("fasttext", {})
        is_challenger = version.state == ModelVersion.State.CHALLENGER
        rows.append(
            {
                "number": version.number,
                "state": version.state,
                "share": f"{version.shadow_share:.0%}" if is_challenger else "",
                "sabotage": version.sabotage,
                "created": _time(version.created_at)[:-3],
                "trained_on": ", ".join(entry["name"] for entry in version.meta.get("inputs", [])),
                "examples": version.meta.get("n_train", ""),
                "taken_back": taken_back_line(gone[version.number]),
                "accuracy": scores.get("accuracy", ""),
                "f1_subj_avg": scores.get("f1_subj_avg", ""),
                "sha256": version.sha256,
                "folder": version.folder,
            }
        )
    return rows


def _events() -> list[dict[str, Any]]:
    return [
        {
            "at": _time(event.at),
            "version": event.version.number,
            "sabotage": event.version.sabotage,
            "action": event.action,
            "change": f"{event.from_state or 'new'} → {event.to_state}",
            "gate": _verdict(event.gate),
            "forced": event.forced,
            "by": event.by,
            "reason": event.reason,
        }
        for event in ModelEvent.objects.select_related("version")
    ]


def _verdict(gate: dict[str, Any] | None) -> str:
    if gate is None:
        return ""
    if gate["passed"]:
        return "passed"
    return f"blocked: {', '.join(gate['blocked_by'])}" if gate["blocked_by"] else "could not measure"


def _answered(on: date | datetime) -> list[dict[str, Any]]:
    """Return which versions answered at a moment, or from when in the course of a day, in order."""
    if isinstance(on, datetime):
        version = champion_on(on)
        return [_answer(on, version)] if version else []
    start = timezone.make_aware(datetime.combine(on, time()))
    end = timezone.make_aware(datetime.combine(on + timedelta(days=1), time()))
    first = champion_on(start)
    changes = ModelEvent.objects.filter(to_state=ModelVersion.State.CHAMPION, at__gt=start, at__lt=end)
    later = [_answer(event.at, event.version) for event in changes.select_related("version").order_by("at", "pk")]
    return [*([_answer(start, first)] if first else []), *later]


def _answer(moment: datetime, version: ModelVersion) -> dict[str, Any]:
    return {
        "from": _time(moment),
        "version": version.number,
        "sabotage": version.sabotage,
    }
