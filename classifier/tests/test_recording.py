"""Predictions that wait to be stored: what the database refuses is kept, in order, and loses only beyond a bound."""

import logging
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from classifier import recording
from classifier.models import Prediction
from classifier.recording import record_new


@pytest.fixture
def recorder(champion, settings, monkeypatch):
    """A recorder whose thread never gets its turn."""
    settings.GENRE_RECORD_SECONDS = 0.25
    monkeypatch.setattr(recording._Recorder, "_run", lambda self: None)
    return recording._Recorder()


@pytest.fixture
def rows(champion):
    def make(n, **fields):
        values = {"source": "api", "shown": [["fantasy", 0.9]], "n_words": 9, "milliseconds": 0.1, "text_hash": "h"}
        return [Prediction(version=champion, **values | fields) for _ in range(n)]

    return make


class Refusing:
    """While this block lasts another connection holds the database, so that every writer is refused."""

    def __enter__(self):
        self.other = connection.copy()
        cursor = self.other.cursor()
        if connection.vendor == "sqlite":
            cursor.execute("BEGIN IMMEDIATE")
        else:
            connection.cursor().execute("SET lock_timeout = '50ms'")
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE classifier_prediction")

    def __exit__(self, *error):
        self.other.cursor().execute("ROLLBACK")
        self.other.close()


def stored():
    return list(Prediction.objects.order_by("pk").values_list("uid", flat=True))


@pytest.mark.django_db(transaction=True)
def test_what_a_locked_database_refuses_is_stored_later_in_its_order(recorder, rows, caplog):
    caplog.set_level(logging.INFO)
    first, second, third = rows(3), rows(2), rows(1)
    recorder.put(first)
    with Refusing():
        recorder.try_flush()
        recorder.put(second)
        recorder.try_flush()
        with pytest.raises(DatabaseError):
            recorder.flush()
    recorder.put(third)
    assert stored() == []
    recorder.try_flush()
    assert stored() == [row.uid for row in (*first, *second, *third)]
    recorder.try_flush()
    assert len(stored()) == 6
    said = [record.getMessage() for record in caplog.records if record.name == "classifier.recording"]
    assert [line.partition(":")[0] for line in said] == [
        "Predictions could not be stored and wait",
        "Predictions are stored again; 0 were lost.",
    ]


@pytest.mark.django_db(transaction=True)
def test_beyond_the_bound_the_newest_are_lost_and_counted(recorder, rows, caplog, monkeypatch):
    monkeypatch.setattr(recording, "_MOST_KEPT", 4)
    kept, beyond = rows(3), rows(3)
    recorder.put(kept)
    with Refusing():
        recorder.try_flush()
        recorder.put(beyond)
        recorder.put(rows(2))
    recorder.try_flush()
    assert stored() == [row.uid for row in (*kept, beyond[0])]
    said = [record.getMessage() for record in caplog.records if record.name == "classifier.recording"]
    assert said[1:] == [
        "4 predictions wait for the database; those that come now are lost.",
        "Predictions are stored again; 4 were lost.",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_ends_says_how_many_it_loses(recorder, rows, caplog):
    recorder.put(rows(3))
    with Refusing():
        recorder.end()
    assert caplog.records[-1].getMessage() == "The process ends and 3 predictions are lost."


@pytest.mark.django_db
def test_rows_that_were_stored_though_nobody_heard_of_it_are_not_stored_twice(recorder, rows):
    batch = rows(3)
    Prediction.objects.bulk_create(batch[:2])
    recorder.put(batch)
    recorder.flush()
    assert sorted(stored()) == sorted(row.uid for row in batch)


@pytest.mark.django_db(transaction=True)
def test_a_row_that_can_never_be_stored_does_not_hold_up_the_others(recorder, rows, caplog):
    bad = rows(1)[0]
    bad.version_id = 10**6
    batch = [rows(1)[0], bad, rows(1)[0]]
    recorder.put(batch)
    recorder.try_flush()
    assert stored() == [batch[0].uid, batch[2].uid]
    assert caplog.records[-1].getMessage().startswith("A prediction can't be stored and is lost")


@pytest.mark.django_db
def test_rows_that_come_late_say_when(recorder, rows):
    now, late = rows(1), rows(1, at=timezone.now() - timedelta(minutes=5))
    recorder.put([*now, *late])
    recorder.flush()
    assert Prediction.objects.get(uid=now[0].uid).stored_at is None
    assert timezone.now() - Prediction.objects.get(uid=late[0].uid).stored_at < timedelta(minutes=1)


@pytest.mark.django_db
def test_new_rows_are_told_from_known_ones(rows):
    batch = rows(3)
    assert (record_new(batch[:2]), record_new([*batch, batch[2]]), record_new([])) == (2, 1, 0)
    assert len(stored()) == 3
