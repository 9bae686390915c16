import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from django.core.management import get_commands, load_command_class

from classifier.commands import operator_name
from classifier.core.model import MODEL_FILE, GenreModel
from classifier.genre_table import current_genres
from classifier.models import Genre, ModelEvent, ModelVersion
from classifier.registry import folder_of, promote, register
from conftest import copy_model, make_examples
from feedback.models import Correction
from training import gating, neighbours
from training.core.books import Example
from training.core.metrics import NAMES
from training.management.commands import ensure_model, evaluate, train
from training.neighbours import has_neighbours
from training.pipeline import CANARIES, SEEN_FILE, TrainingPlan, feedback_corpus, remove_dead_drafts
from training.tests.helpers import BREAD, DRAGON, book, refused, run, write_books, write_kaggle

ROOT = Path(__file__).resolve().parents[2]
OURS = sorted(name for name, app in get_commands().items() if app == "training")
QUICK = ("--epoch", "10", "--dim", "4", "--lr", "0.5")
State = ModelVersion.State
# Runs manage.py in a fork for each list of arguments; its answers go to files named by their number in the folder.
FORKS = """
import json, os, runpy, sys, django
django.setup()
import training.management.commands.data_report, training.management.commands.promote
folder, jobs = sys.argv[1], json.loads(sys.argv[2])
children = []
for number, arguments in enumerate(jobs):
    children.append(os.fork())
    if not children[-1]:
        for stream, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{folder}/{number}.{name}", os.O_WRONLY | os.O_CREAT), stream)
        sys.argv = ["manage.py", *arguments]
        runpy.run_path("manage.py", run_name="__main__")
        sys.exit()
print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]))
"""


@pytest.fixture
def books(tmp_path):
    """The small corpus as CSV."""
    return write_books(tmp_path / "books.csv")


@pytest.fixture
def other_books(tmp_path):
    """Books that have no text or title in common with the small corpus."""
    examples = []
    for number in range(8):
        for genre, word in (
            ("fantasy", "dragon wizard"),
            ("cooking", "butter oven"),
            ("business-economics", "market profit"),
        ):
            own = " ".join(f"{genre[:3]}{number}x{at}" for at in range(12))
            examples.append(Example(f"{own} {word}", (genre,), title=f"Other {genre} {number}", author="Else"))
    return write_books(tmp_path / "other.csv", examples)


@pytest.fixture(autouse=True)
def trainings(fit_here):
    """``manage.py train`` with processes of its own is tested in test_loop.py and test_sigkill.py."""


@pytest.fixture(autouse=True)
def starter_beside_others(tmp_path, monkeypatch):
    """A small file that is read as the starter corpus beside another file, or a model; the real one takes half a second."""
    for module in (evaluate, neighbours):
        monkeypatch.setattr(module, "STARTER_FILE", write_books(tmp_path / "starter.csv"))


@pytest.fixture
def small_starter(books, monkeypatch):
    """The small corpus in place of the starter corpus, trained quickly; ten test books are enough for the gate."""
    quick = partial(TrainingPlan, paths=(books,), overrides={"epoch": 20, "dim": 4})
    monkeypatch.setattr(ensure_model, "TrainingPlan", quick)
    monkeypatch.setattr(evaluate, "STARTER_FILE", books)
    monkeypatch.setattr(train, "STARTER_FILE", books)
    monkeypatch.setattr(gating, "MIN_TEXTS", 10)
    return books


@pytest.fixture
def correct(db):
    """Return a function that stores a correction."""

    def correct(text, *slugs, status=Correction.Status.APPROVED):
        correction = Correction.objects.create(
            text=text, text_hash="0", verdict="genres", source="import", status=status, chosen=list(slugs)
        )
        correction.genres.set(Genre.objects.filter(slug__in=slugs))
        return correction

    return correct


# What every command has


@pytest.mark.parametrize("name", OURS)
def test_help_shows_examples(name):
    text = load_command_class("training", name).create_parser("manage.py", name).format_help()
    assert f"Examples:\n\n  manage.py {name}" in text
    options = text.split("options:")[1]
    assert options.index("--help") < options.index("--settings")


