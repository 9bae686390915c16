"""What data one chose stays chosen from page to page, whether by path or by upload."""

from pathlib import Path

import pytest

from classifier.core.model import sha256_of
from classifier.models import Genre
from explore import site
from explore.choosing import STARTER_FILE
from training.tests.helpers import DRAGON, book, write_books, write_kaggle

LAB = Path(__file__).resolve().parent.parent

# Streamlit's own code warns about its dependencies now and then.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def lab():
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(LAB / "app.py"), default_timeout=30).run()
    return app.switch_page("screens/dataset.py").run()


def chosen(app):
    assert not app.exception
    return app.text_input(key="path").value


@pytest.mark.functional
def test_a_path_stays_on_pages_on_which_nothing_was_touched(lab, tmp_path):
    path = str(write_books(tmp_path / "mine.csv"))
    assert chosen(lab) == str(STARTER_FILE)
    lab.text_input(key="path").set_value(path).run()
    for page in ("cleaning", "similar", "dataset", "clusters"):
        assert chosen(lab.switch_page(f"screens/{page}.py").run()) == path


@pytest.mark.functional
def test_an_upload_stays_on_the_next_page_and_is_kept_by_its_content(lab, tmp_path, settings):
    content = write_books(tmp_path / "mine.csv").read_bytes()
    lab.file_uploader(key="upload").set_value(("mine.csv", content, "text/csv")).run()
    kept = Path(chosen(lab.switch_page("screens/cleaning.py").run()))
    assert (kept.name, kept.read_bytes()) == ("mine.csv", content)
    assert kept.parent == (settings.GENRE_LAB_DIR / "data" / sha256_of(kept)).resolve()


@pytest.mark.functional
def test_a_genre_that_was_added_in_the_admin_counts_on_the_pages(page_connection, lab, tmp_path):
    path = write_kaggle(tmp_path / "books.csv", [book(path="Bakery Noir", description=DRAGON)])
    lab.text_input(key="path").set_value(str(path)).run()
    assert "no usable row" in lab.error[0].value
    Genre.objects.create(slug="bakery-noir", name="Bakery Noir")
    site.genres.clear()
    site.names.clear()
    lab.run()
    assert not lab.exception
    assert list(lab.dataframe[0].value["genres"]) == ["Bakery Noir"]
