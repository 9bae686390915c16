import logging
import shutil
import threading
import time

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, connections
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext

from classifier import registry
from classifier.alerts import open_alerts
from classifier.core.errors import ModelDamaged, ModelMissing
from classifier.core.model import META_FILE, MODEL_FILE, GenreModel
from classifier.models import Alert, ModelEvent, ModelVersion
from classifier.registry import (
    ChampionChanged,
    NoChampion,
    challenger,
    champion,
    folder_of,
    forget_champion,
    get_version,
    load_version,
    preload,
    promote,
    register,
    roll_back,
    shadow,
    stop_shadow,
)
from classifier.tests.damage import DAMAGES, edit_meta
from conftest import copy_model

State = ModelVersion.State


@pytest.fixture
def at_once(monkeypatch):
    """Ask the database at every question."""
    monkeypatch.setattr(registry, "RECHECK_SECONDS", 0)


def damage(version):
    path = folder_of(version) / MODEL_FILE
    path.write_bytes(path.read_bytes()[:-1])


def the_alert():
    (alert,) = open_alerts()
    return alert


def states():
    return dict(ModelVersion.objects.order_by("number").values_list("number", "state"))


def history():
    return list(
        ModelEvent.objects.order_by("pk").values_list("version__number", "from_state", "to_state", "by", "reason")
    )


def test_versions_are_numbered_from_one_and_start_as_candidates(make_version):
    first, second = make_version(), make_version()
    assert (first.number, second.number) == (1, 2)
    assert states() == {1: State.CANDIDATE, 2: State.CANDIDATE}
    assert history() == [(1, "", "candidate", "tests", ""), (2, "", "candidate", "tests", "")]
    assert first.sha256 == first.meta["model_sha256"]


@pytest.mark.django_db
def test_it_does_not_register_a_folder_that_is_no_model(tmp_path):
    with pytest.raises(ModelMissing):
        register(tmp_path, by="tests")
    assert not ModelVersion.objects.exists()
    assert not ModelEvent.objects.exists()


def test_a_promoted_version_is_the_champion(make_version):
    version = promote(make_version().number, by="ada", reason="first")
    assert version.state == State.CHAMPION
    assert get_version("champion") == version
    assert history()[-1] == (1, "candidate", "champion", "ada", "first")


def test_promotion_retires_the_champion_before(make_version):
    make_version(), make_version()
    promote(1, by="ada")
    promote(2, by="eve", reason="better")
    assert states() == {1: State.RETIRED, 2: State.CHAMPION}
    assert history()[-2:] == [
        (1, "champion", "retired", "eve", "version 2 takes over"),
        (2, "candidate", "champion", "eve", "better"),
    ]


def test_a_retired_version_can_come_back(make_version):
    make_version(), make_version()
    for number in (1, 2, 1):
        promote(number, by="ada")
    assert states() == {1: State.CHAMPION, 2: State.RETIRED}


def test_promoting_the_champion_again_changes_nothing(champion):
    before = history()
    assert promote(champion.number, by="ada") == champion
    assert history() == before
    assert states() == {1: State.CHAMPION}


@pytest.mark.parametrize(
    "change",
    [
        lambda: promote(2, by="ada"),
        lambda: roll_back(by="ada", to=2),
        lambda: shadow(2, share=1, by="ada"),
        lambda: stop_shadow(by="ada"),
    ],
)
def test_a_change_of_the_registry_waits_for_every_other(champion, make_version, change):
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite has one writer at a time anyway")
    # Only a version that was champion can be rolled back to.
    promote(make_version().number, by="ada")
    promote(champion.number, by="ada")
    with CaptureQueriesContext(connection) as queries:
        change()
    locking = [query["sql"] for query in queries if "FOR UPDATE" in query["sql"]]
    assert len(locking) == 1
    # Of all versions: only a lock on the champion's row would find no champion once the other change is done.
    assert "WHERE" not in locking[0]


def test_the_database_refuses_a_second_champion(champion, make_version):
    version = make_version()
    version.state = State.CHAMPION
    with pytest.raises(IntegrityError):
        version.save()


@pytest.mark.parametrize("share", [0.5, 0.9999])
def test_a_damaged_version_is_refused_and_the_champion_stays(champion, make_version, share):
    version = make_version()
    path = folder_of(version) / MODEL_FILE
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    before = history()
    with pytest.raises(ModelDamaged):
        promote(version.number, by="ada")
    assert states() == {1: State.CHAMPION, 2: State.CANDIDATE}
    assert history() == before


def test_a_version_without_its_folder_is_refused_and_the_champion_stays(champion, make_version):
    version = make_version()
    shutil.rmtree(folder_of(version))
    with pytest.raises(ModelMissing):
        promote(version.number, by="ada")
    assert states() == {1: State.CHAMPION, 2: State.CANDIDATE}


def test_a_folder_that_holds_another_model_than_was_registered_is_refused(make_version):
    version = make_version()
    ModelVersion.objects.filter(pk=version.pk).update(sha256="0" * 64)
    with pytest.raises(ModelMissing, match="another model"):
        promote(version.number, by="ada")
    assert states() == {1: State.CANDIDATE}


