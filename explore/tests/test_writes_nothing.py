"""The lab writes nothing by itself: only the functions of the registry, the feedback actions and the runs do."""

import ast
from pathlib import Path

import pytest
from django.apps import apps

from training.tests.helpers import write_books

LAB = Path(__file__).resolve().parent.parent
PAGES = sorted(path.stem for path in (LAB / "screens").glob("*.py"))

# Methods that write a file or a row, whatever they are called on.
WRITING = {
    "save", "save_base", "asave", "create", "acreate", "get_or_create", "update_or_create", "bulk_create", "bulk_update",
    "raw", "_raw_delete", "execute", "executemany", "write_text", "write_bytes", "mkdir", "rmdir", "unlink",
    "touch", "symlink_to", "hardlink_to", "chmod", "to_csv", "to_pickle", "to_parquet", "savez", "dump",
}  # fmt: skip
# Of a set of rows; a dict's or a placeholder's update is none.
WRITING_ROWS = {"update", "delete", "set", "add", "remove", "clear"}
WRITING_FUNCTIONS = {"raise_alert", "close_alerts"}
# The lab writes through `classifier.registry`, `feedback.actions`, `classifier.predictions` (what a correction is of) and
# `training.lab` (runs, in a folder of their own). These write too, and are not for it.
WRITING_MODULES = {
    "shutil", "pickle", "sqlite3", "django.core.management", "classifier.core.files", "feedback.exporting",
    "training.pipeline", "training.gating", "training.monitor.watch", "training.monitor.traffic",
}  # fmt: skip
OPEN_MODES = set("wax+")
# Where a session's own upload is kept, outside of the product, until the lab stops.
ALLOWED = {("choosing.py", "write_bytes")}

# Streamlit's own code warns about its dependencies now and then.
pytestmark = [pytest.mark.functional, pytest.mark.filterwarnings("default")]


def sources():
    return [path for path in sorted(LAB.rglob("*.py")) if "tests" not in path.parts]


def writes(path):
    """Yield (file, name) of each call in a file that writes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from ((path.name, name) for name in names if name in WRITING_MODULES)
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        name = called.rpartition(".")[2]
        is_method = isinstance(node.func, ast.Attribute)
        if is_method and (name in WRITING or (name in WRITING_ROWS and ".objects" in called)):
            yield path.name, name
        # A frame renames with keywords, a path without.
        if name in WRITING_FUNCTIONS or (is_method and name == "rename" and not node.keywords):
            yield path.name, name
        if name == "open":
            modes = [
                *node.args[0 if is_method else 1 :][:1],
                *(key.value for key in node.keywords if key.arg == "mode"),
            ]
            if any(not isinstance(mode, ast.Constant) or OPEN_MODES & set(str(mode.value)) for mode in modes):
                yield path.name, "open"


def test_no_file_of_the_lab_writes_by_itself():
    found = {each for path in sources() for each in writes(path)}
    assert found - ALLOWED == set()


@pytest.mark.parametrize(
    "line",
    [
        "Correction.objects.filter(pk=1).update(status='approved')",
        "Correction.objects.all().delete()",
        "Genre(name='x').save()",
        "Genre.objects.create(name='x')",
        "open('x', 'w')",
        "open('x', mode='ab')",
        "path.open('x')",
        "path.write_text('x')",
        "path.rename('x')",
        "from classifier.core.files import write_json",
        "import shutil",
        "connection.cursor().execute('DELETE FROM x')",
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


def rows():
    """Return every row of every table."""
    return {model: list(model.objects.order_by("pk").values()) for model in apps.get_models()}


def files(folder):
    """Return everything below a folder, with its size and when it was changed."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


@pytest.mark.parametrize("page", PAGES)
def test_opening_a_page_changes_no_row_and_no_file(
    page, page_connection, champion, make_correction, model_dir, tmp_path, monkeypatch
):
    from streamlit.testing.v1 import AppTest

    # Data, models and whatever is written without a folder's name.
    monkeypatch.setenv("GENRE_MODEL_DIR", str(model_dir))
    monkeypatch.chdir(tmp_path)
    make_correction(genres=("romance",), shown=[["fantasy", 0.8]], version=champion)
    app = AppTest.from_file(str(LAB / "screens" / f"{page}.py"), default_timeout=60)
    app.session_state["path"] = str(write_books(tmp_path / "books.csv"))
    before = rows(), files(tmp_path)
    app.run()
    assert not app.exception
    assert (rows(), files(tmp_path)) == before
