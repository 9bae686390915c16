"""The real gunicorn watches by itself: one monitor beside its workers, and none left behind."""

import os
import signal
import time
from types import SimpleNamespace

import pytest

from genre_site import gunicorn_config
from genre_site.tests.running import Site, Visitor, children_of, eventually, is_running

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
LOOKED = "SELECT watched_at, figures FROM training_monitorstate WHERE watched_at IS NOT NULL"


def monitors_of(pid):
    """Return the process ids of the monitors that ``pid`` started; gunicorn listens a moment before it starts one."""
    return [own for own, command in children_of(pid).items() if " monitor --every" in command]


@pytest.fixture
def site(tmp_path, model_folder):
    site = Site(tmp_path, [model_folder])
    site.env["GENRE_MONITOR_SECONDS"] = "1"
    return site


def test_it_looks_by_itself_survives_a_reload_and_ends_with_the_server(site):
    with site.serving() as address:
        (monitor,) = eventually(lambda: monitors_of(site.pid))
        assert eventually(lambda: site.rows(LOOKED))
        os.kill(site.pid, signal.SIGHUP)
        time.sleep(1)
        assert Visitor(address).ask(TEXT).number == 1
        assert monitors_of(site.pid) == [monitor]
    assert not is_running(monitor)
    assert "Traceback" not in site.log.read_text()


def test_a_killed_server_leaves_no_monitor_behind(site):
    with pytest.raises(AssertionError, match="the server ended with -9"), site.serving():
        (monitor,) = eventually(lambda: monitors_of(site.pid))
        assert eventually(lambda: site.rows(LOOKED))
        os.kill(site.pid, signal.SIGKILL)
        assert eventually(lambda: not is_running(monitor))


def test_with_zero_seconds_nothing_watches(settings):
    settings.GENRE_MONITOR_SECONDS = 0
    server = SimpleNamespace(master_pid=0, num_workers=1)
    gunicorn_config.when_ready(server)
    gunicorn_config.post_fork(server, SimpleNamespace(age=1))
    gunicorn_config.on_exit(server)
    assert not hasattr(server, "genre_monitor")
