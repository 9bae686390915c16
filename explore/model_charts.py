"""Charts of what models say. Each has a title and tells its figures under the pointer."""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from classifier.core.model import Prediction
from explore.drawing import AGAINST, FOR, RAMP, RULE, count_axis, names_axis, series_colour, upright_axis
from explore.site import name_of

SHARE = alt.Scale(domain=[0, 1])
# From opposed to alike; what is neither lets the page through.
DIVERGING = alt.Scale(domain=[-1, 0, 1], range=[AGAINST, "rgba(128, 128, 128, 0.08)", FOR])
CHOICES = ["chosen", "not chosen"]


def score_bars(prediction: Prediction, limit: int) -> alt.LayerChart:
    """Draw the best scores beside the thresholds of their genres."""
    limits = prediction.thresholds.genres if prediction.thresholds else {}
    chosen = {genre.slug for genre in prediction.chosen}
    rows = [
        (name_of(slug), score, limits.get(slug), CHOICES[slug not in chosen]) for slug, score in prediction.top(limit)
    ]
    frame = pd.DataFrame(rows, columns=["genre", "score", "threshold", "choice"]).astype({"threshold": float})
    y, tips = alt.Y("genre", sort=None, axis=names_axis()), _tips(frame, ".3f")
    title = "Scores; a line marks a genre's threshold" if limits else "Scores"
    # Without thresholds nothing is chosen, and nothing need be told apart.
    colour = series_colour("choice", CHOICES) if limits else alt.value(FOR)
    bars = alt.Chart(frame, title=title).mark_bar()
    bars = bars.encode(x=alt.X("score", scale=SHARE, title="score"), y=y, color=colour, tooltip=tips)
    # A threshold above 1 says that the genre is never chosen.
    ticks = alt.Chart(frame[frame["threshold"] <= 1]).mark_tick(thickness=3, color=RULE)
    return bars + ticks.encode(x=alt.X("threshold", title="score"), y=y, tooltip=tips)


def word_bars(found: Sequence[tuple[str, float]], slug: str, limit: int) -> alt.Chart:
    """Draw what the words of most weight add to a genre."""
    kept = sorted(sorted(found, key=lambda pair: -abs(pair[1]))[:limit], key=lambda pair: -pair[1])
    frame = pd.DataFrame(kept, columns=["word", "adds"])
    chart = alt.Chart(frame, title=f"What each word adds to {name_of(slug)}").mark_bar()
    return chart.encode(
        x=alt.X("adds", title="adds to the logit"),
        y=alt.Y("word", sort=None, axis=names_axis()),
        color=alt.condition(alt.datum.adds > 0, alt.value(FOR), alt.value(AGAINST)),
        tooltip=_tips(frame, ".4f"),
    )


def similarity_map(table: pd.DataFrame) -> alt.Chart:
    """Draw a square table of cosines."""
    frame = table.rename(index=name_of, columns=name_of).rename_axis("genre").reset_index()
    frame = frame.melt("genre", var_name="other genre", value_name="cosine")
    chart = alt.Chart(frame, title="Cosine of the genres' output rows: blue alike, red opposed").mark_rect()
    return chart.encode(
        x=alt.X("other genre", axis=upright_axis()),
        y=alt.Y("genre", axis=names_axis()),
        color=alt.Color("cosine", scale=DIVERGING),
        tooltip=_tips(frame, ".3f"),
    )


def confusion_map(table: pd.DataFrame) -> alt.Chart:
    """Draw which genre got which answer, coloured by the share of the genre's texts."""
    shares = table.div(table.sum(axis=1), axis=0)
    frame = pd.DataFrame({"texts": table.stack(), "share of genre": shares.stack()})
    frame = frame[frame["texts"] > 0].rename_axis(["genre", "answer"]).reset_index()
    frame = frame.assign(genre=frame["genre"].map(name_of), answer=frame["answer"].map(name_of))
    chart = alt.Chart(frame, title="Answers to the texts of each primary genre").mark_rect()
    return chart.encode(
        x=alt.X("answer", sort=list(map(name_of, table.columns)), axis=upright_axis()),
        y=alt.Y("genre", sort=list(map(name_of, table.index)), axis=names_axis()),
        color=alt.Color(
            "share of genre",
            scale=alt.Scale(domain=[0, 1], range=RAMP),
            legend=alt.Legend(orient="top", format="%"),
        ),
        tooltip=_tips(frame, ".0%", whole=["texts"]),
    )