@pytest.mark.functional
def test_exit_codes_are_0_done_1_the_data_says_no_2_wrong_usage(tmp_path, books):
    bad = tmp_path / "bad.csv"
    bad.write_text("neither,here\r\nnor,there\r\n")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "genre_site.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}",
    }
    expected = {
        ("data_report", str(books)): 0,
        ("data_report", str(bad)): 1,
        ("data_report", "absent.csv"): 2,
        ("promote", "one"): 2,
    }
    result = subprocess.run(
        [sys.executable, "-c", FORKS, str(tmp_path), json.dumps(list(expected))],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    assert dict(zip(expected, json.loads(result.stdout), strict=True)) == expected
    said = {
        arguments: tuple((tmp_path / f"{number}.{name}").read_text() for name in ("out", "err"))
        for number, arguments in enumerate(expected)
    }
    assert not any("Traceback" in err for _, err in said.values())
    assert said["data_report", str(bad)][1].startswith("CommandError: ")
    assert "is in no format known here" in said["data_report", str(bad)][1]
    assert "absent.csv does not exist" in said["data_report", "absent.csv"][1]
    assert "36 rows" in said["data_report", str(books)][0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("data_report",),
        ("data_report", "absent.csv"),
        ("data_report", str(ROOT)),
        ("data_report", __file__, "--file-format", "xml"),
        ("train", "--loss", "hinge"),
        ("train", "--data", "absent.csv"),
        ("train", "--epoch", "many"),
        ("train", "--threshold-for", "recall"),
        ("evaluate", "--train", "absent.csv"),
        ("promote",),
        ("promote", "champion"),
        ("models", "--format", "xml"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_refused_before_anything_runs(arguments):
    # Called from Python, Django raises what on the command line is exit 2.
    assert refused(*arguments)[1].startswith("Error: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--cv", "1"), "at least 2 folds"),
        (("--cv", "-3"), "at least 2 folds"),
        (("--cv", "3", "--model", "1"), "one of --model, --train and --cv"),
        (("--train", __file__, "--cv", "2"), "one of --model, --train and --cv"),
        (("--train", __file__, "--model", "1"), "one of --model, --train and --cv"),
    ],
)
def test_evaluate_refuses_options_that_exclude_each_other(arguments, message):
    code, said = refused("evaluate", *arguments)
    assert code == 2
    assert message in said


# data_report


def test_data_report_tells_what_the_kaggle_file_holds(tmp_path):
    rows = [
        book(),
        book(),
        book(path="none"),
        book("Crust", BREAD, "Cooking"),
        book("Sock", DRAGON * 2, "Knitting &amp, Yarn"),
    ]
    path = write_kaggle(tmp_path / "kaggle.csv", rows)
    said = run("data_report", path)
    for line in (
        "kaggle.csv (kaggle)", "5 rows", "1 exact duplicate rows", "3 books (title and author)", "3 labelled books",
        "1 rows whose genre is none", "&amp, in 1 rows", "used, as 2 examples", "no genre given",
        "no genre for the label: Knitting & Yarn (1)", "No example of: ",
    ):  # fmt: skip
        assert line in said
    report = json.loads(run("data_report", path, "--format", "json"))
    assert (report["rows"], report["duplicate_rows"], report["books"], report["labelled_books"]) == (5, 1, 3, 3)
    assert report["rows"] == report["used_rows"] + sum(report["unusable_rows"].values())
    assert sum(map(len, report["unusable_row_numbers"].values())) == sum(report["unusable_rows"].values())
    assert report["genres"] == {"fantasy": 1, "cooking": 1}
    assert report["spellings"] == {"&amp,": 1, "&amp;": 0, "&": 0}


def test_data_report_tells_what_other_files_hold(tmp_path):
    path = write_books(tmp_path / "books.jsonl.gz", [*make_examples(2), Example("too short", ("fantasy",))], "jsonl")
    said = run("data_report", path)
    assert "books.jsonl.gz (jsonl)" in said
    assert "7 rows" in said
    assert "text of fewer than 5 words" in said
    assert json.loads(run("data_report", path, "--format", "json"))["genres"] == {
        "fantasy": 2, "cooking": 2, "business-economics": 2,
    }  # fmt: skip


