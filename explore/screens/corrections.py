"""What people say of the models' answers, how reviewers agree, and what the monitor found. Changes nothing."""

import altair as alt
import pandas as pd
import streamlit as st

from explore.dataset_charts import heat
from explore.drawing import count_axis, series_colour
from explore.opinions import alerts, by_version, disagreements, monitored, over_time, reviewers
from explore.site import trouble

# Where `make run` serves the site.
SITE = "http://127.0.0.1:8000"
# More genres than one reads at a glance.
PAIRS_SHOWN = 60
STATUS_ORDER = ["pending", "approved", "rejected", "withdrawn"]
# Of the colours of charts the second is orange and the third green.
COLOUR_ORDER = ["pending", "rejected", "approved", "withdrawn"]


def _links() -> None:
    with st.sidebar:
        st.header("Site")
        site = st.text_input("Address of the site", SITE, key="site").rstrip("/")
        st.link_button("Open the monitor", f"{site}/monitor/")
        st.link_button("Review corrections", f"{site}/admin/feedback/correction/")


def _alerts() -> None:
    found = alerts()
    for is_alarm, title, detail in found:
        (st.error if is_alarm else st.warning)(f"**{title}** {detail}")
    if not found:
        st.caption("No alert is open.")


def _over_time(frame: pd.DataFrame) -> None:
    st.subheader("Corrections over time")
    for column, status in zip(st.columns(len(STATUS_ORDER)), STATUS_ORDER, strict=True):
        column.metric(status.capitalize(), f"{frame.loc[frame['status'] == status, 'corrections'].sum():,}")
    title = "Corrections sent, by day and by where they stand today"
    st.altair_chart(
        alt.Chart(frame.assign(day=pd.to_datetime(frame["day"])))
        .mark_bar()
        .encode(
            x=alt.X("yearmonthdate(day):O", title="day"),
            y=alt.Y("corrections:Q", axis=count_axis()),
            color=series_colour("status", COLOUR_ORDER),
            tooltip=[alt.Tooltip("day:T"), alt.Tooltip("status:N"), alt.Tooltip("corrections:Q")],
        )
        .properties(title=title, description=title, height=400)
    )


def _disagreements() -> None:
    st.subheader("What people disagree with")
    pairs = disagreements()
    if pairs.empty:
        st.info("Nobody has changed the first genre yet.")
        return
    title = "First genre shown, and what people chose instead"
    st.altair_chart(heat(pairs.head(PAIRS_SHOWN), row="shown", column="chosen", value="corrections", title=title))
    st.dataframe(pairs, hide_index=True)


def _by_version() -> None:
    st.subheader("Agreement with the model, by version")
    frame = by_version()
    if frame.empty:
        st.info("No correction or answer speaks of a version yet.")
        return
    st.dataframe(frame, hide_index=True)
    st.caption(
        "With 95% intervals. People mostly correct what is wrong, so that the share of corrections that keep the first "
        "genre is lower than the accuracy; the answers to “is this right?” come from visitors drawn at random."
    )


def _reviewers() -> None:
    st.subheader("Agreement between reviewers")
    counts, share, pairs = reviewers()
    if not counts["Reviewed"]:
        st.info("Nothing is reviewed yet. Open the corrections in the admin and approve or reject some.")
        return
    for column, (label, count) in zip(st.columns(len(counts)), counts.items(), strict=True):
        column.metric(label, f"{count:,}")
    st.write(f"Decisions that another reviewer changed, of all that were reviewed: {share}.")
    st.caption(
        "Changed: another reviewer decided otherwise. Kept: another reviewer approved what one had edited. A second look that changes nothing leaves no other trace, so this counts disagreements."
    )
    if not pairs.empty:
        st.dataframe(pairs, hide_index=True)


def _monitor() -> None:
    st.subheader("What the monitor found")
    at, frame = monitored()
    if not at:
        st.info("The monitor has not looked yet. Run `manage.py monitor`, or `make run`, which looks every minute.")
        return
    st.caption(f"The last 30 days, as of {at}.")
    if frame.empty:
        st.info("No version had traffic in the last 30 days.")
    else:
        # Wraps its cells, where the other kind of table would be cut off.
        st.table(frame.set_index("version"))


st.title("Feedback")
st.write("What people say of the answers, how reviewers agree, and what the monitor found. This page changes nothing.")
if problem := trouble():
    st.info(problem)
else:
    _links()
    _alerts()
    sent = over_time()
    if sent.empty:
        st.info("No corrections yet. Open the site (`make run`), paste a text, look at its genres and correct them.")
    else:
        _over_time(sent)
        _disagreements()
    _by_version()
    _reviewers()
    _monitor()
