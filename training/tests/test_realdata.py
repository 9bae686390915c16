"""The real Kaggle file, read in place through GENRE_DATA_DIR. No row of it may enter the project."""

import csv
import hashlib
import io
import json

import pytest
from django.core.management import call_command

from benchmarks.explain import delete_words, shipped_model, unseen_texts
from classifier.core.genres import canonical_genres
from classifier.core.text import tokens
from classifier.models import ModelVersion
from classifier.registry import load_version
from training.core.baselines import linear_svc
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.fit import fit
from training.core.kaggle import DUPLICATE, describe_kaggle, read_frame
from training.core.pinned import read_four_files, read_kaggle_primary
from training.core.split import find_overlap, frozen_split, group_books, stratified_folds, text_key
from training.core.vectors import BOOK_VECTORS, load_vectors, teach

pytestmark = pytest.mark.realdata
FILE = "google_books_1299.csv"


@pytest.fixture
def corpus(data_dir):
    return read_corpus(data_dir / FILE, canonical_genres())


@pytest.fixture
def report(data_dir):
    with (data_dir / FILE).open(encoding="utf-8", newline="") as stream:
        return describe_kaggle(read_frame(io.StringIO(stream.read(), newline=""), FILE))


def book_name(example):
    return hashlib.sha256(f"{example.title}\x1f{example.author}".encode()).hexdigest()[:16]


def test_it_is_the_published_file(corpus):
    assert corpus.file_format == "kaggle"
    assert corpus.sha256.startswith("5cbd8c80")
    assert corpus.sha256.endswith("434f")


def test_its_rows_and_books_are_counted(report):
    assert (report.n_rows, report.n_duplicate_rows, report.n_books, report.n_labelled) == (1299, 351, 247, 242)
    assert report.n_descriptions == 245
    assert report.n_none_rows == 527
    assert report.spellings == {"&amp,": 374, "&amp;": 0, "&": 71}
    # Counted by a reader of its own in the notes on the data: books by the top level of their paths.
    tops = {"Fiction": 112, "Comics & Graphic Novels": 51, "Business & Economics": 49, "Self-Help": 23}
    assert {name: report.levels[0][name] for name in tops} == tops


def test_every_row_is_used_or_has_its_reason(corpus):
    refused = [row for rows in corpus.unusable.values() for row in rows]
    assert corpus.n_rows == 1299 == corpus.n_used_rows + len(refused)
    assert len(set(refused)) == len(refused)
    assert set(refused) <= set(range(1, 1300))
    assert len(corpus.unusable[DUPLICATE]) == 351
    assert len(corpus.examples) <= 242


def test_the_report_of_the_command_says_the_same(data_dir):
    out = io.StringIO()
    call_command("data_report", str(data_dir / FILE), "--format", "json", stdout=out)
    report = json.loads(out.getvalue())
    assert (report["rows"], report["duplicate_rows"], report["books"], report["labelled_books"]) == (
        1299,
        351,
        247,
        242,
    )
    assert report["rows"] == report["used_rows"] + sum(report["unusable_rows"].values())


def test_every_pinned_primary_genre_is_ours(corpus, data_dir):
    pinned_file = data_dir / "kaggle_primary.csv"
    if not pinned_file.exists():
        pytest.skip("kaggle_primary.csv is not in GENRE_DATA_DIR")
    with pinned_file.open(encoding="utf-8", newline="") as stream:
        pinned = {row["book"]: row["genre"] for row in csv.DictReader(stream)}
    genres = canonical_genres()
    ours = {book_name(example): genres[example.genres[0]].name for example in corpus.examples}
    assert len(pinned) == 211
    assert {book: ours.get(book) for book in pinned} == pinned


def test_no_book_stands_on_two_sides(corpus):
    examples = corpus.examples
    split = frozen_split(examples)
    groups = group_books(examples)
    train, test = [examples[at] for at in split.train], [examples[at] for at in split.test]
    assert sorted([*split.train, *split.test]) == list(range(len(examples)))
    assert not set(groups[split.train]) & set(groups[split.test])
    assert not {book_name(example) for example in train} & {book_name(example) for example in test}
    assert find_overlap(train, test).n_overlapping == 0
    assert 0.1 < len(test) / len(examples) < 0.35
    folds = stratified_folds(examples, canonical_genres().slugs, n_folds=5)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))


@pytest.mark.django_db
def test_training_on_it_finishes_and_the_model_answers(data_dir, model_dir):
    out = io.StringIO()
    call_command("train", "--data", str(data_dir / FILE), "--no-feedback", stdout=out, stderr=io.StringIO())
    version = ModelVersion.objects.get()
    scores = version.meta["evaluation"]["methods"]
    assert "Next: manage.py promote 1" in out.getvalue()
    assert scores["fasttext"]["f1_microavg"] > scores["majority"]["f1_microavg"]
    assert load_version(version).predict("The detective found the body in the library").scores


def test_the_vectors_inputs_hold_no_text_or_title_of_the_kaggle_file(data_dir):
    genres = canonical_genres()
    kaggle = read_corpus(data_dir / "google_books_1299.csv", genres).examples
    texts, titles = {text_key(book.text) for book in kaggle}, {tuple(tokens(book.title)) for book in kaggle}
    starter = read_corpus(STARTER_FILE, genres).examples
    inputs = [*starter, *(pinned.example for pinned in read_four_files(data_dir, genres))]
    assert len(inputs) > 25_000
    assert [example.title for example in inputs if text_key(example.text) in texts] == []
    assert [example.title for example in inputs if tuple(tokens(example.title)) in titles] == []
    assert not texts & load_vectors(BOOK_VECTORS).seen


def test_word_vectors_lift_the_pinned_kaggle_books_above_the_linear_baseline(data_dir):
    genres = canonical_genres()
    vectors = teach([pinned.example for pinned in read_four_files(data_dir, genres)])
    books = read_kaggle_primary(data_dir, genres)
    slugs = sorted({book.example.genres[0] for book in books})
    right = {"ours": 0, "linear_svc": 0}
    for fold in sorted({book.side for book in books}):
        train = [book.example for book in books if book.side != fold]
        test = [book.example for book in books if book.side == fold]
        model = fit(train, vectors=vectors)
        right["ours"] += sum(model.predict(book.text).scores[0].slug == book.genres[0] for book in test)
        best = linear_svc(train, test, slugs, 0).argmax(axis=1)
        right["linear_svc"] += sum(slugs[at] == book.genres[0] for at, book in zip(best, test, strict=True))
    assert len(books) == 211
    assert right["ours"] >= right["linear_svc"] + 4


def test_without_its_heaviest_words_a_text_loses_its_genre_more_than_without_others(data_dir):
    starter = read_corpus(STARTER_FILE, canonical_genres()).examples
    found = delete_words(shipped_model(starter), unseen_texts(data_dir), 500)
    assert len(found.heaviest) == 500
    assert found.wins >= 0.8
