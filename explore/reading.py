"""What the lab reads, cached by Streamlit. It writes nothing."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from classifier.core.errors import ModelError
from classifier.core.genres import canonical_genres
from classifier.core.marks import sabotage_of
from classifier.core.model import META_FILE, GenreModel, read_meta
from training.core.books import Corpus, Example
from training.core.corpora import read_corpus
from training.core.inspect import Compared, Measured, compare_models, measure, word_directions
from training.core.seen import FairTexts, fair_texts, read_seen
from training.core.split import Indices, frozen_split, group_books
from training.core.table import books_table, read_rows

ROOT = Path(__file__).resolve().parent.parent


def load_corpus(path: Path) -> Corpus:
    """Return the corpus in ``path``, read anew when the file changed. It is shared: never change it."""
    # A file that can't be looked at is one that reading explains.
    stat = path.stat() if path.is_file() else None
    return _load_corpus(path, (stat.st_mtime_ns, stat.st_size) if stat else None)


@st.cache_resource(show_spinner="Reading the books …", max_entries=2)
def _load_corpus(path: Path, stamp: tuple[int, int] | None) -> Corpus:
    return read_corpus(path, canonical_genres())


def load_tables(corpus: Corpus) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the corpus's rows as they stand and its books (training.core.table). Shared: never change them."""
    return _load_tables(corpus, str(corpus.path), corpus.sha256)


@st.cache_resource(show_spinner="Reading the rows …", max_entries=2)
def _load_tables(_corpus: Corpus, path: str, sha256: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = read_rows(_corpus, canonical_genres())
    return rows, books_table(_corpus, rows, canonical_genres())


def load_groups(corpus: Corpus) -> Indices:
    """Return which books are tied, a number each: the same book, or nearly the same text."""
    return _load_groups(corpus, str(corpus.path), corpus.sha256)


@st.cache_resource(show_spinner="Looking for near copies …", max_entries=2)
def _load_groups(_corpus: Corpus, path: str, sha256: str) -> Indices:
    return group_books(_corpus.examples)


@st.cache_resource(show_spinner="Loading the model …", max_entries=6)
def load_model(folder: Path, number: int | None = None) -> GenreModel:
    """Return the model in ``folder``, its hash checked; for a version of this number also against the registry."""
    if number is None:
        return GenreModel.load(folder)
    from classifier.registry import get_version, load_version

    return load_version(get_version(number))


@st.cache_resource(show_spinner=False, max_entries=6)
def load_directions(folder: Path, _model: GenreModel) -> tuple[list[str], NDArray[np.float32]]:
    """Return the words of the model in ``folder`` and where their vectors point."""
    return word_directions(_model)


@st.cache_resource(show_spinner="Dividing the books into the two sides …", max_entries=2)
def load_test_side(sha256: str, _corpus: Corpus) -> tuple[list[Example], Indices]:
    """Return the test side of the corpus whose file has this hash, and the groups of its examples."""
    groups = load_groups(_corpus)
    tested = frozen_split(_corpus.examples, groups=groups).test
    return [_corpus.examples[at] for at in tested], groups[tested]


@st.cache_resource(show_spinner="Asking the model …", max_entries=4)
def load_measured(folder: Path, sha256: str, _model: GenreModel, _corpus: Corpus) -> tuple[Measured, FairTexts]:
    """Return what the model in ``folder`` says of the test side, without the texts that it was trained on."""
    test, groups = load_test_side(sha256, _corpus)
    fair = fair_texts(test, read_seen(folder), None, groups=groups)
    texts = [example.text for example in fair.examples]
    return measure(_model.predict_many(texts), fair.examples, _model.slugs), fair


@st.cache_resource(show_spinner="Asking both models …", max_entries=4)
def load_compared(
    first: Path, second: Path, sha256: str, _models: tuple[GenreModel, GenreModel], _corpus: Corpus
) -> tuple[Compared, FairTexts]:
    """Return what two models say of the test side, without the texts that either was trained on."""
    test, groups = load_test_side(sha256, _corpus)
    fair = fair_texts(test, read_seen(first), read_seen(second), groups=groups)
    return compare_models(*_models, fair.examples), fair


def model_folders() -> list[Path]:
    """Return the model folders under GENRE_MODEL_DIR, newest first."""
    root = Path(os.environ.get("GENRE_MODEL_DIR") or ROOT / "models")
    return sorted((meta.parent for meta in root.glob(f"*/{META_FILE}")), reverse=True)


def model_label(folder: Path) -> str:
    """Return what to call the model in ``folder``: its name, marked when it was made bad on purpose."""
    try:
        bad = sabotage_of(read_meta(folder))
    except ModelError:
        # Choosing it tells what is wrong.
        return folder.name
    return f"{folder.name} – bad on purpose: {bad}" if bad else folder.name
