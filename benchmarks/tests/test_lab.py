"""The lab's benchmark: medians against their limits, and made-up books that the lab can use."""

import pytest

from benchmarks.busy_lab import save_runs, synthetic, write_books, write_many
from benchmarks.lab import FIRST_LIMITS, SECOND_LIMIT, judged, most_megabytes
from classifier.core.genres import canonical_genres
from training.core.corpora import read_corpus
from training.lab import DONE, runs


@pytest.mark.parametrize(
    ("kind", "first", "second", "is_in_time"),
    [
        # One slow visit of three is an accident.
        ("kaggle", [9.0, 1.9, 1.9], [0.1, 0.1, 9.0], True),
        ("kaggle", [2.1, 2.1, 0.1], [0.1, 0.1, 0.1], False),
        ("books", [2.1, 2.1, 0.1], [0.1, 0.1, 0.1], True),
        ("books", [0.1, 0.1, 0.1], [1.1, 1.1, 0.1], False),
    ],
)
def test_a_page_is_in_time_when_the_medians_of_both_kinds_of_visit_are(kind, first, second, is_in_time):
    (row,) = judged(kind, {"dataset": {"first": first, "second": second}})
    assert row["is_in_time"] == is_in_time
    assert (row["first_limit_s"], row["second_limit_s"]) == (FIRST_LIMITS[kind], SECOND_LIMIT)
    assert row["first_s"] == sorted(first)[1]


@pytest.mark.functional
def test_made_up_books_are_usable_distinct_and_the_same_each_time(tmp_path):
    books = list(synthetic(40))
    assert books == list(synthetic(40))
    corpus = read_corpus(write_books(tmp_path / "books.csv", iter(books)), canonical_genres())
    assert len(corpus.examples) == 40
    assert not corpus.unusable
    assert any(len(example.genres) == 2 for example in corpus.examples)


@pytest.mark.functional
def test_books_are_made_up_where_the_real_ones_are_absent(tmp_path):
    assert write_many(tmp_path / "books.csv", 5, tmp_path) == "0 real books and 5 made up"
    assert len(read_corpus(tmp_path / "books.csv", canonical_genres()).examples) == 5


@pytest.mark.functional
def test_runs_that_ended_are_runs_to_the_lab(tmp_path, settings):
    settings.GENRE_LAB_DIR = tmp_path
    save_runs(tmp_path)
    assert {run.state for run in runs()} == {DONE}


@pytest.mark.functional
def test_the_memory_told_is_the_most_that_was_held():
    held = bytearray(b"x") * (200 * 2**20)
    assert most_megabytes() >= 200
    del held
    # What was let go of counts; the kernel's own count is off by some pages.
    assert most_megabytes() >= 199
