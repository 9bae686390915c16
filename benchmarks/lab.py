"""``make bench-lab``: how long one waits for a page of the lab, and how much memory 100,000 books take.

A scratch lab is filled as one that is in use: five versions, 100,000 predictions with 5,000 corrections, 50 runs that
ended (``benchmarks.busy_lab``). Each page is opened by the lab's own navigation on the Kaggle file, where
GENRE_DATA_DIR has it, and on 20,000 books: those of the pinned files below GENRE_DATA_DIR, made up where these are
absent.

*Ready* means that the page's script has ended and everything it shows is made up for the browser, measured by
Streamlit's own AppTest in a process of its own: neither the way to the browser on the same machine, nor its drawing,
is counted. What waits for a button (clusters, trainings, neighbours; on many books also near copies and what a model says
of them) is not part of being ready: it shows its progress, and can be stopped. The last three are told as ``asked_s``.
*First* is the median of three visits with empty caches, in a process that has its modules loaded already: what loading
those and the first page of all take is told as ``start_s``. *Second* is the median of three new sessions after it, as
after a reload, with what earlier ones left in the caches.

Memory is the most that a process held which opened the Dataset page on 100,000 made-up books, and each of its views.

Exit 1 when a page is slower, or the memory more, than its limit.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.busy_lab import environment, fill_site, save_runs, synthetic, write_books, write_many
from benchmarks.report import QUICK, publish
from training.core.corpora import STARTER_FILE
from training.core.pinned import KAGGLE_FILE

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "explore" / "app.py"
N_BOOKS = 400 if QUICK else 20_000
N_IN_MEMORY = 400 if QUICK else 100_000
VISITS = 1 if QUICK else 3
# Seconds, by data: for the first visit, and for every later one.
FIRST_LIMITS = {"kaggle": 2.0, "books": 5.0}
SECOND_LIMIT = 1.0
MEGABYTES_LIMIT = 2048
SHOWN = ("data", "page", "first_s", "first_limit_s", "second_s", "second_limit_s", "is_in_time", "asked_s")
# What compares all books with each other, or asks a model of them: it waits for these on many books.
ASKED = ("leak_button", "measured_button", "compared_button")


def main() -> int:
    """Fill a lab, measure each of its data in a process of its own, and publish."""
    data = Path(os.environ.get("GENRE_DATA_DIR") or ROOT / "data")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled = _child(folder, "fill")
        files = {"kaggle": data / KAGGLE_FILE, "books": folder / "books.csv"}
        of_books = write_many(files["books"], N_BOOKS, data)
        if not files["kaggle"].exists():
            print(f"The Kaggle file is not in {data}; set GENRE_DATA_DIR to measure on it.", file=sys.stderr)
            del files["kaggle"]
        found = {kind: _child(folder, "pages", path) for kind, path in files.items()}
        rows = [row for kind, each in found.items() for row in judged(kind, each["pages"])]
        memory = _child(folder, "memory", write_books(folder / "many.csv", synthetic(N_IN_MEMORY)))
    is_in_memory = memory["most_mb"] <= MEGABYTES_LIMIT
    publish(
        "lab",
        rows,
        shown=SHOWN,
        books=of_books,
        start_s=round(statistics.median(each["start_s"] for each in found.values()), 2),
        memory={"books": N_IN_MEMORY, **memory, "limit_mb": MEGABYTES_LIMIT, "is_within": is_in_memory},
        **filled,
    )
    return 0 if is_in_memory and all(row["is_in_time"] for row in rows) else 1


def judged(kind: str, pages: dict[str, dict[str, list[float]]]) -> list[dict[str, Any]]:
    """Return a row for each page: the medians of its visits to data of this kind, beside what they may be."""
    rows = []
    for page, seconds in pages.items():
        first, second = (round(statistics.median(seconds[visit]), 3) for visit in ("first", "second"))
        limits = FIRST_LIMITS[kind], SECOND_LIMIT
        rows.append(
            {
                "data": kind,
                "page": page,
                "first_s": first,
                "first_limit_s": limits[0],
                "second_s": second,
                "second_limit_s": limits[1],
                "is_in_time": first <= limits[0] and second <= limits[1],
                "asked_s": round(seconds["asked"][0], 3) if seconds.get("asked") else None,
                "seconds": seconds,
            }
        )
    return rows


def _child(folder: Path, what: str, *arguments: object) -> dict[str, Any]:
    """Return what a process of the lab in ``folder`` found."""
    result = folder / f"{what}.json"
    command = [sys.executable, "-m", "benchmarks.lab", what, str(folder), str(result), *map(str, arguments)]
    with (folder / f"{what}.log").open("w+", encoding="utf-8") as log:
        done = subprocess.run(command, cwd=ROOT, env=environment(folder), stderr=log, check=False)
        if done.returncode:
            log.seek(0)
            raise SystemExit(f"{what} failed:\n{log.read()[-4000:]}")
    return dict(json.loads(result.read_text(encoding="utf-8")))


def fill(folder: Path) -> dict[str, Any]:
    """Fill the lab in ``folder``."""
    save_runs(folder / "lab")
    return fill_site(folder, is_quick=QUICK)


def pages(folder: Path, path: Path) -> dict[str, Any]:
    """Return the seconds of each visit to each page on the data in ``path``."""
    import streamlit as st

    names = [page.stem for page in sorted((APP.parent / "screens").glob("*.py"))]
    start_s = visit(names[0], STARTER_FILE) + time.perf_counter() - BEGUN
    for name in names:
        visit(name, STARTER_FILE)
    found = {}
    for name in names:
        seconds: dict[str, list[float]] = {"first": [], "second": [], "asked": []}
        for _ in range(VISITS):
            st.cache_data.clear()
            st.cache_resource.clear()
            seconds["first"].append(visit(name, path))
        seconds["second"] = [visit(name, path) for _ in range(VISITS)]
        seconds["asked"] = ask(name, path)
        found[name] = seconds
    return {"start_s": start_s, "pages": found}


def visit(name: str, path: Path) -> float:
    """Open a page in a session of its own, and return the seconds until it was ready."""
    app = _opened(name, path)
    start = time.perf_counter()
    app.run()
    seconds = time.perf_counter() - start
    # An empty page, or one that has failed, would be quick.
    assert not app.exception, app.exception[0].value
    assert app.title
    return seconds


def ask(name: str, path: Path) -> list[float]:
    """Click the button with which a page waits on many books, and return the seconds of the work; none without one."""
    app = _opened(name, path).run()
    for button in app.button:
        if button.key in ASKED:
            start = time.perf_counter()
            button.click().run()
            assert not app.exception, app.exception[0].value
            return [time.perf_counter() - start]
    return []


def _opened(name: str, path: Path) -> Any:
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(APP), default_timeout=600)
    app.session_state["path"] = app.session_state["data_path"] = str(path)
    return app.switch_page(f"screens/{name}.py")


def memory(folder: Path, path: Path) -> dict[str, Any]:
    """Return the most megabytes that the process held: at first on a small file, then on the one in ``path``."""
    visit("dataset", STARTER_FILE)
    before = most_megabytes()
    app = _opened("dataset", path).run()
    opened = most_megabytes()
    for view in app.radio(key="view").options:
        app.radio(key="view").set_value(view).run()
        assert not app.exception, app.exception[0].value
    return {"start_mb": before, "opened_mb": opened, "most_mb": most_megabytes()}


def most_megabytes() -> int:
    """Return the most memory that this process has held so far."""
    # Not getrusage: it may count what the process held that started this one.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024


BEGUN = time.perf_counter()
JOBS = {"fill": fill, "pages": pages, "memory": memory}

if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    job, where, into, *given = sys.argv[1:]
    answer = JOBS[job](Path(where), *map(Path, given))
    Path(into).write_text(json.dumps(answer), encoding="utf-8")
