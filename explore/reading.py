"""What the lab reads, cached by Streamlit. It writes nothing."""

import os
from pathlib import Path

import pandas as pd
import streamlit as st

from classifier.core.genres import canonical_genres
from classifier.core.model import META_FILE, GenreModel
from training.core.books import Corpus
from training.core.corpora import read_corpus

ROOT = Path(__file__).resolve().parent.parent


@st.cache_data(show_spinner="Reading the books …")
def load_corpus(path: Path) -> Corpus:
    """Return the corpus in ``path``."""
    return read_corpus(path, canonical_genres())


@st.cache_resource(show_spinner="Loading the model …")
def load_model(folder: Path) -> GenreModel:
    """Return the model in ``folder``, its hash checked."""
    return GenreModel.load(folder)


def model_folders() -> list[Path]:
    """Return the model folders under GENRE_MODEL_DIR, newest first."""
    root = Path(os.environ.get("GENRE_MODEL_DIR") or ROOT / "models")
    return sorted((meta.parent for meta in root.glob(f"*/{META_FILE}")), reverse=True)


def examples_frame(corpus: Corpus) -> pd.DataFrame:
    """Return one row a book: title, author, genres, words, text."""
    return pd.DataFrame(
        {
            "title": [example.title for example in corpus.examples],
            "author": [example.author for example in corpus.examples],
            "genres": [", ".join(example.genres) for example in corpus.examples],
            "words": [len(example.text.split()) for example in corpus.examples],
            "text": [example.text for example in corpus.examples],
        }
    )
