"""Every page opens by the lab's own navigation, in every state one may meet it in, and says what to do next."""

from pathlib import Path

import pytest

from classifier.registry import promote
from conftest import make_examples
from training.core.split import frozen_split
from training.tests.helpers import write_books

APP = Path(__file__).resolve().parent.parent / "app.py"
TITLES = {
    "dataset": "Dataset",
    "cleaning": "Cleaning",
    "model": "Model",
    "errors": "Model on a dataset",
    "compare": "Compare two models",
    "train": "Train",
    "similar": "Similar texts",
    "clusters": "Clusters",
    "corrections": "Feedback",
}

OTHER_FILE = "Give the path of another file"
FEEDBACK = "No corrections yet. Open the site"
# What is there: data and two versions; nobody has trained here, or corrected anything.
READY = {
    "dataset": "Tick a row to read its whole text.",
    "cleaning": "Training here always splits by book",
    "model": "Paste a text to see its genres.",
    "errors": "Curve of",
    "compare": "Optional: paste a text to ask both.",
    "train": "Choose parameters above and start one.",
    "similar": "Choose a book, or paste a text",
    "clusters": "Press “Find clusters”.",
    "corrections": FEEDBACK,
}
NO_MODEL = dict.fromkeys(("model", "errors", "compare"), "Run `make setup` or `manage.py train`")
ONE_ROW = {
    "cleaning": "Choose a larger file",
    "errors": "Choose a larger file",
    "compare": "Choose a larger file",
    "train": "Choose other data in the sidebar.",
    "clusters": "Choose a larger file at the side.",
}
BROKEN = dict.fromkeys(("dataset", "cleaning", "errors", "compare", "train", "similar", "clusters"), OTHER_FILE)
# What each page says to do next, by state.
NEXT = {
    "starter": READY,
    "kaggle": READY,
    "empty": READY | NO_MODEL,
    "one": READY | ONE_ROW,
    # The same with a book that is held back: it can be measured on.
    "held": READY | ONE_ROW | {name: READY[name] for name in ("errors", "compare")},
    "broken": READY | BROKEN,
}
# Whatever a page may say it with.
SPEAKING = ("info", "warning", "error", "success", "caption", "markdown")
ASKING = ("button", "selectbox", "text_input", "text_area", "toggle", "number_input")

# Streamlit's own code warns about its dependencies now and then.
pytestmark = pytest.mark.filterwarnings("default")


def write_one(path, *, is_held):
    """Write a file of one book, which the frozen split holds back or not."""
    examples = make_examples()
    held = set(frozen_split(examples).test)
    return write_books(path, [next(each for at, each in enumerate(examples) if (at in held) == is_held)])


def write_broken(path):
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    return path


@pytest.fixture
def lab(page_connection, model_dir, tmp_path, monkeypatch):
    """A migrated database, a folder for models and one for runs, all empty; return a function that opens a page."""
    # Imported late: only a worker that runs these tests waits for it.
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv("GENRE_MODEL_DIR", str(model_dir))
    monkeypatch.setenv("GENRE_LAB_DIR", str(tmp_path / "lab"))

    def open_page(name, path=None):
        app = AppTest.from_file(str(APP), default_timeout=60)
        if path is not None:
            app.session_state["path"] = app.session_state["data_path"] = str(path)
        # As when its address is opened.
        return app.switch_page(f"screens/{name}.py").run()

    return open_page


@pytest.fixture
def prepare(request, tmp_path):
    """Return a function that brings about a state, and returns the path of the data that is chosen in it."""

    def bring_about(state):
        if state != "empty":
            make_version = request.getfixturevalue("make_version")
            make_version()
            promote(make_version().number, by="tests")
        if state == "kaggle":
            return request.getfixturevalue("data_dir") / "google_books_1299.csv"
        if state in ("one", "held"):
            return write_one(tmp_path / "one.csv", is_held=state == "held")
        return write_broken(tmp_path / "broken.csv") if state == "broken" else None

    return bring_about


def said(app):
    """Return all that a page says in words, and what it asks for."""
    words = [element.value for kind in SPEAKING for element in app.get(kind)]
    for element in (each for kind in ASKING for each in app.get(kind)):
        words += [element.label, getattr(element, "placeholder", "")]
    return "\n".join(filter(None, words))


def cases():
    for state, expected in NEXT.items():
        mark = pytest.mark.realdata if state == "kaggle" else pytest.mark.functional
        yield from (pytest.param(state, name, id=f"{state}-{name}", marks=mark) for name in expected)


@pytest.mark.parametrize(("state", "name"), list(cases()))
def test_a_page_opens_without_an_exception_and_says_what_to_do_next(lab, prepare, state, name):
    app = lab(name, prepare(state))
    assert not app.exception
    assert [title.value for title in app.title] == [TITLES[name]]
    assert NEXT[state][name] in said(app)


@pytest.mark.functional
@pytest.mark.parametrize("state", ["empty", "one", "held", "broken"])
def test_an_error_about_the_data_says_what_to_choose_or_give_instead(lab, prepare, state):
    path = prepare(state)
    errors = [error.value for name in TITLES for error in lab(name, path).error]
    assert all("Choose" in error or "Give" in error for error in errors)
    assert bool(errors) == (state in ("one", "broken"))


@pytest.mark.functional
def test_the_lab_begins_with_its_first_page_and_the_starter_corpus(lab):
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not app.exception
    assert [title.value for title in app.title] == ["Dataset"]
    assert app.text_input(key="path").value.endswith("starter_books.csv")


def test_every_page_of_the_lab_stands_in_the_table_of_these_tests():
    screens = {path.stem for path in (APP.parent / "screens").glob("*.py")}
    assert screens == set(TITLES)
    assert all(set(expected) == screens for expected in NEXT.values())


@pytest.mark.functional
def test_the_chosen_data_stays_chosen_from_page_to_page(lab, tmp_path):
    path = str(write_books(tmp_path / "books.csv"))
    app = lab("dataset")
    app.text_input(key="path").set_value(path).run()
    # The model page asks for no data.
    for name in ("cleaning", "model", "train", "dataset"):
        app.switch_page(f"screens/{name}.py").run()
        assert not app.exception
        if name != "model":
            assert app.text_input(key="path").value == path
    assert {metric.label: metric.value for metric in app.metric}["Books or texts"] == "36"
