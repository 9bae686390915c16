"""The page Clusters clusters on demand and says what to do where it can't."""

from pathlib import Path

import pytest

from conftest import make_examples
from training.tests.helpers import write_books

PAGE = Path(__file__).resolve().parent.parent / "screens" / "clusters.py"

# Streamlit's own code warns about its dependencies now and then.
pytestmark = [pytest.mark.functional, pytest.mark.filterwarnings("default")]


@pytest.fixture
def page():
    from streamlit.testing.v1 import AppTest

    return AppTest.from_file(str(PAGE), default_timeout=30)


def opened(page, path):
    page.session_state.data_path = str(path)
    return page.run()


def test_it_opens_on_the_starter_corpus_and_waits_for_the_button(page):
    page.run()
    assert not page.exception
    assert "Find clusters" in page.info[0].value


def test_the_button_shows_figures_map_words_and_the_paragraph(page, fit_here, tmp_path):
    opened(page, write_books(tmp_path / "books.csv"))
    page.button(key="cluster_go").click().run()
    assert not page.exception
    assert any("As a genre detector" in text.value for text in page.markdown)
    assert [heading.value for heading in page.subheader] == [
        "Do the clusters agree with the genres?",
        "Map",
        "What names each cluster",
        "Books whose cluster contradicts their genres",
    ]
    figures, words, _ = (frame.value for frame in page.dataframe)
    assert list(figures.columns) == ["clusters", "at random"]
    assert words["texts"].sum() == 36
    page.selectbox(key="cluster_map").set_value("tsne").run()
    assert not page.exception
    page.radio(key="cluster_colour").set_value("genre").run()
    page.selectbox(key="only genre").set_value("Cooking").run()
    assert not page.exception


def test_the_number_of_clusters_is_compared_on_demand(page, tmp_path):
    opened(page, write_books(tmp_path / "books.csv"))
    page.button(key="cluster_compare").click().run()
    assert not page.exception
    assert page.subheader[0].value == "How many clusters?"


@pytest.mark.parametrize("n_texts", [10, 12])
def test_as_few_texts_as_the_page_lets_in_are_clustered_and_compared(page, fit_here, tmp_path, n_texts):
    opened(page, write_books(tmp_path / "few.csv", make_examples(4)[:n_texts]))
    page.button(key="cluster_go").click().run()
    page.button(key="cluster_compare").click().run()
    assert not page.exception
    assert not page.error
    assert page.subheader[0].value == "How many clusters?"


def test_too_few_texts_are_told(page, tmp_path):
    opened(page, write_books(tmp_path / "one.csv", make_examples(1)[:1]))
    assert not page.exception
    assert "this data has 1. Choose a larger file" in page.info[0].value


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_a_file_that_is_no_dataset_gets_one_clear_error(page, tmp_path, content):
    (tmp_path / "broken.csv").write_bytes(content)
    opened(page, tmp_path / "broken.csv")
    assert not page.exception
    assert "Give the path of another file" in page.error[0].value
