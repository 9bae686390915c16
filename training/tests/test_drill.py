"""The drill: a bad model is stopped, noticed and rolled back, and a drill that proves nothing fails."""

import json
import shutil
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from classifier.genre_table import current_genres
from classifier.models import Alert, ModelEvent, ModelVersion, Prediction
from classifier.registry import folder_of, forget_champion, get_version, promote, register
from conftest import copy_model, make_examples
from feedback.models import AuditAnswer, Correction
from training import rehearsal
from training.drill import LEAST_REQUESTS, REQUESTS_A_LOOK, Act, Look, Rehearsal
from training.drill_report import write_report
from training.pipeline import TrainingPlan, train_model
from training.tests.helpers import refused, run, write_books

QUICK = {"epoch": 20, "dim": 6, "lr": 0.5}


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """A plan that trains in a second, with 60 and more texts on the test side."""
    path = write_books(tmp_path_factory.mktemp("drill") / "books.csv", make_examples(per_genre=110))
    return TrainingPlan(paths=(path,), use_feedback=False, overrides=QUICK)


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    """Where the honest model is kept for the next test."""
    return tmp_path_factory.mktemp("honest") / "model"


@pytest.fixture
def good(db, model_dir, plan, trained_once, fit_here, settings):
    """An honest champion of these books."""
    settings.GENRE_AUDIT_SHARE = 0.05
    if trained_once.exists():
        shutil.copytree(trained_once, model_dir / "honest")
        version = register(model_dir / "honest", by="tests")
    else:
        version = train_model(plan, current_genres(), by="tests", report=lambda *_: None).version
        shutil.copytree(folder_of(version), trained_once)
    return promote(version.number, by="tests")


def rehearse(plan, kinds, *, retrainings=0, **options):
    forget_champion()
    played = Rehearsal(plan=plan, requests=LEAST_REQUESTS, report=lambda *_: None, **options)
    return played.play(kinds, retrainings=retrainings)


@pytest.mark.functional
def test_a_bad_model_is_blocked_noticed_and_rolled_back(good, plan, tmp_path):
    story = rehearse(plan, ["shuffle-labels"], strength=1.0, retrainings=1)
    assert story.passed, story.all_problems
    act = story.acts[0]
    assert act.blocked and "accuracy" in act.blocked_by
    assert act.requests_to_alert <= 2 * REQUESTS_A_LOOK
    assert act.right_while_bad < act.right_before - 0.2
    assert abs(act.right_after - act.right_before) < 0.1
    assert act.recovered
    assert get_version("champion") == good
    # It happened as on any day: stored predictions, corrections, answers, events and alerts.
    bad = ModelVersion.objects.get(number=act.version)
    assert bad.sabotage == "shuffle-labels 1"
    assert Prediction.objects.filter(version=bad, shadow_of=None).count() == LEAST_REQUESTS * 2 // 5
    assert Prediction.objects.filter(version=bad).exclude(shadow_of=None).exists()
    assert Correction.objects.filter(version=bad).exists() and AuditAnswer.objects.filter(version=bad).exists()
    assert ModelEvent.objects.filter(version=bad, forced=True, action=ModelEvent.Action.PROMOTE).count() == 1
    assert Alert.objects.exists() and not Alert.objects.filter(closed_at=None).exists()

    data = story.as_json()
    assert data["passed"] is True and data["retrainings"] == {"n": 1, "blocked": 0}
    assert data["kinds"]["shuffle-labels"]["blocked"] is True
    assert json.loads(json.dumps(data))["kinds"]["shuffle-labels"]["requests_to_alert"] == act.requests_to_alert

    write_report(story, tmp_path / "drill.html")
    page = (tmp_path / "drill.html").read_text(encoding="utf-8")
    for words in (
        "The drill passed",
        "shuffle-labels",
        "in service",
        "rolled back",
        "interval of the difference",
        "<svg",
    ):
        assert words in page
    assert make_examples(per_genre=1)[0].text not in page


