"""Part of the Train page: one text, asked of several models."""

import streamlit as st

from classifier.core.errors import GenreError
from explore.reading import load_model
from explore.site import names
from explore.versions import model_choices
from training.core.trials import answers_table
from training.lab import Run

KEY, OFFERED = "models", "models offered"
AT_FIRST, MOST = 3, 6


def show_side_by_side(done: list[Run]) -> None:
    """Ask several models about one text."""
    st.subheader("Try your own text")
    here = {run.id for run in done}
    # The runs of the chosen data first.
    models = {choice.label: choice for choice in sorted(model_choices(), key=lambda choice: choice.run not in here)}
    if not models:
        st.info("No model yet. Start a run above, or run `make setup`.")
        return
    _preselect(list(models))
    chosen = st.multiselect("Runs and versions", list(models), key=KEY, max_selections=MOST)
    text = st.text_area("Text", key="text", height=150)
    if not text.strip() or not chosen:
        st.info("Paste a text and choose some models to see what each says of it.")
        return
    predictions = {}
    for name in chosen:
        try:
            predictions[name] = load_model(models[name].folder, models[name].number).predict(text)
        except GenreError as error:
            st.error(f"{name}: {error}")
    st.dataframe(answers_table(predictions, names()), hide_index=True)


def _preselect(labels: list[str]) -> None:
    """Choose the first models when the page opens, and later each that has come, such as a run that has just ended."""
    state = st.session_state
    if KEY in state:
        kept = [label for label in state[KEY] if label in labels]
        come = [label for label in labels if label not in state[OFFERED]]
        state[KEY] = [*kept, *come][:MOST]
    else:
        state[KEY] = labels[:AT_FIRST]
    state[OFFERED] = labels
