"""The lab opens on the starter corpus, on a broken file and without a model, and says what to do next."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from conftest import copy_model, thresholds_meta

APP = Path(__file__).resolve().parent.parent / "app.py"

# Streamlit's own code warns about its dependencies now and then.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def app(model_folder, monkeypatch):
    monkeypatch.setenv("GENRE_MODEL_DIR", str(model_folder.parent))
    return AppTest.from_file(str(APP), default_timeout=30)


def test_it_opens_on_the_starter_corpus(app):
    app.run()
    assert not app.exception
    figures = {metric.label: int(metric.value.replace(",", "")) for metric in app.metric}
    assert figures["Books or texts"] >= 350
    assert figures["Rows"] >= figures["Rows used"] >= figures["Books or texts"]


def test_a_file_that_is_no_dataset_gets_one_clear_error(app, tmp_path):
    path = tmp_path / "picture.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    app.run()
    app.text_input(key="path").set_value(str(path)).run()
    assert not app.exception
    assert "Give the path of another file" in app.error[0].value


def test_a_text_gets_its_genres(app):
    app.run()
    app.text_area(key="text").set_value("A wizard, a dragon and an enchanted sword in the old kingdom").run()
    assert not app.exception
    assert any("telling words are known" in caption.value for caption in app.caption)


def test_a_text_without_sure_genre_still_shows_the_nearest(app, model_folder, tmp_path, monkeypatch):
    copy_model(model_folder, tmp_path / "m", **thresholds_meta())
    monkeypatch.setenv("GENRE_MODEL_DIR", str(tmp_path))
    app.run()
    app.text_area(key="text").set_value("A wizard, a dragon and an enchanted sword in the old kingdom").run()
    assert not app.exception
    assert "no-genre" in app.warning[0].value
    assert any("telling words are known" in caption.value for caption in app.caption)


def test_without_a_model_it_says_how_to_get_one(app, tmp_path, monkeypatch):
    monkeypatch.setenv("GENRE_MODEL_DIR", str(tmp_path))
    app.run()
    assert not app.exception
    assert "make setup" in app.info[0].value
