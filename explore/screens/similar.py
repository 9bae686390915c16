"""Texts near to a text, by several methods side by side."""

import pandas as pd
import streamlit as st

from classifier.core.errors import GenreError
from classifier.core.text import check_text, one_line
from explore.choosing import choose_corpus
from training.core.books import Corpus
from training.core.embeddings import METHODS, Embeddings
from training.core.neighbours import Indices, K, OnStep, Rate, measure_methods, nearest
from training.core.split import group_books

NAMES = {"doc2vec": "Doc2Vec", "fasttext": "fastText", "tfidf": "TF-IDF"}
PASTED = "A text of mine"
BOOK = "A book of the data"


@st.cache_resource(show_spinner="Learning vectors of the texts; many thousand take minutes, once …", max_entries=6)
def fitted(sha256: str, method: str, _corpus: Corpus) -> Embeddings:
    """Return the vectors of the corpus's texts."""
    return METHODS[method](_corpus.examples)


@st.cache_data(show_spinner="Looking for copies …", max_entries=4)
def groups_of(sha256: str, _corpus: Corpus) -> Indices:
    """Return which texts are the same book."""
    return group_books(_corpus.examples)


@st.cache_data(show_spinner=False, max_entries=12)
def rates_of(sha256: str, methods: tuple[str, ...], _corpus: Corpus, _report: OnStep) -> list[Rate]:
    """Return how good the methods are."""
    return measure_methods(_corpus.examples, methods, on_step=_report)


def show(corpus: Corpus) -> None:
    """Let the person choose a text and methods, and show what is near."""
    methods = st.multiselect("Methods", list(METHODS), ["tfidf"], format_func=NAMES.__getitem__, key="similar_methods")
    if not methods:
        st.info("Choose at least one method.")
        return
    show_nearest(corpus, methods)
    st.subheader("How good each method is")
    st.caption(
        f"The share of the {K} nearest with the same primary genre. Each method learns from the train side alone; the "
        "books of the test side ask, and neighbours are sought on the train side, where no copy of theirs stands."
    )
    wanted = (corpus.sha256, tuple(methods))
    if st.button("Measure", key="similar_measure"):
        st.session_state.similar_measured = wanted
    if st.session_state.get("similar_measured") == wanted:
        show_rates(corpus, tuple(methods))


def show_nearest(corpus: Corpus, methods: list[str]) -> None:
    """Show the nearest texts by each method, side by side."""
    kind = st.radio("Near to", [BOOK, PASTED], horizontal=True, key="similar_kind")
    group = groups = at = None
    text = ""
    if kind == BOOK:
        at = st.selectbox(
            "Book",
            range(len(corpus.examples)),
            index=None,
            format_func=lambda row: corpus.examples[row].title or one_line(corpus.examples[row].text)[:60],
            key=f"similar_book_{corpus.sha256}",
        )
    else:
        text = st.text_area("Text", key="similar_text", height=150)
    if at is None and not text.strip():
        st.info("Choose a book, or paste a text, to see what is near to it.")
        return
    if at is not None:
        groups = groups_of(corpus.sha256, corpus)
        group = int(groups[at])
    for column, method in zip(st.columns(len(methods)), methods, strict=True):
        with column:
            st.markdown(f"**{NAMES[method]}**")
            try:
                if at is None:
                    check_text(text)
                found = fitted(corpus.sha256, method, corpus)
            except GenreError as error:
                st.error(str(error))
                continue
            query = found.embed(text) if at is None else found.vectors[at]
            rows, cosines = nearest(query, found.vectors, group=group, groups=groups)
            if not len(rows):
                st.info(
                    "Nothing is near: no word is known, or there is no other book. Try another text or larger data."
                )
                continue
            near = [corpus.examples[row] for row in rows]
            frame = pd.DataFrame(
                {
                    "cosine": cosines.round(3),
                    "title": [example.title for example in near],
                    "genres": [", ".join(example.genres) for example in near],
                    "opening words": [one_line(example.text)[:100] for example in near],
                }
            )
            st.dataframe(frame, hide_index=True)


def show_rates(corpus: Corpus, methods: tuple[str, ...]) -> None:
    """Show how often the nearest share the genre."""
    bar = st.progress(0.0, "Measuring …")
    try:
        rates = rates_of(
            corpus.sha256, methods, corpus, lambda what, share: bar.progress(share, f"Measuring {NAMES[what]} …")
        )
    except GenreError as error:
        st.error(f"{error} Choose other data at the side, or other methods.")
        return
    finally:
        bar.empty()
    rows = [
        {
            "method": NAMES[rate.method],
            "same genre": round(rate.same_genre, 3),
            "95 % from": round(rate.low, 3),
            "to": round(rate.high, 3),
            "seconds": round(rate.seconds),
        }
        for rate in rates
    ]
    st.dataframe(pd.DataFrame([*rows, {"method": "random", "same genre": round(rates[0].random, 3)}]), hide_index=True)
    st.caption(f"{rates[0].n_queries:,} books asked, neighbours among {rates[0].n_searched:,} others.")


st.title("Similar texts")
st.write("Which texts are near to a text, and how far each way of measuring nearness can be trusted.")
if (chosen := choose_corpus()) is not None:
    show(chosen)
