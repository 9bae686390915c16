"""The lab writes nothing by itself: only the functions of the registry, the feedback actions and the runs do."""

import ast
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction

from classifier.core.files import write_json
from classifier.models import Genre, ModelVersion
from conftest import copy_model
from feedback.models import Correction
from training import lab
from training.core.fit import FitParameters
from training.lab_job import Job
from training.tests.helpers import write_books

LAB = Path(__file__).resolve().parent.parent
PAGES = sorted(path.stem for path in (LAB / "screens").glob("*.py"))
TEXT = "A wizard, a dragon and an enchanted sword in the old kingdom"

# All that the lab may take from elsewhere. What is not listed may write.
LIBRARIES = {
    "altair", "collections", "collections.abc", "concurrent.futures", "contextlib", "dataclasses", "functools", "numpy",
    "numpy.typing", "os", "pandas", "pathlib", "streamlit", "streamlit.delta_generator", "streamlit.runtime.uploaded_file_manager", "sys", "threading",
    "time", "typing", "django", "django.conf", "django.core.exceptions", "django.db",
}  # fmt: skip
# The cores compute; this module of theirs writes files, and so do functions that say so.
WRITING_CORES, WRITING_NAMES = {"classifier.core.files"}, ("save", "write", "replacing")
# Of the apps: models and functions that read, and the few that write for the lab.
OF_APPS = {
    "django.utils": {"translation"},
    "classifier.alerts": {"open_alerts"},
    "classifier.genre_table": {"genres_at_hand"},
    "classifier.models": {"Alert", "Genre", "ModelVersion", "Prediction"},
    "classifier.predictions": {"Shown", "predict_with"},
    "classifier.registry": {"folder_of", "get_version", "load_version"},
    "classifier.wording": {"ABSTENTIONS"},
    "feedback.actions": {"ActionRefused", "Answer", "submit_correction"},
    "feedback.limits": {"TooManyCorrections"},
    "feedback.reading": {"NONE_FITS", "agreement_by_version", "corrections_by_day", "disagreements", "second_looks"},
    "training.lab": {
        "ACTIVE", "DONE", "METRICS", "QUEUED", "RUNNING", "Run", "command_of", "delete", "expected_seconds", "keep", "runs",
        "start", "stop", "stop_all",
    },
    "training.lab_job": {"Job"},
    "training.lab_kept": {"kept_rates", "kept_vectors"},
    "training.models": {"MonitorState"},
    "training.templatetags.figures": {"ROLES", "estimate", "percent"},
    "training.uploads": {"keep_upload"},
}  # fmt: skip
# Methods that write a file or a row, whatever they are called on. The others of a set of rows (delete, update) are
# refused by the database below.
WRITING = {
    "save", "save_base", "asave", "create", "acreate", "get_or_create", "update_or_create", "bulk_create", "bulk_update",
    "raw", "_raw_delete", "execute", "executemany", "write_text", "write_bytes", "mkdir", "rmdir", "unlink",
    "touch", "symlink_to", "hardlink_to", "chmod", "to_csv", "to_pickle", "to_parquet", "savez", "dump",
}  # fmt: skip
OPEN_MODES = set("wax+")
# Who may change rows while a page is used.
WRITERS = {"classifier.registry", "classifier.predictions", "feedback.actions"}
READS = ("SELECT", "PRAGMA", "EXPLAIN", "SAVEPOINT", "RELEASE", "ROLLBACK")

# Streamlit's own code warns about its dependencies now and then.
pytestmark = pytest.mark.filterwarnings("default")


def sources():
    return [path for path in sorted(LAB.rglob("*.py")) if "tests" not in path.parts]


def imports(tree):
    """Yield (module, name) of each import; no name where a module is taken whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


def is_allowed(module, name):
    if module.partition(".")[0] == "explore" or module in LIBRARIES:
        return True
    if module.startswith(("classifier.core", "training.core")):
        return f"{module}.{name}" not in WRITING_CORES | {"training.core"} and not (
            module in WRITING_CORES or name.startswith(WRITING_NAMES)
        )
    return name in OF_APPS.get(module, ())


def writes(path):
    """Yield what a file imports without leave, and each call in it that writes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from (f"{module}.{name}" for module, name in imports(tree) if not is_allowed(module, name))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        is_method = isinstance(node.func, ast.Attribute)
        name = ast.unparse(node.func).rpartition(".")[2]
        # A frame renames with keywords, a path without.
        if is_method and (name in WRITING or (name == "rename" and not node.keywords)):
            yield name
        if name == "open":
            modes = [
                *node.args[0 if is_method else 1 :][:1],
                *(key.value for key in node.keywords if key.arg == "mode"),
            ]
            if any(not isinstance(mode, ast.Constant) or OPEN_MODES & set(str(mode.value)) for mode in modes):
                yield "open"