def test_data_report_takes_a_list_of_genres_of_your_own(tmp_path, books):
    genres = tmp_path / "mine.toml"
    genres.write_text('[[genre]]\nslug = "tales"\nname = "Tales"\naliases = ["fantasy"]\n')
    report = json.loads(run("data_report", books, "--genres", genres, "--format", "json"))
    assert report["genres"] == {"tales": 12}
    assert report["unmapped_labels"] == {"cooking": 12, "business-economics": 12}
    genres.write_text("no toml [")
    assert refused("data_report", books, "--genres", genres)[0] == 1


# train


@pytest.mark.functional
@pytest.mark.django_db
def test_train_registers_a_candidate_and_leaves_the_champion(champion, books, model_dir):
    said = run("train", "--data", books, "--no-feedback", *QUICK, "--seed", "5")
    version = ModelVersion.objects.get(number=2)
    assert version.state == State.CANDIDATE
    assert ModelVersion.objects.get(state=State.CHAMPION) == champion
    assert GenreModel.load(folder_of(version)).slugs == ("business-economics", "cooking", "fantasy")
    assert "books.csv: 36 rows, 36 examples" in said
    assert "Version 2 is a candidate" in said
    assert said.rstrip().endswith("Next: manage.py promote 2")
    meta = version.meta
    assert "Thresholds" not in said
    assert meta["thresholds"] is None
    assert meta["parameters"]["seed"] == 5
    assert meta["n_train"] + meta["n_test"] == 36
    assert meta["inputs"][0]["rows"] == 36
    assert len(meta["inputs"][0]["sha256"]) == len(meta["split_sha256"]) == 64
    assert set(meta["evaluation"]["methods"]) == {"fasttext", "linear_svc", "majority"}
    assert ModelEvent.objects.filter(version=version).values_list("to_state", "by").get() == (
        "candidate",
        operator_name(),
    )


@pytest.mark.functional
@pytest.mark.django_db
def test_train_finds_thresholds_for_the_aim_that_is_named(tmp_path, other_books, model_dir):
    books = write_books(tmp_path / "more.csv", make_examples(20))
    said = run("train", "--data", books, "--test", other_books, "--threshold-for", "precision=0.9", *QUICK)
    meta = ModelVersion.objects.get().meta
    assert meta["thresholds"]["aim"] == "precision=0.9"
    assert set(meta["thresholds"]["genres"]) == {"business-economics", "cooking", "fantasy"}
    assert "Thresholds for precision=0.9: " in said
    assert f"{meta['n_test_without_genre']} of 24 held-out texts get no genre." in said
    model = GenreModel.load(folder_of(ModelVersion.objects.get()))
    texts = [row.split(",")[0] for row in other_books.read_text().splitlines()[1:]]
    unsure = [prediction.abstained for prediction in model.predict_many(texts)].count("no-genre")
    assert unsure == meta["n_test_without_genre"]
    # What the accuracy in the record counts as wrong.
    assert meta["evaluation"]["methods"]["fasttext"]["ndcg"] <= 1 - unsure / 24 + 1e-4


@pytest.mark.functional
@pytest.mark.django_db
def test_the_same_data_and_seed_give_the_same_model(books, model_dir):
    for seed in (1, 1, 2):
        run("train", "--data", books, *QUICK, "--seed", seed)
    first, second, other = ModelVersion.objects.order_by("number").values_list("sha256", flat=True)
    assert first == second
    assert first != other


@pytest.mark.functional
@pytest.mark.django_db
def test_a_model_folder_holds_nobodys_text(books, model_dir):
    run("train", "--data", books, *QUICK)
    folder = folder_of(ModelVersion.objects.get())
    assert sorted(file.name for file in folder.iterdir()) == ["meta.json", "model.bin", SEEN_FILE]
    written = (folder / "meta.json").read_text() + (folder / SEEN_FILE).read_text()
    assert not any(example.text in written or example.title in written for example in make_examples())
    assert len(json.loads((folder / "meta.json").read_text())["canaries"]) == len(CANARIES)


