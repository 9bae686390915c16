"""A restart of the real gunicorn under constant requests: none fails, and what answers afterwards is the new code."""

import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from genre_site.tests.functional.test_watching import LOOKED, monitors_of
from genre_site.tests.running import Installation, Visitor, eventually, is_running

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
CLIENTS = 3
OLD_KEY, NEW_KEY = "the-key-of-before-" + "0123456789" * 5, "the-key-of-afterwards-" + "9876543210" * 5
# The classes of workers that .env.example offers.
SERVED_BY = {
    "sync": {"GENRE_WORKER_CLASS": "sync"},
    "gthread": {"GENRE_WORKER_CLASS": "gthread", "GENRE_THREADS": "4"},
}


@contextmanager
def repeatedly(*calls):
    """Call each again and again, each in a thread of its own, while the block runs; yield all that they return."""
    stop, returned = threading.Event(), []

    def repeat(call):
        while not stop.is_set():
            returned.append(call())

    threads = [threading.Thread(target=repeat, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    try:
        yield returned
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def asking(address):
    """Return a function that asks for the genres of a text and returns what went wrong, or ''."""
    visitor = Visitor(address)

    def ask():
        try:
            answer = visitor.ask(TEXT)
        except (OSError, HTTPException) as error:
            return repr(error)
        return "" if (answer.number, answer.genres[0][0]) == (1, "Fantasy") else f"a wrong answer: {answer}"

    return ask


def watching(site):
    """Return a function that counts the monitors of a site."""
    manage = str(site.code / "manage.py").encode()

    def count():
        time.sleep(0.02)
        found = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            found += manage in command and b"monitor" in command
        return found

    return count


def get(address, **headers):
    """Return the status and the text of a page."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads /proc")
@pytest.mark.parametrize("served_by", SERVED_BY)
def test_a_restart_fails_no_request_and_brings_new_code_new_settings_and_one_monitor(tmp_path, model_folder, served_by):
    site = Installation(tmp_path, [model_folder], SECRET_KEY=OLD_KEY, GENRE_MONITOR_SECONDS="1", **SERVED_BY[served_by])
    with site.serving() as address:
        token = Visitor(address).ask(TEXT).token
        assert "No such page" in get(address + "nowhere")[1]
        assert get(address + "metrics", Authorization="Bearer sesame")[0] != 200
        (old_monitor,) = eventually(lambda: monitors_of(site.pid))
        errors = site.code / "genre_site" / "errors.py"
        errors.write_text(errors.read_text().replace("No such page", "Nothing goes by this name"))
        site.write_settings(GENRE_METRICS_TOKEN="sesame", SECRET_KEY=NEW_KEY, SECRET_KEY_FALLBACKS=OLD_KEY)
        with repeatedly(*(asking(address) for _ in range(CLIENTS))) as said, repeatedly(watching(site)) as monitors:
            time.sleep(1)
            before = len(said)
            site.restart()
            after = len(said)
            (new_monitor,) = eventually(lambda: monitors_of(site.pid))
            time.sleep(1)
        assert [words for words in said if words] == []
        assert 0 < before < after < len(said)
        assert max(monitors) == 1
        assert (is_running(old_monitor), is_running(new_monitor)) == (False, True)
        assert "Nothing goes by this name" in get(address + "nowhere")[1]
        assert get(address + "metrics", Authorization="Bearer sesame")[0] == 200
        site.run(CORRECT.format(token=token, text=TEXT))
        # And once more: the server that was put in its place can be replaced as well.
        errors.write_text(errors.read_text().replace("Nothing goes by this name", "Not here"))
        site.restart()
        assert "Not here" in get(address + "nowhere")[1]
    assert not is_running(new_monitor)
    assert "Traceback" not in site.log.read_text()


CORRECT = """
from classifier.predictions import Shown
from feedback.actions import Answer, submit_correction

submit_correction(shown=Shown.from_token("{token}"), text="{text}", answer=Answer(genres=("cooking",)), visitor="v")
"""


def test_a_new_server_that_can_not_start_leaves_the_old_one_and_its_monitor_alone(tmp_path, model_folder):
    site = Installation(tmp_path, [model_folder], GENRE_MONITOR_SECONDS="1")
    with site.serving() as address:
        (monitor,) = eventually(lambda: monitors_of(site.pid))
        # It reads the settings too, when it starts.
        assert eventually(lambda: site.rows(LOOKED))
        site.write_settings(GENRE_WORKERS="none")
        os.kill(site.pid, signal.SIGUSR2)
        assert eventually(lambda: 'Environment variable "GENRE_WORKERS" invalid' in site.log.read_text())
        assert Visitor(address).ask(TEXT).number == 1
        assert monitors_of(site.pid) == [monitor]
        site.write_settings(GENRE_WORKERS="2")
        site.restart()
        assert Visitor(address).ask(TEXT).number == 1


def test_systemd_is_told_which_process_is_the_service_before_the_old_one_ends(tmp_path, model_folder):
    site = Installation(tmp_path, [model_folder])
    site.env["NOTIFY_SOCKET"] = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(site.env["NOTIFY_SOCKET"])
        notify.settimeout(20)
        with site.serving():
            assert notify.recv(1000).startswith(b"READY=1")
            old = site.pid
            os.kill(old, 0)
            site.restart()
            messages = [notify.recv(1000) for _ in range(2)]
            assert messages[0].startswith(b"READY=1")
            assert messages[1] == f"MAINPID={site.pid}".encode()
