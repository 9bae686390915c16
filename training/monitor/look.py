"""One look: which stretches of traffic are held against each other now, and what the comparisons find."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max

from classifier.models import Alert, ModelEvent, ModelVersion
from training.core.checks import Check, Window
from training.core.judge import KEYS, SHADOW_KEYS, judge
from training.core.profile import Profile
from training.core.shadow_checks import Shadow
from training.monitor.evidence import Evidence
from training.monitor.traffic import hour_of

RECENT = timedelta(hours=24)
BASELINE = timedelta(days=7)
SHADOWED = timedelta(days=7)
# How far back figures go; every query is limited by it.
HORIZON = timedelta(days=30)
# While an alarm is open the traffic it was raised about does not become the baseline, at most so long.
HELD = HORIZON - BASELINE - 2 * RECENT

State, Action = ModelVersion.State, ModelEvent.Action


@dataclass(frozen=True)
class Period:
    """A stretch of time and what happened in it."""

    start: datetime
    end: datetime
    window: Window = field(default_factory=Window)


@dataclass(frozen=True)
class Look:
    """What one look found. Without a champion there is nothing but the evidence."""

    at: datetime
    evidence: Evidence
    recent: Period
    baseline: Period
    champion: ModelVersion | None = None
    since: datetime | None = None
    challenger: ModelVersion | None = None
    shadow: Shadow | None = None
    checks: list[Check] = field(default_factory=list)

    def subject(self, key: str) -> ModelVersion | None:
        """Return the version that an alert with this key is about."""
        return self.challenger if key in SHADOW_KEYS else self.champion


def take_look(now: datetime) -> Look:
    """Compare the champion's recent traffic with what went before, with its training, and with the challenger."""
    evidence = Evidence(hour_of(now - HORIZON), now)
    champion = ModelVersion.objects.filter(state=State.CHAMPION).first()
    if champion is None:
        return Look(now, evidence, Period(now, now), Period(now, now))
    since = _since(champion, State.CHAMPION)
    recent = _recent(evidence, champion, since, now)
    baseline = _baseline(evidence, champion, since, now)
    challenger = ModelVersion.objects.filter(state=State.CHALLENGER).first()
    shadow = _shadow(evidence, champion, challenger, since, now) if challenger else None
    reference = champion.meta.get("reference")
    checks = judge(
        recent.window,
        baseline.window,
        reference=Profile.from_json(reference) if reference else None,
        shadow=shadow,
    )
    return Look(now, evidence, recent, baseline, champion, since, challenger, shadow, checks)


def _since(version: ModelVersion, state: str) -> datetime:
    """Return when the version last came into its state."""
    last = ModelEvent.objects.filter(version=version, to_state=state).aggregate(at=Max("at"))["at"]
    return last or version.created_at


def _recent(evidence: Evidence, champion: ModelVersion, since: datetime, now: datetime) -> Period:
    start = hour_of(max(since, now - RECENT))
    return Period(start, now, evidence.window(lambda version, at: version == champion.pk and at >= start))


def _baseline(evidence: Evidence, champion: ModelVersion, since: datetime, now: datetime) -> Period:
    """Return the week before the recent traffic, without versions that were rolled back since.

    Traffic is counted by the hour: in the hour of a promotion every row of another version went before it.
    """
    end = hour_of(max(since, (_first_alarm(champion, since, now) or now) - RECENT))
    start = end - BASELINE
    given_up = {
        event["version"]: event["last"]
        for event in ModelEvent.objects.filter(from_state=State.CHAMPION, action=Action.ROLL_BACK)
        .order_by()
        .values("version")
        .annotate(last=Max("at"))
    }

    def went_before(version: int, at: datetime) -> bool:
        is_good = version not in given_up or at > given_up[version]
        return is_good and at >= start and (at < end or version != champion.pk)

    return Period(start, end, evidence.window(went_before))


def _first_alarm(champion: ModelVersion, since: datetime, now: datetime) -> datetime | None:
    """Return when the oldest alarm about the champion was opened that is still open."""
    alarms = Alert.objects.filter(
        closed_at=None,
        version=champion,
        severity=Alert.Severity.ALARM,
        key__in=KEYS - SHADOW_KEYS,
        opened_at__gte=max(since, now - HELD),
    )
    return alarms.order_by("opened_at").values_list("opened_at", flat=True).first()


def _shadow(
    evidence: Evidence, champion: ModelVersion, challenger: ModelVersion, since: datetime, now: datetime
) -> Shadow:
    start = hour_of(max(since, _since(challenger, State.CHALLENGER), now - SHADOWED))

    def by_champion(version: int, at: datetime) -> bool:
        return version == champion.pk and at >= start

    return Shadow(
        challenger=evidence.shadow_profile(lambda version, at: version == challenger.pk and at >= start),
        # The challenger reads nothing of what the prediction service is asked: other texts, perhaps.
        champion=evidence.window(by_champion, with_service=False),
        pairs=evidence.pairs(challenger.pk, by_champion),
    )
