"""``make bench-monitor``: how fast the monitor page answers on a busy site.

A scratch database is filled with 1,000,000 predictions of 30 days by five versions, 50,000 corrections and the answers
to the audit (``benchmarks.busy_site``). The monitor looks: it counts all of them, then makes its figures; a second look
is what it costs each minute. Then the real gunicorn, set up as in production, answers a signed-in member of the staff
over HTTP: 30 requests of each address after two to warm up, from the request to the last byte. On SQLite, and on
a PostgreSQL of its own, or the one that TEST_DATABASE_URL names (a database is made there, and dropped).

Exit 1 when the 95th percentile of the page is above ``LIMIT_MILLISECONDS``, or a database could not be measured.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.databases import ROOT, on_each_database, scratch_database, write_row
from benchmarks.report import QUICK, publish

N_PREDICTIONS = 20_000 if QUICK else 1_000_000
N_CORRECTIONS = N_PREDICTIONS // 20
LIMIT_MILLISECONDS = 300
REQUESTS, WARM_UP = 30, 2
PAGES = {"page": "/monitor/", "page_30_days": "/monitor/?days=30", "metrics": "/metrics"}


def main() -> int:
    """Measure on each database in a process of its own, and publish."""
    rows = on_each_database("benchmarks.monitor")
    shown = ["database", *(f"{name}_{figure}" for name in PAGES for figure in ("median_ms", "p95_ms")), "is_in_time"]
    publish("monitor", rows, shown=shown, limit_ms=LIMIT_MILLISECONDS, requests=REQUESTS)
    for row in rows:
        facts = ("predictions", "corrections", "audit_answers", "traffic_hours", "first_look_s", "second_look_s")
        print(f"{row['database']}: " + ", ".join(f"{name} {row[name]:,}" for name in facts))
    return 0 if all(row["is_in_time"] for row in rows) else 1


def measure(database: str, folder: Path) -> dict[str, Any]:
    """Fill a scratch database, look, serve, and time the pages; return the row to publish."""
    with scratch_database(database, folder) as address:
        os.environ |= {
            "DATABASE_URL": address,
            "SECRET_KEY": "only-for-this-bench-" + "0123456789" * 5,
            "DJANGO_SETTINGS_MODULE": "genre_site.settings",
            "GENRE_MODEL_DIR": str(folder / "models"),
            "GENRE_MONITOR_SECONDS": "0",
            "GENRE_HTTPS": "false",
            "DEBUG": "false",
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "CRITICAL",
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        row = {"database": database, **_fill(folder), **_look()}
        cookie = _sign_in()
        connections.close_all()
        with _serving(folder) as site:
            for name, path in PAGES.items():
                times = _times(site + path, cookie)
                row[f"{name}_median_ms"] = round(float(np.median(times)), 1)
                row[f"{name}_p95_ms"] = round(float(np.quantile(times, 0.95)), 1)
        row["is_in_time"] = max(row["page_p95_ms"], row["page_30_days_p95_ms"]) <= LIMIT_MILLISECONDS
        connections.close_all()
        return row


def _fill(folder: Path) -> dict[str, Any]:
    from benchmarks.busy_site import N_VERSIONS, fill
    from classifier.core.genres import canonical_genres
    from training.core.corpora import STARTER_FILE, read_corpus
    from training.core.fit import FitParameters, fit
    from training.core.profile import profile_of

    examples = read_corpus(STARTER_FILE, canonical_genres()).examples
    model = fit(examples, FitParameters(epoch=5, dim=20))
    texts = [example.text for example in examples]
    (folder / "models").mkdir()
    model.meta["reference"] = profile_of(texts, model.predict_many(texts)).as_json()
    first = model.save(folder / "models" / "m1", canaries=texts[:2], extra={"seen.json": '{"texts": [], "books": []}'})
    folders = [first, *(folder / "models" / f"m{number}" for number in range(2, N_VERSIONS + 1))]
    for copy in folders[1:]:
        shutil.copytree(first, copy)
    start = time.perf_counter()
    counts = fill(folders, n_predictions=N_PREDICTIONS, n_corrections=N_CORRECTIONS)
    return counts | {"fill_s": round(time.perf_counter() - start, 1)}


def _look() -> dict[str, Any]:
    from training.models import TrafficHour
    from training.monitor.watch import watch

    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        figures = watch()
        seconds.append(round(time.perf_counter() - start, 2))
    return {
        "first_look_s": seconds[0],
        "second_look_s": seconds[1],
        "traffic_hours": TrafficHour.objects.count(),
        "versions": len(figures["versions"]),
        "alerts": len(figures["alerts"]),
    }


def _sign_in() -> str:
    """Return the session cookie of a member of the staff."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.create_user("bench", is_staff=True))
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """Serve as `make run` does; yield the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = free.getsockname()
    options = ["--config", "genre_site/gunicorn_config.py", "--bind", f"127.0.0.1:{place[1]}", "--workers", "2"]
    command = [sys.executable, "-m", "gunicorn", "genre_site.wsgi", *options, "--log-level", "error"]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            _wait_for(place)
            yield f"http://127.0.0.1:{place[1]}"
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_for(place: tuple[str, int]) -> None:
    for _ in range(300):
        try:
            socket.create_connection(place, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server does not answer")


def _times(address: str, cookie: str) -> list[float]:
    """Return the milliseconds of each request."""
    times = []
    for _ in range(WARM_UP + REQUESTS):
        request = urllib.request.Request(address, headers={"Cookie": cookie})
        start = time.perf_counter()
        with urllib.request.urlopen(request, timeout=30) as response:
            page = response.read()
        times.append((time.perf_counter() - start) * 1000)
        # A redirect to the login would be quick.
        assert b"genre_predictions_total" in page or b'id="chart-requests"' in page
    return times[WARM_UP:]


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    where = Path(sys.argv[2])
    write_row(where, measure(sys.argv[1], where))
