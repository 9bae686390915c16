"""Charts and tables of the page Clusters."""

from collections.abc import Sequence
from dataclasses import asdict

import altair as alt
import numpy as np
import pandas as pd

from explore.drawing import AGAINST, RULE
from explore.site import name_of, names_of
from training.core.books import Corpus
from training.core.clusters import NOISE, Clustering, Criteria, Indices, Vectors

CRITERIA = {"silhouette": "Silhouette", "inertia": "Inertia", "v_measure": "V-measure", "ari": "ARI"}


def criteria_charts(found: Sequence[Criteria]) -> list[alt.Chart]:
    """Return a chart of each criterion over the number of clusters."""
    frame = pd.DataFrame([asdict(one) for one in found])
    return [
        alt.Chart(frame, title=name, description=f"{name} over the number of clusters", height=200)
        .mark_line(point=True)
        .encode(
            x=alt.X("k", title="clusters"),
            y=alt.Y(key, title=None, scale=alt.Scale(zero=False)),
            tooltip=[alt.Tooltip("k", title="clusters"), alt.Tooltip(key, title=name, format=".3f")],
        )
        for key, name in CRITERIA.items()
    ]


def map_frame(corpus: Corpus, one: Clustering, rows: Indices, points: Vectors) -> pd.DataFrame:
    """Return a point of the map for each of ``rows``: x, y, title, genres, genre and cluster."""
    cluster_of = dict(zip(one.rows.tolist(), one.clusters.tolist(), strict=True))
    names = {NOISE: "none", None: "not clustered"}
    examples = [corpus.examples[row] for row in rows]
    return pd.DataFrame(
        {
            "x": np.round(points[:, 0], 3),
            "y": np.round(points[:, 1], 3),
            "title": [example.title or example.text[:60] for example in examples],
            "genres": [names_of(example.genres) for example in examples],
            "genre": [name_of(example.genres[0]) for example in examples],
            "cluster": [names.get(number, str(number)) for number in map(cluster_of.get, rows.tolist())],
        }
    )


def groups_of(frame: pd.DataFrame, colour: str) -> list[str]:
    """Return the clusters by number, or the genres by name: what the map is coloured by."""
    return sorted(
        set(frame[colour]), key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)
    )


def map_chart(frame: pd.DataFrame, title: str, *, colour: str, only: str | None) -> alt.Chart:
    """Return the map of ``map_frame``, coloured by "cluster" or "genre"; with ``only`` one of them before the others."""
    paint: alt.Color | dict[str, object]
    if only is None:
        scale, legend = alt.Scale(scheme="tableau20"), alt.Legend(symbolLimit=70, columns=2)
        paint = alt.Color(colour, type="nominal", sort=groups_of(frame, colour), scale=scale, legend=legend)
    else:
        paint = alt.condition(alt.FieldEqualPredicate(equal=only, field=colour), alt.value(AGAINST), alt.value(RULE))
        # The last points are drawn upon the others.
        frame = frame.iloc[(frame[colour] == only).argsort(kind="stable")]
    # Streamlit lifts Altair's limit of 5,000 rows; MOST_POINTS keeps below it.
    return (
        alt.Chart(frame, title=title, description=title, height=560)
        .mark_circle(size=40, opacity=0.65)
        .encode(
            x=alt.X("x", axis=None, scale=alt.Scale(zero=False)),
            y=alt.Y("y", axis=None, scale=alt.Scale(zero=False)),
            color=paint,
            tooltip=["title", "genres", "cluster"],
        )
        .interactive()
    )


def clusters_frame(one: Clustering) -> pd.DataFrame:
    """Return a row for each cluster: its texts, commonest genre and words."""
    return pd.DataFrame(
        [
            {
                "cluster": "none" if number == NOISE else str(number),
                "texts": int((one.clusters == number).sum()),
                "commonest genre": name_of(genre),
                "words": ", ".join(one.words.get(number, [])),
            }
            for number, genre in one.genres.items()
        ]
    )


def contradictions_frame(corpus: Corpus, one: Clustering) -> pd.DataFrame:
    """Return a row for each text whose cluster contradicts its genres, in the order found."""
    books = [(corpus.examples[found.row], found) for found in one.contradictions]
    return pd.DataFrame(
        {
            "title": [book.title or book.text[:60] for book, _ in books],
            "own genres": [names_of(book.genres) for book, _ in books],
            "cluster's commonest genre": [name_of(found.cluster_genre) for _, found in books],
            "cluster": [found.cluster for _, found in books],
            "distance from its centre": [round(found.distance, 3) for _, found in books],
            "text": [book.text[:300] for book, _ in books],
        }
    )
