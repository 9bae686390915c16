"""Roll back, shadow, and which version answered when."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from classifier import registry
from classifier.alerts import open_alerts
from classifier.core.errors import ModelDamaged, ModelMissing
from classifier.core.model import MODEL_FILE
from classifier.models import Alert, ModelEvent, ModelVersion
from classifier.registry import (
    NoChampion,
    challenger,
    champion_on,
    folder_of,
    forget_champion,
    promote,
    roll_back,
    shadow,
    stop_shadow,
)

State, Action = ModelVersion.State, ModelEvent.Action


@pytest.fixture
def at_once(monkeypatch):
    """Ask the database, and look at the files, at every question."""
    monkeypatch.setattr(registry, "RECHECK_SECONDS", 0)


@pytest.fixture
def three(make_version):
    """Three versions that were champion one after the other."""
    for number in (1, 2, 3):
        make_version()
        promote(number, by="tests")


def states():
    return dict(ModelVersion.objects.order_by("number").values_list("number", "state"))


def last_events(n):
    rows = ModelEvent.objects.order_by("pk").values_list(
        "version__number", "action", "from_state", "to_state", "reason"
    )
    return list(rows)[-n:]


def cut(version):
    path = folder_of(version) / MODEL_FILE
    path.write_bytes(path.read_bytes()[:-1])


# Roll back


def test_roll_back_brings_the_champion_before_back_and_tells_both_why(three):
    version = roll_back(by="ada", reason="all is cookery")
    assert version.number == 2
    assert states() == {1: State.RETIRED, 2: State.CHAMPION, 3: State.RETIRED}
    assert last_events(2) == [
        (3, Action.ROLL_BACK, "champion", "retired", "version 2 is brought back"),
        (2, Action.ROLL_BACK, "retired", "champion", "all is cookery"),
    ]


def test_roll_back_again_goes_further_back_and_never_to_what_was_rolled_back(three):
    assert [roll_back(by="ada").number for _ in range(2)] == [2, 1]
    with pytest.raises(ModelMissing, match="No good version was champion before version 1"):
        roll_back(by="ada")
    assert states() == {1: State.CHAMPION, 2: State.RETIRED, 3: State.RETIRED}


def test_a_version_that_was_promoted_again_after_a_roll_back_is_one_to_return_to(three, make_version):
    roll_back(by="ada")
    promote(3, by="eve", reason="it was the weather")
    make_version()
    promote(4, by="eve")
    assert roll_back(by="ada").number == 3


def test_roll_back_goes_to_an_earlier_champion_by_name(three):
    assert roll_back(by="ada", to=1).number == 1
    assert states()[1] == State.CHAMPION


def test_roll_back_is_no_way_past_the_gate(three, make_version):
    make_version()
    with pytest.raises(ModelMissing, match=r"never champion.*manage.py promote 4"):
        roll_back(by="ada", to=4)
    with pytest.raises(ModelMissing, match="the champion already"):
        roll_back(by="ada", to=3)
    with pytest.raises(ModelMissing, match="no version 9"):
        roll_back(by="ada", to=9)
    assert states()[3] == State.CHAMPION


def test_roll_back_to_damaged_files_changes_nothing(three):
    cut(ModelVersion.objects.get(number=2))
    before = ModelEvent.objects.count()
    with pytest.raises(ModelDamaged):
        roll_back(by="ada")
    assert states()[3] == State.CHAMPION
    assert ModelEvent.objects.count() == before
    assert roll_back(by="ada", to=1).number == 1


@pytest.mark.django_db
def test_without_a_champion_there_is_nothing_to_roll_back():
    with pytest.raises(NoChampion):
        roll_back(by="ada")


# What is kept of a promotion


def test_what_the_gate_said_is_kept_with_the_promotion_and_not_with_the_one_that_leaves(three, make_version):
    make_version()
    promote(4, by="ada", reason="in spite of all", gate={"passed": False}, forced=True)
    left, came = ModelEvent.objects.order_by("pk")[ModelEvent.objects.count() - 2 :]
    assert (left.gate, left.forced) == (None, False)
    assert (came.gate, came.forced, came.by) == ({"passed": False}, True, "ada")


# Which version answered when


def test_the_champion_of_a_moment_is_the_last_one_promoted_by_then(make_version):
    make_version(), make_version()
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    promote(1, by="tests", at=noon)
    promote(2, by="tests", at=noon + timedelta(days=1))
    roll_back(by="tests", at=noon + timedelta(days=2))
    hours = {-1: None, 0: 1, 23: 1, 24: 2, 47: 2, 48: 1, 9999: 1}
    answered = {hour: champion_on(noon + timedelta(hours=hour)) for hour in hours}
    assert {hour: version and version.number for hour, version in answered.items()} == hours


# Shadow


def test_a_challenger_has_a_share_and_the_champion_stays(champion, make_version):
    version = shadow(make_version().number, share=0.25, by="ada", reason="a week")
    assert (version.state, version.shadow_share) == (State.CHALLENGER, 0.25)
    assert states() == {1: State.CHAMPION, 2: State.CHALLENGER}
    assert last_events(1) == [(2, Action.SHADOW, "candidate", "challenger", "reads 25% of the traffic; a week")]
    active = challenger()
    assert (active.number, active.share) == (2, 0.25)


def test_there_is_one_challenger_at_most(champion, make_version):
    make_version(), make_version()
    shadow(2, share=0.5, by="ada")
    shadow(3, share=0.5, by="ada")
    assert states() == {1: State.CHAMPION, 2: State.RETIRED, 3: State.CHALLENGER}
    row = ModelVersion.objects.get(number=2)
    row.state = State.CHALLENGER
    with pytest.raises(IntegrityError):
        row.save()


def test_another_share_is_followed_without_loading_the_model_again(champion, make_version, at_once):
    make_version()
    shadow(2, share=0.5, by="ada")
    before = challenger()
    shadow(2, share=1, by="ada")
    assert challenger().share == 1
    assert challenger().model is before.model


@pytest.mark.parametrize("share", [0, -0.1, 1.01, float("nan")])
def test_a_share_lies_above_0_and_is_at_most_1(champion, make_version, share):
    make_version()
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        shadow(2, share=share, by="ada")
    assert states()[2] == State.CANDIDATE


def test_neither_the_champion_nor_a_damaged_version_becomes_challenger(champion, make_version):
    with pytest.raises(ModelMissing, match="its own challenger"):
        shadow(champion.number, share=0.5, by="ada")
    damaged = make_version()
    cut(damaged)
    with pytest.raises(ModelDamaged):
        shadow(damaged.number, share=0.5, by="ada")
    assert states() == {1: State.CHAMPION, 2: State.CANDIDATE}


def test_a_challenger_that_is_stopped_reads_nothing_more(champion, make_version, at_once):
    make_version()
    shadow(2, share=0.5, by="ada")
    assert challenger().number == 2
    assert stop_shadow(by="ada", reason="seen enough").number == 2
    assert challenger() is None
    assert last_events(1) == [(2, Action.RETIRE, "challenger", "retired", "seen enough")]
    assert stop_shadow(by="ada") is None


def test_a_challenger_that_is_promoted_leaves_nobody_in_its_place(champion, make_version, at_once):
    make_version()
    shadow(2, share=0.5, by="ada")
    promote(2, by="ada")
    assert states() == {1: State.RETIRED, 2: State.CHAMPION}
    assert challenger() is None


def test_without_a_challenger_the_database_is_asked_once_in_a_while(champion, monkeypatch):
    monkeypatch.setattr(registry, "RECHECK_SECONDS", 3600)
    assert challenger() is None
    with CaptureQueriesContext(connection) as queries:
        assert [challenger() for _ in range(5)] == [None] * 5
    assert len(queries) == 0


# Alarms about files


def test_a_damaged_challenger_reads_nothing_raises_an_alarm_and_comes_back_when_restored(
    champion, make_version, at_once
):
    version = make_version()
    shadow(2, share=0.5, by="ada")
    path = folder_of(version) / MODEL_FILE
    sound = path.read_bytes()
    cut(version)
    assert [challenger(), challenger()] == [None, None]
    (alert,) = open_alerts()
    assert (alert.key, alert.severity, alert.version) == ("challenger-files", Alert.Severity.ALARM, version)
    assert "visitors are not affected" in alert.detail
    assert "manage.py shadow --stop" in alert.next_step
    assert registry.champion().number == champion.number
    path.write_bytes(sound)
    assert challenger().number == 2
    assert open_alerts() == []
    assert Alert.objects.get().closed_at is not None


def test_rolling_back_from_a_damaged_champion_ends_its_alarm(three, at_once):
    cut(ModelVersion.objects.get(number=3))
    forget_champion()
    assert registry.champion().number == 2
    assert [alert.key for alert in open_alerts()] == ["champion-files"]
    roll_back(by="ada", reason="its files are cut")
    assert registry.champion().number == 2
    assert open_alerts() == []
