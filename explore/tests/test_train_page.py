"""On the Train page one starts runs, watches, stops and compares them, and keeps one."""

import sys
import time
from pathlib import Path

import pytest

from classifier.core.files import write_json
from classifier.core.model import sha256_of
from classifier.models import ModelVersion
from conftest import copy_model
from explore.tests.conftest import NO_DATABASE
from training import lab
from training.core.fit import FitParameters
from training.core.split import frozen_split
from training.lab_job import Job
from training.tests.helpers import write_books

PAGE = Path(__file__).resolve().parent.parent / "screens" / "train.py"

# Streamlit's own code warns about its dependencies now and then.
pytestmark = [pytest.mark.functional, pytest.mark.filterwarnings("default")]


@pytest.fixture
def books(tmp_path):
    return write_books(tmp_path / "books.csv")


@pytest.fixture
def open_page(tmp_path, books, settings):
    """Open the page on a small file, in a lab of the test's own, without a database."""
    from streamlit.testing.v1 import AppTest

    settings.GENRE_MODEL_DIR = tmp_path / "models"

    def start(path=books):
        app = AppTest.from_file(str(PAGE), default_timeout=30)
        app.session_state["data_path"] = str(path)
        return app.run()

    return start


@pytest.fixture
def no_worker(monkeypatch):
    monkeypatch.setattr(lab, "_start_worker", lambda batch: None)


@pytest.fixture
def finish(open_page, no_worker, model_folder):
    """Return a function that leaves runs on a file as the worker leaves those that are done, and returns their ids."""

    def done(data, *epochs):
        ids = lab.start([Job(data, FitParameters(epoch=epoch, dim=5), "none") for epoch in epochs])
        for run_id, epoch in zip(ids, epochs, strict=True):
            run = lab.get_run(run_id)
            copy_model(model_folder, run.model)
            figures = dict.fromkeys(lab.METRICS, epoch / 10) | {
                "n_train": 26,
                "n_test": 10,
                "average_loss": 0.3,
                "seconds": 1.0,
            }
            write_json(run.folder / lab.RESULT, figures)
        return ids

    return done


@pytest.fixture
def two_done(finish, books):
    """Two runs that are done and differ in their epochs."""
    return finish(books, 3, 6)


def ask_for(app, **texts):
    """Fill in what to try, without word vectors."""
    app.multiselect(key="vectors").set_value(["none"])
    for name, text in texts.items():
        app.text_input(key=f"try-{name}").set_value(text)
    return app.run()


def said(app):
    return " ".join(element.value for kind in ("info", "warning", "error", "success") for element in app.get(kind))


def test_a_run_is_started_watched_across_a_reload_and_shown_when_it_is_done(open_page):
    app = open_page()
    assert "No run has ended yet" in said(app)
    ask_for(app, epoch="3", dim="5").button(key="start").click().run()
    assert not app.exception
    (run,) = lab.runs()
    assert (run.job.parameters.epoch, run.job.vectors) == (3, "none")
    assert run.job.data_sha256 == sha256_of(run.job.data)
    end = time.monotonic() + 60
    while run.state in lab.ACTIVE:
        assert time.monotonic() < end
        time.sleep(0.1)
        run = lab.get_run(run.id)
    # As after a reload: nothing is known but what the folder holds.
    app = open_page()
    assert not app.exception
    assert app.dataframe[-1].value["state"].tolist() == [lab.DONE], run.why


def test_the_number_of_runs_is_shown_before_they_start(open_page, no_worker):
    app = ask_for(open_page(), epoch="3, 6", lr="0.1..1.0", seed="0..1")
    assert app.button(key="start").label == "Start 12 runs"
    app.radio(key="way").set_value("random").run()
    assert app.button(key="start").label == "Start 10 runs"
    app.button(key="start").click().run()
    assert not app.exception
    assert any("10 more wait for a turn" in caption.value for caption in app.caption)
    app.button(key="stop-all").click().run()
    assert [run.state for run in lab.runs()] == [lab.STOPPED] * 10


def test_the_stop_button_stops_a_run_that_goes_on(open_page, books, monkeypatch):
    begin = "open(sys.argv[1] + '/001/progress.json', 'w').write('{\"share\": 0.5, \"phase\": \"training\"}')"
    monkeypatch.setattr(lab, "COMMAND", (sys.executable, "-S", "-c", f"import sys, time; {begin}; time.sleep(60)"))
    (run_id,) = lab.start([Job(books, FitParameters(), "none")])
    while lab.get_run(run_id).state != lab.RUNNING:
        time.sleep(0.02)
    app = open_page()
    app.button(key=f"stop-{run_id}").click().run()
    assert not app.exception
    assert lab.get_run(run_id).state == lab.STOPPED
    assert app.dataframe[-1].value["state"].tolist() == [lab.STOPPED]


