"""Metrics for people, shared by the commands."""

from typing import Any

from rich.console import Console
from rich.table import Table

from classifier.core.thresholds import NEVER
from training.core.evaluation import TITLES, Evaluation
from training.core.gate import GateReport
from training.core.metrics import NAMES
from training.core.thresholds import Aim


def metrics_table(evaluation: Evaluation, title: str) -> Table:
    """Return metrics as rows and methods as columns."""
    table = Table(title=title, title_justify="left")
    table.add_column("metric")
    for method in evaluation.scores:
        table.add_column(TITLES[method], justify="right")
    for key, name in NAMES.items():
        values = [scores[key] for scores in evaluation.scores.values()]
        best = max(values)
        table.add_row(name, *(f"[bold]{value:.4f}[/]" if value == best else f"{value:.4f}" for value in values))
    return table


def thresholds_line(meta: dict[str, Any], aim: Aim) -> str:
    """Return the range of a version's thresholds, and how many held-out texts get no genre by them."""
    if meta["thresholds"] is None:
        return f"Thresholds: none, too few texts to find those for {aim} on."
    found = list(meta["thresholds"]["genres"].values())
    used = [threshold for threshold in found if threshold != NEVER]
    low, high = f"{min(used, default=0):.2f}", f"{max(used, default=0):.2f}"
    parts = [f"{low} to {high}" if low != high else low] if used else []
    if len(used) < len(found):
        parts.append(f"{len(found) - len(used)} of {len(found)} genres can't reach it and are never chosen")
    parts.append(f"{meta['n_test_without_genre']} of {meta['n_test']} held-out texts get no genre")
    return f"Thresholds for {aim}: {'; '.join(parts)}."


def genres_table(evaluation: Evaluation) -> Table:
    """Return precision, recall and F1 of each genre."""
    table = Table(title="By genre (fastText)", title_justify="left")
    for column in ("genre", "support", "precision", "recall", "f1"):
        table.add_column(column, justify="left" if column == "genre" else "right")
    for row in evaluation.genres:
        cells = [f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()]
        table.add_row(*cells)
    return table


def print_gate(out: Console, found: GateReport) -> None:
    """Print what the gate found: a row for each check, and on which texts."""
    mark = f" (bad on purpose: {found.sabotage})" if found.sabotage else ""
    against = f" against version {found.opponent}" if found.opponent else ""
    table = Table(title=f"Version {found.candidate}{mark}{against}", title_justify="left")
    for column in ("check", "result", "value", "limit", "detail"):
        table.add_column(column, justify="right" if column == "value" else "left")
    for check in found.checks:
        result = "[green]passed[/]" if check.passed else "[bold red]BLOCKED[/]"
        value = "" if check.value is None else f"{check.value:.3f}".removesuffix(".000")
        table.add_row(check.name, result, value, check.limit, check.detail)
    out.print(table)
    texts = found.texts
    out.print(
        f"{texts['compared']:,} texts compared, {texts['feedback']:,} of them corrections; "
        f"{texts['test']:,} of {texts['data']:,} are on the test side of {', '.join(found.data) or 'the corrections'}, "
        f"{texts['left_out']:,} are left out and {texts['repeated']:,} are repetitions."
    )
    for note in found.notes:
        out.print(note)
