"""The real gunicorn on an installation of its own, for tests and soak runs: ``Site``, ``Installation`` and ``Visitor``."""

import html
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30
STOP_SECONDS = 30
NOT_STOPPED = "a kill: it did not stop when asked"
# What of the checkout an installation does not need, or must not share.
NOT_CODE = (
    ".git",
    ".venv",
    ".env",
    "var",
    "models",
    "data",
    "docs",
    "benchmarks",
    "explore",
    "test-results",
    ".*_cache",
)
REGISTER = """
from pathlib import Path
from django.conf import settings
from django.core.management import call_command
from classifier.registry import promote, register

call_command("migrate", verbosity=0)
for name in {names}:
    register(Path(settings.GENRE_MODEL_DIR) / name, by="test")
for number in {promoted}:
    promote(number, by="test")
"""
MAKE_KEY = """
from pathlib import Path
from classifier.keys import create_key

_, secret = create_key("test", {scopes}, by="test", per_minute={per_minute})
Path({path!r}).write_text(secret)
"""
# Workers look at the registry and the files more often than in production, so that a test need not wait.
FASTER = """
from genre_site.gunicorn_config import *


def post_worker_init(worker):
    from classifier import registry

    registry.RECHECK_SECONDS = {seconds}
"""


class Site:
    """A migrated database and copies of model ``folders`` below ``root``: versions 1, 2, … are ``promoted`` in turn.

    ``address`` is that of an empty database; without it there is an SQLite file, which ``rows`` reads.
    """

    code = ROOT

    def __init__(self, root, folders, *, promoted=(1,), address=""):
        self.root, self.models, self.database = root, root / "models", root / "site.sqlite3"
        self.log = root / "server.log"
        # Of the server, while it is serving.
        self.pid = 0
        self.env = os.environ | {
            "SECRET_KEY": "only-for-this-site-" + "0123456789" * 5,
            "DJANGO_SETTINGS_MODULE": "genre_site.settings",
            "DATABASE_URL": address or f"sqlite:///{self.database}",
            "GENRE_MODEL_DIR": str(self.models),
            "GENRE_LIMITS_FILE": str(root / "limits.sqlite3"),
            "GENRE_HTTPS": "false",
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
            # Serves the style sheets where they lie.
            "DEBUG": "true",
            # One process less; tests that want the monitor ask for it.
            "GENRE_MONITOR_SECONDS": "0",
        }
        self.set_up(folders, promoted)

    def set_up(self, folders, promoted):
        """Copy and register the models, and make the database."""
        names = [f"m{number}" for number, _ in enumerate(folders, start=1)]
        for name, folder in zip(names, folders, strict=True):
            shutil.copytree(folder, self.models / name)
        self.run(REGISTER.format(names=names, promoted=promoted))

    def run(self, code):
        """Run ``code`` in a process of this installation; it must succeed."""
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0"]
        subprocess.run(
            command, cwd=self.code, env=self.env, check=True, stdout=subprocess.DEVNULL, text=True, input=code
        )

    def make_key(self, *scopes, per_minute=100_000_000):
        """Make a key of the API for ``scopes`` and return its secret."""
        path = self.root / "key"
        self.run(MAKE_KEY.format(scopes=scopes, per_minute=per_minute, path=str(path)))
        return path.read_text()

    def rows(self, query):
        """Return what a query finds, each row as a dict."""
        with closing(sqlite3.connect(self.database, timeout=20)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]

    def write(self, statement):
        """Change the database behind the server's back."""
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            connection.execute(statement)

    @contextmanager
    def serving(self, *, workers=2, recheck_seconds=None, ends_with=0, port=0):
        """Serve as `make run` does; yield the address. What the server logs is added to ``self.log``.

        ``ends_with`` is the exit code it must have, whoever ended it; ``port`` is that of a server before it.
        """
        config = "genre_site/gunicorn_config.py"
        if recheck_seconds is not None:
            config = self.root / "gunicorn_config.py"
            config.write_text(FASTER.format(seconds=recheck_seconds), encoding="utf-8")
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", port))
            place = free.getsockname()
        options = ["--config", config, "--bind", f"127.0.0.1:{place[1]}", "--workers", str(workers)]
        options += ["--pid", self._pid_file, "--log-level", "error"]
        # By its script: after `python -m gunicorn` a restart (SIGUSR2) would look for modules in gunicorn's own folder.
        command = [Path(sys.executable).with_name("gunicorn"), "genre_site.wsgi", *options]
        with self.log.open("a") as log:
            server = subprocess.Popen(command, cwd=self.code, env=self.env, stdout=log, stderr=log)
            self._server, self.pid = server, server.pid
            try:
                _wait_for(server, place, self.log)
                yield f"http://127.0.0.1:{place[1]}/"
            finally:
                code = _stop(server) if self.pid == server.pid else _stop_stranger(self.pid)
        assert code == ends_with, f"the server ended with {code}:\n{self.log.read_text()}"

    @property
    def _pid_file(self):
        return self.root / "server.pid"

    def restart(self):
        """Put a new server in the place of the one that is serving, as an operator does."""
        old = self.pid
        os.kill(old, signal.SIGUSR2)
        # A child of this process is gone only once it was waited for.
        is_gone = (lambda: self._server.poll() is not None) if old == self._server.pid else lambda: not is_running(old)
        assert eventually(is_gone), f"the old server goes on:\n{self.log.read_text()}"
        assert eventually(self._pid_file.exists), f"no server is left:\n{self.log.read_text()}"
        self.pid = int(self._pid_file.read_text())