@pytest.mark.functional
@pytest.mark.django_db
def test_train_learns_from_approved_corrections_alone(books, model_dir, correct):
    texts = [f"griffin {number} soars over the moonlit tower of the forgotten queen {number}" for number in range(12)]
    approved = [
        correct(text + f" verse{number} line{number} word{number}", "fantasy") for number, text in enumerate(texts)
    ]
    correct("a pending griffin over the old tower", "fantasy", status=Correction.Status.PENDING)
    correct("a rejected griffin over the old tower", "fantasy", status=Correction.Status.REJECTED)
    correct("a griffin of no genre at all here")
    said = run("train", "--data", books, *QUICK)
    meta = ModelVersion.objects.get().meta
    assert sorted(meta["feedback_train_ids"] + meta["feedback_held_out_ids"]) == [row.pk for row in approved]
    assert f"{meta['feedback_train']} trained on, {meta['feedback_held_out']} held out" in said
    assert "feedback: 12 rows, 12 examples" in said


@pytest.mark.functional
@pytest.mark.django_db
def test_train_without_feedback_looks_at_no_correction(books, model_dir, correct):
    correct(DRAGON, "fantasy")
    run("train", "--data", books, "--no-feedback", *QUICK)
    meta = ModelVersion.objects.get().meta
    assert (meta["feedback_train_ids"], meta["feedback_held_out_ids"]) == ([], [])
    assert [entry["name"] for entry in meta["inputs"]] == ["books.csv"]


def test_corrections_of_retired_genres_are_counted(correct):
    correct(DRAGON, "fantasy")
    kept = correct(BREAD, "cooking", "fantasy")
    Genre.objects.filter(slug="fantasy").update(retired=True)
    corpus = feedback_corpus(current_genres())
    assert [(example.uid, example.genres) for example in corpus.examples] == [(str(kept.pk), ("cooking",))]
    assert {reason: len(rows) for reason, rows in corpus.unusable.items()} == {"its genres were retired": 1}
    assert corpus.n_rows == 2


@pytest.mark.functional
@pytest.mark.django_db
def test_train_measures_on_a_file_of_its_own(books, other_books, model_dir):
    said = run("train", "--data", books, "--test", other_books, *QUICK)
    meta = ModelVersion.objects.get().meta
    assert (meta["n_train"], meta["n_test"]) == (36, 24)
    assert "24 held-out examples; 36 trained on" in said


@pytest.mark.functional
@pytest.mark.django_db
def test_train_takes_several_files(books, other_books, model_dir):
    run("train", "--data", books, "--data", other_books, *QUICK)
    assert [entry["name"] for entry in ModelVersion.objects.get().meta["inputs"][:2]] == ["books.csv", "other.csv"]


def test_train_refuses_a_test_file_that_overlaps_before_it_needs_a_database(tmp_path, books):
    test = write_books(tmp_path / "test.txt", make_examples()[:9], "fasttext")
    code, said = refused("train", "--data", books, "--test", test)
    assert code == 1
    assert "9 of 9 test rows (100%) in test.txt" in said


@pytest.mark.django_db
def test_train_refuses_a_test_file_that_overlaps_with_feedback(tmp_path, books, other_books, model_dir, correct):
    text = other_books.read_text().splitlines()[1].split(",")[0]
    correct(text, "fantasy")
    code, said = refused("train", "--data", books, "--test", other_books)
    assert code == 1
    assert "1 of 24 test rows" in said
    assert not ModelVersion.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"text,label\r\n{DRAGON},fantasy\r\n", "too few to hold some back"),
        (f"text,label\r\n{DRAGON},knitting\r\n", "no usable row"),
        ("\x89PNG\r\n", "no format known"),
    ],
)
def test_train_refuses_data_it_can_not_learn_from_and_leaves_nothing(tmp_path, model_dir, content, message):
    path = tmp_path / "few.csv"
    path.write_text(content)
    code, said = refused("train", "--data", path)
    assert code == 1
    assert message in said
    assert not ModelVersion.objects.exists()
    assert list(model_dir.iterdir()) == []


@pytest.mark.django_db
def test_train_refuses_parameters_out_of_range(books, model_dir):
    code, said = refused("train", "--data", books, "--epoch", "0")
    assert code == 1
    assert "epoch must lie between 1 and 10000" in said


