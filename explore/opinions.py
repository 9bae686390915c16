"""What people and the monitor say, as tables for the feedback page. Reads the site's database, kept for a minute."""

from typing import Any

import pandas as pd
import streamlit as st

from explore.site import connect

NO_GENRE = "none of the genres"
KEPT_SECONDS = 60


@st.cache_data(ttl=KEPT_SECONDS, show_spinner="Reading the corrections …")
def over_time() -> pd.DataFrame:
    """Return day, status, corrections."""
    connect()
    from feedback.reading import corrections_by_day

    return pd.DataFrame(corrections_by_day(), columns=["day", "status", "corrections"])


@st.cache_data(ttl=KEPT_SECONDS, show_spinner="Reading the corrections …")
def disagreements() -> pd.DataFrame:
    """Return shown, chosen (names of genres), corrections; the most frequent first."""
    connect()
    from classifier.models import Genre
    from feedback.reading import NONE_FITS
    from feedback.reading import disagreements as count

    names = dict(Genre.objects.values_list("slug", "name")) | {NONE_FITS: NO_GENRE}
    pairs = [(names.get(shown, shown), names.get(chosen, chosen), n) for (shown, chosen), n in count().most_common()]
    return pd.DataFrame(pairs, columns=["shown", "chosen", "corrections"])


@st.cache_data(ttl=KEPT_SECONDS, show_spinner="Reading the corrections …")
def by_version() -> pd.DataFrame:
    """Return one row a version: what people said of its first genres, with intervals."""
    connect()
    from feedback.reading import agreement_by_version
    from training.core.agreement import NEEDS_ANSWERS, NEEDS_REPORTS, proportion
    from training.templatetags.figures import estimate

    return pd.DataFrame(
        [
            {
                "version": _called(row.number, row.sabotage),
                "corrections": row.n_corrections,
                "first genre kept": estimate(proportion(row.n_right, row.n_corrections, needs=NEEDS_REPORTS).as_json()),
                "answers to “is this right?”": row.n_answers,
                "of them yes": estimate(proportion(row.n_yes, row.n_answers, needs=NEEDS_ANSWERS).as_json()),
            }
            for row in agreement_by_version()
        ]
    )


@st.cache_data(ttl=KEPT_SECONDS, show_spinner="Reading the reviews …")
def reviewers() -> tuple[dict[str, int], str, pd.DataFrame]:
    """Return counts of reviewed corrections, the share changed by another reviewer, and the second looks by pair."""
    connect()
    from feedback.reading import second_looks
    from training.core.agreement import NEEDS_REPORTS, proportion
    from training.templatetags.figures import estimate

    looks = second_looks()
    counts = {
        "Reviewed": looks.n_reviewed,
        "By several": looks.n_by_several,
        "Changed": looks.n_changed,
        "Kept": looks.n_kept,
    }
    share = estimate(proportion(looks.n_changed, looks.n_reviewed, needs=NEEDS_REPORTS).as_json())
    pairs = [
        (first, second, "approved as edited" if is_kept else "changed", n)
        for (first, second, is_kept), n in looks.pairs.most_common()
    ]
    return counts, share, pd.DataFrame(pairs, columns=["decided first", "looked again", "and", "times"])


@st.cache_data(ttl=KEPT_SECONDS, show_spinner="Reading the monitor's figures …")
def monitored() -> tuple[str, pd.DataFrame]:
    """Return when the monitor last looked ('' for never) and its figures, one row a version and role."""
    connect()
    from training.models import MonitorState
    from training.templatetags.figures import ROLES, estimate, percent

    state = MonitorState.objects.first()
    if state is None or not state.figures:
        return "", pd.DataFrame()

    def row(version: dict[str, Any]) -> dict[str, Any]:
        return {
            "version": _called(version["number"], version["sabotage"]),
            "state": version["state"],
            "role": ROLES.get(version["role"], version["role"]),
            "texts": version["n"],
            "accuracy by audit": estimate(version["audit_accuracy"]),
            "expected accuracy": estimate(version["expected_accuracy"]),
            "accuracy by corrections": estimate(version["naive_accuracy"]),
            "reported wrong": estimate(version["reported_wrong"]),
            "without an answer": estimate(version["abstained"]),
            "unknown words": percent(version["unknown_words"]),
        }

    at = f"{state.watched_at:%Y-%m-%d %H:%M} UTC" if state.watched_at else "an unknown time"
    return at, pd.DataFrame([row(version) for version in state.figures["versions"]])


@st.cache_data(ttl=KEPT_SECONDS, show_spinner=False)
def alerts() -> list[tuple[bool, str, str]]:
    """Return (is an alarm, title, detail and next step) of each open alert."""
    connect()
    from classifier.alerts import open_alerts
    from classifier.models import Alert

    return [
        (alert.severity == Alert.Severity.ALARM, alert.title, f"{alert.detail} {alert.next_step}".strip())
        for alert in open_alerts()
    ]


def _called(number: int, sabotage: str) -> str:
    return f"version {number}" + (f" – bad on purpose: {sabotage}" if sabotage else "")
