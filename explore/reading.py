"""What the lab reads, and keeps for the next page. It writes nothing."""

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from classifier.core.errors import ModelError
from classifier.core.marks import sabotage_of
from classifier.core.model import META_FILE, GenreModel, read_meta
from explore import site
from explore.waiting import once
from training.core.books import Corpus, Example
from training.core.corpora import read_corpus
from training.core.inspect import Compared, Measured, compare_models, measure, word_directions
from training.core.progress import OnStep
from training.core.seen import FairTexts, fair_texts, read_seen
from training.core.split import Indices, Split, frozen_split, group_books
from training.core.table import books_table, read_rows


def load_corpus(path: Path) -> Corpus:
    """Return the corpus in ``path``, read anew when the file or the site's genres changed. Shared: never change it."""
    genres = site.genres()
    # A file that can't be looked at is one that reading explains.
    stat = path.stat() if path.is_file() else None
    stamp = (stat.st_mtime_ns, stat.st_size) if stat else None
    return once("Reading the books", (path, stamp, genres.digest), lambda _: read_corpus(path, genres), most=2)


def load_tables(corpus: Corpus) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the corpus's rows as they stand and its books (training.core.table). Shared: never change them."""
    genres = site.genres()

    def read(on_step: OnStep) -> tuple[pd.DataFrame, pd.DataFrame]:
        rows = read_rows(corpus, genres)
        on_step("gathering the books", 0.6)
        return rows, books_table(corpus, rows, genres)

    return once("Reading the rows", (corpus.path, corpus.key), read, most=2)


def load_groups(corpus: Corpus) -> Indices:
    """Return which books are tied, a number each: the same book, or nearly the same text."""
    return once("Looking for near copies", corpus.key, lambda _: group_books(corpus.examples))


def load_split(corpus: Corpus) -> Split:
    """Return which books are trained on and which are tested on."""
    groups = load_groups(corpus)
    return once("Dividing the books", corpus.key, lambda _: frozen_split(corpus.examples, groups=groups))


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


def load_test_side(corpus: Corpus) -> tuple[list[Example], Indices]:
    """Return the test side of the corpus, and the groups of its examples."""
    tested = load_split(corpus).test
    return [corpus.examples[at] for at in tested], load_groups(corpus)[tested]


def load_measured(folder: Path, model: GenreModel, corpus: Corpus) -> tuple[Measured, FairTexts]:
    """Return what the model in ``folder`` says of the test side, without the texts that it was trained on."""
    test, groups = load_test_side(corpus)

    def ask(on_step: OnStep) -> tuple[Measured, FairTexts]:
        fair = fair_texts(test, read_seen(folder), None, groups=groups)
        on_step("its answers", 0.2)
        texts = [example.text for example in fair.examples]
        return measure(model.predict_many(texts), fair.examples, model.slugs), fair

    return once("Asking the model", (folder, model.meta.get("created"), corpus.key), ask)


def load_compared(
    folders: tuple[Path, Path], models: tuple[GenreModel, GenreModel], corpus: Corpus
) -> tuple[Compared, FairTexts]:
    """Return what two models say of the test side, without the texts that either was trained on."""
    test, groups = load_test_side(corpus)

    def ask(on_step: OnStep) -> tuple[Compared, FairTexts]:
        fair = fair_texts(test, *map(read_seen, folders), groups=groups)
        on_step("their answers", 0.2)
        return compare_models(*models, fair.examples), fair

    return once("Asking both models", (folders, [model.meta.get("created") for model in models], corpus.key), ask)


def model_folders() -> list[Path]:
    """Return the model folders under GENRE_MODEL_DIR, newest first."""
    from django.conf import settings

    return sorted((meta.parent for meta in Path(settings.GENRE_MODEL_DIR).glob(f"*/{META_FILE}")), reverse=True)


def model_label(folder: Path) -> str:
    """Return what to call the model in ``folder``: its name, marked when it was made bad on purpose."""
    try:
        bad = sabotage_of(read_meta(folder))
    except ModelError:
        # Choosing it tells what is wrong.
        return folder.name
    return f"{folder.name} – bad on purpose: {bad}" if bad else folder.name
