"""The real gunicorn, started as `make run` starts it, answers and follows a promotion."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."


@pytest.fixture
def site(tmp_path, model_folder):
    """A migrated database of its own, two registered copies of the small model, and manage.py for it."""
    (tmp_path / "models").mkdir()
    env = os.environ | {
        "SECRET_KEY": "s" * 60,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "GENRE_MODEL_DIR": str(tmp_path / "models"),
        "DJANGO_SETTINGS_MODULE": "genre_site.settings",
        "DEBUG": "true",
        "LOG_LEVEL": "WARNING",
    }

    def manage(*words, **kwargs):
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True, **kwargs)

    manage("migrate", "--verbosity", "0")
    for name in ("one", "two"):
        shutil.copytree(model_folder, tmp_path / "models" / name)
    code = (
        "from classifier.registry import *; from django.conf import settings\n"
        "for name in ('one', 'two'): register(settings.GENRE_MODEL_DIR / name, by='test')\n"
        "promote(1, by='test')\n"
    )
    manage("shell", "--verbosity", "0", input=code)
    return env, manage


@pytest.fixture
def address(site):
    env, _ = site
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "genre_site.wsgi",
        "--config",
        "genre_site/gunicorn_config.py",
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        "2",
        "--log-level",
        "error",
    ]
    server = subprocess.Popen(command, cwd=ROOT, env=env)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0


def ask(address):
    """Predict through the plain form and return the version that answered."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = opener.open(address, timeout=10).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    data = urllib.parse.urlencode({"csrfmiddlewaretoken": token, "text": TEXT}).encode()
    answer = opener.open(address, data, timeout=10).read().decode()
    assert "Fantasy" in answer
    return int(re.search(r"model version (\d+)", answer)[1])


def test_the_real_server_answers_and_follows_a_promotion_without_restart(site, address):
    _, manage = site
    assert {ask(address) for _ in range(4)} == {1}
    manage("promote", "2", "--reason", "test")
    deadline = time.monotonic() + 5
    answers = [ask(address) for _ in range(4)]
    while set(answers) != {2} and time.monotonic() < deadline:
        time.sleep(0.2)
        answers = [ask(address) for _ in range(4)]
    assert set(answers) == {2}
