"""``make soak-corrections``: gunicorn's workers, and all of gunicorn, are killed while people send corrections.

20 times, on SQLite and on PostgreSQL, SIGKILL ends one worker (which gunicorn replaces) or, every second time, the server
with all of its workers, which is then started again. Clients paste texts, correct what they are shown, and send again
what was not answered, as people do. A correction is acknowledged when its answer carried a receipt.

It holds when each acknowledged correction is stored exactly once, under its receipt and with its text, and no text is
stored twice, acknowledged or not. What is killed is the server, not the machine: a loss of power is another matter
(docs/operations.md).
"""

import os
import random
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from benchmarks.clients import Clients, times_of
from benchmarks.databases import on_each_database, scratch_database, write_row
from benchmarks.report import QUICK, publish
from conftest import make_examples
from genre_site.tests.running import Site, Visitor, children_of

NAME = "soak-corrections"
WORKERS, CLIENTS = 3, 6
KILLS = 2 if QUICK else 20
# Before each kill: so many corrections are acknowledged, in at most so many seconds, then so many seconds pass at most.
PROGRESS, PROGRESS_SECONDS = 3 if QUICK else 30, 60
PAUSE = 0.5
# What may go wrong while the server is gone or dying; a refusal (LookupError) may not.
BROKEN = (OSError, HTTPException)


@dataclass
class Sent:
    """A correction that was sent, perhaps several times: which prediction it is of, its text, its receipt."""

    token: str
    text: str
    receipt: str = ""


@dataclass
class Client:
    """Somebody who sends corrections, with the one that was not answered yet."""

    number: int
    visitor: Visitor | None = None
    waiting: Sent | None = None
    n: int = 0


class Load(Clients):
    """Clients that send corrections to whichever address the server has now."""

    def __init__(self) -> None:
        super().__init__(CLIENTS)
        self.address = ""
        self.acknowledged: list[Sent] = []
        self.refused: list[str] = []
        self.n_broken = 0
        self.n_again = 0
        self.seconds: list[float] = []

    def client(self, number: int) -> Client:
        """Return somebody who has not opened the page yet."""
        return Client(number)

    def work(self, client: Client) -> None:
        """Send a correction, or once more the one that was not answered."""
        if not self.address:
            time.sleep(0.05)
            return
        try:
            if client.visitor is None:
                # Each has an address of its own, because of the limits for one visitor.
                client.visitor = Visitor(self.address, seen_as=f"10.0.{client.number}.{client.n % 250}")
            client.n += 1
            if client.waiting is None:
                text = f"The wizard of the old kingdom casts spell {uuid.uuid4().hex} on the dragon and the castle."
                client.waiting = Sent(client.visitor.ask(text).token, text)
            else:
                self.n_again += 1
            sent, start = client.waiting, time.monotonic()
            sent.receipt = client.visitor.correct(sent.token, sent.text, "fantasy")
            self.seconds.append(time.monotonic() - start)
        except BROKEN:
            self.n_broken += 1
            # The page is opened again: the address may be another.
            client.visitor = None
            time.sleep(0.05)
        except LookupError as error:
            self.refused.append(str(error))
            client.waiting = None
        else:
            self.acknowledged.append(sent)
            client.waiting = None


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

        load = Load()
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
        "stored": len(stored),
        **wrong,
        "broken_requests": load.n_broken,
        "sent_again": load.n_again,
        "refused": len(load.refused),
        "tracebacks": site.log.read_text(encoding="utf-8").count("Traceback"),
        **times_of(load.seconds),
        "run_seconds": round(time.monotonic() - start, 1),
    }


def main() -> int:
    """Measure on each database and publish; 0 when it holds."""
    with tempfile.TemporaryDirectory() as scratch:
        trained = save_model(Path(scratch) / "trained")
        rows = on_each_database("benchmarks.soak_corrections", str(trained))
    publish(NAME, rows, workers=WORKERS, clients=CLIENTS)
    bad = ("lost", "under_another_receipt", "stored_twice", "refused", "tracebacks")
    problems = [f"{row['database']}: {row[name]} {name}" for row in rows for name in bad if row[name]]
    problems += [f"{row['database']}: nothing was acknowledged" for row in rows if not row["acknowledged"]]
    for problem in problems:
        sys.stderr.write(f"{NAME} does not hold: {problem}\n")
    return bool(problems)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    where = Path(sys.argv[2])
    write_row(where, measure(sys.argv[1], where, Path(sys.argv[3])))
