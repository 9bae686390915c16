"""Count predictions into hourly profiles: each exactly once, in the order they were stored."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from classifier.models import OWN_SOURCES, Prediction
from training.core.profile import Profile
from training.models import MonitorState, TrafficHour

BATCH = 20_000
# A row that is younger waits: another with a smaller key may still be on its way to the database.
SETTLED = timedelta(seconds=5)
# Values in one query.
CHUNK = 500
STATE_PK = 1


class _Row(NamedTuple):
    pk: int
    uid: UUID
    version_id: int
    source: str
    shown: list[tuple[str, float]]
    abstained: str
    n_words: int
    n_known: int
    n_chars: int
    milliseconds: float
    asked: float
    shadow_of: UUID | None
    at: datetime
    stored_at: datetime | None

    @property
    def first(self) -> tuple[str, float] | None:
        """The first genre shown as an answer, and its score."""
        return (self.shown[0][0], self.shown[0][1]) if self.shown and not self.abstained else None


# Version, whether a challenger's, whether the prediction service's, hour.
_Key = tuple[int, bool, bool, datetime]


def count_traffic(now: datetime | None = None) -> int:
    """Count the predictions that are not counted yet and return how many there were.

    Any number of processes may do so at once, and be killed at any moment: a batch is counted and marked as counted in
    one transaction, or not at all. Texts of our own (``OWN_SOURCES``) are passed over.
    """
    until = (now or timezone.now()) - SETTLED
    total = 0
    while (n := _count_batch(until)) is None or n:
        total += n or 0
    return total


def _count_batch(until: datetime) -> int | None:
    """Count up to ``BATCH`` predictions; None when another process counted them meanwhile."""
    start = monitor_state().counted_up_to
    rows = [_Row._make(row) for row in _rows().filter(pk__gt=start).order_by("pk").values_list(*_Row._fields)[:BATCH]]
    rows = list(takewhile(lambda row: (row.stored_at or row.at) <= until, rows))
    if not rows:
        return 0
    counted = _profiles(rows)
    with transaction.atomic():
        state = MonitorState.objects.select_for_update().get(pk=STATE_PK)
        if state.counted_up_to != start:
            return None
        _store(counted)
        state.counted_up_to = rows[-1].pk
        state.save(update_fields=["counted_up_to"])
    return len(rows)


def monitor_state() -> MonitorState:
    """Return the monitor's one row."""
    return MonitorState.objects.get_or_create(pk=STATE_PK)[0]


def _profiles(rows: list[_Row]) -> dict[_Key, Profile]:
    profiles: dict[_Key, Profile] = defaultdict(Profile)
    shown = _first_shown(rows)
    for row in rows:
        if row.source in OWN_SOURCES:
            continue
        is_shadow = row.shadow_of is not None
        is_service = row.source == Prediction.Source.SERVICE
        profile = profiles[row.version_id, is_shadow, is_service, hour_of(row.at)]
        profile.add(
            n_words=row.n_words,
            n_known=row.n_known,
            n_chars=row.n_chars,
            abstained=row.abstained,
            first=row.first,
            milliseconds=row.milliseconds,
            was_asked=row.asked > 0,
        )
        if row.shadow_of in shown:
            profile.n_pairs += 1
            profile.n_agree += row.first is not None and row.first[0] == shown[row.shadow_of]
    return profiles


def _first_shown(rows: list[_Row]) -> dict[UUID | None, str]:
    """Return the first genre of each answer in whose shadow one of ``rows`` was made."""
    wanted = {row.shadow_of for row in rows if row.shadow_of is not None}
    shown: dict[UUID | None, str] = {row.uid: row.first[0] for row in rows if row.uid in wanted and row.first}
    # Mostly they were stored together; a batch may end between them.
    missing = list(wanted.difference(row.uid for row in rows))
    for at in range(0, len(missing), CHUNK):
        found = _rows().filter(uid__in=missing[at : at + CHUNK], abstained="").values_list("uid", "shown")
        shown |= {uid: genres[0][0] for uid, genres in found if genres}
    return shown


def _rows() -> QuerySet[Prediction]:
    return Prediction.objects.order_by()


def hour_of(moment: datetime) -> datetime:
    """Return when the hour of ``moment`` began (UTC: a zone may be half an hour off)."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _store(counted: dict[_Key, Profile]) -> None:
    """Add the counts to those of the same version and hour."""
    hours = [hour for *_, hour in counted]
    if not hours:
        return
    rows: Iterable[TrafficHour] = TrafficHour.objects.filter(hour__gte=min(hours), hour__lte=max(hours))
    for row in rows:
        if (profile := counted.get((row.version_id, row.is_shadow, row.is_service, row.hour))) is not None:
            profile.merge(Profile.from_json(row.profile))
    TrafficHour.objects.bulk_create(
        [
            TrafficHour(
                version_id=version, is_shadow=is_shadow, is_service=is_service, hour=hour, profile=profile.as_json()
            )
            for (version, is_shadow, is_service, hour), profile in counted.items()
        ],
        update_conflicts=True,
        unique_fields=["version", "is_shadow", "is_service", "hour"],
        update_fields=["profile", "counted_at"],
    )
