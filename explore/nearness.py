"""What the page of similar texts learns and measures: once, and kept on disk where the lab has a folder."""

from explore import site
from explore.waiting import once
from training.core.books import Corpus
from training.core.embeddings import METHODS, Embeddings, Vectors
from training.core.neighbours import Rate, measure_methods
from training.lab_kept import kept_rates, kept_vectors

NAMES = {"doc2vec": "Doc2Vec", "fasttext": "fastText", "tfidf": "TF-IDF"}


def fitted(corpus: Corpus, method: str) -> Embeddings:
    """Return the vectors of the corpus's texts, and the way to those of others."""
    return once(
        f"Learning vectors, {NAMES[method]}",
        corpus.key,
        lambda on_step: METHODS[method](corpus.examples, on_step=on_step),
        most=2,
    )


def vectors_of(corpus: Corpus, method: str) -> Vectors:
    """Return the vectors of the corpus's texts."""
    if site.unset():
        return fitted(corpus, method).vectors
    return kept_vectors(corpus.key, method, lambda: fitted(corpus, method).vectors)


def rates_of(corpus: Corpus, methods: tuple[str, ...]) -> list[Rate]:
    """Return how good the methods are."""

    def make() -> list[Rate]:
        return once(
            "Measuring",
            (corpus.key, methods),
            lambda on_step: measure_methods(corpus.examples, methods, on_step=on_step),
            most=12,
        )

    return make() if site.unset() else kept_rates(corpus.key, methods, make)