def test_runs_are_compared_on_ones_own_text(open_page, two_done):
    app = open_page()
    assert len(app.get("vega_lite_chart")) == 1
    app.text_area(key="text").set_value("A wizard, a dragon and an enchanted sword").run()
    assert not app.exception
    answers = app.dataframe[-1].value
    assert [name.rpartition(",")[0] for name in answers["model"]] == [lab.get_run(run_id).name for run_id in two_done]
    assert all(answers["1st"])


def test_a_run_that_ends_while_the_page_is_open_joins_the_models_that_are_chosen(open_page, two_done, finish, books):
    for run_id in two_done:
        job = lab.get_run(run_id).folder / lab.JOB
        # Not in the same second as the run that comes.
        write_json(job, lab.read_file(job) | {"when": "2026-11-01T10:15:00+00:00"})
    app = open_page()
    first, second = app.multiselect(key="models").value
    app.multiselect(key="models").unselect(first).run()
    (third,) = finish(books, 9)
    app.run()
    assert not app.exception
    assert app.multiselect(key="models").value == [second, f"{lab.get_run(third).name}, accuracy 0.900"]
    assert "why" not in app.dataframe[1].value


def test_a_run_is_kept_after_a_second_question(open_page, two_done, page_connection, model_dir):
    app = open_page()
    app.button(key="keep").click().run()
    assert not ModelVersion.objects.exists()
    app.button(key="keep-yes").click().run()
    assert not app.exception
    version = ModelVersion.objects.get()
    assert version.state == ModelVersion.State.CANDIDATE
    assert f"manage.py gate {version.number}" in app.success[0].value


def test_without_a_database_it_says_what_keeping_needs(open_page, two_done):
    app = open_page()
    assert not app.exception
    assert f"To keep it: {NO_DATABASE}" in said(app)
    assert "--no-feedback" in app.code[0].value


def test_runs_are_deleted_when_one_is_sure(open_page, two_done):
    app = open_page()
    app.multiselect(key="delete").set_value(two_done[:1]).run()
    assert app.button(key="delete-yes").disabled
    app.checkbox(key="delete-sure").check().run()
    app.button(key="delete-yes").click().run()
    assert not app.exception
    assert [run.id for run in lab.runs()] == two_done[1:]


def test_figures_of_other_data_are_not_compared(open_page, two_done, finish, books):
    finish(books.with_name("other.csv"), 3)
    # The same name in another folder.
    other = books.parent / "more" / "books.csv"
    finish(other, 3)
    app = open_page()
    assert app.selectbox(key="of").options == [f"books.csv ({other})", "other.csv", f"books.csv ({books})"]
    assert not app.get("vega_lite_chart")
    app.selectbox(key="of").select_index(2).run()
    assert not app.exception
    assert len(app.get("vega_lite_chart")) == 1


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "Give the path of another file"),
        (b"text,label\nA dragon learns old spells under the mountain,fantasy\n", "at least two genres"),
    ],
)
def test_data_that_can_not_be_trained_on_is_explained_and_the_runs_stay(open_page, two_done, tmp_path, content, advice):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    app = open_page(path)
    assert not app.exception
    assert advice in said(app)
    assert app.selectbox(key="kept").options[0].startswith(f"{lab.get_run(two_done[0]).name}, accuracy")


def test_word_vectors_bring_their_own_dimensions(open_page):
    app = open_page()
    assert app.text_input(key="try-dim").placeholder == "35"
    assert app.dataframe[0].value["dim"].tolist() == [35]


def test_what_is_recommended_follows_the_train_side_alone(open_page, monkeypatch, examples, books):
    n_train = len(frozen_split(examples).train)
    monkeypatch.setattr("training.core.fit.FEW_EXAMPLES", n_train + 1)
    assert open_page().text_input(key="try-epoch").placeholder == "25"
    monkeypatch.setattr("training.core.fit.FEW_EXAMPLES", n_train)
    app = open_page()
    assert app.text_input(key="try-epoch").placeholder == "10"
    # With a file of its own to measure on all of the data is trained on.
    monkeypatch.setattr("training.core.fit.FEW_EXAMPLES", n_train + 1)
    app.text_input(key="test").set_value(str(books)).run()
    assert app.text_input(key="try-epoch").placeholder == "10"


def test_what_is_no_value_is_told_and_nothing_can_be_started(open_page):
    app = ask_for(open_page(), epoch="many")
    assert "'many' is no whole number" in said(app)
    assert not [button for button in app.button if button.key == "start"]
    app.text_input(key="try-epoch").set_value("3")
    app.text_input(key="test").set_value("/nowhere.csv").run()
    assert not app.exception
    assert "is no file" in said(app)
