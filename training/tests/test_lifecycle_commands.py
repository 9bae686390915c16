"""The life of a version through the commands: gate, promote, shadow, rollback, models."""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.core.management.base import CommandError

from classifier import registry
from classifier.core.model import MODEL_FILE, sha256_of
from classifier.models import Genre, ModelEvent, ModelVersion
from classifier.registry import folder_of, register
from conftest import FILLER, WORDS, copy_model
from feedback.models import Correction
from training import gating
from training.core.books import Example
from training.core.fit import FitParameters, fit
from training.core.split import book_key, frozen_split, text_key
from training.gating import promote_gated
from training.inputs import find_inputs, place_of
from training.pipeline import SEEN_FILE
from training.tests.helpers import refused, run, write_books

State = ModelVersion.State


def make_book(number, genre):
    """Return a book plainly of its genre that nearly repeats no other."""
    chance = random.Random(f"{genre} {number}")
    text = " ".join(f"{chance.choice(WORDS[genre])} {chance.choice(FILLER)}" for _ in range(12))
    return Example(text, (genre,), title=f"{genre} {number}", author="Test")


# Each asks the gate, which measures models.
pytestmark = pytest.mark.functional
BOOKS = [make_book(number, genre) for number in range(120) for genre in WORDS]
SPLIT = frozen_split(BOOKS)
TRAIN, TEST = [BOOKS[at] for at in SPLIT.train], [BOOKS[at] for at in SPLIT.test]


def shuffled(examples):
    genres = [example.genres for example in examples]
    random.Random(0).shuffle(genres)
    return [replace(example, genres=own) for example, own in zip(examples, genres, strict=True)]


