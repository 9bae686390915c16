"""The lab's first page: what a dataset holds and what a model says of a text. Run: ``make explore``."""

import sys
from pathlib import Path

# `streamlit run` puts this file's folder on the path, not the project's.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pandas as pd
import streamlit as st

from classifier.core.errors import GenreError
from classifier.core.genres import canonical_genres
from classifier.core.model import GenreModel
from explore.reading import examples_frame, load_corpus, load_model, model_folders
from training.core.corpora import STARTER_FILE


def show_dataset() -> None:
    """Show the account of a file and its books."""
    path = st.text_input("File of labelled books", str(STARTER_FILE), key="path", help="Any format `train` reads.")
    try:
        corpus = load_corpus(Path(path).expanduser())
    except GenreError as error:
        st.error(f"{error} Give the path of another file.")
        return
    rows, used, books = st.columns(3)
    rows.metric("Rows", f"{corpus.n_rows:,}")
    used.metric("Rows used", f"{corpus.n_used_rows:,}")
    books.metric("Books or texts", f"{len(corpus.examples):,}")
    names = {genre.slug: genre.name for genre in canonical_genres()}
    counts = pd.Series({names[slug]: count for slug, count in corpus.genre_counts().most_common()}, name="books")
    st.subheader("Genres")
    st.bar_chart(counts, horizontal=True, height=24 * len(counts) + 60)
    if corpus.unusable:
        st.subheader("Rows that are not used, and why")
        reasons = {reason: len(numbers) for reason, numbers in corpus.unusable.items()}
        st.dataframe(pd.Series(reasons, name="rows").rename_axis("reason"))
    st.subheader("Books")
    frame = examples_frame(corpus)
    words = st.text_input("Search", key="search", placeholder="words of a title or a text")
    if words:
        found = frame["title"].str.contains(words, case=False, regex=False)
        frame = frame[found | frame["text"].str.contains(words, case=False, regex=False)]
    st.dataframe(frame, hide_index=True)


def show_model() -> None:
    """Show what a model says of a text."""
    folders = model_folders()
    if not folders:
        st.info("No model yet. Run `make setup` or `manage.py train`, then reload this page.")
        return
    folder = st.selectbox("Model folder", folders, format_func=lambda path: path.name, key="model")
    text = st.text_area("Text", key="text", height=200)
    try:
        model: GenreModel = load_model(folder)
    except GenreError as error:
        st.error(str(error))
        return
    if not text.strip():
        st.info("Paste a text to see its genres.")
        return
    prediction = model.predict(text)
    if prediction.abstained:
        st.warning(f"The model abstains: {prediction.abstained}.")
    if not prediction.scores:
        return
    scores = pd.Series({genre.slug: genre.score for genre in prediction.top(10)}, name="score")
    st.bar_chart(scores, horizontal=True, sort=False)
    if prediction.chosen:
        st.caption(f"Chosen: {', '.join(genre.slug for genre in prediction.chosen)}.")
    st.caption(f"{prediction.n_known} of {prediction.n_words} telling words are known to this model.")


st.set_page_config(page_title="Genre Detector lab", layout="wide")
st.title("Genre Detector lab")
dataset_tab, model_tab = st.tabs(["Dataset", "Model"])
with dataset_tab:
    show_dataset()
with model_tab:
    show_model()
