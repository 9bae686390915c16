"""The feedback page says what people, reviewers and the monitor say; and what to do while there is nothing."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.utils import timezone

from classifier.alerts import Finding, raise_alert
from feedback.actions import review
from training.models import MonitorState
from training.monitor.watch import watch

PAGE = Path(__file__).resolve().parent.parent / "screens" / "corrections.py"

# Streamlit's own code warns about its dependencies now and then.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def app():
    # Imported late: only a worker that runs these tests waits for it.
    from streamlit.testing.v1 import AppTest

    return AppTest.from_file(str(PAGE), default_timeout=30)


def infos(app):
    return " ".join(info.value for info in app.info)


@pytest.mark.functional
def test_without_a_database_it_says_how_to_set_one_up(app, monkeypatch):
    def fail(*args, **kwargs):
        raise DatabaseError("no such table")

    monkeypatch.setattr("explore.site.connect", lambda: None)
    monkeypatch.setattr("django.db.models.query.QuerySet.exists", fail)
    app.run()
    assert not app.exception
    assert "make setup" in infos(app)


@pytest.mark.functional
def test_an_empty_database_says_what_to_do(app, page_connection):
    app.run()
    assert not app.exception
    for expected in ("No corrections yet", "No correction or answer", "Nothing is reviewed yet", "manage.py monitor"):
        assert expected in infos(app)


@pytest.mark.functional
def test_it_shows_what_people_reviewers_and_the_monitor_say(app, page_connection, champion, make_correction):
    shown = [["fantasy", 0.8]]
    one = make_correction(genres=("romance",), shown=shown, version=champion)
    make_correction(genres=("fantasy",), shown=shown, version=champion)
    for status, name in (("approved", "ada"), ("rejected", "bert")):
        review(corrections=[one.pk], status=status, by=User.objects.create_user(name))
    make_correction(genres=("romance",), shown=shown, version=champion)
    watch(timezone.now())
    raise_alert(Finding("drift:genres", "The genres changed", "Much.", "Look."))
    app.run()
    assert not app.exception
    assert not app.info or "No version had traffic" in infos(app)
    pairs, versions, reviewers = (frame.value for frame in app.dataframe[:3])
    assert pairs.values.tolist() == [["Fantasy", "Romance", 1]]
    assert versions["first genre kept"].tolist() == ["Not enough data yet (2 of 30)"]
    assert reviewers.values.tolist() == [["ada", "bert", "changed", 1]]
    assert {metric.label: metric.value for metric in app.metric}["Changed"] == "1"
    assert "The genres changed" in app.error[0].value


@pytest.mark.functional
def test_the_monitors_figures_are_shown_by_version_with_intervals(app, page_connection):
    share = {"value": 0.62, "low": 0.55, "high": 0.7, "n": 123}
    little = {"value": None, "n": 5, "needs": 30}
    version = {
        "number": 3,
        "state": "champion",
        "sabotage": "",
        "role": "shown",
        "n": 140,
        "audit_accuracy": little,
        "expected_accuracy": share,
        "naive_accuracy": little,
        "reported_wrong": share,
        "abstained": share,
        "unknown_words": 0.1,
    }
    MonitorState.objects.create(figures={"versions": [version]}, watched_at=timezone.now())
    app.run()
    assert not app.exception
    row = app.table[-1].value.loc["version 3"]
    assert row["expected accuracy"] == "62% (55% to 70%)"
    assert row["accuracy by audit"] == "Not enough data yet (5 of 30)"
