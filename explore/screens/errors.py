"""How a model fares on a dataset: what it takes for what, how sure it is, and its worst mistakes."""

import pandas as pd
import streamlit as st

from classifier.core.errors import GenreError
from classifier.core.model import GenreModel
from explore import model_charts as charts
from explore.choosing import choose_corpus
from explore.reading import load_measured
from explore.site import name_of, names
from explore.versions import choose_model, open_model
from explore.waiting import wanted_of_many
from explore.wording import measured_on
from training.core import inspect
from training.core.calibration import calibration_error
from training.core.evaluation import decision_threshold
from training.core.inspect import Measured
from training.core.metrics import genre_table
from training.core.seen import FairTexts

ALL = "All genres"


def show() -> None:
    """Show the chosen model on the test side of the chosen data."""
    corpus, choice = choose_corpus(), choose_model("model")
    if corpus is None or choice is None or (model := open_model(choice)) is None:
        return
    asked = (choice.folder, corpus.key)
    try:
        with wanted_of_many("measured", asked, len(corpus.examples), "Measure the model") as is_wanted:
            if not is_wanted:
                return
            measured, fair = load_measured(choice.folder, model, corpus)
    except GenreError as error:
        st.error(f"{error} Choose another model above, or other data at the side.")
        return
    account(measured, fair)
    tabs = st.tabs(["Genres", "Confusion", "Calibration", "Thresholds", "Worst mistakes"])
    for tab, draw in zip(tabs, (genres, confusion, calibration, thresholds, mistakes), strict=True):
        with tab:
            draw(measured, model)


def account(measured: Measured, fair: FairTexts) -> None:
    """Tell which texts are measured on."""
    texts, right, answered = st.columns(3)
    texts.metric("Texts", f"{len(measured.examples):,}")
    correct = inspect.first_scores(measured)[1]
    right.metric(
        "First genre fits", f"{correct.mean():.0%}" if len(correct) else "–", help="Closest guesses count too."
    )
    answered.metric("Answered", f"{measured.answered.mean():.0%}")
    st.caption(measured_on(fair, "this model"))


def genres(measured: Measured, model: GenreModel) -> None:
    """Show precision and recall of each genre, and one genre's curve."""
    threshold = decision_threshold(model.thresholds, measured.slugs)
    table = pd.DataFrame(genre_table(measured.truth, measured.scores, measured.slugs, threshold=threshold))
    own = "A genre is chosen from its own threshold on."
    st.write(own if model.thresholds else f"The first genre is chosen, and every other one from {threshold} on.")
    figures = dict.fromkeys(("precision", "recall", "f1"), st.column_config.NumberColumn(format="%.3f"))
    st.dataframe(table.assign(genre=table["genre"].map(name_of)), hide_index=True, column_config=figures)
    slug = st.selectbox("Curve of", list(table["genre"]), format_func=name_of, key="curve")
    curve, average = inspect.precision_recall(measured, slug)
    st.altair_chart(charts.precision_recall_line(curve, slug))
    st.caption(f"Average precision {average:.3f}.")


def confusion(measured: Measured, model: GenreModel) -> None:
    """Show which genre is taken for which."""
    table = inspect.confusion(measured)
    st.altair_chart(charts.confusion_map(table))
    with st.expander("As a table"):
        st.dataframe(table.rename(index=name_of, columns=name_of))


def calibration(measured: Measured, model: GenreModel) -> None:
    """Show whether scores keep what they promise."""
    scores, correct = inspect.first_scores(measured)
    if not len(scores):
        st.info("The model has no score for any of these texts. Choose another file or another model.")
        return
    bins = inspect.reliability(scores, correct)
    st.altair_chart(charts.reliability_line(bins))
    st.metric("Expected calibration error", f"{calibration_error(scores, correct):.3f}", help="0 is perfect.")
    st.caption(f"{len(bins)} bins of equally many texts; on the dashed line a score means what it says.")


def thresholds(measured: Measured, model: GenreModel) -> None:
    """Let one move a threshold and see what it does."""
    slug = st.selectbox("Of", [ALL, *measured.slugs], format_func=name_of, key="of")
    columns = slice(None) if slug == ALL else [measured.slugs.index(slug)]
    truth, scores = measured.truth[:, columns], measured.scores[:, columns]
    threshold = st.slider("Threshold", 0.01, 0.99, 0.5, 0.01, key="threshold")
    own = model.thresholds.genres.get(slug) if model.thresholds else None
    if own is not None:
        st.caption(f"The model's own is {own:.3f}." if own <= 1 else "The model never chooses this genre.")
    found = inspect.effect(truth, scores, threshold)
    precision, recall, f1, without = st.columns(4)
    precision.metric("Precision", f"{found.precision:.0%}")
    recall.metric("Recall", f"{found.recall:.0%}")
    f1.metric("F1", f"{found.f1:.0%}")
    without.metric("Without genre", f"{found.without_genre:.0%}", help="Texts for which none of these is chosen.")
    st.altair_chart(charts.threshold_lines(inspect.sweep(truth, scores), threshold))


def mistakes(measured: Measured, model: GenreModel) -> None:
    """List the answers that are wrong and sure."""
    table = inspect.worst_mistakes(measured, names())
    if table.empty:
        st.info("No answer is wrong on these texts. Choose a larger file to see mistakes.")
        return
    st.write(
        "Answers whose first genre the text does not have, the surest first. Sometimes it is the label that is wrong."
    )
    percent = {"score": st.column_config.NumberColumn(format="percent")}
    st.dataframe(table, hide_index=True, column_config=percent)


st.title("Model on a dataset")
st.write("See where a model is right and wrong on texts that it has not learned from.")
show()
