"""The page of similar texts: nearest texts, how good each method is, and what to do when there is nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from conftest import make_examples
from training.core.embeddings import METHODS
from training.tests.helpers import write_books

PAGE = Path(__file__).resolve().parent.parent / "screens" / "similar.py"
pytestmark = [pytest.mark.functional, pytest.mark.filterwarnings("default")]


@pytest.fixture
def page():
    from streamlit.testing.v1 import AppTest

    return AppTest.from_file(str(PAGE), default_timeout=30)


@pytest.fixture
def small(page, tmp_path):
    page.session_state["data_path"] = str(write_books(tmp_path / "books.csv"))
    return page


def test_it_opens_on_the_starter_corpus_and_says_what_to_do(page):
    page.run()
    assert not page.exception
    assert "Choose a book" in page.info[0].value


def test_a_book_shows_its_nearest_and_the_methods_are_measured(small):
    small.run()
    small.selectbox[0].set_value(0).run()
    assert not small.exception
    assert set(small.dataframe[0].value["genres"].head(3)) == {"Fantasy"}
    small.button(key="similar_measure").click().run()
    assert not small.exception
    assert small.dataframe[1].value["method"].tolist() == ["TF-IDF", "random"]


def test_another_book_can_be_chosen_after_measuring(small):
    small.run()
    small.button(key="similar_measure").click().run()
    for row in (0, 35):
        small.selectbox[0].set_value(row).run()
        assert not small.exception
        assert small.dataframe[-1].value["method"].tolist() == ["TF-IDF", "random"]
    # The figures are those of these methods.
    small.multiselect(key="similar_methods").set_value(["tfidf", "fasttext"]).run()
    assert not small.exception
    assert len(small.dataframe) == 2


def test_what_was_learned_outlives_the_lab(small, monkeypatch):
    import streamlit as st

    small.run()
    small.selectbox[0].set_value(0).run()
    small.button(key="similar_measure").click().run()
    st.cache_resource.clear()
    # As after a restart: nothing may be learned again.
    monkeypatch.setitem(METHODS, "tfidf", None)
    small.selectbox[0].set_value(1).run()
    assert not small.exception
    assert set(small.dataframe[0].value["genres"].head(3)) == {"Fantasy"}
    assert small.dataframe[1].value["method"].tolist() == ["TF-IDF", "random"]


def test_of_two_books_with_one_title_the_chosen_one_is_asked_about(page, tmp_path):
    books = make_examples()
    books = [books[0], replace(books[35], title=books[0].title), *books[1:35]]
    page.session_state["data_path"] = str(write_books(tmp_path / "books.csv", books))
    page.run()
    assert page.selectbox[0].options[:2] == [f"{books[0].title} (Test, row {row})" for row in (1, 2)]
    genres = []
    for row in (0, 1):
        page.selectbox[0].set_value(row).run()
        genres.append(page.dataframe[0].value["genres"][0])
    assert genres == ["Fantasy", "Business & Economics"]


def test_a_search_narrows_the_books_one_may_choose(small):
    small.run()
    assert len(small.selectbox[0].options) == 36
    small.text_input(key="similar_search").set_value("oven whisk").run()
    assert not small.exception
    assert 0 < len(small.selectbox[0].options) < 36
    small.text_input(key="similar_search").set_value("zzz").run()
    assert not small.exception
    assert "Use fewer" in small.info[0].value


def test_a_pasted_text_that_is_too_short_is_told_so(small):
    small.run()
    small.radio(key="similar_kind").set_value("A text of mine").run()
    small.text_area(key="similar_text").set_value("Too short").run()
    assert not small.exception
    assert "too short" in small.error[0].value


def test_one_book_has_no_neighbours_and_is_too_little_to_measure(page, tmp_path):
    page.session_state["data_path"] = str(write_books(tmp_path / "one.csv", make_examples()[:1]))
    page.run()
    page.selectbox[0].set_value(0).run()
    page.button(key="similar_measure").click().run()
    assert not page.exception
    assert "larger" in page.info[0].value
    assert "too few" in page.error[0].value


def test_a_broken_file_gets_one_clear_error(page, tmp_path):
    path = tmp_path / "picture.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    page.session_state["data_path"] = str(path)
    page.run()
    assert not page.exception
    assert len(page.error) == 1
