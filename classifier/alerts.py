"""Open, keep up and close alerts: one open alert a key, whoever sees it and however often."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from classifier.models import Alert, ModelVersion

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """What is wrong now: becomes an alert under ``key``, or keeps the open one up."""

    key: str
    title: str
    detail: str
    next_step: str
    severity: str = Alert.Severity.ALARM
    version: ModelVersion | None = None


def raise_alert(finding: Finding, *, at: datetime | None = None) -> Alert:
    """Open an alert, or note that the open one still holds."""
    at = at or timezone.now()
    fields = {
        "severity": finding.severity,
        "version": finding.version,
        "title": finding.title,
        "detail": finding.detail,
        "next_step": finding.next_step,
        "seen_at": at,
    }
    try:
        with transaction.atomic():
            alert, is_new = Alert.objects.update_or_create(
                key=finding.key, closed_at=None, defaults=fields, create_defaults={**fields, "opened_at": at}
            )
    except IntegrityError:
        # Another process saw it in the same instant.
        return Alert.objects.get(key=finding.key, closed_at=None)
    if is_new:
        logger.error("%s: %s. %s %s", finding.severity, finding.title, finding.detail, finding.next_step)
    return alert


def close_alerts(keys: Iterable[str], *, at: datetime | None = None) -> int:
    """Close the open alerts with these keys and return how many there were."""
    return Alert.objects.filter(key__in=list(keys), closed_at=None).update(closed_at=at or timezone.now())


def open_alerts() -> list[Alert]:
    """Return the open alerts, alarms first, newest first."""
    rows = list(Alert.objects.filter(closed_at=None).select_related("version"))
    return sorted(rows, key=lambda alert: alert.severity != Alert.Severity.ALARM)
