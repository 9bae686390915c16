import json
from datetime import timedelta

import pytest
from django.core.management.base import CommandError
from django.db import OperationalError

from classifier.alerts import Finding, raise_alert
from classifier.models import OWN_SOURCES, Alert, Genre
from classifier.registry import folder_of, forget_champion, promote, register, roll_back, shadow, stop_shadow
from feedback.models import Correction
from training.core.judge import KEYS
from training.management.commands import monitor
from training.models import MonitorState
from training.monitor.watch import watch
from training.monitor.wording import TITLES
from training.tests.helpers import run
from training.tests.monitoring import GENRES, NOON, answer, correct, store_shadow, store_traffic

HOUR = timedelta(hours=1)
SETTLE = timedelta(seconds=6)


@pytest.fixture
def champion(make_version):
    """The champion since two days, with steady traffic before noon."""
    version = make_version()
    promote(version.number, by="tests", at=NOON - 2 * 24 * HOUR)
    shown = store_traffic(version, 600, start=NOON - 40 * HOUR, hours=40)
    correct(shown[::40], ["cooking"])
    return version


def look(at=NOON):
    return watch(now=at + SETTLE)


def open_keys():
    return set(Alert.objects.filter(closed_at=None).values_list("key", flat=True))


def drifted(figures, against="baseline"):
    return {row["signal"] for row in figures["drift"] if row["is_drift"] and row["against"] == against}


def replace_by_worse(make_version, at=NOON, **traffic):
    """Promote another version at ``at``; its traffic takes an hour."""
    worse = make_version()
    promote(worse.number, by="tests", at=at)
    forget_champion()
    return worse, store_traffic(worse, 300, start=at, **{"score": 0.4} | traffic)


def test_undisturbed_traffic_raises_nothing(champion):
    figures = look()
    assert figures["alerts"] == []
    assert figures["champion"] == champion.number
    assert (figures["recent"]["n"], figures["baseline"]["n"]) == (360, 240)
    assert figures["drift"] != []


def test_a_site_without_a_model_is_looked_at_without_failing(db, model_dir):
    figures = look()
    assert (figures["champion"], figures["versions"], figures["drift"], figures["shadow"]) == (None, [], [], None)


def test_a_site_without_traffic_says_what_it_needs(make_version):
    promote(make_version().number, by="tests", at=NOON)
    figures = look()
    assert figures["recent"]["n"] == 0
    assert figures["versions"] == figures["drift"] == figures["alerts"] == []


def test_the_figures_are_kept_for_the_page(champion):
    figures = look()
    state = MonitorState.objects.get()
    assert state.figures == json.loads(json.dumps(figures)) == figures
    assert state.watched_at == NOON + SETTLE


def test_a_worse_version_is_held_against_the_one_before_and_raises_alarms(champion, make_version):
    worse, _ = replace_by_worse(make_version)
    figures = look(NOON + HOUR)
    recent = figures["recent"]
    assert (recent["from"], recent["to"]) == (NOON.isoformat(), (NOON + HOUR + SETTLE).isoformat())
    assert recent["n"] == 300
    assert figures["baseline"]["n"] == 600
    assert drifted(figures) == {"confidence"}
    assert open_keys() == {"drift:confidence", "expected-accuracy"}
    alert = Alert.objects.get(key="drift:confidence")
    assert (alert.version, alert.severity, alert.opened_at) == (worse, "alarm", NOON + HOUR + SETTLE)
    assert alert.title == "Version 2 is not as sure of its answers as before"
    assert "Mean confidence 0.40, before 0.70" in alert.detail
    assert "manage.py rollback" in alert.next_step
    assert [each["key"] for each in figures["alerts"]] == ["expected-accuracy", "drift:confidence"]


def test_an_alarm_that_holds_is_raised_once(champion, make_version):
    replace_by_worse(make_version)
    look(NOON + HOUR)
    look(NOON + 2 * HOUR)
    assert Alert.objects.count() == 2


