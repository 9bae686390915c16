"""``make soak-corrections``: gunicorn's workers, and all of gunicorn, are killed while people send corrections.

20 times, on SQLite and on PostgreSQL, SIGKILL ends one worker (which gunicorn replaces) or, every second time, the server
with all of its workers, which is then started again. Half of the clients paste texts into the page, correct what they are
shown, and send again what was not answered, as people do; the other half are programs, which correct through the API and
send again under the same Idempotency-Key. A correction is acknowledged when its answer carried a receipt.

The predictions of programs are stored a moment later, so a kill may take one along. Its correction is then refused as one of
an unknown prediction, and the program asks again: at most once for each program and kill.

It holds when each acknowledged correction is stored exactly once, under its receipt and with its text, and no text is
stored twice, acknowledged or not. What is killed is the server, not the machine: a loss of power is another matter
(docs/operations.md).
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from benchmarks.clients import Clients, times_of
from benchmarks.databases import on_each_database, scratch_database, write_row
from benchmarks.report import QUICK, publish
from conftest import make_examples
from genre_site.tests.running import Site, Visitor, children_of

NAME = "soak-corrections"
WORKERS, CLIENTS = 3, 6
WAYS = ("page", "api")
KILLS = 2 if QUICK else 20
# Before each kill: so many corrections are acknowledged, in at most so many seconds, then so many seconds pass at most.
PROGRESS, PROGRESS_SECONDS = 3 if QUICK else 30, 60
PAUSE = 0.5
SHOWN = (
    "database", "acknowledged", "by_page", "by_api", "replayed", "stored", "lost", "under_another_receipt",
    "stored_twice", "refused", "forgotten", "sent_again", "median_ms", "api_median_ms", "run_seconds",
)  # fmt: skip
# A prediction of each program at each kill.
MOST_FORGOTTEN = KILLS * CLIENTS // 2
# What may go wrong while the server is gone or dying; a refusal (LookupError) may not.
BROKEN = (OSError, HTTPException)


class Forgotten(Exception):
    """The prediction was not stored before its worker was killed."""


@dataclass
class Sent:
    """A correction that was sent, perhaps several times: which prediction it is of, its text, its receipt."""

    token: str
    text: str
    receipt: str = ""
    was_replayed: bool = False


class Person:
    """Somebody at the page, with an address of its own because of the limits for one visitor."""

    def __init__(self, address: str, seen_as: str) -> None:
        self._visitor = Visitor(address, seen_as=seen_as)

    def ask(self, text: str) -> Sent:
        """Ask for the genres."""
        return Sent(self._visitor.ask(text).token, text)

    def correct(self, sent: Sent) -> None:
        """Send a correction, for the first time or again."""
        sent.receipt = self._visitor.correct(sent.token, sent.text, "fantasy")


class Program:
    """A program with a key of the API."""

    def __init__(self, address: str, key: str) -> None:
        self._address, self._headers = address, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def ask(self, text: str) -> Sent:
        """Ask for the genres."""
        said, _ = self._post("api/v1/models/champion/suggest", {"text": text})
        return Sent(said["prediction_id"], text)

    def correct(self, sent: Sent) -> None:
        """Send a correction, for the first time or again, under a key that is its prediction's name."""
        body = {"text": sent.text, "prediction_id": sent.token, "genres": ["fantasy"]}
        try:
            said, headers = self._post("api/v1/feedback", body, **{"Idempotency-Key": sent.token})
        except HTTPError as error:
            if error.code >= 500:
                raise
            problem = json.load(error)
            raise (Forgotten if problem["type"].endswith("unknown-prediction") else LookupError)(problem) from error
        sent.receipt, sent.was_replayed = said["receipt"], "Idempotent-Replayed" in headers

    def _post(self, path: str, body: dict[str, Any], **headers: str) -> tuple[Any, Any]:
        request = urllib.request.Request(self._address + path, json.dumps(body).encode(), self._headers | headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response), response.headers


@dataclass
class Client:
    """Somebody who sends corrections, with the one that was not answered yet."""

    number: int
    at: Person | Program | None = None
    waiting: Sent | None = None
    n: int = 0

    @property
    def way(self) -> str:
        """Every second one is a program."""
        return WAYS[self.number % 2]


class Load(Clients):
    """Clients that send corrections to whichever address the server has now."""

    def __init__(self, key: str) -> None:
        super().__init__(CLIENTS)
        self.address = ""
        self._key = key
        self.acknowledged: list[Sent] = []
        self.by_way: Counter[str] = Counter()
        self.refused: list[str] = []
        self.n_forgotten = 0
        self.n_broken = 0
        self.n_again = 0
        self.seconds: dict[str, list[float]] = {way: [] for way in WAYS}

    def client(self, number: int) -> Client:
        """Return somebody who has not opened the page yet."""
        return Client(number)

    def work(self, client: Client) -> None:
        """Send a correction, or once more the one that was not answered."""
        if not self.address:
            time.sleep(0.05)
            return
        try:
            if client.at is None:
                client.at = self._at(client)
            client.n += 1
            if client.waiting is None:
                text = f"The wizard of the old kingdom casts spell {uuid.uuid4().hex} on the dragon and the castle."
                client.waiting = client.at.ask(text)
            else:
                self.n_again += 1
            sent, start = client.waiting, time.monotonic()
            client.at.correct(sent)
            self.seconds[client.way].append(time.monotonic() - start)
        except BROKEN:
            self.n_broken += 1
            # The page is opened again: the address may be another.
            client.at = None
            time.sleep(0.05)
        except Forgotten:
            self.n_forgotten += 1
            client.waiting = None
        except LookupError as error:
            self.refused.append(str(error))
            client.waiting = None
        else:
            self.acknowledged.append(sent)
            self.by_way[client.way] += 1
            client.waiting = None

    def _at(self, client: Client) -> Person | Program:
        if client.way == "api":
            return Program(self.address, self._key)
        return Person(self.address, f"10.0.{client.number}.{client.n % 250}")


