"""Backup, destroy, restore: with the commands of docs/operations.md, word for word."""

import os
import re
import shutil
import subprocess
import urllib.request
import uuid
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
import pytest

from genre_site.tests.running import ROOT, Installation, Visitor

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
SERVER = os.environ.get("TEST_DATABASE_URL", "")
# Three visitors correct, and one of the corrections is approved.
CORRECT = """
from pathlib import Path
from django.contrib.auth.models import User
from classifier.predictions import predict_text
from feedback.actions import Answer, review, submit_correction

sent = [
    submit_correction(
        shown=predict_text("{text}", source="page"), text="{text}", answer=Answer(genres=(genre,)), visitor=genre
    )
    for genre in ("cooking", "fantasy", "romance")
]
review(corrections=[sent[0].pk], status="approved", by=User.objects.create_superuser("ada"))
Path("{receipts}").write_text("\\n".join(str(each.receipt) for each in sent))
"""
CHECK = """
from feedback.models import Correction, ReviewEvent

found = [(each.status, each.text, each.slugs()) for each in Correction.objects.order_by("pk")]
assert found == [
    ("approved", "{text}", ("cooking",)), ("pending", "{text}", ("fantasy",)), ("pending", "{text}", ("romance",))
], found
assert ReviewEvent.objects.count() == 4
"""


def commands(section, database):
    """Return the shell commands of a section of the document, without those for the other database."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    body = re.search(rf"^## {section}\n(.*?)^## ", text, flags=re.MULTILINE | re.DOTALL)[1]
    blocks = re.findall(r"([^\n]*)\n\n```sh\n(.*?)```", body, flags=re.DOTALL)
    chosen = [block for before, block in blocks if database in before or not before.startswith("With ")]
    assert len(chosen) < len(blocks)
    return "".join(chosen)


@pytest.fixture
def address_of_database():
    """The address of an empty database on the PostgreSQL of the tests."""
    if not SERVER:
        pytest.skip("TEST_DATABASE_URL names no PostgreSQL (make postgres)")
    parts = urlsplit(SERVER)
    name = f"backup_{uuid.uuid4().hex}"
    with closing(psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True)) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield parts._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def database(request):
    return request.param


@pytest.fixture
def site(request, database, tmp_path, model_folder):
    where = {}
    if database == "PostgreSQL":
        where = {"DATABASE_URL": request.getfixturevalue("address_of_database")}
    return Installation(tmp_path, [model_folder], **where)


def destroy(site, database):
    """Delete what a disk or a mistake would: database, models, settings, what was collected."""
    for folder in ("var", "models"):
        shutil.rmtree(site.code / folder)
    (site.code / ".env").unlink()
    if database == "PostgreSQL":
        with psycopg.connect(site.settings["DATABASE_URL"]) as connection:
            connection.execute("DROP SCHEMA public CASCADE")


def shell(site, script):
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=site.code, env=site.env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_was_backed_up_destroyed_and_restored_answers_as_before(site, database, tmp_path):
    receipts = tmp_path / "receipts"
    with site.serving() as address:
        before = Visitor(address).ask(TEXT)
        site.run(CORRECT.format(text=TEXT, receipts=receipts))
        shell(site, commands("Backup", database))
    (backup,) = (site.code / "backups").iterdir()
    assert backup.stat().st_mode & 0o077 == 0
    for round_ in ("first", "again"):
        destroy(site, database)
        said = shell(site, commands("Restore", database))
        assert "champion" in said, round_
        with site.serving() as address:
            assert urllib.request.urlopen(address + "readyz").read() == b'{"status": "ready", "version": 1}'
            after = Visitor(address).ask(TEXT)
            assert (after.number, after.genres) == (before.number, before.genres)
            for receipt in receipts.read_text().split():
                page = urllib.request.urlopen(f"{address}corrections/{receipt}/").read().decode()
                assert "Your correction" in page
        site.run(CHECK.format(text=TEXT))
        # A backup of what was restored is as good.
        shutil.rmtree(backup)
        shell(site, commands("Backup", database))
        (backup,) = (site.code / "backups").iterdir()
