"""The pages that hold models against a dataset, in each state in which a person may meet them."""

import csv
import json
from pathlib import Path

import pytest

from classifier.core.files import write_json
from conftest import copy_model, thresholds_meta
from explore import waiting
from training.core.fit import FitParameters
from training.core.split import book_key, frozen_split
from training.lab_job import Job

PAGES = Path(__file__).resolve().parent.parent / "screens"

# Streamlit's own code warns about its dependencies now and then.
pytestmark = [pytest.mark.functional, pytest.mark.filterwarnings("default")]


def write_books(path, examples):
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label", "title", "author"])
        rows.writerows([each.text, "|".join(each.genres), each.title, each.author] for each in examples)
    return path


@pytest.fixture
def open_page(examples, tmp_path, settings):
    """Return a function that opens a page on books of ours, or on the file it is given; without a database."""
    # Imported late: only a worker that runs these tests waits for it.
    from streamlit.testing.v1 import AppTest

    settings.GENRE_MODEL_DIR = tmp_path

    def open_page(name, data=None):
        app = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=30)
        app.session_state["data_path"] = str(data or write_books(tmp_path / "books.csv", examples))
        return app.run()

    return open_page


@pytest.fixture
def two_models(model_folder, tmp_path):
    copy_model(model_folder, tmp_path / "b")
    copy_model(model_folder, tmp_path / "a-never", **thresholds_meta())


def figures(app):
    return {metric.label: metric.value for metric in app.metric}


@pytest.mark.parametrize(
    ("page", "key", "shown"), [("errors", "measured_button", "Worst mistakes"), ("compare", "compared_button", "")]
)
def test_on_many_books_it_waits_to_be_asked(open_page, two_models, monkeypatch, page, key, shown):
    monkeypatch.setattr(waiting, "BOOKS_AT_ONCE", 1)
    app = open_page(page)
    assert any("ask for it when you have some seconds" in info.value for info in app.info)
    assert not app.tabs and not app.dataframe
    app.button(key=key).click().run()
    assert not app.exception
    assert app.dataframe
    assert not shown or shown in [tab.label for tab in app.tabs]


def test_a_model_whose_record_is_gone_names_the_next_step(open_page, two_models, tmp_path):
    for folder in tmp_path.glob("*/seen.json"):
        folder.unlink()
    app = open_page("errors")
    assert not app.exception
    assert "can't be read" in app.error[0].value
    assert app.error[0].value.endswith("Choose another model above, or other data at the side.")


def test_a_model_is_measured_on_the_test_side(open_page, two_models, examples):
    app = open_page("errors")
    assert not app.exception
    n_test = len(frozen_split(examples).test)
    assert figures(app)["Texts"] == str(n_test)
    assert figures(app)["First genre fits"] == figures(app)["Answered"] == "100%"
    assert app.caption[0].value == f"The test side of this data has {n_test} texts."
    assert any("No answer is wrong" in info.value for info in app.info)


def test_a_threshold_can_be_moved(open_page, two_models):
    app = open_page("errors")
    assert figures(app)["Without genre"] == "0%"
    app.slider(key="threshold").set_value(0.99)
    app.selectbox(key="of").select("fantasy").run()
    assert not app.exception
    # The texts of the other genres.
    assert float(figures(app)["Without genre"].rstrip("%")) > 50
    app.selectbox(key="model").select_index(1).run()
    assert not app.exception
    assert figures(app)["Answered"] == "0%"
    assert any("never chooses this genre" in caption.value for caption in app.caption)


def test_what_the_model_was_trained_on_is_left_out(open_page, model_folder, tmp_path, examples):
    folder = copy_model(model_folder, tmp_path / "m")
    books = [book_key(example) for example in examples]
    (folder / "seen.json").write_text(json.dumps({"texts": [], "books": books}))
    app = open_page("errors")
    assert not app.exception
    assert "no text to measure on" in app.error[0].value


@pytest.mark.parametrize("page", ["errors", "compare"])
def test_a_file_of_one_row_or_none_says_what_to_do_next(open_page, two_models, page, examples, tmp_path):
    app = open_page(page, write_books(tmp_path / "one.csv", examples[:1]))
    assert not app.exception
    assert "Choose a larger file" in app.error[0].value or figures(app)
    broken = tmp_path / "picture.csv"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    app = open_page(page, broken)
    assert not app.exception
    assert "Give the path of another file" in app.error[0].value


@pytest.mark.parametrize("page", ["errors", "compare"])
def test_without_a_model_the_page_says_how_to_get_one(open_page, page):
    app = open_page(page)
    assert not app.exception
    assert "make setup" in app.info[0].value


def test_a_finished_run_and_any_folder_can_be_opened(open_page, two_models, model_folder, tmp_path, settings):
    write_json(
        settings.GENRE_LAB_DIR / "1" / "001" / "job.json", Job(tmp_path, FitParameters()).as_json() | {"when": ""}
    )
    write_json(settings.GENRE_LAB_DIR / "1" / "001" / "result.json", {"accuracy": 0.5})
    copy_model(model_folder, settings.GENRE_LAB_DIR / "1" / "001" / "model")
    elsewhere = copy_model(model_folder, tmp_path / "elsewhere" / "m", **thresholds_meta())
    app = open_page("errors")
    assert app.selectbox(key="model").options[-1] == "Run 1/001, accuracy 0.500"
    app.selectbox(key="model").select_index(len(app.selectbox(key="model").options) - 1).run()
    assert not app.exception
    assert figures(app)["Answered"] == "100%"
    app.text_input(key="model-folder").set_value(str(elsewhere)).run()
    assert not app.exception
    assert figures(app)["Answered"] == "0%"
    app.text_input(key="model-folder").set_value(str(tmp_path / "nothing")).run()
    assert not app.exception
    assert "Choose another model" in app.error[0].value


def test_a_model_without_a_record_of_its_training_is_not_measured(open_page, two_models, tmp_path):
    (tmp_path / "b" / "seen.json").unlink()
    app = open_page("errors")
    assert not app.exception
    assert "nobody knows what this model was trained on" in app.error[0].value


def test_two_models_are_compared(open_page, two_models):
    app = open_page("compare")
    assert not app.exception
    assert app.selectbox(key="second").value != app.selectbox(key="first").value
    table = app.dataframe[0].value
    assert table["first"][0] == 1
    assert table["second"][0] == 0
    assert table["first − second"][0] == "+1.000 to +1.000"
    app.text_area(key="text").set_value("A wizard, a dragon and an enchanted sword").run()
    assert not app.exception
    assert any("It gives no answer" in caption.value for caption in app.caption)
    app.selectbox(key="second").select_index(0).run()
    assert not app.exception
    assert "Choose two different models" in app.info[0].value
