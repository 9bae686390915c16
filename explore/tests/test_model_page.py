"""The model page answers, explains and takes corrections, with a database and without one."""

from pathlib import Path

import pytest

from classifier.core.text import content_words
from classifier.models import Prediction
from classifier.registry import promote
from conftest import copy_model, thresholds_meta
from feedback.models import Correction

PAGE = Path(__file__).resolve().parent.parent / "screens" / "model.py"
TEXT = "A wizard, a dragon and an enchanted sword in the old kingdom"

# Streamlit's own code warns about its dependencies now and then.
pytestmark = [pytest.mark.functional, pytest.mark.filterwarnings("default")]


@pytest.fixture
def app(tmp_path, settings):
    # Imported late: only a worker that runs these tests waits for it.
    from streamlit.testing.v1 import AppTest

    settings.GENRE_MODEL_DIR = tmp_path
    return AppTest.from_file(str(PAGE), default_timeout=30)


@pytest.fixture
def one_model(model_folder, tmp_path):
    return copy_model(model_folder, tmp_path / "m")


@pytest.fixture
def with_database(app, transactional_db, model_dir):
    """The page's own thread reads what the test has stored, so that it must be committed."""


def test_a_text_gets_its_genres_and_the_words_that_decided(app, one_model):
    app.run()
    assert "Paste a text" in app.info[0].value
    app.text_area(key="text").set_value(TEXT).run()
    assert not app.exception
    said = [caption.value for caption in app.caption]
    assert any("telling words are known" in each for each in said)
    assert any("add up to" in each for each in said)
    assert any("Only a registered version takes corrections" in info.value for info in app.info)


def test_a_text_without_sure_genre_still_shows_the_nearest(app, model_folder, tmp_path):
    copy_model(model_folder, tmp_path / "m", **thresholds_meta())
    app.run()
    app.text_area(key="text").set_value(TEXT).run()
    assert not app.exception
    assert "not sure enough" in app.warning[0].value
    assert any("telling words are known" in caption.value for caption in app.caption)


def test_a_text_of_unknown_words_gets_the_reason(app, one_model):
    app.run()
    app.text_area(key="text").set_value("xyzzy plugh frotz blorb gnusto").run()
    assert not app.exception
    assert "Not one word" in app.warning[0].value


def test_a_model_that_was_made_bad_on_purpose_is_marked_where_it_is_chosen_and_where_it_answers(
    app, model_folder, tmp_path
):
    copy_model(model_folder, tmp_path / "b-bad", sabotage={"kind": "swap-genres", "strength": 0.5})
    copy_model(model_folder, tmp_path / "a-good")
    (tmp_path / "0-broken").mkdir()
    (tmp_path / "0-broken" / "meta.json").write_text("no json")
    app.run()
    assert not app.exception
    select = app.selectbox(key="model")
    assert select.options == ["b-bad – bad on purpose: swap-genres 0.5", "a-good", "0-broken"]
    assert [warning.value for warning in app.warning] == ["This model was made bad on purpose: swap-genres 0.5."]
    select.select_index(1).run()
    assert not app.warning
    app.selectbox(key="model").select_index(2).run()
    assert not app.exception
    assert "Choose another model" in app.error[0].value


def test_without_a_model_it_says_how_to_get_one(app):
    app.run()
    assert not app.exception
    assert "make setup" in app.info[0].value


def test_near_words_are_shown_and_an_unknown_one_is_said_to_be_so(app, one_model):
    app.run()
    app.text_input(key="word").set_value("Dragon").run()
    assert not app.exception
    assert "dragon" not in set(app.dataframe[0].value.word)
    app.text_input(key="word").set_value("xyzzy").run()
    assert any("does not know this word" in info.value for info in app.info)


def test_a_model_whose_words_cannot_be_told_apart_says_so(app, model_folder, tmp_path):
    copy_model(model_folder, tmp_path / "m", parameters={"loss": "hs"})
    app.run()
    app.text_area(key="text").set_value(TEXT).run()
    assert not app.exception
    assert any("hierarchical softmax" in info.value for info in app.info)


def test_the_page_opens_on_the_champion_though_there_is_a_newer_version(app, with_database, make_version):
    make_version()
    promote(1, by="test")
    make_version()
    app.run()
    assert not app.exception
    assert app.selectbox(key="model").value == "version 1, champion"
    assert app.selectbox(key="model").options[1] == "version 2, candidate"


def test_a_correction_from_the_lab_arrives_like_any_other(app, with_database, make_version):
    make_version()
    version = make_version(sabotage={"kind": "swap-genres", "strength": 0.5})
    app.run()
    assert app.selectbox(key="model").options == [
        "version 2 (bad on purpose: swap-genres 0.5), candidate",
        "version 1, candidate",
    ]
    app.text_area(key="text").set_value(TEXT).run()
    [ticks] = app.multiselect
    assert ticks.value == []
    assert [box.value for box in app.checkbox] == [False, False]
    assert not Prediction.objects.exists()
    ticks.select("cooking")
    app.button[0].click().run()
    assert not app.exception
    [correction], [prediction] = Correction.objects.all(), Prediction.objects.all()
    assert (correction.source, correction.status, correction.chosen) == ("explore", "pending", ["cooking"])
    assert (prediction.source, prediction.n_words) == ("explore", len(content_words(TEXT)))
    assert correction.prediction_uid == prediction.uid
    assert correction.version == prediction.version == version
    assert correction.shown[0][0] == "fantasy"
    assert correction.text == TEXT
    assert "pending" in app.success[0].value
    # Sending it again is one correction, as on the site.
    app.button[0].click().run()
    assert Correction.objects.count() == Prediction.objects.count() == 1


def test_an_empty_correction_is_refused_and_stores_nothing(app, with_database, make_version):
    make_version()
    app.run()
    app.text_area(key="text").set_value(TEXT).run()
    app.button[0].click().run()
    assert not app.exception
    assert "Nothing is ticked yet" in app.error[0].value
    assert not Prediction.objects.exists()
    app.text_area(key="text").set_value("the wizard").run()
    assert any("too short" in info.value for info in app.info)
