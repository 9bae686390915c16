"""Write a benchmark's result: a table for people, JSON for machines."""

import os
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from classifier.core.files import write_json

RESULTS = Path(__file__).with_name("results")
# A short version, for CI: it shows that the benchmark runs, not what it would measure.
QUICK = bool(os.environ.get("BENCH_QUICK"))


def publish(name: str, rows: list[dict[str, Any]], **facts: Any) -> None:
    """Print ``rows`` and write them to ``results/NAME.json`` beside ``facts``."""
    table = Table(title=name, title_justify="left")
    for column in rows[0]:
        table.add_column(column, justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        table.add_row(*(f"{value:.4f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console().print(table)
    for key, value in facts.items():
        Console().print(f"{key}: {value}")
    path = RESULTS / f"{name}.json"
    write_json(path, {"rows": rows, "quick": QUICK, **facts})
    Console().print(f"written to benchmarks/results/{path.name}")