@pytest.mark.functional
def test_rolling_back_closes_the_alarms_and_the_bad_version_is_no_baseline(champion, make_version):
    replace_by_worse(make_version)
    look(NOON + HOUR)
    roll_back(by="tests", at=NOON + HOUR)
    store_traffic(champion, 300, start=NOON + HOUR)
    figures = look(NOON + 2 * HOUR)
    assert figures["champion"] == champion.number
    assert (figures["recent"]["n"], figures["baseline"]["n"]) == (300, 600)
    assert open_keys() == set()
    assert Alert.objects.filter(closed_at=NOON + 2 * HOUR + SETTLE).count() == 2


@pytest.mark.functional
def test_an_alarm_closes_at_once_when_another_version_answers(champion, make_version):
    replace_by_worse(make_version)
    look(NOON + HOUR)
    roll_back(by="tests", at=NOON + HOUR)
    look(NOON + HOUR)
    assert open_keys() == set()


@pytest.mark.functional
def test_a_quiet_night_does_not_close_an_alarm(champion, make_version):
    replace_by_worse(make_version)
    look(NOON + HOUR)
    figures = look(NOON + 48 * HOUR)
    assert figures["recent"]["n"] == 0
    assert open_keys() == {"drift:confidence", "expected-accuracy"}


@pytest.mark.functional
def test_traffic_under_an_open_alarm_does_not_become_the_baseline(champion, make_version):
    worse, _ = replace_by_worse(make_version)
    look(NOON + HOUR)
    for day in range(1, 7):
        store_traffic(worse, 300, start=NOON + day * 24 * HOUR, score=0.4)
        figures = look(NOON + (day * 24 + 1) * HOUR)
    assert figures["baseline"]["n"] == 600
    assert open_keys() == {"drift:confidence", "expected-accuracy"}


@pytest.mark.functional
def test_more_reports_and_a_worse_audit_raise_alarms_although_the_scores_are_the_same(champion, make_version):
    before = store_traffic(champion, 400, start=NOON - 10 * HOUR, hours=8)
    answer(before[:40])
    answer(before[40:50], "no")
    _, shown = replace_by_worse(make_version, score=0.7)
    correct(shown[:90], ["romance"])
    answer(shown[:6])
    answer(shown[6:45], "no")
    figures = look(NOON + HOUR)
    assert open_keys() == {"reported-wrong", "audit-accuracy", "calibration"}
    assert drifted(figures) == set()
    [row] = [row for row in figures["versions"] if row["number"] == 2]
    assert row["reported_wrong"]["value"] == pytest.approx(90 / 300)
    assert row["audit_accuracy"]["value"] == pytest.approx(6 / 45)


@pytest.mark.functional
def test_corrections_of_our_own_texts_do_not_count(champion):
    shown = store_traffic(champion, 300, start=NOON)
    correct(shown[:10], ["romance"])
    for at, source in enumerate(OWN_SOURCES, start=1):
        correct(shown[10 * at : 10 * at + 10], ["romance"], source=source)
    [row] = look(NOON + HOUR)["versions"]
    assert row["reported_wrong"]["value"] == pytest.approx((15 - 5 + 10) / 900)


def test_corrections_that_are_void_or_say_nothing_do_not_count(champion):
    shown = store_traffic(champion, 300, start=NOON)
    correct(shown[:10], ["romance"])
    correct(shown[10:20], verdict="unsure")
    correct(shown[20:30], ["romance"], status="withdrawn")
    correct(shown[30:40], ["romance"], status="rejected")
    correct(shown[40:50], verdict="none", chosen=[])
    correct(shown[50:60])
    [row] = look(NOON + HOUR)["versions"]
    assert row["n"] == 900
    assert row["reported_wrong"]["value"] == pytest.approx((15 - 5 + 10 + 10) / 900)
    assert row["naive_accuracy"]["n"] == 15 + 30


def test_corrections_of_texts_without_an_answer_say_nothing_of_answers(champion):
    correct(store_traffic(champion, 100, start=NOON, abstained="no-genre"), ["romance"])
    [row] = look(NOON + HOUR)["versions"]
    assert row["naive_accuracy"]["n"] == 15
    assert row["abstained"]["value"] == pytest.approx(100 / 700)
    assert row["abstained_reasons"] == {"no-genre": 100}


