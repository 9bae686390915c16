"""What the lab has learned of texts, kept on disk below ``GENRE_LAB_DIR``, so that it is learned once.

Vectors are plain arrays (never pickle: whoever may write there could else run code), figures JSON.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from classifier.core.files import write_json
from training.core.embeddings import Vectors, recipe_of
from training.core.neighbours import Rate
from training.lab import lab_dir, read_file

KEPT = "kept"
# Of each kind; those that were not asked for the longest go.
MOST = 30


def kept_vectors(data: str, method: str, make: Callable[[], Vectors]) -> Vectors:
    """Return the vectors that ``method`` makes of the corpus whose key is ``data``: kept ones, or those of ``make``."""
    path = _path(data, [method], ".npy")
    try:
        vectors: Vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        vectors = make()
        # The lab works on without, when nothing can be written.
        with suppress(OSError):
            _write(path, vectors)
    return vectors


def kept_rates(data: str, methods: Sequence[str], make: Callable[[], list[Rate]]) -> list[Rate]:
    """Return how good ``methods`` are on the corpus whose key is ``data``: kept figures, or those of ``make``."""
    path = _path(data, methods, ".json")
    try:
        return [Rate(**rate) for rate in read_file(path)["rates"]]
    except (KeyError, TypeError):
        rates = make()
        with suppress(OSError):
            write_json(path, {"rates": [asdict(rate) for rate in rates]})
            _prune(path)
        return rates


def _path(data: str, methods: Sequence[str], suffix: str) -> Path:
    """Return the file for this data and these methods as they are today: other parameters or packages, another file."""
    name = "\n".join([data, *map(recipe_of, methods)])
    return lab_dir() / KEPT / f"{hashlib.sha256(name.encode()).hexdigest()}{suffix}"


def _write(path: Path, vectors: Vectors) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            np.save(file, vectors, allow_pickle=False)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _prune(path)


def _prune(path: Path) -> None:
    newest = sorted(path.parent.glob(f"*{path.suffix}"), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in newest[MOST:]:
        old.unlink(missing_ok=True)