def test_a_failure_half_way_through_a_promotion_leaves_the_champion(champion, make_version, monkeypatch):
    version, move = make_version(), registry._move
    before = history()

    def fail_second(moved, state, *args, **kwargs):
        if state == State.CHAMPION:
            raise OperationalError("disk full")
        move(moved, state, *args, **kwargs)

    monkeypatch.setattr(registry, "_move", fail_second)
    with pytest.raises(OperationalError):
        promote(version.number, by="ada")
    assert states() == {1: State.CHAMPION, 2: State.CANDIDATE}
    assert history() == before


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["99", 99, "one", "", "-1", "1.0", "²", "champion "])
def test_a_version_that_does_not_exist_is_refused(name):
    with pytest.raises(ModelMissing, match="no version"):
        get_version(name)


@pytest.mark.django_db
def test_without_a_champion_the_next_step_is_named():
    with pytest.raises(NoChampion, match="ensure_model"):
        get_version("champion")


def test_the_newest_version_is_the_one_trained_last_whatever_its_state(make_version):
    make_version(), make_version()
    promote(1, by="ada")
    assert get_version("newest").number == 2
    promote(2, by="ada")
    assert get_version("newest").number == 2


@pytest.mark.django_db
def test_without_any_version_there_is_no_newest():
    with pytest.raises(ModelMissing, match="manage.py train"):
        get_version("newest")


def test_load_version_gives_a_model_that_answers(make_version):
    version = make_version()
    assert load_version(version).predict("the dragon and the wizard").scores[0].slug == "fantasy"


def test_the_champion_answers(champion):
    active = registry.champion()
    assert (active.number, active.version_id) == (champion.number, champion.pk)
    assert active.model.predict("butter and flour").scores[0].slug == "cooking"


