import threading
from datetime import timedelta

import pytest
from django.db import connection

from classifier.models import OWN_SOURCES, Prediction
from classifier.predictions import predict_text
from classifier.registry import shadow
from training.core.profile import Profile
from training.models import MonitorState, TrafficHour
from training.monitor import traffic
from training.monitor.traffic import count_traffic
from training.tests.monitoring import NOON, made_prediction, store_shadow, store_traffic

LATER = NOON + timedelta(hours=5)


def counted():
    """The counted texts by version number, role and hour of the day."""
    return {
        (row.version.number, row.is_shadow, row.hour.hour): Profile.from_json(row.profile)
        for row in TrafficHour.objects.select_related("version")
    }


def texts():
    return {key: profile.n for key, profile in counted().items()}


def test_predictions_are_counted_by_version_and_hour(make_version):
    old, new = make_version(), make_version()
    store_traffic(old, 6, start=NOON, hours=2)
    store_traffic(new, 4, start=NOON + timedelta(hours=1, minutes=30), hours=0.5)
    assert count_traffic(LATER) == 10
    assert texts() == {(1, False, 12): 3, (1, False, 13): 3, (2, False, 13): 4}


def test_a_profile_holds_what_was_shown(make_version):
    version = make_version()
    store_traffic(version, 3, start=NOON, genres=("fantasy", "fantasy", "cooking"), asked=0.05)
    store_traffic(version, 1, start=NOON, abstained="no-genre")
    store_traffic(version, 1, start=NOON, abstained="not-english", shown=[])
    count_traffic(LATER)
    [profile] = counted().values()
    assert (profile.n, profile.n_answered) == (5, 3)
    assert profile.genres == {"fantasy": 2, "cooking": 1}
    assert profile.abstained == {"no-genre": 1, "not-english": 1}
    assert profile.sums["confidence"] == pytest.approx(2.1)
    assert profile.n_asked == 3
    assert sum(profile.bins["milliseconds"]) == 5


def test_counting_again_changes_nothing(make_version):
    store_traffic(make_version(), 5, start=NOON)
    count_traffic(LATER)
    before = texts()
    assert count_traffic(LATER) == 0
    assert texts() == before


def test_later_predictions_are_added_to_their_hour(make_version):
    version = make_version()
    store_traffic(version, 5, start=NOON)
    count_traffic(LATER)
    store_traffic(version, 2, start=NOON)
    assert count_traffic(LATER) == 2
    assert texts() == {(1, False, 12): 7}


@pytest.mark.parametrize("source", OWN_SOURCES)
def test_texts_of_our_own_are_passed_over(make_version, source):
    version = make_version()
    store_traffic(version, 5, start=NOON, source=source)
    store_traffic(version, 1, start=NOON, source="file")
    count_traffic(LATER)
    assert texts() == {(1, False, 12): 1}
    assert MonitorState.objects.get().counted_up_to == Prediction.objects.order_by("-pk")[0].pk


def test_nothing_after_a_prediction_of_the_last_five_seconds_is_counted(make_version):
    version = make_version()
    Prediction.objects.bulk_create(
        made_prediction(version, NOON + timedelta(seconds=seconds)) for seconds in (-9, -8, -2, -7)
    )
    assert count_traffic(NOON) == 2
    assert count_traffic(NOON + timedelta(seconds=3)) == 2


def test_a_batch_may_end_anywhere(make_version, monkeypatch):
    monkeypatch.setattr(traffic, "BATCH", 7)
    version = make_version()
    store_traffic(version, 40, start=NOON, hours=4)
    assert count_traffic(LATER) == 40
    assert texts() == {(1, False, 12 + hour): 10 for hour in range(4)}


def test_a_challenger_is_counted_apart_and_compared_with_what_was_shown(make_version):
    champion, challenger = make_version(), make_version()
    shown = store_traffic(champion, 30, start=NOON)
    store_shadow(challenger, shown[:10])
    store_shadow(challenger, shown[10:20], genre_of=lambda row: "poetry")
    store_shadow(challenger, shown[20:25], abstained="no-genre")
    count_traffic(LATER)
    profile = counted()[2, True, 12]
    assert (profile.n, profile.n_pairs, profile.n_agree) == (25, 25, 10)


def test_what_the_champion_did_not_answer_makes_no_pair(make_version):
    champion, challenger = make_version(), make_version()
    store_shadow(challenger, store_traffic(champion, 5, start=NOON, abstained="no-genre"))
    count_traffic(LATER)
    assert counted()[2, True, 12].n_pairs == 0


def test_a_batch_that_ends_between_both_answers_still_compares_them(make_version, monkeypatch):
    monkeypatch.setattr(traffic, "BATCH", 8)
    monkeypatch.setattr(traffic, "CHUNK", 3)
    champion, challenger = make_version(), make_version()
    store_shadow(challenger, store_traffic(champion, 20, start=NOON))
    count_traffic(LATER)
    assert counted()[2, True, 12].n_agree == 20


def test_a_crash_between_counting_and_marking_neither_loses_nor_doubles(make_version, monkeypatch):
    monkeypatch.setattr(traffic, "BATCH", 5)
    store_traffic(make_version(), 20, start=NOON)
    save, saves = MonitorState.save, []

    def crash(state, **options):
        saves.append(state)
        if len(saves) == 3:
            raise KeyboardInterrupt
        save(state, **options)

    with monkeypatch.context() as patch:
        patch.setattr(MonitorState, "save", crash)
        # The row itself is made by the first save.
        with pytest.raises(KeyboardInterrupt):
            count_traffic(LATER)
    assert 0 < sum(texts().values()) < 20
    count_traffic(LATER)
    assert texts() == {(1, False, 12): 20}


def test_a_batch_that_another_process_counted_meanwhile_is_not_counted_again(make_version, monkeypatch):
    store_traffic(make_version(), 20, start=NOON)
    profiles, calls = traffic._profiles, []

    def interrupted(rows):
        calls.append(len(rows))
        if len(calls) == 1:
            assert count_traffic(LATER) == 20
        return profiles(rows)

    monkeypatch.setattr(traffic, "_profiles", interrupted)
    assert count_traffic(LATER) == 0
    assert texts() == {(1, False, 12): 20}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="threads share no database in memory (make postgres)")
@pytest.mark.django_db(transaction=True)
def test_several_at_once_count_each_prediction_once(make_version, monkeypatch):
    monkeypatch.setattr(traffic, "BATCH", 50)
    store_traffic(make_version(), 600, start=NOON, hours=3)
    counts = []

    def count():
        counts.append(count_traffic(LATER))
        connection.close()

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 600
    assert sum(texts().values()) == 600


def test_real_predictions_and_their_shadows_are_counted(champion, make_version):
    challenger = make_version()
    shadow(challenger.number, share=1.0, by="tests")
    for _ in range(3):
        predict_text("the dragon and the wizard of the old kingdom", source="page", at=NOON)
    predict_text("the dragon and the wizard of the old kingdom", source="example", at=NOON)
    assert count_traffic(LATER) == 7
    shown, unseen = counted()[1, False, 12], counted()[2, True, 12]
    assert shown.n == unseen.n == 3
    assert (unseen.n_pairs, unseen.n_agree) == (3, 3)