def test_no_file_of_the_lab_writes_by_itself_or_takes_what_may():
    assert {path.name: list(writes(path)) for path in sources() if list(writes(path))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "from classifier.genre_table import sync_genres",
        "from classifier import genre_table",
        "import classifier.genre_table",
        "from classifier.registry import promote",
        "from classifier.core.files import write_json",
        "from classifier.core import files",
        "from training.core.vectors import save_vectors",
        "from training.pipeline import train_model",
        "from django.core.management import call_command",
        "import shutil",
        "import sqlite3",
        "Genre(name='x').save()",
        "Genre.objects.create(name='x')",
        "connection.cursor().execute('DELETE FROM x')",
        "open('x', 'w')",
        "open('x', mode='ab')",
        "path.open('x')",
        "path.write_text('x')",
        "path.rename('x')",
    ],
)
def test_the_test_above_sees_what_writes(tmp_path, line):
    path = tmp_path / "page.py"
    path.write_text(line)
    assert list(writes(path))


@pytest.mark.parametrize(
    "line", ["known.update(more)", "open('x', 'rb')", "path.open()", "bar.delete()", "frame.rename(columns=names)"]
)
def test_and_leaves_what_only_reads_alone(tmp_path, line):
    path = tmp_path / "page.py"
    path.write_text(line)
    assert not list(writes(path))


@contextmanager
def only_writers_write():
    """Refuse every change of a row that none of ``WRITERS`` makes."""

    def guard(execute, sql, params, many, context):
        frame, callers = sys._getframe(), set()
        while frame:
            callers.add(frame.f_globals.get("__name__"))
            frame = frame.f_back
        assert sql.lstrip("( ").upper().startswith(READS) or WRITERS & callers, f"The lab itself wrote: {sql}"
        return execute(sql, params, many, context)

    with connection.execute_wrapper(guard):
        yield


@pytest.mark.django_db
def test_the_database_refuses_what_the_lab_would_write_itself(champion, make_version):
    from classifier.registry import promote

    with only_writers_write():
        rows = Genre.objects.filter(slug="fantasy")
        for change in (rows.delete, lambda: rows.update(name="x"), lambda: Genre(slug="x", name="x").save()):
            with pytest.raises(AssertionError, match="The lab itself wrote"), transaction.atomic():
                change()
        promote(make_version().number, by="tests")
    assert Genre.objects.get(slug="fantasy").name == "Fantasy"


def use_dataset(app):
    for view in ("Genres", "Genres together", "Lengths", "Books"):
        app.radio(key="view").set_value(view).run()
    app.text_input(key="search").set_value("dragon").run()


def use_model(app):
    app.text_area(key="text").set_value(TEXT).run()
    app.multiselect[0].select("cooking")
    app.button[0].click().run()
    assert Correction.objects.count() == 2


def use_compare(app):
    app.text_area(key="text").set_value(TEXT).run()


def use_errors(app):
    app.slider(key="threshold").set_value(0.9).run()


def use_train(app):
    app.button(key="start").click().run()
    app.text_area(key="text").set_value(TEXT).run()
    app.button(key="keep").click().run()
    app.button(key="keep-yes").click().run()
    assert ModelVersion.objects.count() == 3


def use_similar(app):
    app.selectbox[0].set_value(0).run()
    app.button(key="similar_measure").click().run()


def use_clusters(app):
    app.button(key="cluster_go").click().run()
    app.button(key="cluster_compare").click().run()


USE = {
    "dataset": use_dataset, "model": use_model, "compare": use_compare, "errors": use_errors, "train": use_train,
    "similar": use_similar, "clusters": use_clusters, "cleaning": lambda app: app.run(), "corrections": lambda app: app.run(),
}  # fmt: skip


def files(folder):
    """Return everything below a folder, with its size and when it was changed."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


@pytest.fixture
def a_finished_run(settings, model_folder, monkeypatch):
    monkeypatch.setattr(lab, "_start_worker", lambda batch: None)
    (run_id,) = lab.start([Job(Path("books.csv"), FitParameters(), "none")])
    folder = lab.get_run(run_id).folder
    copy_model(model_folder, folder / lab.MODEL)
    figures = dict.fromkeys(lab.METRICS, 0.5) | {"n_train": 26, "n_test": 10, "average_loss": 0.3, "seconds": 1.0}
    write_json(folder / lab.RESULT, figures)


@pytest.mark.functional
@pytest.mark.parametrize("page", PAGES)
def test_using_a_page_changes_what_the_writers_change_and_nothing_else(
    page, page_connection, champion, make_version, make_correction, a_finished_run, fit_here, tmp_path, monkeypatch
):
    from streamlit.testing.v1 import AppTest

    make_version()
    # Whatever is written without a folder's name.
    monkeypatch.chdir(tmp_path)
    make_correction(genres=("romance",), shown=[["fantasy", 0.8]], version=champion)
    app = AppTest.from_file(str(LAB / "screens" / f"{page}.py"), default_timeout=60)
    app.session_state["data_path"] = str(write_books(tmp_path / "books.csv"))
    before = files(tmp_path)
    with only_writers_write():
        app.run()
        assert not app.exception
        assert files(tmp_path) == before
        USE[page](app)
    assert not app.exception
    theirs = (lab.lab_dir(), tmp_path / "models")
    changed = [path for path, state in files(tmp_path).items() if before.get(path) != state]
    assert [path for path in changed if not any(path == own or own in path.parents for own in theirs)] == []
