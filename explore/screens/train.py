"""Train with other parameters, compare the runs, keep one as a candidate."""

import pandas as pd
import streamlit as st

from classifier.core.errors import GenreError
from explore.choosing import choose_corpus
from explore.jobs import jobs_form, jobs_table
from explore.runs import parallel_chart, row_of, same_texts, show_active
from explore.side_by_side import show_side_by_side
from explore.site import trouble, unset
from explore.versions import run_label
from training.core.books import Corpus
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
    st.warning(f"{run.name} becomes a candidate in the site's registry. Visitors notice nothing until it is promoted.")
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
        names = {run.id: run.name for run in ended}
        chosen = st.multiselect("Runs to delete", list(names), format_func=names.__getitem__, key="delete")
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
