"""A dataset as a table: rows unmerged, books with their facts, filters, counts, and the file that comes out."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from classifier.core.genres import canonical_genres
from training.core.books import NO_LABEL, SAME_TEXT
from training.core.corpora import read_corpus
from training.core.kaggle import DUPLICATE
from training.core.table import (
    Filters,
    as_csv,
    books_table,
    depth,
    genre_counts,
    length_histogram,
    level_counts,
    read_rows,
    select,
    together,
)
from training.tests.helpers import BREAD, DRAGON, book, write_books, write_kaggle

GENRES = canonical_genres()
FILE = (
    book(path="Fiction , Fantasy , General", published_date="Jul 31, 2014", language="English", price="1,043.28"),
    book(path="none", published_date="Jul 31, 2014", language="English"),
    book(path="Fiction , Romance", published_date="Jul 31, 2014", language="English"),
    book(path="Fiction , Romance", published_date="Jul 31, 2014", language="English"),
    book("Crust", BREAD, "Cooking , Methods", rating="", page_count="96", published_date="186", language="German"),
    book("Lost", "Nobody said what this book is, and so nobody finds it.", "none"),
)


@pytest.fixture
def tables(tmp_path):
    """Return a function from a path (default: the small file above) to its rows and its books."""

    def read(path=None):
        corpus = read_corpus(path or write_kaggle(tmp_path / "books.csv", FILE), GENRES)
        rows = read_rows(corpus, GENRES)
        return rows, books_table(corpus, rows, GENRES)

    return read


def test_the_rows_stand_as_in_the_file_and_name_their_book_or_why_they_have_none(tables):
    rows, _ = tables()
    assert list(rows.index) == [1, 2, 3, 4, 5, 6]
    assert list(rows["book"]) == [0, 0, 0, 0, 1, -1]
    assert list(rows["reason"]) == ["", NO_LABEL, "", DUPLICATE, "", NO_LABEL]
    assert list(rows["paths"])[:3] == [("Fiction / Fantasy / General",), (), ("Fiction / Romance",)]
    assert list(rows["slugs"])[:3] == [("fantasy",), (), ("romance",)]


def test_a_book_has_the_facts_of_the_file_as_numbers_and_those_that_cannot_be_are_unknown(tables):
    _, books = tables()
    ember, crust = books.to_dict("records")
    assert (ember["rating"], ember["pages"], ember["year"], ember["price"]) == (4.5, 320, 2014, 1043.28)
    assert (ember["rows"], ember["language"], ember["genres"]) == (4, "English", "Fantasy, Romance")
    assert ember["paths"] == ("Fiction / Fantasy / General", "Fiction / Romance")
    assert (crust["pages"], crust["language"]) == (96, "German")
    assert np.isnan(crust["rating"])
    assert np.isnan(crust["year"])


def test_an_isbn_is_no_page_count(tables, tmp_path):
    path = write_kaggle(tmp_path / "books.csv", [book(page_count="9780553213119"), book("Crust", BREAD, "Cooking")])
    assert tables(path)[1]["pages"].dropna().tolist() == [320]


def test_a_file_without_facts_has_no_columns_of_them(tables, tmp_path):
    _, books = tables(write_books(tmp_path / "plain.csv"))
    assert list(books) == ["title", "author", "genres", "words", "rows", "text", "paths", "slugs"]
    assert len(books) == 36


def test_rows_of_one_text_in_other_letters_are_one_book(tables, tmp_path):
    path = tmp_path / "books.csv"
    path.write_text(f"text,label\n{DRAGON},fantasy\n{DRAGON.upper()},romance\n{DRAGON}!,fantasy\n", encoding="utf-8")
    rows, books = tables(path)
    assert list(rows["book"]) == [0, 0, 0]
    assert list(rows["reason"]) == ["", "", SAME_TEXT]
    assert (list(books["rows"]), list(books["paths"])) == ([3], [("Fantasy", "Romance")])


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "fasttext", "annif"])
def test_every_format_the_loader_reads_becomes_the_same_table(tables, tmp_path, file_format):
    _, books = tables(write_books(tmp_path / f"books.{file_format}", file_format=file_format))
    assert list(level_counts(books, 1)["books"]) == [12, 12, 12]


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        (Filters(), ["Ember", "Crust"]),
        (Filters(words="DRAGON spells"), ["Ember"]),
        (Filters(words="dragon loaves"), []),
        (Filters(words="methods"), ["Crust"]),
        (Filters(genres=("romance", "history")), ["Ember"]),
        (Filters(path="Fiction"), ["Ember"]),
        (Filters(path="Fiction / Fan"), []),
        (Filters(path="Cooking / Methods"), ["Crust"]),
        (Filters(languages=("German",)), ["Crust"]),
        (Filters(ranges=(("pages", 96, 320),)), ["Ember", "Crust"]),
        (Filters(ranges=(("pages", 97, 400),)), ["Ember"]),
        (Filters(ranges=(("rating", 0, 5),)), ["Ember"]),
        (Filters(words="nothing", path="Fiction"), []),
    ],
)
def test_only_books_that_pass_every_filter_stay(tables, filters, titles):
    assert list(select(tables()[1], filters)["title"]) == titles


def test_a_level_counts_each_book_once_however_many_paths_it_has(tables):
    _, books = tables()
    assert depth(books) == 3
    first = level_counts(books, 1)
    assert list(first["path"]) == ["Cooking", "Fiction"]
    assert (list(first["books"]), list(first["share"])) == ([1, 1], [0.5, 0.5])
    assert list(level_counts(books, 2, under="Fiction")["path"]) == ["Fiction / Fantasy", "Fiction / Romance"]
    assert level_counts(books, 4).empty


def test_a_book_counts_for_every_genre_it_has():
    table = pd.DataFrame({"slugs": [("fantasy", "romance"), ("fantasy",), ("cooking",), ("romance",)]})
    assert [tuple(row) for row in genre_counts(table, GENRES).itertuples(index=False)] == [
        ("Fantasy", 2, 0.5),
        ("Romance", 2, 0.5),
        ("Cooking", 1, 0.25),
    ]
    assert genre_counts(table[:0], GENRES).empty


def test_genres_that_meet_are_counted_in_both_orders_with_each_ones_share(tables):
    table = pd.DataFrame({"slugs": [("fantasy", "romance"), ("fantasy",), ("cooking",), ("romance", "fantasy")]})
    pairs = together(table, GENRES)
    assert [tuple(pair) for pair in pairs.itertuples(index=False)] == [
        ("Fantasy", "Romance", 2, pytest.approx(2 / 3)),
        ("Romance", "Fantasy", 2, 1.0),
    ]
    assert together(table[2:3], GENRES).empty


@pytest.mark.parametrize(
    ("words", "bins"),
    [
        ([], []),
        ([7], [(7, 7, 1)]),
        ([1, 2, 3, 4, 5, 6], [(1, 2, 2), (3, 4, 2), (5, 6, 2)]),
        ([0] * 500 + [5] * 499 + [900], [(0, 1, 500), (2, 3, 0), (4, 900, 500)]),
    ],
)
def test_lengths_fall_into_equal_bins_and_the_last_one_holds_the_longest(words, bins):
    frame = length_histogram(pd.Series(words, dtype=int), n_bins=3)
    assert list(frame.itertuples(index=False, name=None)) == bins


def test_what_is_downloaded_reads_back_as_the_same_books(tables, tmp_path):
    _, books = tables()
    path = tmp_path / "again.csv"
    path.write_bytes(as_csv(books))
    _, again = tables(path)
    same = ["title", "author", "genres", "rating", "pages", "year", "price", "language", "text"]
    pd.testing.assert_frame_equal(again[same], books[same])


def test_no_cell_of_a_download_runs_as_a_formula(tables, tmp_path):
    path = write_kaggle(tmp_path / "books.csv", [book("=HYPERLINK(1)", f"-{DRAGON}", author="@SUM(A1)")])
    rows = list(csv.reader(io.StringIO(as_csv(tables(path)[1]).decode())))
    assert rows[0][:5] == ["text", "label", "title", "author", "rows"]
    assert rows[1][:5] == [f"'-{DRAGON}", "fantasy", "'=HYPERLINK(1)", "'@SUM(A1)", "1"]
