"""Two models on the same texts: who wins where."""

from pathlib import Path

import pandas as pd
import streamlit as st

from classifier.core.errors import GenreError
from classifier.core.model import GenreModel
from explore import model_charts as charts
from explore.choosing import choose_corpus
from explore.reading import load_compared
from explore.site import name_of, names
from explore.versions import choose_model, open_model
from explore.waiting import wanted_of_many
from explore.wording import measured_on
from training.core.books import Corpus
from training.core.inspect import Compared, disputed, winners
from training.core.paired import LEVEL

FIGURES = {"accuracy": "Accuracy (primary genre)", "f1": "F1 (mean of genres)", "calibration": "Calibration error"}
N_ONE_TEXT = 5


def show() -> None:
    """Let one choose two models, and hold them against each other."""
    corpus = choose_corpus()
    left, right = st.columns(2)
    models = []
    for column, key, title, skip in ((left, "first", "First model", 0), (right, "second", "Second model", 1)):
        with column:
            if (choice := choose_model(key, title, skip=skip)) is None:
                return
            models.append((choice, open_model(choice)))
    (first, ours), (second, theirs) = models
    if ours is None or theirs is None:
        return
    if first.folder == second.folder:
        st.info("Choose two different models. `manage.py train` makes another one.")
        return
    one_text(ours, theirs)
    if corpus is None:
        return
    on_data(first.folder, second.folder, (ours, theirs), corpus)


def one_text(ours: GenreModel, theirs: GenreModel) -> None:
    """Show what both say of one text."""
    text = st.text_area("A text for both", key="text", height=100, placeholder="Optional: paste a text to ask both.")
    if not text.strip():
        return
    for column, model in zip(st.columns(2), (ours, theirs), strict=True):
        prediction = model.predict(text)
        rows = [(name_of(slug), score) for slug, score in prediction.top(N_ONE_TEXT)]
        figures = {"score": st.column_config.NumberColumn(format="%.3f")}
        column.dataframe(pd.DataFrame(rows, columns=["genre", "score"]), hide_index=True, column_config=figures)
        if prediction.abstained:
            column.caption(f"It gives no answer ({prediction.abstained}).")


def on_data(first: Path, second: Path, models: tuple[GenreModel, GenreModel], corpus: Corpus) -> None:
    """Show the figures, the genres and the texts on which they differ."""
    st.subheader("On the dataset")
    asked = (first, second, corpus.key)
    try:
        with wanted_of_many("compared", asked, len(corpus.examples), "Compare on the dataset") as is_wanted:
            if not is_wanted:
                return
            compared, fair = load_compared((first, second), models, corpus)
    except GenreError as error:
        st.error(f"{error} Choose other models above, or other data at the side.")
        return
    st.caption(measured_on(fair, "one of the models"))
    st.dataframe(figures(compared), hide_index=True)
    st.caption(f"An interval holds the difference with {LEVEL:.0%}; one that includes 0 may be chance.")
    by_genre(compared)
    texts(compared)


def figures(compared: Compared) -> pd.DataFrame:
    """Return the figures of both beside the interval of their difference."""
    ours, theirs = compared.figures
    return pd.DataFrame(
        [
            {
                "figure": title,
                "first": round(ours[name], 3),
                "second": round(theirs[name], 3),
                "first − second": f"{interval.low:+.3f} to {interval.high:+.3f}",
            }
            for name, title in FIGURES.items()
            for interval in [compared.intervals[name]]
        ]
    )


def by_genre(compared: Compared) -> None:
    """Draw who is right where only one is."""
    table = winners(*compared.answers)
    if table[["only_first", "only_second"]].any(axis=None):
        st.altair_chart(charts.winner_bars(table))
    with st.expander("As a table"):
        plain = table.assign(genre=table["genre"].map(name_of)).rename(columns=lambda name: name.replace("_", " "))
        st.dataframe(plain, hide_index=True)


def texts(compared: Compared) -> None:
    """List the texts where exactly one is right."""
    table = disputed(compared, names()).rename(columns={"first_said": "first said", "second_said": "second said"})
    if table.empty:
        st.info("Both are right on the same texts. Choose other models, or a larger file.")
        return
    who = st.segmented_control("Right is", ["first", "second"], key="who")
    st.dataframe(table[table["right"] == who] if who else table, hide_index=True)


st.title("Compare two models")
st.write("See on which texts and genres one model is better than another, and whether that is more than chance.")
show()