@pytest.mark.functional
@pytest.mark.django_db
def test_train_shows_labels_that_mean_no_genre(books, model_dir):
    with books.open("a", newline="") as stream:
        stream.write(f"{DRAGON},knitting|fantasy,T,A\r\n")
    assert "labels that mean no genre: knitting (1)" in run("train", "--data", books, *QUICK)


@pytest.mark.functional
@pytest.mark.django_db
def test_train_removes_what_killed_trainings_left_and_nothing_else(books, model_dir):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (f".dead.{ended.pid}.tmp", f".alive.{os.getpid()}.tmp", ".no-number.tmp", "finished"):
        (model_dir / name).mkdir()
        (model_dir / name / MODEL_FILE).write_bytes(b"half")
    run("train", "--data", books, *QUICK)
    left = {entry.name for entry in model_dir.iterdir()} - {ModelVersion.objects.get().folder}
    assert left == {f".alive.{os.getpid()}.tmp", ".no-number.tmp", "finished"}
    assert remove_dead_drafts(model_dir) == 0


# evaluate


def test_evaluate_refuses_a_test_file_copied_from_the_training_file(tmp_path):
    """It needs neither a database (pytest-django would refuse it here) nor a model."""
    examples = make_examples()
    train_file = write_books(tmp_path / "train.txt", examples[:30], "fasttext")
    test_file = write_books(tmp_path / "test.txt", examples[23:], "fasttext")
    code, said = refused("evaluate", "--train", train_file, "--data", test_file)
    assert code == 1
    assert (
        "7 of 13 test rows (54%) in test.txt are known from train.txt. Of its 13 different texts 7 have the same"
        in said
    )
    assert "Figures from such a pair mean nothing" in said


def test_evaluate_refuses_copies_that_were_upsampled_or_touched_up(tmp_path):
    examples = make_examples()
    touched = [Example(example.text.replace("number", "no."), example.genres) for example in examples[:5]]
    train_file = write_books(tmp_path / "train.txt", examples * 3, "fasttext")
    test_file = write_books(tmp_path / "test.txt", touched + examples[5:8] * 2, "fasttext")
    said = refused("evaluate", "--train", train_file, "--data", test_file)[1]
    # The three copies stand twice in the file: eight texts in eleven rows.
    assert "11 of 11 test rows (100%)" in said
    assert "Of its 8 different texts 3 have the same text" in said
    assert "3 have the same text, 0 are the same book, 5 nearly repeat a text" in said


@pytest.mark.functional
def test_evaluate_trains_on_one_file_and_tests_on_another_without_a_database(books, other_books):
    said = run("evaluate", "--train", books, "--data", other_books, *QUICK)
    assert "Trained on books.csv, tested on the 24 examples of other.csv" in said
    for column in ("fastText", "TF-IDF + LinearSVC", "majority"):
        assert column in said


@pytest.mark.functional
def test_evaluate_cross_validates_and_writes_metrics_as_json(tmp_path, books):
    path = tmp_path / "new" / "metrics.json"
    said = run("evaluate", "--data", books, "--cv", "2", "--per-genre", "-M", path, *QUICK)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert "2-fold cross-validation by book, 36 examples" in said
    assert "By genre" in said
    assert str(path) in said.err
    assert (written["n_folds"], written["n_examples"], written["n_genres"]) == (2, 36, 3)
    assert written["data"] == "books.csv"
    assert set(written["methods"]) == {"fasttext", "linear_svc", "majority"}
    assert all(list(scores) == list(NAMES) for scores in written["methods"].values())
    assert all(0 <= value <= 1 for scores in written["methods"].values() for value in scores.values())
    assert all(name in said for name in NAMES.values())


@pytest.mark.functional
@pytest.mark.django_db
def test_evaluate_measures_the_champion_or_a_named_version(champion, other_books):
    said = run("evaluate", "--data", other_books)
    assert "version 1 on the test side of other.csv" in said
    assert run("evaluate", "--data", other_books, "--model", "1") == said
    assert run("evaluate", "--data", other_books, "--model", "champion") == said


def test_evaluate_counts_texts_without_genre_as_wrong(unsure_champion, tmp_path, other_books):
    run("evaluate", "--data", other_books, "-M", tmp_path / "metrics.json")
    methods = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["methods"]
    assert set(methods["fasttext"].values()) == {0.0}
    assert methods["majority"]["accuracy"] > 0


