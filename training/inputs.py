"""Where a version's input files were, and whether they are still there as they were."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from classifier.core.model import sha256_of
from training.core.corpora import STARTER_FILE


@dataclass(frozen=True)
class InputFile:
    """A file of labelled books, and its format ('' when its content tells)."""

    path: Path
    file_format: str = ""


def place_of(path: Path) -> str:
    """Return where a file is: below GENRE_DATA_DIR or the project where it is in one of them, so that both may move."""
    path = path.resolve()
    for root in _roots():
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return str(path)


def find_inputs(meta: dict[str, Any]) -> tuple[list[InputFile], list[str]]:
    """Return the files a model with this ``meta.json`` was made from, and the names of those gone or changed."""
    found, lost = [], []
    for entry in meta.get("inputs", ()):
        # Corrections have no file.
        if not entry.get("sha256"):
            continue
        path = _find(entry)
        if path is None:
            lost.append(entry["name"])
        else:
            found.append(InputFile(path, entry["format"]))
    return found, lost


def _find(entry: dict[str, Any]) -> Path | None:
    # A model from before paths were recorded knows the name alone; a path that is absolute replaces the root.
    candidates = [root / entry.get("path", entry["name"]) for root in _roots()]
    # The starter corpus is ours, wherever the project lies.
    candidates += [STARTER_FILE] if entry["name"] == STARTER_FILE.name else []
    return next((path for path in candidates if path.is_file() and sha256_of(path) == entry["sha256"]), None)


def _roots() -> tuple[Path, Path]:
    return Path(settings.GENRE_DATA_DIR).resolve(), Path(settings.BASE_DIR).resolve()
