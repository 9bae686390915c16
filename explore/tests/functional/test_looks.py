"""Every page of the lab in both widths and both themes: nothing wider than the screen, no error, nothing in the console."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from classifier.core.genres import canonical_genres
from conftest import fit_small
from explore.tests.functional.conftest import SECONDS, settle
from explore.tests.running import Lab, leave_runs
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.split import frozen_split

SHOTS = Path(__file__).resolve().parents[3] / "test-results"
TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
# Versions, a month of predictions, corrections and answers; and reviewers who disagree.
STORY = """
from pathlib import Path
from django.conf import settings
from django.contrib.auth.models import User
from benchmarks.busy_site import fill
from feedback.actions import review
from feedback.models import Correction
from training.monitor.watch import watch

fill(sorted(Path(settings.GENRE_MODEL_DIR).iterdir()), n_predictions=3000, n_corrections=300)
ids = list(Correction.objects.values_list("pk", flat=True)[:60])
ada, bert = (User.objects.create_user(name) for name in ("ada", "bert"))
review(corrections=ids, status="rejected", by=ada)
# Reopened by somebody else.
review(corrections=ids[:15], status="pending", by=bert)
watch()
"""
OVERFLOW = """[document.documentElement, document.querySelector('[data-testid="stMain"]')]
    .map(part => part.scrollWidth - part.clientWidth)"""
HEIGHT = """document.querySelector('[data-testid="stMain"]').scrollHeight"""

# Streamlit's own code warns about its dependencies now and then.
pytestmark = [pytest.mark.looks, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two models of all genres, which have not seen the books that are held back."""
    root = tmp_path_factory.mktemp("looks")
    examples = read_corpus(STARTER_FILE, canonical_genres()).examples
    examples = [examples[at] for at in frozen_split(examples).train]
    seen = {"seen.json": '{"texts": [], "books": []}'}
    return [
        fit_small(examples, epoch=15, seed=seed).save(root / f"m{seed}", canaries=[TEXT], extra=seen) for seed in (1, 2)
    ]


@pytest.fixture(scope="module")
def address(tmp_path_factory, folders):
    """The address of a lab in use, on the starter corpus."""
    # The story registers the versions.
    lab = Lab(tmp_path_factory.mktemp("lab"), [], promoted=())
    for number, folder in enumerate([folders[0]] * 4 + [folders[1]], start=1):
        shutil.copytree(folder, lab.models / f"m{number}")
    leave_runs(lab.root / "lab", folders[0], STARTER_FILE, (3, 6, 12))
    lab.run(STORY)
    with lab.serving() as address:
        yield address


def view(name):
    return lambda page: page.get_by_role("radiogroup", name="Show").get_by_text(name, exact=True).click()


def tab(name):
    return lambda page: page.get_by_role("tab", name=name).click()


def paste(page, label="Text"):
    page.get_by_role("textbox", name=label, exact=True).fill(TEXT)
    page.get_by_role("textbox", name=label, exact=True).press("Control+Enter")
    settle(page)


def near_words(page):
    page.get_by_role("tab", name="Words").click()
    page.get_by_role("textbox", name="Word, or two that stand side by side").fill("kitchen")
    page.keyboard.press("Enter")


def choose_book(page):
    page.get_by_role("combobox", name="Book").fill("Clockmender")
    page.get_by_role("option").first.click()


def cluster(page):
    page.get_by_role("button", name="Compare numbers of clusters").click()
    expect(page.get_by_role("heading", name="How many clusters?")).to_be_visible(timeout=10 * SECONDS)
    page.get_by_role("button", name="Find clusters").click()
    expect(page.get_by_role("heading", name="Map")).to_be_visible(timeout=10 * SECONDS)


STATES = {
    "dataset": ("dataset", None),
    "dataset-genres": ("dataset", view("Genres")),
    "dataset-together": ("dataset", view("Genres together")),
    "dataset-lengths": ("dataset", view("Lengths")),
    "cleaning": ("cleaning", None),
    "model": ("model", paste),
    "model-words": ("model", near_words),
    "model-genres": ("model", tab("Genres")),
    "errors": ("errors", None),
    "errors-confusion": ("errors", tab("Confusion")),
    "errors-calibration": ("errors", tab("Calibration")),
    "errors-thresholds": ("errors", tab("Thresholds")),
    "errors-mistakes": ("errors", tab("Worst mistakes")),
    "compare": ("compare", lambda page: paste(page, "A text for both")),
    "train": ("train", paste),
    "similar": ("similar", choose_book),
    "clusters": ("clusters", cluster),
    "corrections": ("corrections", None),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_it_looks_right(open_lab, state, theme):
    path, act = STATES[state]
    page = open_lab(path, color_scheme=theme)
    if act:
        act(page)
    for width in (1280, 800):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        # The page scrolls inside the window: all of it is in the picture when the window is as high.
        page.set_viewport_size({"width": width, "height": max(900, page.evaluate(HEIGHT))})
        settle(page)
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"lab-{state}-{width}-{theme}.png")
        assert page.evaluate(OVERFLOW) == [0, 0]
        expect(page.get_by_test_id("stException")).to_have_count(0)
