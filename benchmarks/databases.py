"""Run a benchmark on SQLite and on PostgreSQL, each in a process of its own and in a scratch database."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATABASES = ("SQLite", "PostgreSQL")
_SCRATCH = "genre_bench"


def on_each_database(module: str, *arguments: str) -> list[dict[str, Any]]:
    """Run ``python -m MODULE DATABASE FOLDER ARGUMENTS`` for each database and return the rows they wrote with ``write_row``.

    PostgreSQL is the one that TEST_DATABASE_URL names, or one of its own. Ends the process with 1 when one of them
    could not be measured.
    """
    rows = []
    for database in DATABASES:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", module, database, folder, *arguments]
            if database == "PostgreSQL" and "TEST_DATABASE_URL" not in os.environ:
                command = [".ci/with_postgres", *command]
            done = subprocess.run(command, cwd=ROOT, check=False)
            result = _row_of(Path(folder))
            if done.returncode or not result.exists():
                print(f"{database} was not measured (exit {done.returncode}): nothing is published.", file=sys.stderr)
                raise SystemExit(1)
            rows.append(json.loads(result.read_text(encoding="utf-8")))
    return rows


def write_row(folder: Path, row: dict[str, Any]) -> None:
    """Hand a row to the process that started this one."""
    _row_of(folder).write_text(json.dumps(row), encoding="utf-8")


def _row_of(folder: Path) -> Path:
    return folder / "row.json"


@contextmanager
def scratch_database(database: str, folder: Path) -> Iterator[str]:
    """Yield the address of an empty database of our own; it is gone afterwards."""
    if database == "SQLite":
        yield f"sqlite:///{folder / 'db.sqlite3'}"
        return
    import psycopg

    server, _, _ = os.environ["TEST_DATABASE_URL"].rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {_SCRATCH}")
        connection.execute(f"CREATE DATABASE {_SCRATCH}")
    try:
        yield f"{server}/{_SCRATCH}"
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {_SCRATCH} WITH (FORCE)")