@pytest.mark.functional
def test_a_correction_counts_when_its_prediction_was_made_and_survives_it(champion):
    shown = store_traffic(champion, 300, start=NOON)
    look(NOON + HOUR)
    correct(shown[:60], ["romance"], created_at=NOON + 30 * HOUR)
    for row in shown:
        row.delete()
    [row] = look(NOON + 31 * HOUR)["versions"]
    assert row["reported_wrong"]["value"] == pytest.approx(70 / 900)


def test_the_figures_of_a_genre_are_of_its_own_answers(champion):
    shown = store_traffic(champion, 300, start=NOON)
    answer(shown[0:60:3])
    answer(shown[1:60:3], "no")
    answer(shown[2:24:3], "unsure")
    rows = {row["slug"]: row for row in look(NOON + HOUR)["genres"]}
    assert set(rows) == set(GENRES)
    assert rows["fantasy"]["name"] == "Fantasy"
    assert rows["fantasy"]["share"] == pytest.approx(1 / 3, abs=0.01)
    assert rows["fantasy"]["audit_accuracy"]["value"] == 1
    assert rows["cooking"]["audit_accuracy"]["value"] == 0
    assert rows["business-economics"]["audit_accuracy"] == {"value": None, "n": 0, "needs": 10}


def test_accuracy_is_told_by_version_and_genre(champion, make_version):
    answer(store_traffic(champion, 300, start=NOON)[0:60:3])
    later = promote(make_version().number, by="tests", at=NOON + 2 * HOUR)
    answer(store_traffic(later, 300, start=NOON + 3 * HOUR)[0:60:3], "no")
    figures = look(NOON + 4 * HOUR)
    (row,) = figures["by_genre"]
    assert row["name"] == "Fantasy"
    assert [(cell["number"], cell["audit_accuracy"]["value"]) for cell in row["cells"]] == [(2, 0.0), (1, 1.0)]


@pytest.mark.functional
def test_after_review_the_reviewers_genres_are_the_truth(champion):
    shown = store_traffic(champion, 300, start=NOON)
    correct(shown[0:180:3], ["romance"])
    [row] = look(NOON + HOUR)["versions"]
    # Ten of the 600 texts before were reported as wrong.
    assert row["reported_wrong"]["value"] == pytest.approx(70 / 900)
    for correction in Correction.objects.all()[:40]:
        correction.genres.set(Genre.objects.filter(slug="fantasy"))
        correction.status = Correction.Status.APPROVED
        correction.save()
    [row] = look(NOON + HOUR)["versions"]
    assert row["reported_wrong"]["value"] == pytest.approx(30 / 900)


@pytest.mark.functional
def test_an_alert_about_a_version_that_left_is_over_even_if_the_next_deserves_the_same(champion, challenger):
    store_shadow(challenger, store_traffic(champion, 300, start=NOON), score=0.4)
    look(NOON + HOUR)
    other = shadow(register(folder_of(challenger), by="tests").number, share=1.0, by="tests", at=NOON + 2 * HOUR)
    store_shadow(other, store_traffic(champion, 300, start=NOON + 3 * HOUR), score=0.4)
    look(NOON + 4 * HOUR)
    alerts = {alert.version: alert for alert in Alert.objects.filter(key="shadow-worse")}
    assert set(alerts) == {challenger, other}
    assert alerts[challenger].closed_at == alerts[other].opened_at > NOON + 4 * HOUR
    assert alerts[other].closed_at is None


@pytest.fixture
def challenger(champion, make_version):
    """A version that reads along since noon."""
    version = make_version()
    shadow(version.number, share=1.0, by="tests", at=NOON)
    return version


@pytest.mark.functional
def test_a_worse_challenger_raises_an_alarm_about_itself_alone(champion, challenger):
    store_shadow(challenger, store_traffic(champion, 300, start=NOON), score=0.4)
    figures = look(NOON + HOUR)
    assert open_keys() == {"shadow-worse"}
    alert = Alert.objects.get()
    assert (alert.version, alert.title) == (
        challenger,
        "Do not promote version 2: it would be worse than the champion",
    )
    assert figures["challenger"] == figures["shadow"]["number"] == challenger.number
    assert figures["shadow"]["n_pairs"] == 300
    assert figures["shadow"]["agreement"]["value"] == 1
    assert [(row["number"], row["role"]) for row in figures["versions"]] == [(2, "shadow"), (1, "shown")]
    stop_shadow(by="tests", at=NOON + HOUR)
    forget_champion()
    look(NOON + HOUR)
    assert open_keys() == set()


