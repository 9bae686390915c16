"""Fixtures every app's tests share: a small corpus, a real fastText model of it, a champion that answers, a browser."""

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from classifier.core.model import META_FILE, GenreModel
from classifier.core.thresholds import NEVER
from training.core.books import Example

# A browser's own connections must be allowed; it is told to make none of its own.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
# A slow machine is no bug; time is measured in benchmarks/.
hypothesis_settings.register_profile("untimed", deadline=None, max_examples=25)
hypothesis_settings.load_profile("untimed")

WORDS = {
    "fantasy": "dragon wizard sorceress spell kingdom throne elf prophecy castle sword enchanted magic".split(),
    "cooking": "recipe oven butter flour bake sugar simmer garlic whisk tablespoon dough roast".split(),
    "business-economics": "market company profit investor manager customer strategy finance revenue startup sales budget".split(),
}
FILLER = "the a of and with in this that every new old long".split()


def make_examples(per_genre=12):
    """Return examples whose words are plainly of their genre; every text differs from the others."""
    examples = []
    for genre, words in WORDS.items():
        for number in range(per_genre):
            picked = [words[(number * step + step) % len(words)] for step in range(1, 9)]
            filler = [FILLER[(number + step) % len(FILLER)] for step in range(8)]
            text = " ".join(word for pair in zip(picked, filler, strict=True) for word in pair)
            examples.append(
                Example(f"{text} number {genre} {number}", (genre,), title=f"{genre} {number}", author="Test")
            )
    return examples


def pytest_collection_modifyitems(items):
    """Leave what is in a folder named functional to ``make functional``, but for what only ``make looks`` runs."""
    for item in items:
        if "/functional/" in str(item.path) and not item.get_closest_marker("looks"):
            item.add_marker(pytest.mark.functional)


def chromium():
    """Return the path of a real Chromium: CHROMIUM names its executable, Debian's is found by itself."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no Chromium here: install Debian's chromium or set CHROMIUM to an executable")
    return path


@pytest.fixture(scope="session")
def browser():
    """A real Chromium, one for all tests."""
    path = chromium()
    from playwright.sync_api import sync_playwright

    # Playwright runs an event loop in the test's thread, and Django would take it for an async context.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def examples():
    """36 examples of three genres."""
    return make_examples()


@pytest.fixture(scope="session")
def model(examples):
    """A real fastText model of the small corpus, in memory."""
    return fit_small(examples, epoch=50, seed=1)


def fit_small(examples, **parameters):
    """Return a small model of the examples."""
    # Imported late: it brings scikit-learn, and the process that only starts the workers reads this file too.
    from training.core.fit import FitParameters, fit

    return fit(examples, FitParameters(dim=10, **parameters))


@pytest.fixture
def fit_here(monkeypatch):
    """Training, and loading what was saved, in the test's own process: for tests of what is done with a model.

    Same data and parameters give the same bytes (training/tests/test_fit.py), and no Python is started twice for each
    model. The processes are tested in training/tests/test_fit.py and classifier/tests/test_model.py.
    """
    import fasttext

    def train(job, on_progress):
        engine = fasttext.train_supervised(input=job["input"], verbose=0, **job["arguments"])
        engine.save_model(job["output"])
        if on_progress:
            on_progress(1.0, 0.1)

    monkeypatch.setattr("training.core.fit.run_worker", train)
    monkeypatch.setattr("classifier.core.model._verify_in_child", GenreModel.load)


@pytest.fixture(scope="session")
def model_folder(model, tmp_path_factory):
    """The model, saved as training saves it."""
    return model.save(
        tmp_path_factory.mktemp("models") / "small",
        canaries=["the dragon and the wizard", "whisk butter and flour"],
        extra={"seen.json": '{"texts": [], "books": []}'},
    )


@pytest.fixture(scope="session")
def other_model_folder(examples, tmp_path_factory):
    """A model of the same corpus that gives other scores, saved as training saves it."""
    other = fit_small(examples, epoch=25, seed=2)
    return other.save(tmp_path_factory.mktemp("models") / "other", canaries=["the sorceress casts a spell"])


@pytest.fixture
def model_dir(tmp_path, settings):
    """An empty GENRE_MODEL_DIR of this test's own."""
    from classifier.registry import forget_champion

    settings.GENRE_MODEL_DIR = tmp_path / "models"
    settings.GENRE_MODEL_DIR.mkdir()
    forget_champion()
    yield settings.GENRE_MODEL_DIR
    forget_champion()


def thresholds_meta(**genres):
    """Return what ``meta.json`` says of a model that serves its raw scores and holds them against thresholds.

    Genres that are not named are never chosen.
    """
    named = {slug.replace("_", "-"): threshold for slug, threshold in genres.items()}
    thresholds = {"aim": "f1", "genres": dict.fromkeys(WORDS, NEVER) | named}
    return {"calibration": {"scale": 1.0, "power": 0.0, "platt": {}}, "thresholds": thresholds}


def copy_model(source, folder, **meta):
    """Copy a model folder, with other words in its ``meta.json``, and return the copy."""
    shutil.copytree(source, folder)
    path = folder / META_FILE
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | meta), encoding="utf-8")
    return folder


@pytest.fixture
def make_version(db, model_dir, model_folder):
    """Return a function that registers one more copy of the small model and returns its version."""
    from classifier.registry import register

    def make(**meta):
        folder = model_dir / f"m{len(list(model_dir.iterdir()))}"
        return register(copy_model(model_folder, folder, **meta), by="tests")

    return make


@pytest.fixture
def champion(make_version):
    """The version that answers."""
    from classifier.registry import promote

    return promote(make_version().number, by="tests")


@pytest.fixture
def own_limits(tmp_path, settings):
    """Counters of this test's own, and keys that the database is asked for."""
    from classifier.keys import forget_keys

    settings.GENRE_LIMITS_FILE = tmp_path / "limits.sqlite3"
    forget_keys()


@pytest.fixture
def api(champion, client, own_limits):
    """Ask the API with a key for genres and corrections."""
    from classifier.keys import create_key
    from classifier.tests.programs import asker

    return asker(client, create_key("tests", ["predict", "feedback"], by="tests")[1])


@pytest.fixture
def unsure_champion(make_version):
    """A version that answers and never chooses a genre."""
    from classifier.registry import promote

    return promote(make_version(**thresholds_meta()).number, by="tests")


@pytest.fixture
def data_dir(settings):
    """The folder of the real data; the test is skipped where it is absent."""
    path = Path(settings.GENRE_DATA_DIR)
    if not (path / "google_books_1299.csv").exists():
        pytest.skip(f"the Kaggle file is not in GENRE_DATA_DIR ({path})")
    return path
