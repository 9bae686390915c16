"""Watch: count the traffic, judge it, raise and close alerts, keep the figures."""

import logging
from datetime import datetime
from typing import Any

from django.utils import timezone

from classifier.alerts import close_alerts, raise_alert
from classifier.core.errors import GenreError
from classifier.models import Alert
from classifier.registry import challenger, champion
from training.core.judge import KEYS, problems
from training.monitor.figures import figures
from training.monitor.look import Look, take_look
from training.monitor.traffic import count_traffic, monitor_state
from training.monitor.wording import finding

logger = logging.getLogger(__name__)


def watch(now: datetime | None = None) -> dict[str, Any]:
    """Take one look as of ``now`` (default: now), and return and store the figures.

    Safe to repeat, and to run in several processes at once.
    """
    now = now or timezone.now()
    _look_at_files()
    count_traffic(now)
    look = take_look(now)
    _update_alerts(look)
    found = figures(now, look)
    state = monitor_state()
    state.figures, state.watched_at = found, now
    state.save(update_fields=["figures", "watched_at"])
    return found


def _look_at_files() -> None:
    """Follow both models, so that the registry raises or closes its alarms about their files without any visitor."""
    try:
        champion()
        challenger()
    except GenreError as error:
        logger.warning("No model answers: %s", error)


def _update_alerts(look: Look) -> None:
    open_ones = list(Alert.objects.filter(closed_at=None, key__in=KEYS))
    still = {alert.key for alert in open_ones if alert.version_id == _pk(look, alert.key)}
    held = problems(look.checks, still)
    # Nobody can tell without enough data, and an alarm is not over because the night is quiet.
    unmeasured = still - {check.key for check in look.checks}
    # An alert about a version that is no longer in charge is over; the new one may deserve its own.
    over = {alert.key for alert in open_ones} - still
    close_alerts(over | (still - set(held) - unmeasured), at=look.at)
    for key, found in held.items():
        raise_alert(finding(key, found, look), at=look.at)


def _pk(look: Look, key: str) -> int | None:
    version = look.subject(key)
    return version.pk if version else None