def test_the_champion_is_loaded_once_and_not_asked_for_again_at_once(champion, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(registry, "RECHECK_SECONDS", 3600)
    active = registry.champion()
    with django_assert_num_queries(0):
        assert registry.champion() is active


def test_the_champion_follows_a_promotion(make_version, at_once):
    make_version(), make_version()
    promote(1, by="ada")
    first = champion()
    promote(2, by="ada")
    assert champion().number == 2
    assert champion().model is not first.model
    promote(1, by="ada")
    assert champion().number == 1


@pytest.mark.functional
def test_the_champion_follows_within_recheck_seconds(make_version, monkeypatch):
    monkeypatch.setattr(registry, "RECHECK_SECONDS", 0.2)
    make_version(), make_version()
    promote(1, by="ada")
    assert champion().number == 1
    promote(2, by="ada")
    assert champion().number == 1
    time.sleep(0.25)
    assert champion().number == 2


def test_the_last_good_model_goes_on_when_the_new_ones_files_are_damaged(make_version, at_once, caplog):
    make_version(), make_version()
    promote(1, by="ada")
    good = champion()
    second = promote(2, by="ada")
    backup = (folder_of(second) / MODEL_FILE).read_bytes()
    damage(second)
    with caplog.at_level(logging.ERROR, logger="classifier.registry"):
        assert champion() == good
        assert champion().model is good.model
    assert "Version 1 answers" in caplog.text
    (folder_of(second) / MODEL_FILE).write_bytes(backup)
    assert champion().number == 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_happens_to_its_files_a_champion_goes_on_from_memory_and_the_one_before_it_elsewhere(
    make_version, other_model_folder, model_dir, at_once, damage
):
    first = make_version()
    second = register(copy_model(other_model_folder, model_dir / "second"), by="tests")
    for version in (first, second):
        promote(version.number, by="ada")
    good = champion()
    do_damage, words = DAMAGES[damage]
    do_damage(folder_of(second), folder_of(first))
    assert champion() is good
    alert = the_alert()
    assert (alert.version, alert.severity) == (second, Alert.Severity.ALARM)
    assert words in alert.detail
    assert "Version 2 answers" in alert.detail

    forget_champion()
    assert champion().number == first.number
    assert champion().model.meta == first.meta
    assert "Version 1 answers" in the_alert().detail

    shutil.rmtree(folder_of(second), ignore_errors=True)
    copy_model(other_model_folder, folder_of(second))
    assert champion().number == second.number
    assert open_alerts() == []


def test_an_edited_meta_file_is_refused_before_fasttext_sees_the_model(champion, monkeypatch):
    edit_meta(folder_of(champion), None)
    monkeypatch.setattr(GenreModel, "load", lambda *arguments: pytest.fail("a model of unknown origin"))
    with pytest.raises(ModelDamaged, match="was changed after version 1"):
        load_version(champion)


@pytest.mark.parametrize("is_in_memory", [True, False])
def test_a_version_that_was_rolled_back_or_is_bad_on_purpose_never_stands_in_for_the_champion(
    make_version, at_once, is_in_memory
):
    for meta in ({}, {"sabotage": {"kind": "swap-genres", "strength": 0.5}}, {}, {"note": "rolled back"}):
        promote(make_version(**meta).number, by="ada")
    if is_in_memory:
        assert champion().number == 4
    roll_back(by="ada")
    assert get_version("champion").number == 3
    damage(get_version(3))
    assert champion().number == 1


def test_a_roll_back_passes_over_a_version_that_is_bad_on_purpose(make_version):
    for meta in ({}, {"sabotage": {"kind": "swap-genres", "strength": 0.5}}, {}):
        promote(make_version(**meta).number, by="ada")
    assert roll_back(by="ada").number == 1


def test_the_alarm_is_raised_also_where_no_other_model_can_answer(champion):
    damage(champion)
    with pytest.raises(ModelDamaged):
        registry.champion()
    assert "No other can answer" in the_alert().detail


def test_the_alarm_of_a_challenger_ends_with_its_shadow_run(champion, make_version, at_once):
    version = shadow(make_version().number, share=1, by="ada")
    assert challenger().number == version.number
    damage(version)
    assert challenger() is None
    assert registry.champion().number == champion.number
    assert the_alert().key == "challenger-files"
    stop_shadow(by="ada")
    assert challenger() is None
    assert open_alerts() == []


def test_the_last_good_model_goes_on_without_a_database(champion, at_once, monkeypatch, caplog):
    good = registry.champion()

    def unreachable(name):
        raise OperationalError("no connection")

    monkeypatch.setattr(registry, "_find", unreachable)
    with caplog.at_level(logging.CRITICAL, logger="classifier.registry"):
        assert registry.champion() is good


def test_files_that_are_refused_are_not_read_again_with_every_question(champion, at_once, monkeypatch):
    damage(champion)
    read = []
    monkeypatch.setattr(
        "classifier.registry.load_version", lambda version: read.append(version) or load_version(version)
    )
    for _ in range(3):
        with pytest.raises(ModelDamaged):
            registry.champion()
    assert len(read) == 1


def test_the_first_good_file_ends_a_refusal_at_once(champion, at_once):
    path = folder_of(champion) / MODEL_FILE
    backup = path.read_bytes()
    damage(champion)
    with pytest.raises(ModelDamaged):
        registry.champion()
    path.write_bytes(backup)
    assert registry.champion().number == champion.number


def test_a_roll_back_that_meets_another_change_of_the_champion_changes_nothing(make_version, monkeypatch):
    for _ in range(3):
        make_version()
    promote(1, by="ada")
    promote(2, by="ada")

    def load(version):
        if version.number == 1:
            promote(3, by="grace")
        return load_version(version)

    monkeypatch.setattr("classifier.registry.load_version", load)
    with pytest.raises(ChampionChanged, match="version 3 has become champion meanwhile"):
        roll_back(by="ada", reason="slow")
    assert get_version("champion").number == 3
    assert not ModelEvent.objects.filter(action=ModelEvent.Action.ROLL_BACK).exists()


def test_a_damaged_champion_is_refused_while_no_other_is_in_memory(champion):
    damage(champion)
    for _ in range(2):
        with pytest.raises(ModelDamaged):
            registry.champion()


def test_a_champion_whose_meta_file_is_gone_is_refused(champion):
    (folder_of(champion) / META_FILE).unlink()
    with pytest.raises(ModelMissing):
        registry.champion()


def test_the_first_promotion_is_followed_at_once(make_version):
    make_version()
    with pytest.raises(NoChampion):
        champion()
    promote(1, by="ada")
    assert champion().number == 1


def test_threads_that_ask_together_load_the_model_once(monkeypatch):
    loads = []

    def load(version):
        time.sleep(0.05)
        loads.append(version)
        return "model"

    fresh = registry._Follower("champion")
    monkeypatch.setattr(registry, "_find", lambda role: ModelVersion(pk=7, number=3))
    monkeypatch.setattr(registry, "load_version", load)
    monkeypatch.setattr(registry, "close_alerts", lambda keys: 0)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(fresh.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert [(active.number, active.version_id, active.model) for active in answers] == [(3, 7, "model")] * 8


def test_events_are_append_only(champion):
    event = ModelEvent.objects.first()
    event.reason = "rewritten"
    with pytest.raises(ValidationError, match="never changed"):
        event.save()
    with pytest.raises(ValidationError, match="never deleted"):
        event.delete()
    event.refresh_from_db()
    assert event.reason == ""


def test_a_version_with_a_history_can_not_be_deleted(champion):
    with pytest.raises(ProtectedError):
        champion.delete()
    assert ModelVersion.objects.filter(pk=champion.pk).exists()


def test_a_server_starts_without_a_champion_and_keeps_no_connection(model_dir, db, monkeypatch, caplog):
    closed = []
    monkeypatch.setattr(connections, "close_all", lambda: closed.append(True))
    with caplog.at_level(logging.WARNING, logger="classifier.registry"):
        preload()
    assert closed == [True]
    assert "No model is loaded" in caplog.text


def test_a_server_loads_the_champion_before_it_forks(champion, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(registry, "RECHECK_SECONDS", 3600)
    monkeypatch.setattr(connections, "close_all", lambda: None)
    preload()
    with django_assert_num_queries(0):
        assert registry.champion().number == champion.number