def await_progress(load: Load) -> None:
    """Wait until corrections are acknowledged by the server that runs now."""
    enough, deadline = len(load.acknowledged) + PROGRESS, time.monotonic() + PROGRESS_SECONDS
    while len(load.acknowledged) < enough:
        if time.monotonic() > deadline:
            raise RuntimeError(f"no {PROGRESS} corrections were acknowledged in {PROGRESS_SECONDS} s")
        time.sleep(0.01)


def kill(site: Site, *, everything: bool, chance: random.Random) -> None:
    """End one worker, or the server with all of its workers, with SIGKILL."""
    workers = list(children_of(site.pid))
    for pid in [site.pid, *workers] if everything else [chance.choice(workers)]:
        os.kill(pid, signal.SIGKILL)


def run(site: Site, load: Load) -> Counter[str]:
    """Serve, kill and start again until the kills are done; return how many there were of each kind."""
    chance, kills = random.Random(1), Counter[str]()
    with load:
        while kills.total() < KILLS:
            with site.serving(workers=WORKERS, ends_with=-signal.SIGKILL) as load.address:
                for is_server in (False, True):
                    await_progress(load)
                    time.sleep(chance.uniform(0, PAUSE))
                    kill(site, everything=is_server, chance=chance)
                    kills["server" if is_server else "worker"] += 1
        with site.serving(workers=WORKERS) as load.address:
            # What was not answered is sent again.
            await_progress(load)
            load.stop()
    return kills


def what_is_wrong(acknowledged: Iterable[Sent], stored: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Compare what was acknowledged with the (receipt, text) stored, and count what does not hold."""
    rows = list(stored)
    texts: Mapping[str, int] = Counter(text for _, text in rows)
    by_receipt = dict(rows)
    sent = list(acknowledged)
    return {
        "lost": sum(each.text not in texts for each in sent),
        "under_another_receipt": sum(by_receipt.get(each.receipt) != each.text for each in sent),
        "stored_twice": sum(n > 1 for n in texts.values()),
    }


def save_model(folder: Path) -> Path:
    """Train a small model and return its folder."""
    # Imported late: it brings scikit-learn, and the processes that measure load no model.
    from training.core.fit import FitParameters, fit

    return fit(make_examples(), FitParameters(epoch=20, dim=10)).save(folder)


def measure(database: str, folder: Path, trained: Path) -> dict[str, Any]:
    """Kill a server of this database under load; return the row to publish."""
    with scratch_database(database, folder) as address:
        site = Site(folder, [trained], address=address)
        # Clients say which address they have.
        site.env |= {"GENRE_TRUSTED_PROXIES": "1", "GENRE_CORRECTIONS_PER_MINUTE": "1000000"}
        site.env["GENRE_CORRECTIONS_PER_DAY"] = "1000000"
        os.environ |= site.env
        import django

        django.setup()
        from django.db import connections

        from feedback.models import Correction

        load = Load(site.make_key("predict", "feedback"))
        start = time.monotonic()
        kills = run(site, load)
        stored = list(Correction.objects.values_list("receipt", "text"))
        wrong = what_is_wrong(load.acknowledged, stored)
        connections.close_all()
    return {
        "database": database,
        "kills_of_a_worker": kills["worker"],
        "kills_of_the_server": kills["server"],
        "acknowledged": len(load.acknowledged),
        "by_page": load.by_way["page"],
        "by_api": load.by_way["api"],
        "replayed": sum(sent.was_replayed for sent in load.acknowledged),
        "stored": len(stored),
        **wrong,
        "broken_requests": load.n_broken,
        "sent_again": load.n_again,
        "refused": len(load.refused),
        "forgotten": load.n_forgotten,
        "tracebacks": site.log.read_text(encoding="utf-8").count("Traceback"),
        **times_of(load.seconds["page"]),
        **{f"api_{name}": value for name, value in times_of(load.seconds["api"]).items()},
        "run_seconds": round(time.monotonic() - start, 1),
    }


def main() -> int:
    """Measure on each database and publish; 0 when it holds."""
    with tempfile.TemporaryDirectory() as scratch:
        trained = save_model(Path(scratch) / "trained")
        rows = on_each_database("benchmarks.soak_corrections", str(trained))
    publish(NAME, rows, shown=SHOWN, workers=WORKERS, clients=CLIENTS)
    bad = ("lost", "under_another_receipt", "stored_twice", "refused", "tracebacks")
    problems = [f"{row['database']}: {row[name]} {name}" for row in rows for name in bad if row[name]]
    problems += [f"{row['database']}: none {way}" for row in rows for way in ("by_page", "by_api") if not row[way]]
    problems += [
        f"{row['database']}: {row['forgotten']} forgotten" for row in rows if row["forgotten"] > MOST_FORGOTTEN
    ]
    for problem in problems:
        sys.stderr.write(f"{NAME} does not hold: {problem}\n")
    return bool(problems)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    where = Path(sys.argv[2])
    write_row(where, measure(sys.argv[1], where, Path(sys.argv[3])))
