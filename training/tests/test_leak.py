"""What a careless split leaks, against values worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from classifier.core.errors import CorpusError
from classifier.core.genres import canonical_genres
from training.core.corpora import read_corpus
from training.core.leak import (
    BY_BOOK,
    BY_GROUP,
    BY_ROW,
    genre_shift,
    leak_table,
    measure_leak,
    most_merged,
    near_copies,
)
from training.core.split import group_books
from training.core.table import books_table, read_rows
from training.tests.helpers import BREAD, book, write_kaggle

GENRES = canonical_genres()
LONG = "the lighthouse keeper counts every wave that breaks below her window until the winter storm takes her lamp away"


def made_rows(books, slugs):
    return pd.DataFrame({"book": books, "slugs": slugs})


def test_rows_split_at_random_leak_as_often_as_the_hypergeometric_law_says():
    # 400 books of two rows, 160 of 800 rows tested: a tested row's twin is one of the 799 others, 640 of them in train.
    rows = made_rows(np.repeat(np.arange(400), 2), [("fantasy",)] * 800)
    by_row, by_book, by_group = measure_leak(rows, np.arange(400))
    assert np.mean(by_row.known) == pytest.approx(640 / 799, abs=0.02)
    assert by_book.known == by_group.known == (0.0,) * 10
    assert [by_row.n_units, by_book.n_units, by_group.n_units] == [800, 400, 400]


def test_near_copies_leak_from_a_split_of_books_until_they_are_kept_together():
    rows = made_rows(np.arange(800), [("fantasy",)] * 800)
    ways = {way.way: way for way in measure_leak(rows, np.repeat(np.arange(400), 2))}
    assert ways[BY_ROW].known == ways[BY_BOOK].known
    assert np.mean(ways[BY_BOOK].known) == pytest.approx(640 / 799, abs=0.02)
    assert ways[BY_GROUP].known == (0.0,) * 10


def test_the_table_of_leaks_holds_means_and_ends():
    rows = made_rows(np.repeat(np.arange(400), 2), [("fantasy",)] * 800)
    leaks = measure_leak(rows, np.arange(400))
    table = leak_table(leaks)
    assert table["way"].tolist() == [BY_ROW, BY_BOOK, BY_GROUP]
    first = table.iloc[0]
    assert (first["lowest"], first["highest"]) == (min(leaks[0].known), max(leaks[0].known))
    assert first["known"] == pytest.approx(sum(leaks[0].known) / 10)
    assert first["right"] == 1


def test_a_look_up_that_learns_nothing_looks_right_only_where_rows_leak():
    slugs = [slug for slug in ("fantasy", "cooking", "romance", "history") for _ in range(40)]
    rows = made_rows(np.repeat(np.arange(40), 4), [(slug,) for slug in slugs])
    by_row, _, by_group = measure_leak(rows, np.arange(40))
    # A row is alone in the test side with its three copies less than once in a hundred.
    assert np.mean(by_row.right) > 0.95
    assert np.mean(by_group.right) < 0.35


def test_a_row_with_another_genre_than_its_book_is_not_credited():
    # Of a book's three rows only the two of the first genre can be right: unless, of the other two, that genre is
    # tested too and the other stays in train.
    slugs = [("fantasy",), ("fantasy",), ("travel",)] * 100
    by_row = measure_leak(made_rows(np.repeat(np.arange(100), 3), slugs), np.arange(100))[0]
    assert np.mean(by_row.right) == pytest.approx(2 / 3 * (1 - 59 / 299 * 240 / 298), abs=0.02)


def test_the_same_seeds_give_the_same_figures():
    rows = made_rows(np.repeat(np.arange(20), 2), [("fantasy",)] * 40)
    assert measure_leak(rows, np.arange(20), seeds=(3, 4)) == measure_leak(rows, np.arange(20), seeds=(3, 4))
    assert (
        measure_leak(rows, np.arange(20), seeds=(3,))[0].known != measure_leak(rows, np.arange(20), seeds=(4,))[0].known
    )


@pytest.mark.parametrize(
    ("books", "slugs", "groups"),
    [
        ([], [], []),
        ([0, 0], [("fantasy",)] * 2, [0]),
        ([0, 1], [("fantasy",)] * 2, [0, 0]),
        ([0, 1], [("fantasy",), ()], [0, 1]),
        ([0, -1], [("fantasy",)] * 2, [0]),
    ],
)
def test_fewer_than_two_books_cannot_be_split(books, slugs, groups):
    with pytest.raises(CorpusError, match="at least two different books"):
        measure_leak(made_rows(books, slugs), np.array(groups, dtype=np.intp))


@pytest.fixture
def tables(tmp_path):
    path = write_kaggle(
        tmp_path / "books.csv",
        [
            book("Lamp", LONG, "Fiction , Fantasy"),
            book("Lamp", LONG, "Fiction , Fantasy , Epic"),
            book("Lamp", LONG, "none"),
            book("Lamp, illustrated", LONG + " and again", "Fiction , Romance"),
            book("Crust", BREAD, "Cooking , Methods"),
            book("Crust", BREAD, "Cooking , Methods", price="3"),
            book("Crust", BREAD, "Cooking , Methods", price="4"),
        ],
    )
    corpus = read_corpus(path, GENRES)
    rows = read_rows(corpus, GENRES)
    return corpus, rows, books_table(corpus, rows, GENRES)


def test_merging_shifts_how_frequent_genres_are(tables):
    _, rows, table = tables
    shift = genre_shift(rows, table).set_index("slug")
    assert list(shift.index) == ["cooking", "fantasy", "romance"]
    assert shift.loc["cooking"].to_dict() == {
        "rows": 3,
        "books": 1,
        "row_share": 0.5,
        "book_share": pytest.approx(1 / 3),
    }


def test_the_example_of_merging_is_the_book_with_the_most_paths(tables):
    _, rows, table = tables
    assert table["title"][most_merged(rows)] == "Lamp"
    assert most_merged(rows[rows["book"] < 0]) == -1


def test_books_that_nearly_repeat_each_other_are_listed_together(tables):
    corpus, _, table = tables
    copies = near_copies(table, group_books(corpus.examples))
    assert list(copies[["group", "title"]].itertuples(index=False, name=None)) == [
        (1, "Lamp"),
        (1, "Lamp, illustrated"),
    ]
    assert near_copies(table[:0], np.array([], dtype=np.intp)).empty
