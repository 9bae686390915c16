"""Write a benchmark's result: a table for people, JSON for machines."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from classifier.core.files import write_json

RESULTS = Path(__file__).with_name("results")
# A short version, for CI: it shows that the benchmark runs, not what it would measure.
QUICK = bool(os.environ.get("BENCH_QUICK"))


def publish(name: str, rows: list[dict[str, Any]], *, shown: Sequence[str] = (), **facts: Any) -> None:
    """Print the ``shown`` columns of ``rows`` (all, when none is named) and write all to ``results/NAME.json``."""
    columns = shown or list(rows[0])
    table = Table(title=name, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if isinstance(rows[0][column], str) else "right", no_wrap=True)
    for row in rows:
        cells = (row[column] for column in columns)
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in cells))
    Console(width=max(Console().width, 240)).print(table)
    for key, value in facts.items():
        Console().print(f"{key}: {value}")
    path = RESULTS / f"{name}.json"
    write_json(path, {"rows": rows, "quick": QUICK, **facts})
    Console().print(f"written to benchmarks/results/{path.name}")