# What each kind of version learns from, and its seed.
TAUGHT = {
    "good": (TRAIN, 1),
    "honest": (TRAIN, 2),
    "shuffled": (shuffled(TRAIN), 1),
    "dropped": ([example for example in TRAIN if example.genres != ("cooking",)], 1),
    "peeked": ([*TRAIN, *TEST[:5]], 1),
}


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Return a function that trains a kind of version once and returns its folder."""
    root, made = tmp_path_factory.mktemp("kinds"), {}

    def folder(kind):
        if kind not in made:
            taught, seed = TAUGHT[kind]
            seen = {"texts": [text_key(each.text) for each in taught], "books": [book_key(each) for each in taught]}
            model = fit(taught, FitParameters(epoch=10, dim=10, seed=seed))
            made[kind] = model.save(root / kind, extra={SEEN_FILE: json.dumps(seen)})
        return made[kind]

    return folder


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    """Each version is timed in few rounds: how it is timed is tested in test_gate.py."""
    monkeypatch.setattr("training.core.gate.TIMED_IN_ALL", 2 * len(TEST))


@pytest.fixture
def books(tmp_path):
    """The file that every kind was made from."""
    return write_books(tmp_path / "books.csv", BOOKS)


@pytest.fixture
def make(db, model_dir, folders, books):
    """Return a function that registers one more version of a kind."""
    inputs = [{"name": books.name, "format": "csv", "sha256": sha256_of(books), "path": place_of(books)}]

    def make(kind, **meta):
        folder = model_dir / f"{kind}{len(list(model_dir.iterdir()))}"
        return register(copy_model(folders(kind), folder, **{"inputs": inputs} | meta), by="tests").number

    return make


@pytest.fixture
def good(make):
    """The champion."""
    return registry.promote(make("good"), by="tests").number


def champion():
    return ModelVersion.objects.get(state=State.CHAMPION).number


def measured(*arguments, tmp_path):
    """Run the gate and return its report, whatever it says."""
    path = tmp_path / "gate.json"
    try:
        run("gate", *arguments, "-M", path)
    except CommandError as error:
        assert "The gate blocks" in str(error)
    return json.loads(path.read_text(encoding="utf-8"))


# gate


def test_an_honest_retraining_passes(good, make, tmp_path):
    said = run("gate", make("honest"), "-M", tmp_path / "gate.json")
    assert "Version 2 against version 1" in said
    assert (
        f"{len(TEST)} texts compared, 0 of them corrections; {len(TEST)} of {len(BOOKS)} are on the test side of books.csv"
        in said
    )
    assert "The gate lets version 2 through. Next: manage.py promote 2" in said
    found = json.loads((tmp_path / "gate.json").read_text())
    assert (found["passed"], found["blocked_by"], found["candidate"], found["opponent"]) == (True, [], 2, 1)
    assert [check["name"] for check in found["checks"]] == [
        "overlap", "accuracy", "f1_subj_avg", "genres", "calibration", "latency", "corrections", "input files", "size",
    ]  # fmt: skip
    assert {row["genre"]: row["n_texts"] for row in found["genres"]} == dict(
        Counter(example.genres[0] for example in TEST)
    )
    assert champion() == good
    assert ModelEvent.objects.filter(version__number=2).count() == 1


@pytest.mark.parametrize(
    ("kind", "blocked_by"),
    [("shuffled", ["accuracy", "f1_subj_avg"]), ("dropped", ["accuracy", "f1_subj_avg", "genres"])],
)
def test_a_bad_candidate_is_blocked(good, make, tmp_path, kind, blocked_by):
    number = make(kind)
    code, said = refused("gate", number)
    assert code == 1
    assert "manage.py promote 2 --force --reason WHY" in said
    assert all(name in said for name in blocked_by)
    found = measured(number, tmp_path=tmp_path)
    assert not found["passed"]
    assert set(blocked_by) <= set(found["blocked_by"]) <= {*blocked_by, "calibration", "genres"}


def test_a_genre_that_was_dropped_is_named(good, make, tmp_path):
    checks = measured(make("dropped"), tmp_path=tmp_path)["checks"]
    assert [check["detail"] for check in checks if check["name"] == "genres"] == ["cooking: unknown to it"]


def test_the_same_texts_give_the_same_verdict(good, make, tmp_path):
    number = make("shuffled")
    first, second = measured(number, tmp_path=tmp_path), measured(number, tmp_path=tmp_path)
    for found in (first, second):
        found["checks"] = [check for check in found["checks"] if check["name"] != "latency"]
    assert first == second


def test_a_candidate_that_was_trained_on_test_books_is_blocked(good, make, tmp_path):
    found = measured(make("peeked"), tmp_path=tmp_path)
    assert found["blocked_by"] == ["overlap"]
    assert found["texts"]["left_out"] == 5
    assert found["texts"]["compared"] == len(TEST) - 5


def test_a_champion_that_was_trained_on_test_books_blocks_nobody(make, tmp_path):
    registry.promote(make("peeked"), by="tests")
    found = measured(make("honest"), tmp_path=tmp_path)
    assert found["passed"]
    assert found["texts"]["compared"] == len(TEST) - 5


def test_a_mark_of_sabotage_is_shown_and_blocks_by_itself_nothing(good, make):
    said = run("gate", make("honest", sabotage={"kind": "swap-genres", "strength": 0.5}))
    assert "Version 2 (bad on purpose: swap-genres 0.5) against version 1" in said
    assert "The gate lets version 2" in said


def test_a_version_can_be_held_against_another_than_the_champion_or_none(good, make, tmp_path):
    make("shuffled"), make("dropped")
    found = measured(3, "--against", 2, tmp_path=tmp_path)
    # It is right far more often than version 2, but version 2 knows cookery.
    assert (found["opponent"], found["blocked_by"]) == (2, ["genres"])
    found = measured("champion", "--against", "none", tmp_path=tmp_path)
    assert (found["candidate"], found["opponent"], found["genres"]) == (1, None, [])
    assert "it is the champion already" in run("gate", "champion")


def test_without_a_champion_there_are_absolute_limits_alone(make, tmp_path):
    said = run("gate", make("good"))
    assert "No version answers yet: absolute limits alone." in said
    assert "Next: manage.py promote 1" in said
    assert "There is no version 9" in refused("gate", 1, "--against", 9)[1]
    assert "No model answers yet" in refused("gate", 1, "--against", "champion")[1]


def cut(number):
    (folder_of(ModelVersion.objects.get(number=number)) / MODEL_FILE).write_bytes(b"cut")


def test_a_champion_that_can_not_be_loaded_lets_nobody_through(good, make):
    number = make("shuffled")
    cut(good)
    for command in ("gate", "promote"):
        code, said = refused(command, number)
        assert code == 1
        assert "The champion can't be held against it" in said and "Restore its files" in said
    assert "does not match the hash" in refused("gate", number, "--against", good)[1]
    assert champion() == good
    said = run("promote", number, "--force", "--reason", "nothing else can answer")
    assert "The gate could not measure" in said.err
    assert champion() == number


def test_in_place_of_a_champion_that_can_not_be_loaded_stands_the_good_one_before(good, make):
    registry.promote(make("honest"), by="tests")
    cut(2)
    code, said = refused("gate", make("shuffled"))
    assert code == 1 and "accuracy" in said
    assert "In its place: version 1." in run("gate", make("honest"))


def test_a_champion_that_changed_while_the_gate_measured_is_not_replaced(good, make, monkeypatch):
    better, number = make("honest"), make("good")
    measure = gating.gate

    def slowly(*arguments, **options):
        registry.promote(better, by="somebody else")
        return measure(*arguments, **options)

    monkeypatch.setattr(gating, "gate", slowly)
    code, said = refused("promote", number)
    assert code == 1
    assert "version 2 has become champion meanwhile" in said
    assert champion() == better


@pytest.mark.parametrize(
    ("setting", "value", "name"), [("GENRE_GATE_BYTES", 1000, "size"), ("GENRE_GATE_MILLISECONDS", 1e-6, "latency")]
)
def test_a_large_or_slow_model_is_blocked_by_the_settings(make, settings, tmp_path, setting, value, name):
    setattr(settings, setting, value)
    assert measured(make("good"), tmp_path=tmp_path)["blocked_by"] == [name]


def test_too_few_texts_are_an_error_that_names_the_next_step(good, make, tmp_path):
    few = write_books(tmp_path / "few.csv", TEST[:20])
    code, said = refused("gate", make("honest"), "--data", few)
    assert code == 1
    assert "Only 20 texts are left that the gate may measure on; it needs 50." in said
    assert "manage.py gate 2 --data PATH" in said


def test_what_speaks_against_a_candidate_is_told_even_if_too_few_texts_are_left(good, make, tmp_path):
    few = write_books(tmp_path / "few.csv", TEST[:20])
    found = measured(make("peeked"), "--data", few, tmp_path=tmp_path)
    assert found["blocked_by"] == ["overlap"]
    assert [check["name"] for check in found["checks"]] == ["overlap", "corrections", "input files", "size"]
    assert "Only 15 texts" in found["notes"][0]


def test_the_starter_corpus_helps_where_the_input_files_are_too_few(good, make, tmp_path, monkeypatch, books):
    few = write_books(tmp_path / "few.csv", TEST[:20])
    monkeypatch.setattr(gating, "STARTER_FILE", books)
    inputs = [{"name": few.name, "format": "csv", "sha256": sha256_of(few), "path": str(few)}]
    ModelVersion.objects.filter(number=good).update(state=State.RETIRED)
    found = measured(make("honest", inputs=inputs), "--against", "none", tmp_path=tmp_path)
    assert found["data"] == ["few.csv", "books.csv"]
    assert found["texts"]["compared"] == len(TEST)
    assert found["texts"]["repeated"] == 20


@pytest.mark.parametrize("whose", ["candidate", "champion"])
def test_an_input_file_that_changed_is_not_measured_on_and_blocks_who_learned_from_it(make, tmp_path, books, whose):
    other = write_books(tmp_path / "other.csv", BOOKS[:150])
    inputs = [
        {"name": path.name, "format": "csv", "sha256": sha256_of(path), "path": str(path)} for path in (books, other)
    ]
    of_other = {"inputs": inputs}
    registry.promote(make("good", **(of_other if whose == "champion" else {})), by="tests")
    number = make("honest", **(of_other if whose == "candidate" else {}))
    other.write_text("something else")
    found = measured(number, tmp_path=tmp_path)
    assert found["data"] == ["books.csv"]
    assert found["blocked_by"] == (["input files"] if whose == "candidate" else [])
    details = {check["name"]: check["detail"] for check in found["checks"]}
    assert details["input files"].startswith(
        "it learned from other.csv: gone or changed since"
        if whose == "candidate"
        else "warning: nothing can be measured on other.csv of the opponent"
    )


def test_wrong_usage_of_the_lifecycle_commands_exits_with_2(good):
    for arguments in (
        ("promote", 1, "--force"),
        ("promote", 1, "--force", "--reason", " "),
        ("shadow",),
        ("shadow", 1, "--stop"),
    ):
        assert refused(*arguments)[0] == 2, arguments


@pytest.mark.parametrize(
    "arguments",
    [
        ("gate",),
        ("gate", "2", "--data", "absent.csv"),
        ("rollback",),
        ("rollback", "--to", "one", "--reason", "x"),
        ("shadow", "1", "--share", "0"),
        ("shadow", "1", "--share", "1.1"),
        ("shadow", "1", "--share", "nan"),
        ("shadow", "1", "--share", "much"),
        ("models", "--on", "yesterday"),
        ("models", "--on", "2026-13-01"),
        ("models", "--on", "2026-11-01", "--history"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_refused_before_anything_runs(arguments):
    # Called from Python, Django raises what on the command line is exit 2.
    assert refused(*arguments)[1].startswith("Error: ")


# What was learned from corrections


@pytest.fixture
def correct(db):
    """Return a function that stores an approved correction and returns its primary key."""

    def correct(text, slug="fantasy", status=Correction.Status.APPROVED):
        row = Correction.objects.create(
            text=text, text_hash="0", verdict="genres", source="import", status=status, chosen=[slug]
        )
        row.genres.set(Genre.objects.filter(slug=slug))
        return row.pk

    return correct


def test_corrections_held_out_by_hash_are_measured_on(good, make, correct, tmp_path):
    texts = [make_book(number, "fantasy").text for number in range(1000, 1040)]
    keys = [correct(text) for text in texts]
    untitled = [Example(text, ("fantasy",)) for text in texts]
    held_out = set(frozen_split(untitled).test)
    trained = [key for at, key in enumerate(keys) if at not in held_out]
    found = measured(make("honest", feedback_train_ids=trained), tmp_path=tmp_path)
    assert found["passed"]
    assert 0 < found["texts"]["feedback"] == len(held_out) < 40


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        ({"status": "withdrawn", "text": ""}, "1 withdrawn"),
        ({"status": "rejected"}, "1 rejected"),
        ({"status": "pending"}, "1 pending"),
        (None, "1 deleted"),
        ("no genre", "1 left without a genre"),
    ],
)
def test_a_candidate_that_learned_from_a_correction_that_was_taken_back_is_blocked(
    good, make, correct, tmp_path, harm, word
):
    kept, lost = correct("the dragon and the old wizard"), correct("a kingdom and its throne of elf prophecy")
    number = make("honest", feedback_train_ids=[kept, lost])
    assert measured(number, tmp_path=tmp_path)["passed"]
    row = Correction.objects.filter(pk=lost)
    if harm is None:
        row.delete()
    elif harm == "no genre":
        row.get().genres.clear()
    else:
        row.update(**harm)
    found = measured(number, tmp_path=tmp_path)
    assert found["blocked_by"] == ["corrections"]
    details = {check["name"]: check["detail"] for check in found["checks"]}
    assert f"of the 2 it learned from: {word}" in details["corrections"]


def test_a_correction_that_was_only_held_out_may_be_taken_back(good, make, correct, tmp_path):
    key = correct("the dragon and the old wizard", status=Correction.Status.WITHDRAWN)
    assert measured(make("honest", feedback_held_out_ids=[key]), tmp_path=tmp_path)["passed"]


# Where input files are


def test_files_below_the_data_folder_or_the_project_are_recorded_by_where_they_are_in_it(settings, tmp_path):
    settings.GENRE_DATA_DIR, settings.BASE_DIR = tmp_path / "project" / "data", tmp_path / "project"
    for place, recorded in (
        ("project/data/sub/books.csv", "sub/books.csv"),
        ("project/books.csv", "books.csv"),
        ("else/books.csv", str(tmp_path / "else" / "books.csv")),
    ):
        assert place_of(tmp_path / place) == recorded


@pytest.mark.parametrize("place", ["data/a/books.csv", "project/a/books.csv", "else/books.csv"])
def test_an_input_file_is_found_again_while_it_is_what_it_was(settings, tmp_path, place):
    settings.GENRE_DATA_DIR, settings.BASE_DIR = tmp_path / "data", tmp_path / "project"
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text("text,label\n")
    entry = {"name": "books.csv", "format": "csv", "sha256": sha256_of(path), "path": place_of(path)}
    feedback = {"name": "feedback", "format": "database", "sha256": ""}
    found, lost = find_inputs({"inputs": [entry, feedback]})
    assert ([(file.path, file.file_format) for file in found], lost) == ([(path, "csv")], [])
    path.write_text("text,label\nchanged")
    assert find_inputs({"inputs": [entry]}) == ([], ["books.csv"])
    path.unlink()
    assert find_inputs({"inputs": [entry]}) == ([], ["books.csv"])


def test_the_starter_corpus_is_ours_whatever_path_is_on_record():
    starter = gating.STARTER_FILE
    entry = {"name": starter.name, "format": "kaggle", "sha256": sha256_of(starter), "path": "/elsewhere/starter.csv"}
    assert [file.path for file in find_inputs({"inputs": [entry]})[0]] == [starter]


# promote


def test_promote_runs_the_gate_and_keeps_its_verdict(good, make):
    said = run("promote", make("honest"), "--reason", "another seed")
    assert "Version 2 against version 1" in said
    assert "Version 2 is the champion" in said
    event = ModelEvent.objects.get(version__number=2, to_state=State.CHAMPION)
    assert (event.reason, event.forced, event.gate["passed"], event.gate["opponent"]) == (
        "another seed",
        False,
        True,
        1,
    )
    assert "genres" not in event.gate
    assert len(event.gate["checks"]) == 9


def test_a_blocked_promotion_changes_nothing(good, make):
    number = make("shuffled")
    before = ModelEvent.objects.count()
    code, said = refused("promote", number)
    assert code == 1
    assert "The gate blocks version 2: accuracy" in said
    assert "The champion stays." in said
    assert champion() == good
    assert ModelEvent.objects.count() == before


def test_a_forced_promotion_needs_a_reason_and_is_on_record_with_the_verdict(good, make):
    number = make("dropped")
    assert refused("promote", number, "--force")[0] == 2
    assert champion() == good
    said = run("promote", number, "--force", "--reason", "cookery is given up")
    assert "BLOCKED" in said
    assert "The gate was overruled" in said.err
    assert champion() == number
    event = ModelEvent.objects.get(version__number=number, to_state=State.CHAMPION)
    assert (event.forced, event.reason, event.gate["passed"]) == (True, "cookery is given up", False)
    assert "genres" in event.gate["blocked_by"]


def test_force_on_what_passes_overrules_nothing(good, make):
    promotion = promote_gated(make("honest"), by="ada", reason="sure", force=True)
    assert promotion.is_champion
    assert not promotion.is_forced
    assert not ModelEvent.objects.get(version__number=2, to_state=State.CHAMPION).forced


def test_a_gate_that_can_not_measure_stops_a_promotion_unless_it_is_forced(good, make, tmp_path):
    few = write_books(tmp_path / "few.csv", TEST[:20])
    number = make("honest")
    assert "it needs 50" in refused("promote", number, "--data", few)[1]
    assert champion() == good
    said = run("promote", number, "--data", few, "--force", "--reason", "the old one is on fire")
    assert "The gate could not measure: Only 20 texts" in said.err
    event = ModelEvent.objects.get(version__number=number, to_state=State.CHAMPION)
    assert event.forced
    assert "Only 20 texts" in event.gate["error"]


def test_no_force_promotes_a_damaged_version(good, make):
    number = make("honest")
    (folder_of(ModelVersion.objects.get(number=number)) / MODEL_FILE).write_bytes(b"cut")
    assert "does not match the hash" in refused("promote", number, "--force", "--reason", "must")[1]
    assert champion() == good


def test_promote_may_be_run_twice_and_measures_once(make, monkeypatch):
    number = make("good")
    assert "Version 1 is the champion" in run("promote", number)
    monkeypatch.setattr(gating, "gate", None)
    before = ModelEvent.objects.count()
    assert "Version 1 is the champion" in run("promote", number)
    assert ModelEvent.objects.count() == before


# rollback


def test_rollback_brings_the_last_champion_back_and_says_so(good, make):
    run("promote", make("shuffled"), "--force", "--reason", "a mistake")
    said = run("rollback", "--reason", "all wrong")
    assert "Version 1 answers again in place of version 2" in said
    assert champion() == good
    event = ModelEvent.objects.filter(version__number=good).first()
    assert (event.action, event.reason, event.gate, event.forced) == ("roll-back", "all wrong", None, False)


def test_rollback_goes_to_the_version_that_is_named_if_it_was_champion(good, make):
    for kind in ("honest", "good", "shuffled"):
        make(kind)
    for number in (2, 3):
        registry.promote(number, by="tests")
    assert "Version 1 answers again" in run("rollback", "--to", 1, "--reason", "the oldest")
    code, said = refused("rollback", "--to", 4, "--reason", "past the gate")
    assert code == 1
    assert "never champion" in said
    assert champion() == 1


def test_rollback_without_anything_to_return_to_changes_nothing(good):
    code, said = refused("rollback", "--reason", "nobody before")
    assert code == 1
    assert "No good version was champion before version 1" in said
    assert champion() == good


# shadow


def test_shadow_starts_changes_and_stops_a_challenger(good, make):
    number = make("honest")
    assert "Version 2 reads 30% of the live texts" in run("shadow", number, "--share", "0.3", "--reason", "a week")
    row = ModelVersion.objects.get(number=number)
    assert (row.state, row.shadow_share) == (State.CHALLENGER, 0.3)
    run("shadow", number, "--share", "1")
    assert ModelVersion.objects.get(number=number).shadow_share == 1
    assert "Version 2 is no challenger any more." in run("shadow", "--stop")
    assert ModelVersion.objects.get(number=number).state == State.RETIRED
    assert "There is no challenger." in run("shadow", "--stop")
    assert champion() == good


def test_the_champion_can_not_be_its_own_challenger(good):
    code, said = refused("shadow", good)
    assert code == 1
    assert "can't be its own challenger" in said


# models


def test_models_shows_the_challengers_share_and_sabotage_only_where_there_is_some(good, make):
    table = run("models")
    assert "share" not in table
    assert "sabotage" not in table
    run("shadow", make("shuffled", sabotage={"kind": "shuffle-labels", "strength": 1.0}), "--share", "0.25")
    table = run("models")
    for word in ("challenger", "25%", "sabotage", "shuffle-labels"):
        assert word in table
    rows = json.loads(run("models", "--format", "json"))
    assert [(row["number"], row["state"], row["share"], row["sabotage"]) for row in rows] == [
        (2, "challenger", "25%", "shuffle-labels 1"),
        (1, "champion", "", ""),
    ]


def test_the_history_tells_what_was_done_and_what_the_gate_said(good, make):
    run("promote", make("honest"))
    run("promote", make("dropped"), "--force", "--reason", "a drill")
    run("rollback", "--reason", "the drill is over")
    rows = json.loads(run("models", "--history", "--format", "json"))
    told = [(row["version"], row["action"], row["change"], row["gate"].split(":")[0], row["forced"]) for row in rows]
    assert told[:6] == [
        (2, "roll-back", "retired → champion", "", False),
        (3, "roll-back", "champion → retired", "", False),
        (3, "promote", "candidate → champion", "blocked", True),
        (2, "retire", "champion → retired", "", False),
        (3, "register", "new → candidate", "", False),
        (2, "promote", "candidate → champion", "passed", False),
    ]
    assert "genres" in rows[2]["gate"]


@pytest.fixture
def changes(make, settings):
    """Version 1 answers from 1 November, 08:00 UTC, version 2 from 3 November, 12:00 UTC, in a zone an hour ahead."""
    settings.TIME_ZONE = "Africa/Lagos"
    make("good"), make("honest")
    registry.promote(1, by="tests", at=datetime(2026, 11, 1, 8, tzinfo=UTC))
    registry.promote(2, by="tests", at=datetime(2026, 11, 3, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("on", "answered"),
    [
        ("2026-11-01T08:59", []),
        ("2026-11-01T09:00", [1]),
        ("2026-11-03T12:59:59", [1]),
        ("2026-11-03T13:00", [2]),
        ("2026-11-03T12:30+00:00", [2]),
        ("2026-10-31", []),
        ("2026-11-01", [1]),
        ("2026-11-02", [1]),
        ("2026-11-03", [1, 2]),
        ("2026-11-04", [2]),
    ],
)
def test_models_tells_which_version_answered_then_in_the_sites_zone(changes, on, answered):
    rows = json.loads(run("models", "--on", on, "--format", "json"))
    assert [row["version"] for row in rows] == answered


def test_models_tells_from_when_each_version_answered_on_a_day(changes):
    rows = json.loads(run("models", "--on", "2026-11-03", "--format", "json"))
    assert [row["from"] for row in rows] == ["2026-11-03 00:00:00", "2026-11-03 13:00:00"]
    assert "2026-11-03 13:00:00" in run("models", "--on", "2026-11-03")
    assert "No version answered then." in run("models", "--on", "2026-10-01")