@pytest.mark.functional
def test_a_bad_model_that_is_in_fact_good_fails_the_drill(good, plan, tmp_path):
    story = rehearse(plan, ["shuffle-labels"], strength=0.0)
    assert not story.passed
    assert any("the gate let it pass" in problem for problem in story.all_problems)
    for words in ("no alert within", "that it read as challenger"):
        assert any(words in problem for problem in story.all_problems)
    write_report(story, tmp_path / "drill.html")
    assert "The drill failed" in (tmp_path / "drill.html").read_text(encoding="utf-8")


@pytest.mark.functional
def test_a_drill_without_the_gate_fails(good, plan):
    played = Rehearsal(plan=plan, requests=LEAST_REQUESTS, use_gate=False, strength=1.0, report=lambda *_: None)
    played._opening = played._run_as_shadow = played._run_as_champion = played._roll_back = lambda *_: None
    story = played.play(["shuffle-labels"], retrainings=0)
    assert story.all_problems == ["shuffle-labels: the gate let it pass"]
    assert story.as_json()["kinds"]["shuffle-labels"]["blocked"] is False
    # It was in charge, and was taken back.
    assert ModelEvent.objects.filter(version__number=story.acts[0].version, to_state="champion").exists()
    assert get_version("champion") == good


def a_look(phase="bad", *, right=0.5, expected=0.5, reported_wrong=0.1, alerts=(), n=1000):
    return Look(
        at=datetime(2026, 11, 1, tzinfo=UTC), phase=phase, version=1, n=n, right=right, expected=expected, audit=None,
        reported_wrong=reported_wrong, alerts=alerts,
    )  # fmt: skip


@pytest.fixture
def staged(good, plan):
    """A rehearsal whose looks are given, and an act in it whose model is honest in truth."""
    played = Rehearsal(plan=plan, requests=LEAST_REQUESTS, report=lambda *_: None)
    played.story.looks = [a_look("good", right=0.6, expected=0.6)]
    other = register(copy_model(folder_of(good), folder_of(good).parent / "other"), by="tests")
    act = Act("shuffle-labels", 1.0, version=other.number, right_before=0.6)

    def play(method, *looks):
        played._looks = lambda *_: iter(looks)
        played._look = lambda *_: None
        method(played, act, other)
        return act

    return play


@pytest.mark.functional
def test_a_bad_model_that_nobody_notices_as_challenger_fails_the_drill(staged):
    act = staged(Rehearsal._run_as_shadow, a_look("shadow"))
    assert act.problems == ["no alert within 1,000 requests that it read as challenger"]
    assert staged(Rehearsal._run_as_shadow, a_look("shadow", alerts=("shadow-worse",))).requests_to_shadow_alert == 1000


def test_a_notice_is_no_alert_about_a_bad_champion(staged):
    act = staged(Rehearsal._run_as_champion, a_look(alerts=("calibration", "latency", "drift:words")))
    assert act.problems == ["no alert within 1,000 requests"]


def test_a_bad_model_that_does_no_damage_fails_the_drill(staged):
    act = staged(Rehearsal._run_as_champion, a_look(right=0.61, alerts=("drift:genres",)))
    assert act.problems == ["it did no damage: its answers were right as often as before"]
    assert (act.requests_to_alert, act.alerts) == (1000, ("drift:genres",))


@pytest.mark.parametrize(
    ("look", "is_recovered"),
    [
        ({"right": 0.59, "expected": 0.61}, True),
        ({"right": 0.5}, False),
        ({"expected": 0.5}, False),
        ({"reported_wrong": 0.2}, False),
        ({"alerts": ("drift:genres",)}, False),
    ],
)
def test_the_figures_have_recovered_when_those_since_the_rollback_are_as_before(staged, look, is_recovered):
    def roll_back(played, act, bad):
        promote(bad.number, by="tests")
        played._roll_back(act)

    act = staged(roll_back, a_look("recovered", **({"right": 0.6, "expected": 0.6} | look)))
    assert act.recovered is is_recovered
    assert bool(act.problems) is not is_recovered


