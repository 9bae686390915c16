"""Texts near to a text, by several methods side by side."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from classifier.core.errors import GenreError
from classifier.core.text import check_text, one_line
from explore.choosing import choose_corpus
from explore.nearness import NAMES, fitted, rates_of, vectors_of
from explore.reading import load_groups
from explore.site import names_of
from explore.waiting import wanted
from training.core.books import Corpus
from training.core.embeddings import METHODS, Vectors
from training.core.naming import example_labels, find_examples
from training.core.neighbours import Indices, K, Rate, nearest

PASTED = "A text of mine"
BOOK = "A book of the data"
# All of a hundred thousand titles would go to the browser each time.
BOOKS_OFFERED = 500


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
    asked = st.button("Measure", key="similar_measure")
    try:
        with wanted("similar_measured", (corpus.key, methods), asked=asked) as is_wanted:
            if is_wanted:
                show_rates(rates_of(corpus, tuple(methods)))
    except GenreError as error:
        st.error(f"{error} Choose other data at the side, or other methods.")


def choose_book(corpus: Corpus) -> int | None:
    """Let the person look for a book; return its position."""
    words = st.text_input("Search", key="similar_search", placeholder="words of a title, an author or a text")
    found = find_examples(corpus.examples, words)
    shown = found[:BOOKS_OFFERED]
    if not shown:
        st.info("No book holds all of these words. Use fewer.")
        return None
    if len(found) > len(shown):
        st.caption(f"The first {len(shown):,} of {len(found):,}; more words narrow it.")
    labels = dict(zip(shown, example_labels([corpus.examples[row] for row in shown]), strict=True))
    # Another name for other books: what is chosen is a place in the list.
    key = f"similar_book_{corpus.key}_{words}"
    return st.selectbox("Book", shown, index=None, format_func=labels.__getitem__, key=key)


def show_nearest(corpus: Corpus, methods: list[str]) -> None:
    """Show the nearest texts by each method, side by side."""
    kind = st.radio("Near to", [BOOK, PASTED], horizontal=True, key="similar_kind")
    group = groups = at = None
    text = ""
    if kind == BOOK:
        at = choose_book(corpus)
    else:
        text = st.text_area("Text", key="similar_text", height=150)
    if at is None and not text.strip():
        st.info("Choose a book, or paste a text, to see what is near to it.")
        return
    if at is not None:
        groups = load_groups(corpus)
        group = int(groups[at])
    for column, method in zip(st.columns(len(methods)), methods, strict=True):
        with column:
            st.markdown(f"**{NAMES[method]}**")
            try:
                query, vectors = query_of(corpus, method, at, text)
            except GenreError as error:
                st.error(str(error))
                continue
            show_found(corpus, *nearest(query, vectors, group=group, groups=groups))


def query_of(corpus: Corpus, method: str, at: int | None, text: str) -> tuple[Vectors, Vectors]:
    """Return the vector of the book at ``at``, or else of ``text``, and those of all books."""
    if at is not None:
        vectors = vectors_of(corpus, method)
        return vectors[at], vectors
    check_text(text)
    found = fitted(corpus, method)
    return found.embed(text), found.vectors


def show_found(corpus: Corpus, rows: Indices, cosines: NDArray[np.float64]) -> None:
    """Show the texts that are near."""
    if not len(rows):
        st.info("Nothing is near: no word is known, or there is no other book. Try another text or larger data.")
        return
    near = [corpus.examples[row] for row in rows]
    frame = pd.DataFrame(
        {
            "cosine": cosines.round(3),
            "title": [example.title for example in near],
            "genres": [names_of(example.genres) for example in near],
            "opening words": [one_line(example.text)[:100] for example in near],
        }
    )
    st.dataframe(frame, hide_index=True)


def show_rates(rates: list[Rate]) -> None:
    """Show how often the nearest share the genre."""
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
