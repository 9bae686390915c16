"""``make bench-page``: how long one waits for a book's genres and their arc, and for a table of 5,000 texts.

The real gunicorn with two workers and a database of its own, with the model that is trained by default. The book is
about 1 MB, made of the starter corpus's texts; the table holds as many of them as a page takes.

- *first look* and *whole*: from sending the form, as htmx does, to the last byte of the answer; the second brings the arc.
- *first paint*: the same in a real Chromium, from the click until the first look, and until the arc, is drawn.
- *without scripts*: everything in one page.
- *table*: from sending 5,000 rows to the last byte of the answer, while other visitors ask for the genres of short texts;
  *others* are their times meanwhile, *others alone* those without a table being read.

Exit 1 when something takes longer than its limit.
"""

import csv
import io
import random
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.clients import Clients, times_of
from benchmarks.report import QUICK, publish
from conftest import CHROMIUM_FLAGS, chromium
from genre_site.tests.running import Site, Visitor
from training.core.corpora import STARTER_FILE

WORKERS, OTHERS = 2, 2
BOOK_BYTES = 100_000 if QUICK else 990_000
ROWS = 100 if QUICK else 5_000
TIMES = 2 if QUICK else 7
TABLES = 1 if QUICK else 3
# Between two texts of a visitor: people read what they get.
PAUSE = 0.05
LIMITS_MS = {
    "first look": 300.0,
    "whole, with its arc": 2000.0,
    "without scripts": 2000.0,
    "first paint in Chromium": 300.0,
    "arc in Chromium": 2000.0,
    "table": 3000.0,
    "others, while a table is read (95 of 100)": 100.0,
}
SET_UP = """
from django.core.management import call_command

call_command("collectstatic", interactive=False, verbosity=0)
call_command("ensure_model")
"""
HTMX = {"HX-Request": "true", "HX-Target": "result"}


class Sender(Visitor):
    """A visitor who sends forms with files, as a browser does."""

    def send(self, path: str, fields: dict[str, str], files: dict[str, bytes] | None = None, **headers: str) -> str:
        """Return the answer to a form."""
        boundary = uuid.uuid4().hex
        parts = [
            (f'name="{name}"', value.encode()) for name, value in ({"csrfmiddlewaretoken": self._csrf} | fields).items()
        ]
        parts += [(f'name="{name}"; filename="{name}"', data) for name, data in (files or {}).items()]
        body = b"".join(
            b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (boundary.encode(), head.encode(), data)
            for head, data in parts
        )
        request = urllib.request.Request(
            self._address + path,
            body + f"--{boundary}--\r\n".encode(),
            {"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        with self._opener.open(request, timeout=60) as response:
            return response.read().decode()


class Others(Clients):
    """Visitors who ask for the genres of short texts."""

    def __init__(self, address: str, texts: list[str]) -> None:
        super().__init__(OTHERS)
        self.seconds: list[float] = []
        self._address, self._texts = address, texts

    def client(self, number: int) -> tuple[Visitor, random.Random]:
        """Return a visitor and what it chooses its texts by."""
        return Visitor(self._address), random.Random(number)

    def work(self, client: tuple[Visitor, random.Random]) -> None:
        """Ask once."""
        visitor, chance = client
        start = time.perf_counter()
        visitor.ask(chance.choice(self._texts))
        self.seconds.append(time.perf_counter() - start)
        time.sleep(PAUSE)


def starter_texts() -> list[str]:
    """Return the starter corpus's texts."""
    with STARTER_FILE.open(encoding="utf-8", newline="") as stream:
        return [row["description"] for row in csv.DictReader(stream)]


def book_of(texts: list[str]) -> str:
    """Return a text as long as a novel."""
    chance, pieces, size = random.Random(1), [], 0
    while size < BOOK_BYTES:
        pieces.append(chance.choice(texts))
        size += len(pieces[-1].encode()) + 2
    return "\n\n".join(pieces)


def table_of(texts: list[str]) -> bytes:
    """Return a table of different texts."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(["number", "description"])
    writer.writerows([number, f"{texts[number % len(texts)]} {number}"] for number in range(ROWS))
    return stream.getvalue().encode()


def timed(call: Callable[[], str], needed: str, times: int) -> list[float]:
    """Return how long ``call`` took each time; its answer must hold ``needed``."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        page = call()
        seconds.append(time.perf_counter() - start)
        if needed not in page:
            raise AssertionError(f"an answer lacks {needed!r}:\n{page[:500]}")
    return seconds


def drawn(address: str, book: str) -> tuple[list[float], list[float]]:
    """Return how long Chromium took to draw the first look, and the arc, from the click on."""
    from playwright.sync_api import sync_playwright

    watch = """() => new Promise(done => {
      const since = performance.now(), found = {};
      const look = () => {
        if (!found.first && document.querySelector("#result .looking, #result #arc")) found.first = performance.now() - since;
        if (document.querySelector("#result #arc .plot")) { found.arc = performance.now() - since; done(found); }
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
      document.querySelector("#ask button").click();
    })"""
    firsts, arcs = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        for _ in range(TIMES):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(address)
            page.evaluate("text => { document.getElementById('text').value = text }", book)
            found = page.evaluate(watch)
            firsts.append(found["first"] / 1000)
            arcs.append(found["arc"] / 1000)
            page.close()
        browser.close()
    return firsts, arcs


def measure(address: str) -> dict[str, list[float]]:
    """Return the seconds of each kind of answer."""
    texts = starter_texts()
    book, table = book_of(texts), table_of(texts)
    visitor = Sender(address, timeout=60)
    whole = {"text": book, "stage": "whole", "read": "page"}
    found = {
        "first look": timed(lambda: visitor.send("", {"text": book}, **HTMX), "looking" if not QUICK else "arc", TIMES),
        "whole, with its arc": timed(lambda: visitor.send("", whole, **HTMX), 'id="arc"', TIMES),
        "without scripts": timed(lambda: visitor.send("", {"text": book}), 'id="arc"', TIMES),
    }
    found["first paint in Chromium"], found["arc in Chromium"] = drawn(address, book)
    with Others(address, texts) as alone:
        time.sleep(1 if QUICK else 5)
    found["others, alone"] = alone.seconds
    with Others(address, texts) as others:
        time.sleep(0.3)
        others.seconds.clear()
        found["table"] = timed(lambda: visitor.send("several/", {}, {"table": table}), "download=", TABLES)
    found["others, while a table is read (95 of 100)"] = others.seconds
    return found


def judged(found: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Return a row for each kind of answer: its times beside what they may be."""
    rows = []
    for kind, seconds in found.items():
        times = times_of(seconds)
        counted = times["p95_ms"] if kind.startswith("others") else times["median_ms"]
        limit = LIMITS_MS.get(kind)
        rows.append(
            {
                "answer": kind,
                "n": len(seconds),
                **times,
                "limit_ms": limit,
                "is_in_time": limit is None or counted <= limit,
            }
        )
    return rows


def main() -> int:
    """Serve, measure, publish; 1 when something takes too long."""
    with tempfile.TemporaryDirectory() as scratch:
        site = Site(Path(scratch), [], promoted=())
        # As in production: hashed static files, and no record of each query.
        site.env |= {"DEBUG": "false", "GENRE_MONITOR_SECONDS": "10"}
        site.run(SET_UP)
        with site.serving(workers=WORKERS) as address:
            rows = judged(measure(address))
    publish("page", rows, workers=WORKERS, book_bytes=BOOK_BYTES, table_rows=ROWS, other_visitors=OTHERS)
    return 0 if all(row["is_in_time"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
