"""The lab opens on the starter corpus, on a broken file and without a model, and says what to do next."""

from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parent.parent / "screens"

# Streamlit's own code warns about its dependencies now and then.
pytestmark = [pytest.mark.functional, pytest.mark.filterwarnings("default")]


@pytest.fixture
def open_page(model_folder, settings):
    # Imported late: only a worker that runs these tests waits for it.
    from streamlit.testing.v1 import AppTest

    settings.GENRE_MODEL_DIR = model_folder.parent
    return lambda name: AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=30)


@pytest.fixture
def dataset(open_page):
    return open_page("dataset")


def test_it_opens_on_the_starter_corpus(dataset):
    dataset.run()
    assert not dataset.exception
    figures = {metric.label: int(metric.value.replace(",", "")) for metric in dataset.metric}
    assert figures["Books or texts"] >= 350
    assert figures["Rows"] >= figures["Rows used"] >= figures["Books or texts"]


def test_a_file_that_is_no_dataset_gets_one_clear_error(dataset, tmp_path):
    path = tmp_path / "picture.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    dataset.run()
    dataset.text_input(key="path").set_value(str(path)).run()
    assert not dataset.exception
    assert "Give the path of another file" in dataset.error[0].value