@pytest.mark.functional
@pytest.mark.django_db
def test_evaluate_refuses_texts_the_model_was_trained_on(books, other_books, model_dir):
    run("train", "--data", books, "--test", other_books, *QUICK)
    n_test = ModelVersion.objects.get().meta["n_test"]
    assert n_test == 24
    code, said = refused("evaluate", "--data", books, "--model", "1")
    assert code == 1
    assert "version 1 was trained on" in said
    assert "(100%)" in said
    assert "24 examples" not in said
    assert "version 1 on the test side" in run("evaluate", "--data", other_books, "--model", "1")


@pytest.mark.functional
@pytest.mark.django_db
def test_evaluate_measures_a_trained_model_on_the_side_it_never_saw(books, model_dir):
    run("train", "--data", books, *QUICK)
    meta = ModelVersion.objects.get().meta
    promote(1, by="tests")
    assert f"version 1 on the test side of books.csv, {meta['n_test']} examples" in run("evaluate", "--data", books)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "No model answers yet. Run `manage.py ensure_model`"),
        (("--model", "9"), "There is no version 9"),
        (("--model", "best"), "is no version"),
    ],
)
def test_evaluate_names_the_next_step_when_there_is_no_such_model(books, model_dir, arguments, message):
    code, said = refused("evaluate", "--data", books, *arguments)
    assert code == 1
    assert message in said


@pytest.mark.django_db
def test_evaluate_refuses_a_damaged_model(champion, other_books):
    (folder_of(champion) / MODEL_FILE).write_bytes(b"cut")
    code, said = refused("evaluate", "--data", other_books)
    assert code == 1
    assert "does not match the hash" in said


@pytest.mark.functional
def test_evaluate_says_when_the_metrics_can_not_be_written(tmp_path, books):
    code, said = refused("evaluate", "--data", books, "--cv", "2", "-M", tmp_path, *QUICK)
    assert code == 1
    assert str(tmp_path) in said


# models and promote


@pytest.mark.django_db
def test_models_names_the_next_step_when_there_is_none():
    assert "No model yet. Next: manage.py ensure_model" in run("models")
    assert json.loads(run("models", "--format", "json")) == []


def test_models_lists_versions_and_their_history(make_version):
    make_version(), make_version()
    promote(1, by="tests", reason="first")
    promote(2, by="tests", reason="learned corrections")
    rows = json.loads(run("models", "--format", "json"))
    assert [(row["number"], row["state"]) for row in rows] == [(2, "champion"), (1, "retired")]
    assert rows[0]["sha256"][:12] == ModelVersion.objects.get(number=2).sha256[:12]
    events = json.loads(run("models", "--history", "--format", "json"))
    assert [(event["version"], event["change"], event["reason"]) for event in events[:3]] == [
        (2, "candidate → champion", "learned corrections"),
        (1, "champion → retired", "version 2 takes over"),
        (1, "candidate → champion", "first"),
    ]
    assert "champion" in run("models")
    assert "learned corrections" in run("models", "--history")


def test_promote_refuses_a_damaged_version_and_the_champion_stays(champion, make_version):
    version = make_version()
    shutil.copyfile(__file__, folder_of(version) / MODEL_FILE)
    code, said = refused("promote", version.number)
    assert code == 1
    assert "Restore the file, or promote another version" in said
    assert ModelVersion.objects.get(state=State.CHAMPION) == champion


@pytest.mark.django_db
def test_promote_refuses_a_version_that_does_not_exist():
    code, said = refused("promote", "7")
    assert code == 1
    assert "`manage.py models` lists them" in said


# ensure_model


@pytest.mark.functional
@pytest.mark.django_db
def test_ensure_model_gives_a_fresh_installation_its_first_model_once(small_starter, model_dir):
    assert "Version 1 answers." in run("ensure_model")
    version = ModelVersion.objects.get()
    assert version.state == State.CHAMPION
    assert GenreModel.load(folder_of(version)).predict("a dragon and a wizard").scores[0].slug == "fantasy"
    assert has_neighbours(version)
    assert "Version 1 answers." in run("ensure_model")
    assert ModelVersion.objects.count() == 1


