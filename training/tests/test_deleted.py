"""What was deleted here does not come back by training, and versions that learned from it are known."""

import io
import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from classifier.core.examples import LabelledText, write_examples
from classifier.core.genres import canonical_genres
from classifier.models import Genre
from classifier.predictions import hash_text
from conftest import make_examples
from feedback.actions import withdraw
from feedback.models import Correction
from training.inputs import read_books
from training.pipeline import TrainingPlan, make_model

pytestmark = pytest.mark.django_db
GENRES = canonical_genres()


@pytest.fixture
def correct(db):
    """Return a function that stores an approved correction."""

    def correct(text, slug="fantasy", **fields):
        values = {"source": "page", "verdict": "genres", "status": "approved", "chosen": [slug]}
        row = Correction.objects.create(text=text, text_hash=hash_text(text), **values | fields)
        row.genres.set(Genre.objects.filter(slug=slug))
        return row

    return correct


@pytest.fixture
def rows(correct):
    """Approved corrections: the small corpus."""
    return [correct(example.text, example.genres[0]) for example in make_examples()]


def export(path, file_format="csv"):
    call_command("export_feedback", "--format", file_format, "-O", str(path), stderr=io.StringIO())
    return path


def texts_of(corpus):
    return {" ".join(example.text.lower().split()) for example in corpus.examples}


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "fasttext", "annif"])
def test_an_export_from_before_a_withdrawal_teaches_nothing_of_it(rows, tmp_path, file_format):
    path = export(tmp_path / "old", file_format)
    assert len(read_books(path, GENRES).examples) == len(rows)
    lost = rows[0].text.lower()
    withdraw(correction=rows[0])
    corpus = read_books(path, GENRES)
    assert len(corpus.examples) == len(rows) - 1
    assert lost not in texts_of(corpus)
    assert corpus.unusable == {"deleted by whoever sent it, or as old": [1]}


def test_a_receipt_is_enough_when_the_sites_key_is_another(rows, tmp_path, settings):
    path = export(tmp_path / "old.csv")
    withdraw(correction=rows[3])
    settings.SECRET_KEY = "another key, by which texts have other hashes"
    assert read_books(path, GENRES).unusable == {"deleted by whoever sent it, or as old": [4]}


def test_a_tombstone_is_no_example_and_is_counted_as_what_it_is(rows, tmp_path):
    withdraw(correction=rows[0])
    corpus = read_books(export(tmp_path / "new.csv"), GENRES)
    assert len(corpus.examples) == len(rows) - 1
    assert list(corpus.unusable) == ["deleted by whoever sent it, or as old"]


def test_the_starter_corpus_is_the_sites_own_whoever_withdrew_one_of_its_texts(rows, tmp_path, monkeypatch):
    path = export(tmp_path / "starter.csv")
    withdraw(correction=rows[0])
    monkeypatch.setattr("training.inputs.STARTER_FILE", path)
    assert len(read_books(path, GENRES).examples) == len(rows)


@pytest.fixture
def trained(rows, tmp_path, fit_here):
    """What ``meta.json`` says of a model made from an export of the corrections, beside a book of another's."""
    path = export(tmp_path / "export.csv")
    other = LabelledText("a recipe of another with butter and flour and sugar", ("cooking",))
    with (tmp_path / "books.csv").open("w", newline="") as stream:
        write_examples([other], stream, "csv")
    plan = TrainingPlan(paths=(path, tmp_path / "books.csv"), use_feedback=False, overrides={"epoch": 5, "dim": 5})
    made = make_model(plan, GENRES, folder=tmp_path / "model", report=lambda *_: None)
    return json.loads((made.folder / "meta.json").read_text())


def models():
    told = [io.StringIO(), io.StringIO()]
    call_command("models", "--format", "json", stdout=told[0])
    call_command("models", stdout=told[1])
    return [row["taken_back"] for row in json.loads(told[0].getvalue())], told[1].getvalue()


def test_a_version_that_learned_from_an_export_is_known_to_have_learned_from_its_corrections(rows, trained):
    held_out = {row.pk for row in rows} - set(trained["feedback_file_ids"])
    assert len(trained["feedback_file_ids"]) + len(held_out) == len(rows)
    assert 0 < len(held_out) < len(rows) / 2
    assert trained["feedback_train_ids"] == []


def test_models_and_the_admin_say_how_many_corrections_were_taken_back_since(rows, trained, make_version, admin_client):
    learned = trained["feedback_file_ids"]
    from_file = make_version(feedback_file_ids=learned)
    from_database = make_version(feedback_train_ids=[rows[0].pk])
    clean = make_version()
    assert "taken back" not in models()[1]
    for row in Correction.objects.filter(pk__in=learned[1:3]):
        withdraw(correction=row)
    withdraw(correction=rows[0])
    n_lost = len({*learned[1:3], rows[0].pk} & set(learned))
    taken, table = models()
    assert taken == ["", "1 withdrawn", f"{n_lost} withdrawn"]
    assert "taken back" in table
    pages = [
        admin_client.get(reverse("admin:classifier_modelversion_change", args=[version.pk])).content.decode()
        for version in (from_file, from_database, clean)
    ]
    assert f"{len(learned)}; taken back since: {n_lost} withdrawn; the next training does without them" in pages[0]
    assert "1; taken back since: 1 withdrawn" in pages[1]
    assert "taken back since" not in pages[2]
