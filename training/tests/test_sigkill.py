"""Training and a change of champion killed without warning: whatever the moment, the champion answers.

The change is a rollback: a promotion makes the same one after a gate that only reads.

The kills hit children that a warm ``manage.py shell`` forks, so that the moments fall into the work and not into a
second of imports: ten at random moments, and one when the model is written but not yet in its place.
"""

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from classifier.core.model import GenreModel
from training.tests.helpers import write_books

ROOT = Path(__file__).resolve().parents[2]
TRAIN_KILLS, CHANGE_KILLS, ATTEMPTS = 4, 6, 100
# Reads jobs [when, argument, …] as JSON lines; answers each with [process id, was killed, seconds]. A job is killed
# after as many seconds, "when" its draft is "drafted", or (null) never.
SERVER = """
import json, os, signal, sys, time
from django.conf import settings
from django.core.management import call_command
from django.db import connections
import training.core.evaluation, training.core.kaggle, training.management.commands.train, training.management.commands.rollback
import training.management.commands.promote

quiet = open(os.devnull, "w")
sys.stdout.flush()

def run(arguments):
    try:
        call_command(*arguments, stdout=quiet, stderr=quiet)
    except BaseException as error:
        sys.stderr.write(f"{error!r}\\n")
        os._exit(3)
    os._exit(0)

def is_drafted(child):
    return any(name.endswith(f".{child}.tmp") for name in os.listdir(settings.GENRE_MODEL_DIR))

for line in sys.stdin:
    when, *arguments = json.loads(line)
    connections.close_all()
    started = time.monotonic()
    child = os.fork()
    if not child:
        run(arguments)
    if when == "drafted":
        while not is_drafted(child) and time.monotonic() < started + 20:
            time.sleep(0.002)
    elif when is not None:
        time.sleep(when)
    if when is not None:
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), (arguments, status)
    print("\\n" + json.dumps([child, status != 0, time.monotonic() - started]), flush=True)
"""


class Site:
    """An installation of its own: SQLite file, model folder, scratch folder."""

    def __init__(self, root):
        self.models, self.database = root / "models", root / "site.sqlite3"
        self.data = write_books(root / "books.csv")
        (root / "scratch").mkdir()
        environment = os.environ | {
            "SECRET_KEY": "only-for-this-test-" + "0123456789" * 5,
            "DJANGO_SETTINGS_MODULE": "genre_site.settings",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "GENRE_MODEL_DIR": str(self.models),
            "TMPDIR": str(root / "scratch"),
            "DEBUG": "false",
        }
        self.server = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", SERVER], cwd=ROOT, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.do("migrate", "-v", "0")

    def close(self):
        self.server.communicate(timeout=20)
        assert self.server.returncode == 0

    def do(self, *arguments, kill=None):
        """Run a command, and kill it at its moment; return its process id, whether it was killed, and its seconds."""
        self.server.stdin.write(json.dumps([kill, *arguments]) + "\n")
        self.server.stdin.flush()
        while True:
            line = self.server.stdout.readline()
            assert line, "the server ended"
            if line.startswith("["):
                return json.loads(line)

    def force(self, number):
        """Promote a version; these are too few books for the gate to measure on."""
        self.do("promote", str(number), "--force", "--reason", "test", "--data", str(self.data))

    def train_arguments(self, seed):
        return "train", "--data", str(self.data), "--epoch", "5", "--dim", "4", "--seed", str(seed)

    def versions(self):
        connection = sqlite3.connect(self.database)
        try:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return connection.execute("SELECT number, state, folder, sha256 FROM classifier_modelversion").fetchall()
        finally:
            connection.close()

    def check(self):
        """One champion, every registered model loads and is the one registered; return the champion's number."""
        champions = []
        for number, state, folder, sha256 in self.versions():
            model = GenreModel.load(self.models / folder)
            assert model.meta["model_sha256"] == sha256, number
            if state == "champion":
                champions.append(number)
                assert len(model.predict("a dragon and butter on the market").scores) == 3
        assert len(champions) == 1
        return champions[0]

    def drafts(self):
        return {int(draft.name.split(".")[-2]): draft for draft in self.models.glob(".*.tmp")}

    def running(self):
        """Return the ids of the training processes of this installation."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                is_worker = b"fit_worker" in (process / "cmdline").read_bytes()
                if is_worker and str(self.models).encode() in (process / "environ").read_bytes():
                    found.append(process.name)
            except OSError:
                continue
        return found


def back_to(number):
    return "rollback", "--to", str(number), "--reason", "test"


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    yield site
    site.close()


@pytest.mark.functional
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")
def test_a_kill_at_any_moment_leaves_a_champion_that_answers_and_the_next_training_cleans_up(site):
    site.do(*site.train_arguments(1))
    site.force(1)
    assert site.check() == 1
    train_seconds = site.do(*site.train_arguments(2))[2]
    site.force(2)
    assert site.check() == 2
    change_seconds = site.do(*back_to(1))[2]
    assert site.check() == 1

    # A command that is done before its moment was not killed: it is tried again at another one.
    moments = random.Random(20_240_607)
    killed = Counter()
    for attempt in range(ATTEMPTS):
        job = "train" if killed["train"] < TRAIN_KILLS else "change"
        if killed["change"] == CHANGE_KILLS:
            break
        champion = site.check()
        if job == "train":
            arguments, seconds = site.train_arguments(10 + attempt), train_seconds
        else:
            arguments, seconds = back_to(3 - champion), change_seconds
        killed[job] += site.do(*arguments, kill=moments.random() * seconds)[1]
        assert site.check() in ({champion} if job == "train" else {1, 2})
    assert killed == {"train": TRAIN_KILLS, "change": CHANGE_KILLS}

    # Once more at the moment where most is at stake: the model is written, but not yet verified and renamed.
    process, was_killed, _ = site.do(*site.train_arguments(99), kill="drafted")
    assert was_killed
    assert process in site.drafts()
    champion = site.check()

    mine = site.models / f".unfinished.{os.getpid()}.tmp"
    mine.mkdir()
    before = len(site.versions())
    assert site.do(*site.train_arguments(100))[1] is False
    assert site.drafts() == {os.getpid(): mine}
    assert len(site.versions()) == before + 1
    assert site.check() == champion
    wait_until(lambda: not site.running())
