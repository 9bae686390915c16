"""Nothing leaves the machine: the real gunicorn and its monitor, where asking for any other host is noted and fails."""

import csv
import re
import subprocess
import sys

import pytest

from classifier.core.examples import unguard_formula
from genre_site.tests.running import ROOT, Site, Visitor, eventually

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
LOOKED = "SELECT watched_at FROM training_monitorstate WHERE watched_at IS NOT NULL"
# Python reads it at the start of each process. An audit hook hears of every socket, whoever made it, and can't be removed.
GUARD = """
import sys


def listen(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        address = arguments[:1]
    else:
        return
    # The path of a local socket is no tuple; None is any address of this machine.
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost", None):
        with open({notes!r}, "a") as notes:
            notes.write(f"{{sys.argv}}: {{event}} {{address}}\\n")
        raise OSError(f"this machine alone: {{address}}")


sys.addaudithook(listen)
with open({started!r}, "a") as started:
    started.write(" ".join(sys.argv) + "\\n")
"""
SIGN_IN = """
from django.contrib.auth.models import User
from django.test import Client

client = Client()
client.force_login(User.objects.create_superuser("ada"))
"""


@pytest.fixture
def notes(tmp_path):
    """Where a guarded process notes whom it asked for."""
    return tmp_path / "notes"


@pytest.fixture
def site(tmp_path, model_folder, notes):
    site = Site(tmp_path, [model_folder])
    guard = tmp_path / "guard"
    guard.mkdir()
    code = GUARD.format(notes=str(notes), started=str(tmp_path / "started"))
    (guard / "sitecustomize.py").write_text(code, encoding="utf-8")
    site.env |= {"PYTHONPATH": str(guard), "GENRE_MONITOR_SECONDS": "1", "GENRE_METRICS_TOKEN": "a-long-token"}
    return site


@pytest.mark.parametrize(
    "code",
    [
        "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=1)",
        "import urllib.request\nurllib.request.urlopen('http://example.org/', timeout=1)",
        "import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    ],
)
def test_the_guard_hears_of_whoever_asks_for_another_host(site, notes, code):
    with pytest.raises(subprocess.CalledProcessError):
        site.run(code)
    assert "192.0.2.1" in notes.read_text() or "example.org" in notes.read_text()


def test_page_correction_monitor_and_export_ask_nobody_outside_this_machine(site, notes, tmp_path):
    site.run(SIGN_IN)
    (session,) = site.rows("SELECT session_key FROM django_session")
    with site.serving() as address:
        visitor = Visitor(address)
        receipt = visitor.correct(visitor.ask(TEXT).token, TEXT, "fantasy")
        pages = [visitor.open(path) for path in ("about/", "privacy/", f"corrections/{receipt}/")]
        assert eventually(lambda: site.rows(LOOKED)), "the monitor looked"
        cookie = {"Cookie": f"sessionid={session['session_key']}"}
        pages += [Visitor(address).open(path, **cookie) for path in ("monitor/", "admin/feedback/correction/")]
        assert "genre_predictions_total" in visitor.open("metrics", Authorization="Bearer a-long-token")
        visitor.open(f"corrections/{receipt}/", {})
    for page in pages:
        loaded = re.findall(r'<(?:script|img|link|iframe|form)[^>]* (?:src|href|action)="([^"]+)"', page)
        assert [place for place in loaded if re.match(r"(?:https?:)?//", place)] == []
    path = tmp_path / "all.csv"
    for command in (["export_feedback", "--status", "all", "-O", str(path)], ["monitor"], ["prune"], ["models"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=site.env, check=True, capture_output=True)
    with path.open(newline="") as stream:
        # A receipt may begin with a hyphen, which a spreadsheet would take for a formula.
        found = [(unguard_formula(row["document_id"]), row["status"]) for row in csv.DictReader(stream)]
    assert found == [(receipt, "deleted")]
    started = (tmp_path / "started").read_text()
    assert "gunicorn" in started
    assert "monitor --every" in started
    assert not notes.exists(), notes.read_text()


def test_a_text_is_in_the_database_only_while_its_author_agreed_and_in_no_log(site):
    # Longer than a page of the file.
    word = "Xylophagous" * 400

    def found_in():
        # Not the index of the write-ahead log: it holds no rows, and goes with the last connection.
        kept = [site.database, *site.root.glob("site.sqlite3-wal")]
        return [path.name for path in kept if path.exists() and b"Xylophagous" in path.read_bytes()]

    def prune():
        subprocess.run([sys.executable, "manage.py", "prune"], cwd=ROOT, env=site.env, check=True, capture_output=True)

    with site.serving() as address:
        visitor = Visitor(address)
        text = f"{TEXT} {word}"
        token = visitor.ask(text).token
        assert found_in() == []
        receipt = visitor.correct(token, text, "fantasy")
        assert found_in()
        visitor.open(f"corrections/{receipt}/", {})
        prune()
        assert found_in() == []
        visitor.open("corrections/share/", {"token": token, "text": text})
        assert found_in()
        (share,) = site.rows("SELECT token, secret FROM feedback_sharedresult")
        assert word in visitor.open(f"shared/{share['token']}/")
        visitor.open(f"corrections/share/{share['secret']}/", {})
        prune()
        assert found_in() == []
        # One that is not deleted goes when its time is over.
        visitor.open("corrections/share/", {"token": token, "text": text})
        site.write("UPDATE feedback_sharedresult SET expires_at = created_at")
        prune()
        assert (found_in(), site.rows("SELECT * FROM feedback_sharedresult")) == ([], [])
    log = site.log.read_text()
    assert [secret for secret in (word, receipt, *share.values()) if secret in log] == []
