"""Parts of the Train page: what to try, the runs that go on, and the plot of those that are done."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from classifier.core.errors import GenreError
from training.core.books import Corpus
from training.core.corpora import ALL_FORMATS
from training.core.fit import LOSSES, recommended
from training.core.grid import FIELDS, NO_VECTORS, Recipe, recipes, shown
from training.core.split import TEST_SHARE
from training.core.trials import parallel_table, varied
from training.lab import ACTIVE, METRICS, QUEUED, RUNNING, Job, Run, runs, stop, stop_all

HELP = "One value (0.5), several (0.1, 0.5) or a range (0.1..1.0). Empty: what is recommended."
VECTORS = {"book": "the shipped book vectors", NO_VECTORS: "none"}


def jobs_form(corpus: Corpus) -> list[Job]:
    """Draw what to try and return the jobs; empty, with what to do, when there is something wrong."""
    n_train = round(len(corpus.examples) * (1 - TEST_SHARE))
    vectors = st.multiselect("Word vectors to start from", VECTORS, ["book"], format_func=VECTORS.get, key="vectors")
    bases = {name: recommended(n_train, with_vectors=name != NO_VECTORS) for name in vectors}
    texts = {}
    for column, name in zip(st.columns(len(FIELDS)), FIELDS, strict=True):
        advice = ", ".join(dict.fromkeys(str(getattr(base, name)) for base in bases.values()))
        if name == "loss":
            texts[name] = ", ".join(column.multiselect(name, LOSSES, key=f"try-{name}", placeholder=advice))
        else:
            texts[name] = column.text_input(name, key=f"try-{name}", placeholder=advice, help=HELP)
    way, amount, last = st.columns(3)
    is_random = way.radio("Search", ["grid", "random"], key="way", horizontal=True) == "random"
    if is_random:
        n_random = int(amount.number_input("Random runs, with each of the word vectors", 1, 100, 10, key="n-random"))
        seed = int(last.number_input("Seed of the search", 0, key="search-seed"))
        options = {"n_random": n_random, "seed": seed}
    else:
        options = {"steps": int(amount.number_input("Values that stand for a range", 2, 10, 3, key="steps"))}
    test = st.text_input(
        "File to measure on", key="test", placeholder="empty: one book in five is held back, always the same ones"
    )
    path = Path(test).expanduser() if test.strip() else None
    if path is not None and not path.is_file():
        st.error(f"{path} is no file. Give the path of a file of labelled books, or leave it empty.")
        return []
    try:
        found = recipes(texts, bases, **options)
    except GenreError as error:
        st.error(str(error))
        return []
    return [_job(corpus, recipe, path) for recipe in found]


def _job(corpus: Corpus, recipe: Recipe, test: Path | None) -> Job:
    assert corpus.path is not None
    file_format = corpus.file_format if corpus.file_format in ALL_FORMATS and test is None else ""
    return Job(corpus.path.resolve(), recipe.parameters, recipe.vectors, file_format, test and test.resolve())


def jobs_table(jobs: Sequence[Job]) -> pd.DataFrame:
    """Return the jobs, a row each."""
    return pd.DataFrame([shown(Recipe(job.vectors, job.parameters)) for job in jobs])


def show_active() -> None:
    """Draw the runs that go on, anew every two seconds while there are any; the whole page when one has ended."""
    active = {run.id for run in runs() if run.state in ACTIVE}
    if active:
        st.subheader("Going on")
        st.fragment(_watch, run_every=2)(active)


def _watch(known: set[str]) -> None:
    active = [run for run in runs() if run.state in ACTIVE]
    if {run.id for run in active} != known:
        st.rerun()
    for run in active:
        if run.state == RUNNING:
            _progress(run)
    waiting = sum(run.state == QUEUED for run in active)
    if waiting:
        st.caption(f"{waiting} more {'waits' if waiting == 1 else 'wait'} for a turn.")
    if len(active) > 1 and st.button("Stop all", key="stop-all"):
        stop_all()
        st.rerun()


def _progress(run: Run) -> None:
    bar, button = st.columns([6, 1])
    loss = "" if run.average_loss is None else f", average loss {run.average_loss:.3f}"
    bar.progress(min(max(run.share, 0.0), 1.0), f"Run {run.id}: {run.phase.partition(',')[0]}{loss}")
    if button.button("Stop", key=f"stop-{run.id}"):
        stop(run.id)
        st.rerun()


def row_of(run: Run) -> dict[str, Any]:
    """Return a run as one row of a table."""
    # The figures first: they are what one looks for.
    row = {"run": run.id, "state": run.state, "why": run.why} | {name: run.result.get(name) for name in METRICS}
    row |= shown(Recipe(run.job.vectors, run.job.parameters)) | run.result
    test = run.job.test.name if run.job.test else "frozen"
    return row | {"data": run.job.data.name, "test side": test, "started": run.when}


def parallel_chart(rows: Sequence[dict[str, Any]]) -> alt.Chart | None:
    """Return the plot of parallel coordinates: a line a run, from what differs among them to their figures."""
    axes = [*varied(rows, ["vectors", *FIELDS]), *METRICS]
    if len(rows) < 2:
        return None
    table = parallel_table(rows, axes).merge(pd.DataFrame(rows)[["run", "accuracy"]], on="run")
    tooltip = [alt.Tooltip("run"), alt.Tooltip("axis"), alt.Tooltip("value")]
    base = alt.Chart(table, title="Each line is a run; the top of an axis is its highest value").encode(
        x=alt.X("axis:N", sort=axes, title=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("height:Q", title="from the lowest to the highest", axis=alt.Axis(labels=False, ticks=False)),
        detail="run:N",
        color=alt.Color("accuracy:Q", title="accuracy", scale=alt.Scale(scheme="viridis", zero=False)),
        tooltip=tooltip,
    )
    return base.mark_line(opacity=0.7) + base.mark_point(filled=True, size=60)
