"""Trainings side by side: their figures, what differs among them, and what each says of one text."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from classifier.core.model import Prediction

PLACES = ("1st", "2nd", "3rd", "4th", "5th")


def varied(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    """Return those of ``names`` whose values differ among ``rows``, in the order of ``names``."""
    return [name for name in names if len({str(row.get(name)) for row in rows}) > 1]


def parallel_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str], *, key: str = "run") -> pd.DataFrame:
    """Return what a plot of parallel coordinates draws: one line a row, one axis a name.

    Parameters
    ----------
    rows : sequence of mapping
        Each has ``key`` and every one of ``names``.
    names : sequence of str
        The axes.
    key : str, default="run"
        What tells the rows apart.

    Returns
    -------
    DataFrame, shape (n_rows * n_names, 4)
        ``key``; ``axis``; ``value``, as text; ``height`` in [0, 1]: where the value stands between the lowest and the
        highest of its axis. Words stand in the order of the alphabet; an axis with one value alone is at 0.5.
    """
    found: list[dict[str, Any]] = []
    for name in names:
        heights = _heights([row[name] for row in rows])
        found += [
            {key: row[key], "axis": name, "value": f"{row[name]:.4g}" if _is_number(row[name]) else str(row[name])}
            | {"height": height}
            for row, height in zip(rows, heights, strict=True)
        ]
    return pd.DataFrame(found, columns=[key, "axis", "value", "height"])


def _heights(values: Sequence[Any]) -> list[float]:
    if not all(map(_is_number, values)):
        order = {word: place for place, word in enumerate(sorted({str(value) for value in values}))}
        values = [order[str(value)] for value in values]
    if not values or max(values) == min(values):
        return [0.5] * len(values)
    low, high = min(values), max(values)
    return [(value - low) / (high - low) for value in values]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def answers_table(predictions: Mapping[str, Prediction], names: Mapping[str, str], *, limit: int = 3) -> pd.DataFrame:
    """Return what several models say of one text, a row a model.

    Parameters
    ----------
    predictions : mapping of str to Prediction
        By what to call the model.
    names : mapping of str to str
        What to call a genre, by slug; a slug that is not in it stands for itself.
    limit : int, default=3
        How many genres, at most 5.

    Returns
    -------
    DataFrame, shape (n_models, limit + 2)
        ``model``; the best genres with their scores, '' beyond the last; ``abstained``, '' or why there is no answer.
    """
    found = []
    for model, prediction in predictions.items():
        top = [f"{names.get(genre.slug, genre.slug)} {genre.score:.2f}" for genre in prediction.top(limit)]
        places = dict(zip(PLACES[:limit], [*top, *[""] * (limit - len(top))], strict=True))
        found.append({"model": model} | places | {"abstained": prediction.abstained})
    return pd.DataFrame(found, columns=["model", *PLACES[:limit], "abstained"])
