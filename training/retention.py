"""Delete what is older than the site keeps it: ``prune``."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from classifier.idempotency import KEPT
from classifier.models import IdempotentAnswer, Prediction
from feedback.actions import erase_rejected, forget_visitors
from feedback.models import AuditCount, Correction, SharedResult
from feedback.sharing import forget_sharers
from training.monitor.traffic import count_traffic, monitor_state

# Rows of one transaction: some hundredths of a second on SQLite, whose other writers wait for it.
BATCH = 1_000
Keys = list[Any]


@dataclass(frozen=True)
class Pruned:
    """What one rule did, or would do; ``kept`` says for how long such things are kept."""

    what: str
    kept: str
    n: int


@dataclass(frozen=True)
class _Rule:
    """``remove`` is given primary keys of what is ``due``, deletes it in one transaction and returns how many."""

    what: str
    kept: str
    due: QuerySet[Any]
    remove: Callable[[Keys], int]


def prune(*, dry_run: bool = False, now: datetime | None = None) -> list[Pruned]:
    """Delete what is due as of ``now`` (default: now) and return what was done.

    In short transactions, with pauses for other writers. Killed at any moment, what is left is due the next time.
    """
    now = now or timezone.now()
    if not dry_run:
        # A prediction must be in the hourly counts, which stay, before it goes.
        count_traffic(now)
    rules = [
        _predictions(now, is_counted=not dry_run),
        _rejected(now),
        _visitors(now),
        _shared(now),
        _sharers(now),
        _counts(now),
        _answers(now),
        _sessions(now),
        _attempts(now),
    ]
    done = [Pruned(rule.what, rule.kept, rule.due.count() if dry_run else _remove(rule)) for rule in rules]
    if not dry_run:
        _empty_log()
    return done


def _remove(rule: _Rule) -> int:
    total, last = 0, None
    while True:
        due = rule.due if last is None else rule.due.filter(pk__gt=last)
        if not (keys := list(due.order_by("pk").values_list("pk", flat=True)[:BATCH])):
            return total
        start = time.monotonic()
        total += rule.remove(keys)
        last = keys[-1]
        # SQLite queues nobody: whoever waits for the lock looks for it now and then.
        time.sleep(time.monotonic() - start)


def _predictions(now: datetime, *, is_counted: bool) -> _Rule:
    """Those of a correction that has its text are part of it, and stay as long."""
    days = settings.GENRE_KEEP_PREDICTIONS_DAYS
    corrected = Correction.objects.filter(prediction_uid=OuterRef("uid")).exclude(text="")
    due = Prediction.objects.filter(at__lt=now - timedelta(days=days)).exclude(Exists(corrected))
    if is_counted:
        due = due.filter(pk__lte=monitor_state().counted_up_to)
    return _rule("predictions", days, due, lambda keys: _delete(Prediction, keys))


def _rejected(now: datetime) -> _Rule:
    days = settings.GENRE_KEEP_REJECTED_DAYS
    before = now - timedelta(days=days)
    due = Correction.objects.rejected_before(before)
    erase = partial(erase_rejected, before=before)
    return _rule("texts of rejected corrections", days, due, lambda keys: erase(corrections=keys))


def _visitors(now: datetime) -> _Rule:
    days = settings.GENRE_KEEP_VISITORS_DAYS
    due = Correction.objects.with_visitor_before(now - timedelta(days=days))
    return _rule("visitors of corrections", days, due, lambda keys: forget_visitors(corrections=keys))


def _shared(now: datetime) -> _Rule:
    """Delete ended ones too: their empty rows stay as long as their link would have."""
    due = SharedResult.objects.filter(expires_at__lte=now)
    return _Rule("shared results", "until they expire", due, lambda keys: _delete(SharedResult, keys))


def _sharers(now: datetime) -> _Rule:
    days = settings.GENRE_KEEP_VISITORS_DAYS
    due = SharedResult.objects.with_visitor_before(now - timedelta(days=days))
    return _rule("visitors of shared results", days, due, lambda keys: forget_sharers(shares=keys))


def _counts(now: datetime) -> _Rule:
    due = AuditCount.objects.filter(day__lt=now.date())
    return _Rule("visitors of the audit", "for their day", due, lambda keys: _delete(AuditCount, keys))


def _answers(now: datetime) -> _Rule:
    due = IdempotentAnswer.objects.filter(at__lt=now - KEPT)
    return _rule("answers to repeated API requests", KEPT.days, due, lambda keys: _delete(IdempotentAnswer, keys))


def _attempts(now: datetime) -> _Rule:
    due = AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME)
    kept = "until the lock is over"
    return _Rule("failed attempts to sign in", kept, due, lambda keys: _delete(AccessAttempt, keys))


def _sessions(now: datetime) -> _Rule:
    due = Session.objects.filter(expire_date__lt=now)
    return _Rule("sessions of the staff", "until they expire", due, lambda keys: _delete(Session, keys))


def _rule(what: str, days: int, due: QuerySet[Any], remove: Callable[[Keys], int]) -> _Rule:
    return (
        _Rule(what, f"{days} day{'s' * (days > 1)}", due, remove)
        if days
        else _Rule(what, "for ever", due.none(), remove)
    )


def _delete(kind: Any, keys: Keys) -> int:
    _, counts = kind.objects.filter(pk__in=keys).delete()
    return int(counts.get(kind._meta.label, 0))  # noqa: SLF001  (a public part of Django)


def _empty_log() -> None:
    """Empty SQLite's write-ahead log, in which erased texts stand until others are written over them."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
