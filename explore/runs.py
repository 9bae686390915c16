"""Parts of the Train page: the runs that go on, and those that have ended as a table and a plot."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from explore.drawing import RAMP
from training.core.grid import FIELDS, Recipe, shown
from training.core.naming import distinct
from training.core.trials import parallel_table, varied
from training.lab import ACTIVE, METRICS, QUEUED, RUNNING, Run, expected_seconds, runs, stop, stop_all


def show_active() -> None:
    """Draw the runs that go on, anew every two seconds while there are any; the whole page when one has ended."""
    active = {run.id for run in runs() if run.state in ACTIVE}
    if active:
        st.subheader("Going on")
        st.fragment(_watch, run_every=2)(active)


def _watch(known: set[str]) -> None:
    all_runs = runs()
    active = [run for run in all_runs if run.state in ACTIVE]
    if {run.id for run in active} != known:
        st.rerun()
    for run in active:
        if run.state == RUNNING:
            _progress(run, expected_seconds(run, all_runs))
    waiting = sum(run.state == QUEUED for run in active)
    if waiting:
        st.caption(f"{waiting} more {'waits' if waiting == 1 else 'wait'} for a turn.")
    if len(active) > 1 and st.button("Stop all", key="stop-all"):
        stop_all()
        st.rerun()


def _progress(run: Run, expected: float | None) -> None:
    bar, button = st.columns([6, 1])
    loss = "fastText tells its loss at the end" if run.average_loss is None else f"average loss {run.average_loss:.3f}"
    about = f" of about {expected:.0f}" if expected else ""
    share = max(run.share, min(run.elapsed / expected, 0.95)) if expected else run.share
    said = f"{run.name}: {run.phase.partition(',')[0]}, {run.elapsed:.0f}{about} s, {loss}"
    bar.progress(min(max(share, 0.0), 1.0), said)
    if button.button("Stop", key=f"stop-{run.id}"):
        stop(run.id)
        st.rerun()


def row_of(run: Run) -> dict[str, Any]:
    """Return a run as one row of a table."""
    # The figures first: they are what one looks for.
    row = {"run": run.name, "state": run.state, "why": run.why or None} | {
        name: run.result.get(name) for name in METRICS
    }
    row |= shown(Recipe(run.job.vectors, run.job.parameters)) | run.result
    test = run.job.test.name if run.job.test else "frozen"
    return row | {"data": run.job.data.name, "test side": test, "started": run.when, "folder": run.id}


def parallel_chart(rows: Sequence[dict[str, Any]]) -> alt.Chart | None:
    """Return the plot of parallel coordinates: a line a run, from what differs among them to their figures."""
    axes = [*varied(rows, ["vectors", *FIELDS]), *METRICS]
    if len(rows) < 2:
        return None
    table = parallel_table(rows, axes).merge(pd.DataFrame(rows)[["run", "accuracy"]], on="run")
    tooltip = [alt.Tooltip("run"), alt.Tooltip("axis"), alt.Tooltip("value")]
    # Long names, none of which may be left out on a narrow page.
    axis = alt.Axis(labelAngle=-40, labelOverlap=False)
    base = alt.Chart(table, title="Each line is a run; the top of an axis is its highest value").encode(
        x=alt.X("axis:N", sort=axes, title=None, axis=axis),
        y=alt.Y("height:Q", title="from the lowest to the highest", axis=alt.Axis(labels=False, ticks=False)),
        detail="run:N",
        color=alt.Color("accuracy:Q", title="accuracy", scale=alt.Scale(range=RAMP, zero=False)),
        tooltip=tooltip,
    )
    return base.mark_line(opacity=0.7) + base.mark_point(filled=True, size=60)


def same_texts(ended: list[Run]) -> list[Run]:
    """Let the person choose the data; return the runs on it. Figures on different texts say nothing of parameters."""
    places = {run.job.texts: run.job for run in reversed(ended)}
    texts = list(dict.fromkeys(run.job.texts for run in ended))
    if len(texts) > 1:
        called = [", measured on ".join(path.name for path, _ in places[each].files) for each in texts]
        marks = [", ".join(sha256[:8] or str(path) for path, sha256 in places[each].files) for each in texts]
        labels = dict(zip(texts, distinct(called, marks), strict=True))
        texts = [st.selectbox("Data", texts, format_func=labels.__getitem__, key="of")]
    return [run for run in ended if run.job.texts == texts[0]]