class Installation(Site):
    """A site with code of its own and everything in its default place below it; its settings are in its ``.env``."""

    def __init__(self, root, folders, **settings):
        self.root, self.code = root, root / "site"
        self.models, self.database = self.code / "models", self.code / "var" / "db.sqlite3"
        self.log, self.pid = root / "server.log", 0
        shutil.copytree(ROOT, self.code, symlinks=True, ignore=shutil.ignore_patterns(*NOT_CODE))
        (self.code / ".venv").symlink_to(sys.prefix)
        defaults = {
            "SECRET_KEY": "only-for-this-site-" + "0123456789" * 5,
            "LOG_LEVEL": "WARNING",
            "GENRE_MONITOR_SECONDS": "0",
        }
        self.settings = defaults | settings
        self.write_settings()
        # The settings of the tests themselves are none of its business.
        names = {*re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)}
        self.env = {name: value for name, value in os.environ.items() if name not in names}
        self.env["DJANGO_SETTINGS_MODULE"] = "genre_site.settings"
        self.set_up(folders, promoted=(1,))
        command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(command, cwd=self.code, env=self.env, check=True)

    def write_settings(self, **settings):
        """Write its ``.env``, with these settings added or changed."""
        self.settings |= settings
        lines = [f"{name}={value}\n" for name, value in self.settings.items()]
        (self.code / ".env").write_text("".join(lines), encoding="utf-8")


def children_of(pid):
    """Return the processes that ``pid`` started and that run: by process id, their command lines."""
    command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 3) for line in listed.splitlines()]
    return {int(own): line for own, parent, state, line in rows if int(parent) == pid and state[0] != "Z"}


def is_running(pid):
    """Return whether the process runs; one that ended and was not waited for does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def peak_memory(pid, is_over):
    """Return the most bytes that a process and its children held together until ``is_over``, looking every 50 ms."""
    peak, watched = 0, psutil.Process(pid)
    while not is_over():
        with suppress(psutil.NoSuchProcess):
            peak = max(peak, sum(one.memory_info().rss for one in [watched, *watched.children(recursive=True)]))
        time.sleep(0.05)
    return peak


def eventually(condition, seconds=20):
    """Return the first true value of ``condition()``; the last one when time is over."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _wait_for(server, place, log):
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(place, timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the server does not answer:\n{log.read_text()}")


def _stop(server):
    server.terminate()
    try:
        return server.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
        return NOT_STOPPED


def _stop_stranger(pid):
    """Stop a server that is no child of this process, so that its exit code is not to be had."""
    os.kill(pid, signal.SIGTERM)
    if eventually(lambda: not is_running(pid), STOP_SECONDS):
        return 0
    os.kill(pid, signal.SIGKILL)
    return NOT_STOPPED


@dataclass(frozen=True)
class Answer:
    """What the page says of a text: the version it names (None: none), the genres with their percent, the token."""

    number: int | None
    genres: tuple[tuple[str, int], ...]
    token: str


class Visitor:
    """Somebody who opens the page once, asks for the genres of text after text without JavaScript, and corrects them.

    ``seen_as`` is the network address that a trusted proxy would tell of.
    """

    def __init__(self, address, *, timeout=10.0, seen_as=""):
        self._address, self._timeout = address, timeout
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        if seen_as:
            self._opener.addheaders.append(("X-Forwarded-For", seen_as))
        self._csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.open())[1]

    def open(self, path="", fields=None, **headers):
        """Return the page at ``path``, with ``fields`` as the answer to a form sent there; raises as ``ask`` does."""
        data = None if fields is None else urllib.parse.urlencode({"csrfmiddlewaretoken": self._csrf} | fields).encode()
        request = urllib.request.Request(self._address + path, data, headers)
        with self._opener.open(request, timeout=self._timeout) as response:
            return response.read().decode()

    def correct(self, token, text, genre):
        """Send a correction of what was shown and return its receipt; one that is refused raises ``LookupError``.

        Sent as HTMX does, so that the very answer to it names the receipt.
        """
        # urllib's way to spell HX-Request.
        headers = {"Hx-request": "true"}
        page = self.open("corrections/", {"token": token, "text": text, "genres": genre}, **headers)
        receipt = re.search(r'class="receipt" href="[^"]*/corrections/([\w-]{22})/"', page)
        if receipt is None:
            raise LookupError(page)
        return receipt[1]

    def ask(self, text):
        """Send the form; an error status, a broken connection and a time-out are raised (all are ``OSError``)."""
        page = self.open("", {"text": text})
        number = re.search(r"model version (\d+)", page)
        token = re.search(r'name="token" value="([^"]+)"', page)
        names = re.findall(r'<span class="name">([^<]+)</span>', page)
        percents = re.findall(r'<span class="percent">(\d+)%</span>', page)
        return Answer(
            int(number[1]) if number else None,
            tuple((html.unescape(name), int(percent)) for name, percent in zip(names, percents, strict=True)),
            html.unescape(token[1]) if token else "",
        )