def precision_recall_line(curve: pd.DataFrame, slug: str) -> alt.Chart:
    """Draw a genre's precision at each recall."""
    chart = alt.Chart(curve, title=f"Precision and recall of {name_of(slug)}").mark_line(
        point={"color": FOR}, color=FOR
    )
    x, y = alt.X("recall", scale=SHARE), alt.Y("precision", scale=SHARE)
    return chart.encode(x=x, y=y, order="threshold", tooltip=_tips(curve, ".3f"))


def reliability_line(bins: pd.DataFrame) -> alt.LayerChart:
    """Draw what scores promised and what came true, beside the line on which both are the same."""
    same = alt.Chart(pd.DataFrame({"score": [0, 1], "right": [0, 1]})).mark_line(strokeDash=[4, 4], color=RULE)
    line = alt.Chart(bins, title="What the first score promised, and how often it was right")
    line = line.mark_line(point={"color": FOR}, color=FOR)
    x, y = alt.X("score", scale=SHARE, title="mean score"), alt.Y("right", scale=SHARE, title="share right")
    return same.encode(x=x, y=y) + line.encode(x=x, y=y, tooltip=_tips(bins, ".3f", whole=["texts"]))


def threshold_lines(swept: pd.DataFrame, threshold: float) -> alt.LayerChart:
    """Draw what each threshold does, the chosen one marked."""
    frame = swept.rename(columns={"without_genre": "without genre"})
    frame = frame.melt("threshold", var_name="figure", value_name="share")
    lines = alt.Chart(frame, title="What each threshold does").mark_line()
    colour = series_colour("figure", list(frame["figure"].unique()))
    lines = lines.encode(x="threshold", y=alt.Y("share", scale=SHARE), color=colour, tooltip=_tips(frame, ".2f"))
    mark = alt.Chart(pd.DataFrame({"threshold": [threshold]})).mark_rule(color=RULE, strokeDash=[4, 4])
    return lines + mark.encode(x="threshold")


def winner_bars(table: pd.DataFrame) -> alt.Chart:
    """Draw on how many texts of each genre exactly one of two models is right, where there are any."""
    titles = {"only_first": "only the first is right", "only_second": "only the second is right"}
    table = table[table[list(titles)].any(axis=1)]
    table = table.assign(genre=table["genre"].map(name_of))
    frame = (
        table[["genre", *titles]]
        .rename(columns=titles)
        .melt("genre", list(titles.values()), var_name="who", value_name="texts")
    )
    chart = alt.Chart(frame, title="Texts of each genre where exactly one is right").mark_bar()
    y = alt.Y("genre", sort=list(table["genre"]), axis=names_axis())
    colour, who = series_colour("who", list(titles.values())), alt.YOffset("who", sort=list(titles.values()))
    chart = chart.encode(x=alt.X("texts", axis=count_axis()), y=y, yOffset=who, color=colour, tooltip=_tips(frame, ","))
    return chart.properties(height=alt.Step(12))


def _tips(frame: pd.DataFrame, figure: str, whole: Sequence[str] = ()) -> list[alt.Tooltip]:
    """Return what the pointer tells: every column, those that hold numbers formatted as ``figure``."""
    formats: Mapping[str, str] = {name: "," if name in whole else figure for name in frame.select_dtypes("number")}
    return [alt.Tooltip(name, format=formats[name]) if name in formats else alt.Tooltip(name) for name in frame]
