"""Counting what is asked, exactly, whoever counts."""

import multiprocessing
import sqlite3
import time

import fakeredis
import pytest

from classifier import throttle
from classifier.throttle import take


@pytest.fixture(params=["file", "redis"])
def counter(request, tmp_path, settings, monkeypatch):
    """Each way of counting, at the full minute of a clock that stands still until told."""
    now = [6000.0]
    monkeypatch.setattr(throttle, "clock", lambda: now[0])
    settings.GENRE_LIMITS_FILE = tmp_path / "limits.sqlite3"
    settings.GENRE_REDIS_URL = ""
    if request.param == "redis":
        settings.GENRE_REDIS_URL = "redis://localhost:6379/0"
        server = fakeredis.FakeRedis()
        monkeypatch.setattr(throttle, "_redis", lambda _: server)
    return now


def test_so_many_are_let_in_and_no_more_until_the_next_minute(counter):
    assert [take("me", 1, most=3) for _ in range(4)] == [0, 0, 0, 60]
    counter[0] += 45
    assert take("me", 1, most=3) == 15
    counter[0] += 15
    assert take("me", 1, most=3) == 0


def test_many_at_once_are_let_in_whole_or_not_at_all(counter):
    assert take("me", 2, most=3) == 0
    assert take("me", 2, most=3) > 0
    assert take("me", 1, most=3) == 0
    assert take("you", 4, most=3) > 0


def test_one_does_not_use_up_what_another_has(counter):
    assert take("me", 3, most=3) == 0
    assert take("you", 3, most=3) == 0


def test_a_counter_that_can_not_be_reached_stops_nobody_and_is_logged(tmp_path, settings, caplog):
    settings.GENRE_LIMITS_FILE = tmp_path / "file" / "limits.sqlite3"
    (tmp_path / "file").write_text("not a folder")
    assert take("me", 1, most=1) == take("me", 1, most=1) == 0
    assert "not counted" in caplog.text


def test_a_redis_that_is_away_stops_nobody_and_is_logged(settings, caplog):
    settings.GENRE_REDIS_URL = "redis://127.0.0.1:1/0"
    assert take("me", 1, most=1) == 0
    assert "not counted" in caplog.text


def test_old_minutes_are_forgotten(counter, settings):
    if settings.GENRE_REDIS_URL:
        pytest.skip("Redis forgets by itself")
    for name in "abc":
        take(name, 1, most=1)
    counter[0] += 60
    take("d", 1, most=1)
    counter[0] += 60
    take("d", 1, most=1)
    with sqlite3.connect(settings.GENRE_LIMITS_FILE) as connection:
        assert connection.execute("SELECT who FROM taken").fetchall() == [("d",)]


def _takes(path, minute, many, out):
    from django.conf import settings

    settings.GENRE_LIMITS_FILE, settings.GENRE_REDIS_URL = path, ""
    throttle.clock = lambda: minute
    out.put(sum(take("me", 1, most=500) == 0 for _ in range(many)))


@pytest.mark.functional
def test_four_processes_at_once_let_in_exactly_as_many(tmp_path):
    context = multiprocessing.get_context("fork")
    out = context.Queue()
    arguments = (tmp_path / "limits.sqlite3", time.time(), 400, out)
    workers = [context.Process(target=_takes, args=arguments) for _ in range(4)]
    for worker in workers:
        worker.start()
    let_in = [out.get(timeout=30) for _ in workers]
    for worker in workers:
        worker.join()
    assert sum(let_in) == 500
