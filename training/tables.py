"""Tables of metrics for people, shared by the commands."""

from rich.table import Table

from training.core.evaluation import TITLES, Evaluation
from training.core.metrics import NAMES


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


def genres_table(evaluation: Evaluation) -> Table:
    """Return precision, recall and F1 of each genre."""
    table = Table(title="By genre (fastText)", title_justify="left")
    for column in ("genre", "support", "precision", "recall", "f1"):
        table.add_column(column, justify="left" if column == "genre" else "right")
    for row in evaluation.genres:
        cells = [f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()]
        table.add_row(*cells)
    return table
