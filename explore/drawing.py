"""What all charts share: colours that are seen on a dark page and on a light one, and axes of names."""

import altair as alt

RULE, FOR, AGAINST = "gray", "#4c78a8", "#e45756"
# Streamlit's own change places between the themes, so that "first" would change its colour.
SERIES = [FOR, "#f58518", "#54a24b", "#b279a2"]
# Of counts: hues of middle brightness, none of which fades into either page.
RAMP = ["#6ba3d6", "#b07aa1", "#e4483a"]


def series_colour(field: str, names: list[str]) -> alt.Color:
    """Return the colours of a few series, always the same for the same place among ``names``."""
    scale = alt.Scale(domain=names, range=SERIES[: len(names)])
    return alt.Color(field, type="nominal", scale=scale, legend=alt.Legend(orient="top", title=None, labelLimit=300))


def names_axis(limit: int = 200) -> alt.Axis:
    """Return a y-axis on which each name stands beside its bar, the first and last ones too."""
    return alt.Axis(title=None, labelLimit=limit, labelOverlap=False, labelBound=False, labelFlush=False)


def upright_axis() -> alt.Axis:
    """Return an x-axis of upright names, of which some are left out where there is no room."""
    return alt.Axis(
        title=None, labelLimit=200, labelOverlap="greedy", labelAngle=-90, labelBound=False, labelFlush=False
    )


def count_axis() -> alt.Axis:
    """Return an axis without fractions of a book or text."""
    return alt.Axis(tickMinStep=1, format=",d")