@pytest.mark.functional
def test_the_challengers_accuracy_comes_from_what_people_said_of_the_champion(champion, challenger):
    shown = store_traffic(champion, 300, start=NOON)
    store_shadow(challenger, shown, genre_of=lambda row: "romance" if row.shown[0][0] == "fantasy" else row.shown[0][0])
    # The genres come in turn: it loses a third of the right answers, and gains a third of the wrong ones.
    answer(shown[:90])
    answer(shown[90:120], "no")
    correct(shown[120:150], ["romance"])
    found = look(NOON + HOUR)["shadow"]
    assert found["champion_accuracy"]["value"] == pytest.approx(0.75)
    assert found["n_corrected"] == 120
    assert found["challenger_accuracy"]["value"] == pytest.approx(0.75 * 2 / 3 + 0.25 * 1 / 3)
    assert found["agreement"]["value"] == pytest.approx(2 / 3)


def test_files_of_the_champion_that_are_damaged_raise_the_registrys_alarm_without_a_visitor(champion, model_dir):
    look()
    for path in model_dir.glob("*/model.bin"):
        path.write_bytes(b"cut")
    forget_champion()
    look()
    assert open_keys() == {"champion-files"}


def test_alerts_of_others_are_left_alone(champion):
    raise_alert(Finding(key="champion-files", title="t", detail="d", next_step="n"))
    look()
    assert Alert.objects.get(key="champion-files").title == "t"


def test_every_key_has_its_words():
    assert set(TITLES) == KEYS


@pytest.mark.functional
def test_a_look_takes_few_queries_whatever_the_traffic(champion, challenger, django_assert_max_num_queries):
    shown = store_traffic(champion, 300, start=NOON)
    store_shadow(challenger, shown)
    correct(shown[::2])
    look(NOON + HOUR)
    with django_assert_max_num_queries(40):
        look(NOON + HOUR)


def test_the_command_shows_the_figures(champion, monkeypatch):
    at_noon(monkeypatch)
    said = run("monitor")
    for expected in ("version 1", "not enough data yet (15 of 30)", "No alert is open.", "Fantasy", "confidence"):
        assert expected in said


def test_the_command_prints_the_figures_as_json(champion, monkeypatch):
    at_noon(monkeypatch)
    assert json.loads(run("monitor", "--format", "json")) == MonitorState.objects.get().figures


@pytest.mark.parametrize("output", ["table", "json"])
def test_an_open_alarm_fails_the_command(champion, make_version, monkeypatch, output, capsys):
    replace_by_worse(make_version, at=NOON - HOUR)
    at_noon(monkeypatch)
    with pytest.raises(CommandError, match="2 alarms are open: By its own scores version 2") as caught:
        run("monitor", "--format", output)
    assert caught.value.returncode == 1


def at_noon(monkeypatch):
    monkeypatch.setattr(monitor, "watch", lambda: watch(now=NOON + SETTLE))


class Stopped(Exception):
    pass


def test_repeating_prints_a_line_a_look_and_survives_a_database_that_is_away(champion, monkeypatch, caplog, capsys):
    looks, sleeps = [], []

    def look_or_fail():
        looks.append(1)
        if len(looks) == 2:
            raise OperationalError("the server closed the connection")
        return watch(now=NOON + SETTLE)

    def sleep(seconds):
        sleeps.append(seconds)
        if len(sleeps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(monitor, "watch", look_or_fail)
    monkeypatch.setattr(monitor.time, "sleep", sleep)
    # It would end this test's transaction.
    monkeypatch.setattr(monitor, "close_old_connections", lambda: None)
    said = run("monitor", "--every", "60")
    assert len(looks) == 3
    assert [line.split(" ", 2)[2] for line in said.splitlines()] == ["version 1: 360 recent texts, alerts: none"] * 2
    assert "tries again in 60 s: the server closed the connection" in caplog.text
    assert all(0 <= seconds <= 60 for seconds in sleeps)


def test_repeating_without_a_pause_is_wrong_usage():
    with pytest.raises(CommandError) as caught:
        run("monitor", "--every", "0")
    assert caught.value.returncode == 2
