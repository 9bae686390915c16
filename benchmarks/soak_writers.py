"""``make soak-writers``: 16 clients write to an SQLite database without pause, through 16 gunicorn workers, for 60 s.

Each client pastes a text (a prediction is stored), corrects it (a correction, its genres and its history are stored) and
takes every fifth correction back; the monitor counts and prunes beside them. It holds when no request fails, nobody is
told "database is locked", and no such line is in the server's log.
"""

import os
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from benchmarks.clients import Clients, times_of
from benchmarks.report import QUICK, publish
from conftest import make_examples
from genre_site.tests.running import Site, Visitor
from training.core.fit import FitParameters, fit

NAME = "soak-writers"
# As many workers as clients: so many connections want to write at once.
WRITERS = 16
SECONDS = 6 if QUICK else 60
# A writer waits for the lock for 20 s at most; a client waits longer.
PATIENCE = 40.0
TAKES_BACK = 5


class Writers(Clients):
    """Clients that paste, correct and take back."""

    def __init__(self, address: str) -> None:
        super().__init__(WRITERS)
        self._address = address
        self._n = 0
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.failures: list[str] = []

    def client(self, number: int) -> Visitor:
        """Return somebody with a network address of their own."""
        return Visitor(self._address, timeout=PATIENCE, seen_as=f"10.1.0.{number}")

    def work(self, client: Visitor) -> None:
        """Write three times."""
        text = f"The wizard of the old kingdom casts spell {uuid.uuid4().hex} on the dragon and the castle."
        try:
            answer = self._timed("paste", client.ask, text)
            receipt = self._timed("correct", client.correct, answer.token, text, "fantasy")
            self._n += 1
            if self._n % TAKES_BACK == 0:
                self._timed("take back", client.open, f"corrections/{receipt}/", {})
        except HTTPError as error:
            self.failures.append(f"{error.code}: {error.read(2000).decode(errors='replace')}")
        except (OSError, HTTPException, LookupError) as error:
            self.failures.append(repr(error))

    def _timed(self, what: str, do: Callable[..., Any], *arguments: Any) -> Any:
        start = time.monotonic()
        found = do(*arguments)
        self.seconds[what].append(time.monotonic() - start)
        return found


def main() -> int:
    """Serve, write, judge; 0 when it holds."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        trained = fit(make_examples(), FitParameters(epoch=20, dim=10)).save(root / "trained")
        site = Site(root, [trained])
        # Clients say which address they have; the monitor writes too.
        site.env |= {"GENRE_TRUSTED_PROXIES": "1", "GENRE_MONITOR_SECONDS": "3"}
        site.env |= dict.fromkeys(("GENRE_CORRECTIONS_PER_MINUTE", "GENRE_CORRECTIONS_PER_DAY"), "1000000")
        # Timed as in production.
        site.env["DEBUG"] = "false"
        site.run("from django.core.management import call_command\ncall_command('collectstatic', interactive=False)\n")
        with site.serving(workers=WRITERS) as address, Writers(address) as writers:
            start = time.monotonic()
            time.sleep(SECONDS)
            writers.stop()
            seconds = time.monotonic() - start
        log = site.log.read_text(encoding="utf-8")
        stored = {
            name: site.rows(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"]
            for name, table in (("predictions", "classifier_prediction"), ("corrections", "feedback_correction"))
        }
    rows = [
        {"request": what, "n": len(times), "per_second": round(len(times) / seconds, 1), **times_of(times)}
        for what, times in writers.seconds.items()
    ]
    n_requests = sum(row["n"] for row in rows)
    n_locked = sum("database is locked" in words for words in [*writers.failures, *log.splitlines()])
    publish(
        NAME,
        rows,
        requests=n_requests,
        requests_per_second=round(n_requests / seconds, 1),
        failures=len(writers.failures),
        told_locked=n_locked,
        stored=stored,
        writers=WRITERS,
        seconds=round(seconds, 1),
        cores=os.cpu_count(),
    )
    answered = {"predictions": len(writers.seconds["paste"]), "corrections": len(writers.seconds["correct"])}
    checks = {
        f"{len(writers.failures)} requests failed: {writers.failures[:1]}": not writers.failures,
        f"{n_locked} times the database was locked": not n_locked,
        f"the server's log:\n{log[-2000:]}": "Traceback" not in log,
        f"{stored} are stored, {answered} were answered": stored == answered,
    }
    problems = [problem for problem, holds in checks.items() if not holds]
    for problem in problems:
        sys.stderr.write(f"{NAME} does not hold: {problem}\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
