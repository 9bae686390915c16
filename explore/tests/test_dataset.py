"""The pages about a dataset open on every kind of file, and say what to do next where there is nothing to show."""

from pathlib import Path

import pytest

from explore import waiting
from training.tests.helpers import BREAD, DRAGON, book, write_books, write_kaggle

PAGES = Path(__file__).resolve().parent.parent / "screens"
SHOWN = ["Books", "Genres", "Genres together", "Lengths"]

# Streamlit's own code warns about its dependencies now and then.
pytestmark = [pytest.mark.functional, pytest.mark.filterwarnings("default")]


@pytest.fixture
def open_on():
    """Return a function that opens a page on a file."""
    # Imported late: only a worker that runs these tests waits for it.
    from streamlit.testing.v1 import AppTest

    def open_page(name, path=None):
        app = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=30)
        if path is not None:
            app.session_state["data_path"] = str(path)
        return app.run()

    return open_page


@pytest.fixture
def kaggle(tmp_path):
    """A file shaped like Kaggle's: one book in four rows, another in one, and a row without genre."""
    return write_kaggle(
        tmp_path / "books.csv",
        [
            book(path="Fiction , Fantasy , General", published_date="Jul 31, 2014", language="English"),
            book(path="Fiction , Romance", published_date="Jul 31, 2014", language="English"),
            book(path="Fiction , Romance", published_date="Jul 31, 2014", language="English"),
            book(path="none"),
            book("Crust", BREAD, "Cooking , Methods", rating="3.5", page_count="96", language="German"),
        ],
    )


def figures(app):
    return {metric.label: int(metric.value.replace(",", "")) for metric in app.metric}


def test_the_books_can_be_filtered_and_every_view_of_them_opens(open_on, kaggle):
    app = open_on("dataset", kaggle)
    for view in SHOWN:
        app.radio(key="view").set_value(view).run()
        assert not app.exception
    assert figures(app) == {"Rows": 5, "Rows used": 3, "Books or texts": 2, "Pass the filters": 2}
    app.radio(key="view").set_value("Books").run()
    app.slider(key="pages range").set_value((96.0, 100.0)).run()
    assert figures(app)["Pass the filters"] == 1
    assert list(app.dataframe[0].value["title"]) == ["Crust"]
    app.multiselect(key="languages").set_value(["English"]).run()
    assert not app.exception
    assert "Clear the search" in app.info[0].value


def test_a_tick_does_not_move_to_another_book_when_the_filters_change(open_on, kaggle):
    app = open_on("dataset", kaggle)
    names = [app.dataframe[0].proto.id]
    for search in ("Crust", "Ember", ""):
        app.text_input(key="search").set_value(search).run()
        assert not app.exception
        names.append(app.dataframe[0].proto.id)
    assert names[0] == names[3]
    assert len(set(names)) == 3


def test_paths_are_chosen_level_by_level(open_on, kaggle):
    app = open_on("dataset", kaggle)
    app.selectbox(key="path 1 ").set_value("Fiction").run()
    app.selectbox(key="path 2 Fiction").set_value("Fiction / Romance").run()
    assert not app.exception
    assert list(app.dataframe[0].value["title"]) == ["Ember"]


@pytest.mark.parametrize("page", ["dataset", "cleaning"])
def test_a_file_of_one_row_opens(open_on, tmp_path, page):
    app = open_on(page, write_kaggle(tmp_path / "one.csv", [book()]))
    assert not app.exception
    assert figures(app)["Books or texts"] == 1
    for view in SHOWN if page == "dataset" else ():
        app.radio(key="view").set_value(view).run()
        assert not app.exception
    assert page == "dataset" or any("Choose a larger file" in info.value for info in app.info)


@pytest.mark.parametrize(
    ("page", "content"),
    [("dataset", b""), ("dataset", b"\x89PNG\r\n\x1a\n\x00\x00"), ("dataset", None), ("cleaning", b"text,label\n")],
)
def test_a_file_that_is_no_dataset_gets_one_clear_error(open_on, tmp_path, page, content):
    path = tmp_path / "broken.csv"
    if content is not None:
        path.write_bytes(content)
    app = open_on(page, path)
    assert not app.exception
    assert [error.value.endswith("Give the path of another file.") for error in app.error] == [True]


def test_a_file_that_changed_is_read_again(open_on, tmp_path):
    path = write_kaggle(tmp_path / "books.csv", [book()])
    app = open_on("dataset", path)
    write_kaggle(path, [book(), book("Crust", BREAD, "Cooking")])
    app.run()
    assert figures(app)["Books or texts"] == 2


def test_an_upload_is_read_and_stays_chosen_on_the_next_page(open_on, tmp_path):
    content = write_books(tmp_path / "mine.csv").read_bytes()
    app = open_on("dataset", write_kaggle(tmp_path / "one.csv", [book()]))
    app.file_uploader(key="upload").set_value(("mine.csv", content, "text/csv")).run()
    assert not app.exception
    assert figures(app)["Books or texts"] == 36
    assert Path(app.session_state["data_path"]).name == "mine.csv"
    assert figures(open_on("cleaning", app.session_state["data_path"]))["Rows"] == 36


def test_what_merging_does_is_shown_on_a_book_and_what_a_row_split_leaks_in_figures(open_on, kaggle):
    app = open_on("cleaning", kaggle)
    assert not app.exception
    assert figures(app) == {"Rows": 5, "Not used": 2, "Repeat a book": 3, "Books or texts": 2}
    said = [text.value for text in app.markdown]
    assert "“Ember” stands in 4 rows" in app.text[0].value
    assert any("A random split of the rows would know" in text for text in said)
    app.selectbox(key="reason").select_index(1).run()
    assert not app.exception


def test_a_large_file_is_compared_text_by_text_only_when_asked(open_on, kaggle, monkeypatch):
    assert not open_on("cleaning", kaggle).button
    monkeypatch.setattr(waiting, "BOOKS_AT_ONCE", 1)
    app = open_on("cleaning", kaggle)
    assert any("ask for it when you have some seconds" in info.value for info in app.info)
    assert not any("A random split" in text.value for text in app.markdown)
    app.button(key="leak_button").click().run()
    assert not app.exception
    assert any("A random split" in text.value for text in app.markdown)
    # Another click anywhere does not take it away.
    app.selectbox(key="reason").select_index(1).run()
    assert any("A random split" in text.value for text in app.markdown)


def test_a_column_that_would_be_empty_is_left_out(open_on, kaggle, tmp_path):
    assert "not used, because" in open_on("cleaning", kaggle).dataframe[1].value
    path = write_kaggle(tmp_path / "used.csv", [book(), book(path="Fiction , Romance")])
    assert "not used, because" not in open_on("cleaning", path).dataframe[1].value


def test_near_copies_are_listed(open_on, tmp_path):
    long = " ".join(f"{DRAGON} {BREAD} {number}" for number in range(3))
    path = write_kaggle(tmp_path / "b.csv", [book("One", long), book("Two", long + " And more."), book("Three", BREAD)])
    app = open_on("cleaning", path)
    assert not app.exception
    assert list(app.dataframe[-1].value["title"]) == ["One", "Two"]
