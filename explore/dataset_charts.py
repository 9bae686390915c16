"""Charts of the pages about a dataset."""

import altair as alt
import pandas as pd

from explore.drawing import RAMP, count_axis, names_axis, series_colour, upright_axis


def bars(frame: pd.DataFrame, *, name: str, count: str, title: str) -> alt.Chart:
    """Return one bar a row: the column ``name`` against the number in ``count``, in the frame's order."""
    tooltip = [alt.Tooltip(name), alt.Tooltip(count)]
    if "share" in frame:
        tooltip.append(alt.Tooltip("share", format=".1%"))
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X(count, type="quantitative", title=count, axis=count_axis()),
            y=alt.Y(name, type="nominal", sort=None, axis=names_axis(320)),
            tooltip=tooltip,
        )
        .properties(title=title, description=title, height=alt.Step(20))
    )


def heat(frame: pd.DataFrame, *, row: str, column: str, value: str, title: str) -> alt.Chart:
    """Return a heat map of the counts in ``value``."""
    return (
        alt.Chart(frame)
        .mark_rect()
        .encode(
            x=alt.X(column, type="nominal", title=column, axis=upright_axis()),
            y=alt.Y(row, type="nominal", title=row, axis=names_axis()),
            color=alt.Color(
                value,
                type="quantitative",
                scale=alt.Scale(range=RAMP, type="symlog"),
                title=value,
                legend=alt.Legend(orient="top", tickMinStep=1, format=",d"),
            ),
            tooltip=[alt.Tooltip(name) for name in frame.columns],
        )
        .properties(title=title, description=title, height=alt.Step(18))
    )


def histogram(frame: pd.DataFrame, *, title: str) -> alt.Chart:
    """Return the bars of ``length_histogram``."""
    return (
        alt.Chart(frame.assign(to=frame["low"] + (frame["low"].diff().max() if len(frame) > 1 else 1)))
        .mark_bar()
        .encode(
            x=alt.X("low:Q", bin="binned", title="words"),
            x2="to:Q",
            y=alt.Y("books:Q", title="books"),
            tooltip=[alt.Tooltip("low:Q", title="from"), alt.Tooltip("high:Q", title="to"), alt.Tooltip("books:Q")],
        )
        .properties(title=title, description=title, height=320)
    )


def two_shares(frame: pd.DataFrame, *, name: str, title: str) -> alt.Chart:
    """Return two bars a row of ``name``, of the columns ``counted`` and ``share``."""
    counted = list(frame["counted"].unique())
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("share:Q", axis=alt.Axis(format="%"), title="share"),
            y=alt.Y(name, type="nominal", sort=None, axis=names_axis(320)),
            yOffset=alt.YOffset("counted:N", sort=None),
            color=series_colour("counted", counted),
            tooltip=[alt.Tooltip(name), alt.Tooltip("counted:N"), alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(title=title, description=title, height=alt.Step(12))
    )
