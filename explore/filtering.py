"""The filters of the dataset page."""

from collections.abc import Iterator

import pandas as pd
import streamlit as st

from explore.site import genres as known_genres
from training.core.table import NUMBERS, Filters, level_counts


def choose_filters(table: pd.DataFrame) -> Filters:
    """Draw the filters that the table's columns allow, and return what is chosen."""
    genres = known_genres()
    first, second, third, *fourth = st.columns(4 if "language" in table else 3)
    words = first.text_input(
        "Search", key="search", placeholder="any words", help="Words of a title, an author, a text or a path."
    )
    held = [genre.slug for genre in genres if any(genre.slug in slugs for slugs in table["slugs"])]
    chosen = second.multiselect(
        "Genres", held, key="genres", format_func=lambda slug: genres[slug].name, placeholder="any genre"
    )
    with third:
        path = _choose_path(table)
    languages: list[str] = []
    if fourth:
        spoken = sorted(filter(None, table["language"].unique()))
        languages = fourth[0].multiselect("Language", spoken, key="languages", placeholder="any")
    return Filters(words, tuple(chosen), path, tuple(languages), tuple(_choose_ranges(table)))


def _choose_path(table: pd.DataFrame) -> str:
    """Offer the first level of the paths, and below a chosen one the next."""
    path, level = "", 1
    while options := list(level_counts(table, level, under=path)["path"]):
        chosen = st.selectbox(
            f"Path, level {level}", options, index=None, key=f"path {level} {path}", placeholder="any path"
        )
        if chosen is None:
            break
        path, level = chosen, level + 1
    return path


def _choose_ranges(table: pd.DataFrame) -> Iterator[tuple[str, float, float]]:
    """Yield the ranges that are narrower than what the table holds: a full one would drop what is not known."""
    present = [name for name in ("words", *NUMBERS) if name in table and table[name].nunique() > 1]
    if not present:
        return
    for name, column in zip(present, st.columns(len(present)), strict=True):
        least, most = float(table[name].min()), float(table[name].max())
        step = 0.1 if name == "rating" else 1.0
        low, high = column.slider(
            name.capitalize(),
            least,
            most,
            (least, most),
            step,
            "%.1f" if name == "rating" else "%.0f",
            key=f"{name} range",
        )
        if (low, high) != (least, most):
            yield name, low, high
