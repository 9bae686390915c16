"""The lab in a real browser, started as a person starts it: data that stays chosen, and work that can be stopped."""

import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from itertools import cycle
from pathlib import Path

import pytest
from playwright.sync_api import expect

from conftest import WORDS
from training.core.books import Example
from training.tests.helpers import write_books

LAB = Path(__file__).resolve().parents[3] / "explore"


@pytest.fixture
def lab(tmp_path):
    """The address of a lab that was started in another folder than the project's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "GENRE_LAB_DIR": str(tmp_path / "lab"),
        "DJANGO_SETTINGS_MODULE": "genre_site.settings",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(LAB / "app.py"), "--server.port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=log)
    address, end = f"http://localhost:{port}", time.monotonic() + 30
    try:
        while True:
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < end, (tmp_path / "log").read_text()
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


def test_long_work_is_stopped_and_not_begun_anew_and_the_data_stays_chosen(browser, lab, tmp_path):
    chance = random.Random(0)
    texts = (" ".join(f"word{chance.randrange(5_000)}" for _ in range(60)) for _ in range(6_000))
    examples = [Example(text, (slug,)) for text, slug in zip(texts, cycle(WORDS), strict=False)]
    path = str(write_books(tmp_path / "many.csv", examples))
    page = browser.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{lab}/clusters")
    place = page.get_by_role("textbox", name="Or its path")
    place.fill(path)
    place.press("Enter")
    expect(page.get_by_role("spinbutton", name="Clusters")).to_have_value("3", timeout=30_000)
    page.get_by_role("button", name="Find clusters").click()
    page.get_by_role("button", name="Stop", exact=True).click()
    waits = page.get_by_text("Press “Find clusters”")
    expect(waits).to_be_visible(timeout=5_000)
    seed = page.get_by_role("spinbutton", name="Seed")
    seed.fill("1")
    seed.press("Enter")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
    expect(waits).to_be_visible()
    page.get_by_role("link", name="Similar texts").click()
    expect(page.get_by_role("heading", name="Similar texts")).to_be_visible()
    expect(place).to_have_value(path)
    page.close()
