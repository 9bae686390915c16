"""Training and promotion killed without warning: whatever the moment, the champion answers."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from classifier.core.model import GenreModel
from training.tests.helpers import write_books

ROOT = Path(__file__).resolve().parents[2]
TRAIN_KILLS, PROMOTE_KILLS = 6, 4
SETUP = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
for seed in ("1", "2"):
    call_command("train", "--data", {data!r}, "--seed", seed, "--epoch", "5", "--dim", "4")
call_command("promote", "1")
"""


class Site:
    """An installation of its own: SQLite file, model folder, scratch folder."""

    def __init__(self, root):
        self.models, self.database = root / "models", root / "site.sqlite3"
        self.data = write_books(root / "books.csv")
        (root / "scratch").mkdir()
        self.environment = os.environ | {
            "SECRET_KEY": "only-for-this-test-" + "0123456789" * 5,
            "DJANGO_SETTINGS_MODULE": "genre_site.settings",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "GENRE_MODEL_DIR": str(self.models),
            "TMPDIR": str(root / "scratch"),
            "DEBUG": "false",
        }

    def start(self, *arguments):
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments):
        """Run to the end; return the seconds it took."""
        started = time.monotonic()
        with self.start(*arguments) as process:
            message = process.stderr.read().decode()
        assert process.returncode == 0, message
        return time.monotonic() - started

    def kill(self, *arguments, when):
        """Start, wait for ``when``, send SIGKILL; return the process id and whether it was still running."""
        with self.start(*arguments) as process:
            when(process)
            process.send_signal(signal.SIGKILL)
            # Not read to the end: a training process that outlives its parent for a moment holds the pipe.
            process.stderr.close()
        assert process.returncode in (0, -signal.SIGKILL)
        return process.pid, process.returncode != 0

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
        """The champion is one, loads, is the model that was registered, and answers; return its number."""
        versions = self.versions()
        champions = [version for version in versions if version[1] == "champion"]
        assert len(champions) == 1
        for number, _, folder, sha256 in versions:
            model = GenreModel.load(self.models / folder)
            assert model.meta["model_sha256"] == sha256, number
        champion = GenreModel.load(self.models / champions[0][2])
        assert len(champion.predict("a dragon and butter on the market").scores) == 3
        return champions[0][0]

    def drafts(self):
        return {int(draft.name.split(".")[-2]): draft for draft in self.models.glob(".*.tmp")}

    def running(self):
        """Return the ids of the training processes of this installation."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if b"fit_worker" in (process / "cmdline").read_bytes() and str(self.models).encode() in (
                    process / "environ"
                ).read_bytes():
                    found.append(process.name)
            except OSError:
                continue
        return found


def after(seconds):
    return lambda process: time.sleep(seconds)


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")
def test_a_kill_at_any_moment_leaves_a_champion_that_answers_and_the_next_training_cleans_up(tmp_path):
    site = Site(tmp_path)
    site.run("shell", "-c", SETUP.format(data=str(site.data)))
    assert site.check() == 1
    train_seconds = site.run(*site.train_arguments(3))
    promote_seconds = site.run("promote", "2")
    assert site.check() == 2

    moments = random.Random(20_240_607)
    jobs = ["train"] * TRAIN_KILLS + ["promote"] * PROMOTE_KILLS
    moments.shuffle(jobs)
    killed = []
    for number, job in enumerate(jobs):
        champion = site.check()
        if job == "train":
            arguments, seconds = site.train_arguments(10 + number), train_seconds
        else:
            arguments, seconds = ("promote", str(3 - champion)), promote_seconds
        pid, was_running = site.kill(*arguments, when=after(moments.uniform(0.2, 1.0) * seconds))
        if was_running:
            killed.append(pid)
        assert site.check() == champion if job == "train" else site.check() in (1, 2)
    assert len(killed) >= len(jobs) // 2

    # Once more at the moment where most is at stake: the model is written, but not yet verified and renamed.
    known = set(site.drafts())
    pid, was_running = site.kill(*site.train_arguments(99), when=lambda process: wait_until(lambda: set(site.drafts()) - known))
    assert was_running
    assert pid in site.drafts()
    champion = site.check()

    mine = site.models / f".unfinished.{os.getpid()}.tmp"
    mine.mkdir()
    before = len(site.versions())
    site.run(*site.train_arguments(100))
    assert site.drafts() == {os.getpid(): mine}
    assert len(site.versions()) == before + 1
    assert site.check() == champion
    wait_until(lambda: not site.running())
