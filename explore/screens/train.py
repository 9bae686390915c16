"""Train with other parameters, compare the runs, keep one as a candidate."""

import pandas as pd
import streamlit as st

from classifier.core.errors import GenreError
from explore.choosing import choose_corpus
from explore.jobs import jobs_form, jobs_table
from explore.reading import load_model
from explore.runs import parallel_chart, row_of, same_texts, show_active
from explore.site import names, trouble, unset
from explore.versions import model_choices, run_label
from training.core.books import Corpus
from training.core.trials import answers_table
from training.lab import ACTIVE, DONE, METRICS, Run, command_of, delete, keep, runs, start

BY = "explore"


def show() -> None:
    """Show what can be started, what goes on, and what has ended."""
    if (data := choose_corpus()) is not None:
        show_new(data)
    show_active()
    ended = [run for run in runs() if run.state not in ACTIVE]
    done = show_ended(ended)
    show_side_by_side(done)
    show_keep(done)
    if ended:
        show_delete(ended)


def show_new(corpus: Corpus) -> None:
    """Let the person say what to try, and start it."""
    if len(corpus.genre_counts()) < 2:
        st.warning("Training needs books of at least two genres. Choose other data in the sidebar.")
        return
    jobs = jobs_form(corpus)
    if not jobs:
        return
    n_runs = f"{len(jobs)} {'run' if len(jobs) == 1 else 'runs'}"
    with st.expander(f"What would be tried: {n_runs}"):
        st.dataframe(jobs_table(jobs), hide_index=True)
    if st.button(f"Start {n_runs}", key="start", type="primary"):
        start(jobs)
        st.rerun()


def show_ended(ended: list[Run]) -> list[Run]:
    """Show the runs that have ended, as a table and a plot; return those of the chosen data that are done."""
    st.subheader("Runs")
    if not ended:
        st.info("No run has ended yet. Choose parameters above and start one.")
        return []
    here = same_texts(ended)
    frame = pd.DataFrame(map(row_of, here)).dropna(axis="columns", how="all")
    figures = {name: st.column_config.NumberColumn(format="%.3f") for name in (*METRICS, "average_loss")}
    st.dataframe(frame, hide_index=True, column_config=figures)
    done = [run for run in here if run.state == DONE]
    chart = parallel_chart([row_of(run) for run in done])
    if chart is not None:
        st.altair_chart(chart)
        st.caption(
            f"{done[0].result['n_test']:,} texts are on the test side. Differences of a text or two are chance, and the "
            "best of many runs looks better than it is; the gate compares a candidate with the champion in earnest."
        )
    return done


def show_side_by_side(done: list[Run]) -> None:
    """Ask several models about one text."""
    st.subheader("Try your own text")
    here = {run.id for run in done}
    # The runs of the chosen data first.
    models = {choice.label: choice for choice in sorted(model_choices(), key=lambda choice: choice.run not in here)}
    if not models:
        st.info("No model yet. Start a run above, or run `make setup`.")
        return
    chosen = st.multiselect("Runs and versions", list(models), list(models)[:3], key="models", max_selections=6)
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


def show_keep(done: list[Run]) -> None:
    """Keep a run as a candidate, after a second question."""
    st.subheader("Keep one")
    if not done:
        st.info("A run that is done can be kept as a candidate for the site.")
        return
    run = st.selectbox("Run", done, format_func=run_label, key="kept")
    st.caption("The same model, by hand:")
    st.code(f"python {command_of(run)}", language="bash", wrap_lines=True)
    if problem := trouble():
        st.info(f"To keep it: {problem}")
        return
    if st.button("Keep as a candidate", key="keep"):
        st.session_state.keeping = run.id
    if st.session_state.get("keeping") != run.id:
        return
    st.warning(
        f"Run {run.id} becomes a candidate in the site's registry. Visitors notice nothing until it is promoted."
    )
    if st.button("Yes, keep it", key="keep-yes"):
        del st.session_state.keeping
        try:
            version = keep(run.id, by=BY)
        except GenreError as error:
            st.error(str(error))
            return
        st.success(f"Version {version.number} is a candidate. Next: `manage.py gate {version.number}`")


def show_delete(ended: list[Run]) -> None:
    """Delete runs."""
    with st.expander("Delete runs"):
        chosen = st.multiselect("Runs to delete", [run.id for run in ended], key="delete")
        is_sure = st.checkbox("Their models and figures are lost; versions kept from them stay.", key="delete-sure")
        if st.button("Delete", key="delete-yes", disabled=not (chosen and is_sure)):
            for run_id in chosen:
                delete(run_id)
            st.rerun()


st.title("Train")
st.write("Train with other parameters, see how the runs differ, and keep the best as a candidate for the site.")
if problem := unset():
    st.info(problem)
else:
    show()