def test_a_gate_that_blocks_honest_models_fails_the_drill(good, plan, monkeypatch):
    played = Rehearsal(plan=plan, requests=LEAST_REQUESTS, report=lambda *_: None)
    played._opening = lambda: None

    class Blocks:
        passed = False

    played._retrain_honestly = lambda seed: played.story.honest.append(Blocks())
    assert played.play([], retrainings=20).problems == ["the gate blocked 20 of 20 honest retrainings"]


@pytest.mark.functional
def test_the_gate_may_block_one_honest_model_in_twenty_and_none_of_one(good, plan):
    verdicts = iter([False, *[True] * 19, False])

    def retrain(seed):
        played.story.honest.append(SimpleNamespace(passed=next(verdicts)))

    for retrainings, problems in ((20, []), (1, ["the gate blocked 1 of 1 honest retrainings"])):
        played = Rehearsal(plan=plan, requests=LEAST_REQUESTS, report=lambda *_: None)
        played._opening = lambda: None
        played._retrain_honestly = retrain
        assert played.play([], retrainings=retrainings).problems == problems


@pytest.mark.django_db(transaction=True)
def test_the_copy_holds_no_people_and_the_site_is_left_alone(champion, tmp_path, monkeypatch, django_user_model):
    ada = django_user_model.objects.create_user("ada")
    correction = Correction.objects.create(
        source="page",
        text="The dragon flies.",
        text_hash="1",
        verdict="genres",
        note="a note",
        visitor="v",
        status="approved",
        reviewer=ada,
    )
    rehearsal._dump(tmp_path / "site.json")
    rows = json.loads((tmp_path / "site.json").read_text(encoding="utf-8"))
    copied = next(row["fields"] for row in rows if row["model"] == "feedback.correction")
    assert (copied["text"], copied["note"], copied["visitor"], copied["reviewer"]) == (
        "The dragon flies.",
        "",
        "",
        None,
    )
    assert not [row for row in rows if row["model"].startswith(("auth.", "classifier.prediction"))]
    correction.refresh_from_db()
    assert (correction.note, correction.reviewer) == ("a note", ada)


@pytest.mark.django_db
def test_wrong_usage_exits_with_2():
    assert refused("drill", "--requests", 100)[0] == 2
    assert refused("drill", "--retrainings", -1)[0] == 2
    code, said = refused("drill", "--strength", 2)
    assert code == 2 and "between 0 and 1" in said


@pytest.mark.django_db
def test_without_a_champion_it_says_what_to_do(model_dir):
    code, said = refused("drill", "--vectors", "none")
    assert code == 1 and "ensure_model" in said


@pytest.mark.django_db
def test_the_command_shows_writes_and_fails_with_the_problems(champion, tmp_path, monkeypatch):
    act = {
        "strength": 0.5,
        "blocked": True,
        "blocked_by": ["accuracy"],
        "requests_to_shadow_alert": None,
        "requests_to_alert": 500,
        "alerts": ["reported-wrong"],
        "right_before": 0.6,
        "right_while_bad": 0.3,
        "right_after": 0.6,
        "recovered": True,
        "problems": [],
    }
    story = {
        "passed": True,
        "requests": 5000,
        "kinds": {"swap-genres": act},
        "retrainings": {"n": 20, "blocked": 1},
        "problems": [],
    }
    seen = []
    monkeypatch.setattr(
        "training.management.commands.drill.rehearse", lambda job, on_progress: seen.append(job) or story
    )
    arguments = (
        "drill",
        "--kind",
        "swap-genres",
        "--vectors",
        "none",
        "--report",
        tmp_path / "d.html",
        "-M",
        tmp_path / "d.json",
    )
    said = run(*arguments)
    for words in ("blocked", "accuracy", "after 500", "reported-wrong", "60% → 30%"):
        assert words in said
    assert "Of 20 honest retrainings with other seeds the gate blocked 1." in said
    assert "The drill passed." in said
    assert (seen[0].kinds, seen[0].use_gate, seen[0].strength) == (("swap-genres",), True, None)
    assert json.loads((tmp_path / "d.json").read_text())["kinds"]["swap-genres"]["requests_to_alert"] == 500

    story["problems"] = ["swap-genres: the gate let it pass"]
    code, said = refused(*arguments)
    assert code == 1 and "- swap-genres: the gate let it pass" in said
