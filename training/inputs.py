"""The files that versions are made from: read without deleted texts, recorded, and found again as they were."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from classifier.core.examples import LabelledText
from classifier.core.genres import GenreList
from classifier.core.model import sha256_of
from feedback.deleted import deleted_here
from training.core.books import Corpus
from training.core.corpora import STARTER_FILE, read_corpus


@dataclass(frozen=True)
class InputFile:
    """A file of labelled books, and its format ('' when its content tells)."""

    path: Path
    file_format: str = ""


def read_books(path: Path, genres: GenreList, *, file_format: str = "") -> Corpus:
    """Read a file as ``read_corpus`` does, without the corrections that were deleted here since it was exported.

    Raises
    ------
    CorpusError
    """
    if path.resolve() == STARTER_FILE:
        # Ours, whoever pasted one of its texts.
        return read_corpus(path, genres, file_format=file_format)
    deleted = deleted_here()

    def is_deleted(record: LabelledText) -> bool:
        return deleted.has(record.text, record.extra.get("document_id") or "")

    return read_corpus(path, genres, file_format=file_format, is_deleted=is_deleted)


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
