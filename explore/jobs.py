"""The form of the Train page: what to try, as jobs."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from classifier.core.errors import GenreError
from classifier.core.model import sha256_of
from explore.reading import load_split
from training.core.books import Corpus
from training.core.corpora import ALL_FORMATS
from training.core.fit import LOSSES, MANY_EXAMPLES, FitParameters, recommended
from training.core.grid import FIELDS, NO_VECTORS, Recipe, recipes, shown
from training.core.vectors import BOOK_VECTORS, dim_of
from training.lab_job import Job

HELP = "One value (0.5), several (0.1, 0.5) or a range (0.1..1.0). Empty: what is recommended."
# Fields side by side: of more the labels break on a narrow page.
A_ROW = 4
VECTORS = {"book": "the shipped book vectors", NO_VECTORS: "none"}


def jobs_form(corpus: Corpus) -> list[Job]:
    """Draw what to try and return the jobs; empty, with what to do, when there is something wrong."""
    test = st.text_input(
        "File to measure on", key="test", placeholder="empty: one book in five is held back, always the same ones"
    )
    path = Path(test).expanduser() if test.strip() else None
    if path is not None and not path.is_file():
        st.error(f"{path} is no file. Give the path of a file of labelled books, or leave it empty.")
        return []
    vectors = st.multiselect("Word vectors to start from", VECTORS, ["book"], format_func=VECTORS.get, key="vectors")
    bases = _bases(_train_size(corpus, path), vectors)
    texts = _values(bases.values())
    try:
        found = recipes(texts, bases, **_way())
    except GenreError as error:
        st.error(str(error))
        return []
    test_sha256 = sha256_of(path) if path else ""
    return [_job(corpus, recipe, path, test_sha256) for recipe in found]


def _values(bases: Collection[FitParameters]) -> dict[str, str]:
    """Draw a field for each parameter; return what is written in them."""
    texts = {}
    columns = (column for _ in range(0, len(FIELDS), A_ROW) for column in st.columns(A_ROW))
    # There are more places than fields.
    for name, column in zip(FIELDS, columns, strict=False):
        advice = ", ".join(dict.fromkeys(str(getattr(base, name)) for base in bases))
        if name == "loss":
            texts[name] = ", ".join(column.multiselect(name, LOSSES, key=f"try-{name}", placeholder=advice))
        else:
            texts[name] = column.text_input(name, key=f"try-{name}", placeholder=advice, help=HELP)
    return texts


def _way() -> dict[str, int]:
    """Draw how to search; return the options of ``recipes``."""
    way, amount, last = st.columns(3)
    is_random = way.radio("Search", ["grid", "random"], key="way", horizontal=True) == "random"
    if is_random:
        n_random = int(amount.number_input("Random runs, with each of the word vectors", 1, 100, 10, key="n-random"))
        seed = int(last.number_input("Seed of the search", 0, key="search-seed"))
        return {"n_random": n_random, "seed": seed}
    return {"steps": int(amount.number_input("Values that stand for a range", 2, 10, 3, key="steps"))}


def _train_size(corpus: Corpus, test: Path | None) -> int:
    """Return how many examples are trained on."""
    # Of so many the greater half is on the train side, and what is recommended does not change beyond MANY_EXAMPLES:
    # comparing all texts with each other, which takes a quarter of a minute, would change nothing.
    if test or len(corpus.examples) > 2 * MANY_EXAMPLES:
        return len(corpus.examples)
    return len(load_split(corpus).train)


def _bases(n_train: int, vectors: Sequence[str]) -> dict[str, FitParameters]:
    """Return what is recommended with each of the word vectors, which bring their own dimensions."""
    bases = {name: recommended(n_train, with_vectors=name != NO_VECTORS) for name in vectors}
    return {
        name: base if name == NO_VECTORS else replace(base, dim=dim_of(BOOK_VECTORS)) for name, base in bases.items()
    }


def _job(corpus: Corpus, recipe: Recipe, test: Path | None, test_sha256: str) -> Job:
    assert corpus.path is not None
    return Job(
        corpus.path.resolve(),
        recipe.parameters,
        recipe.vectors,
        corpus.file_format if corpus.file_format in ALL_FORMATS and test is None else "",
        test and test.resolve(),
        data_sha256=corpus.sha256,
        test_sha256=test_sha256,
    )


def jobs_table(jobs: Sequence[Job]) -> pd.DataFrame:
    """Return the jobs, a row each."""
    return pd.DataFrame([shown(Recipe(job.vectors, job.parameters)) for job in jobs])
