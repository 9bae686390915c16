"""``manage.py monitor``."""

import json
import logging
import select
import sys
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from classifier.commands import CommandError, GenreCommand, Table
from classifier.models import Alert
from training.core.agreement import NEEDS_PREDICTIONS
from training.monitor.watch import watch
from training.retention import prune

logger = logging.getLogger(__name__)
# The newest, and the commonest; --format json has all of them.
VERSIONS_SHOWN = 4
GENRES_SHOWN = 10


class Command(GenreCommand):
    """Look at production."""

    help = (
        "Look at what the models do in production: count the traffic, compare it with the week before and with the "
        "training, raise and close alerts, and show the figures. Exit 1 while an alarm is open. "
        "With --every, look again and again until stopped, one line a look, and prune once a day."
    )
    examples = """
  manage.py monitor
  manage.py monitor --format json
  manage.py monitor --every 60
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--format", choices=["table", "json"], default="table", dest="output")
        parser.add_argument(
            "--every", type=float, metavar="SECONDS", help="repeat after so many seconds (a service beside gunicorn)"
        )
        parser.add_argument(
            "--until-stdin-closes",
            action="store_true",
            help="with --every: end with the process that holds the other end of standard input",
        )

    def handle(self, *, output: str, every: float | None, until_stdin_closes: bool, **options: Any) -> None:
        """Look once and show, or look for ever."""
        if every is not None:
            if every <= 0:
                raise CommandError("--every needs a number of seconds above 0.", returncode=2)
            self._repeat(every, _wait_on_stdin if until_stdin_closes else _sleep)
            return
        found = watch()
        if output == "json":
            self.stdout.write(json.dumps(found, indent=1))
        else:
            self._show(found)
        alarms = [alert for alert in found["alerts"] if alert["severity"] == Alert.Severity.ALARM]
        if alarms:
            raise CommandError(f"{len(alarms)} alarm{'s are' if len(alarms) > 1 else ' is'} open: {alarms[0]['title']}")

    def _repeat(self, every: float, wait: Callable[[float], bool]) -> None:
        """Look until stopped, or until ``wait`` says so; whatever goes wrong in one look is told, and tried again."""
        is_wanted, pruned_on = True, None
        while is_wanted:
            start = time.monotonic()
            try:
                self.stdout.write(_line(watch()))
                if pruned_on != (today := timezone.now().date()):
                    prune()
                    pruned_on = today
            except DatabaseError as error:
                logger.error("The monitor can't use the database and tries again in %g s: %s", every, error)
            except KeyboardInterrupt:
                return
            except Exception:
                # Nobody starts it again: a monitor that ended at one odd row would be no monitor.
                logger.exception("A look of the monitor failed; it tries again in %g s", every)
            self.stdout.flush()
            close_old_connections()
            try:
                is_wanted = wait(max(0.0, every - (time.monotonic() - start)))
            except KeyboardInterrupt:
                return

    def _show(self, found: dict[str, Any]) -> None:
        if found["champion"] is None:
            self.out.print("No model answers yet. Next: manage.py ensure_model")
        for table in (_versions(found), _genres(found), _drift(found), _shadow(found)):
            if table is not None:
                self.out.print(table)
        for alert in found["alerts"]:
            self.out.print(f"{alert['severity'].upper()}: {alert['title']}", markup=False)
            self.out.print(f"  {alert['detail']}\n  Next: {alert['next_step']}", markup=False)
        if not found["alerts"]:
            self.out.print("No alert is open.")


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return True


def _wait_on_stdin(seconds: float) -> bool:
    """Wait; return False as soon as standard input is closed (nothing is ever written to it)."""
    closed, _, _ = select.select([sys.stdin], [], [], seconds)
    return not closed


def _line(found: dict[str, Any]) -> str:
    keys = ", ".join(alert["key"] for alert in found["alerts"]) or "none"
    recent = found["recent"]["n"]
    return f"{timezone.now():%Y-%m-%d %H:%M:%S} version {found['champion']}: {recent} recent texts, alerts: {keys}"


def _percent(estimate: dict[str, Any]) -> str:
    if estimate["value"] is None:
        return f"not enough data yet ({estimate['n']} of {estimate['needs']})"
    return f"{estimate['value']:.1%} ({100 * estimate['low']:.1f} to {100 * estimate['high']:.1f})"


def _number(value: float | None, form: str, n: int) -> str:
    """Return a figure that needs as many answers as others, and has ``n``."""
    return f"not enough data yet ({n} of {NEEDS_PREDICTIONS})" if value is None else format(value, form)


def _versions(found: dict[str, Any]) -> Table | None:
    if not found["versions"]:
        return None
    rows = found["versions"][:VERSIONS_SHOWN]
    table = Table(title="The newest versions, last 30 days (95% intervals)", title_justify="left")
    table.add_column("")
    for row in rows:
        mark = f"\nbad on purpose: {row['sabotage']}" if row["sabotage"] else ""
        table.add_column(f"version {row['number']}\n{row['state']}, {row['role']}{mark}", justify="right")
    lines = {
        "texts": lambda row: f"{row['n']:,}",
        "no answer": lambda row: _percent(row["abstained"]),
        "mean confidence": lambda row: _number(row["confidence"], ".2f", row["n_answered"]),
        "right, by the audit": lambda row: _percent(row["audit_accuracy"]),
        "right, by the scores": lambda row: _percent(row["expected_accuracy"]),
        "right, of the corrections": lambda row: _percent(row["naive_accuracy"]),
        "reported as wrong": lambda row: _percent(row["reported_wrong"]),
        "unknown words": lambda row: _number(row["unknown_words"], ".1%", row["n_answered"]),
        "half and 95% within ms": lambda row: " and ".join(f"{ms or 0:g}" for ms in row["milliseconds"].values()),
    }
    for name, line in lines.items():
        table.add_row(name, *(line(row) for row in rows))
    return table


def _genres(found: dict[str, Any]) -> Table | None:
    if not found["genres"]:
        return None
    table = Table(title="Genres of the recent traffic", title_justify="left")
    for column in ("genre", "share", "before", "right, by the audit"):
        table.add_column(column, justify="left" if column == "genre" else "right")
    for row in found["genres"][:GENRES_SHOWN]:
        before = _number(row["baseline_share"], ".1%", found["baseline"]["n"])
        table.add_row(row["name"], f"{row['share']:.1%}", before, _percent(row["audit_accuracy"]))
    return table


def _drift(found: dict[str, Any]) -> Table | None:
    if not found["drift"]:
        return None
    table = Table(title="Recent traffic against others", title_justify="left")
    for column in ("signal", "against", "stability index", "q", "texts", "drift"):
        table.add_column(column, justify="left" if column in ("signal", "against") else "right")
    for row in found["drift"]:
        texts = f"{row['n_recent']:,} / {row['n_baseline']:,}"
        verdict = "drift" if row["is_drift"] else "no"
        table.add_row(row["signal"], row["against"], f"{row['psi']:.3f}", f"{row['q']:.2g}", texts, verdict)
    return table


def _shadow(found: dict[str, Any]) -> Table | None:
    shadow = found["shadow"]
    if shadow is None:
        return None
    table = Table(title=f"Version {shadow['number']} in the shadow of the champion", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("texts both read", f"{shadow['n_pairs']:,}")
    table.add_row("same first genre", _percent(shadow["agreement"]))
    table.add_row("right, the champion", _percent(shadow["champion_accuracy"]))
    table.add_row("right, the challenger", _percent(shadow["challenger_accuracy"]))
    return table