@pytest.mark.functional
@pytest.mark.django_db
@pytest.mark.parametrize("harm", ["damaged", "gone"])
def test_ensure_model_replaces_a_champion_that_can_not_be_loaded(small_starter, champion, harm):
    if harm == "damaged":
        (folder_of(champion) / MODEL_FILE).write_bytes(b"cut")
    else:
        shutil.rmtree(folder_of(champion))
    said = run("ensure_model")
    assert "Version 2 answers." in said
    assert "Training on the starter corpus" in said.err
    assert "manage.py rollback --to 1" in said.err
    assert ModelVersion.objects.get(state=State.CHAMPION).number == 2
    event = ModelEvent.objects.get(version__number=2, to_state=State.CHAMPION)
    assert event.reason == "version 1 can't be loaded, nor any good one before it"
    assert (event.forced, event.gate["opponent"]) == (False, None)


@pytest.mark.django_db
def test_ensure_model_leaves_a_damaged_champion_in_charge_while_an_earlier_one_answers(champion, model_dir):
    later = register(copy_model(folder_of(champion), model_dir / "later"), by="tests")
    promote(later.number, by="tests")
    (folder_of(later) / MODEL_FILE).write_bytes(b"cut")
    said = run("ensure_model")
    assert "Version 1 answers." in said
    assert "The champion, version 2, can't be loaded" in said.err and "Restore its files" in said.err
    assert ModelVersion.objects.get(state=State.CHAMPION) == later
    assert ModelVersion.objects.count() == 2


@pytest.mark.functional
@pytest.mark.django_db
def test_ensure_model_promotes_nothing_that_the_gate_blocks(small_starter, model_dir, settings):
    settings.GENRE_GATE_BYTES = 1000
    code, said = refused("ensure_model")
    assert code == 1
    assert said == "The gate blocks version 1: size. `manage.py gate 1` shows why."
    assert ModelVersion.objects.get().state == State.CANDIDATE


# download_data


@pytest.fixture
def empty_data_dir(tmp_path, settings):
    settings.GENRE_DATA_DIR = tmp_path / "data"
    return settings.GENRE_DATA_DIR


def fake_kagglehub(monkeypatch, download):
    module = ModuleType("kagglehub")
    module.dataset_download = download
    monkeypatch.setitem(sys.modules, "kagglehub", module)


def test_download_data_offline_says_where_to_put_the_file(empty_data_dir, monkeypatch):
    def offline(*arguments, **options):
        raise ConnectionError("no network")

    fake_kagglehub(monkeypatch, offline)
    code, said = refused("download_data")
    assert code == 1
    assert "Kaggle can't be reached (ConnectionError)" in said
    assert "https://www.kaggle.com/datasets/bilalyussef/google-books-dataset" in said
    assert f"put google_books_1299.csv at {empty_data_dir / 'google_books_1299.csv'}" in said
    assert not empty_data_dir.exists()


def test_download_data_without_kagglehub_says_where_to_put_the_file(empty_data_dir, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    code, said = refused("download_data")
    assert code == 1
    assert "kagglehub is not installed" in said
    assert str(empty_data_dir) in said


def test_download_data_puts_the_file_in_its_place_once(tmp_path, empty_data_dir, monkeypatch):
    asked = []
    source = write_kaggle(tmp_path / "cached.csv", [book()])

    def download(dataset, *, path):
        asked.append((dataset, path))
        return str(source)

    fake_kagglehub(monkeypatch, download)
    target = empty_data_dir / "google_books_1299.csv"
    assert f"data_report {target}" in run("download_data")
    assert "is here already" in run("download_data")
    assert asked == [("bilalyussef/google-books-dataset", "google_books_1299.csv")]
    assert target.read_bytes() == source.read_bytes()
    assert [file.name for file in empty_data_dir.iterdir()] == [target.name]


@pytest.mark.parametrize("content", [None, "not json", "{}", "[1]"])
def test_evaluate_refuses_a_model_whose_record_of_training_is_gone(champion, model_dir, books, content):
    path = model_dir / champion.folder / "seen.json"
    path.unlink() if content is None else path.write_text(content)
    code, said = refused("evaluate", "--data", books)
    assert code == 1
    assert "nobody knows what version 1 was trained on" in said
