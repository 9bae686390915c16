"""The nearest texts by cosine, and how often they share the primary genre.

Measured alike for every method: it is fitted on the train side of ``frozen_split``, the texts of the test side are
the queries, and their neighbours are sought on the train side. A method that learns from genres has so never seen a
query's, and a book and its near copies never stand on two sides, so none counts as its own neighbour.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.core.errors import CorpusError
from training.core.books import Example
from training.core.embeddings import METHODS, Embeddings, Vectors
from training.core.progress import OnStep, part_of, silent
from training.core.split import frozen_split

Indices = NDArray[np.intp]
K = 10
_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Rate:
    """The share in [0, 1] of the ``k`` nearest that share the query's primary genre, mean over ``n_queries``.

    ``low`` and ``high`` are 1.96 standard errors away, within [0, 1]; ``random`` is what neighbours drawn by chance reach.
    """

    method: str
    same_genre: float
    low: float
    high: float
    random: float
    n_queries: int
    n_searched: int
    k: int
    seconds: float


def nearest(
    query: Vectors, vectors: Vectors, k: int = K, *, group: int | None = None, groups: Indices | None = None
) -> tuple[Indices, NDArray[np.float64]]:
    """Return positions and cosines of the ``k`` rows nearest to ``query``, best first; equal cosines in row order.

    Parameters
    ----------
    query : ndarray of shape (dim,)
        Of length 1, or zero: then there is no neighbour.
    vectors : ndarray of shape (n_texts, dim)
        Rows of length 1.
    group, groups : int and ndarray of shape (n_texts,), optional
        Rows whose ``groups`` is ``group`` are no neighbours (``group_books``: the same book and its near copies).
    """
    if not np.any(query):
        return np.array([], dtype=np.intp), np.array([])
    cosines = np.asarray(vectors @ query, dtype=np.float64)
    allowed = np.flatnonzero(groups != group) if groups is not None else np.arange(len(vectors))
    order = allowed[np.argsort(-cosines[allowed], kind="stable")[:k]]
    return order, cosines[order].clip(-1, 1)


def same_genre_at(
    queries: Vectors, query_genres: Sequence[str], vectors: Vectors, genres: Sequence[str], k: int = K
) -> NDArray[np.float64]:
    """Return for each query the share of its ``k`` nearest that have its genre, shape ``(n_queries,)``."""
    k = min(k, len(vectors))
    asked, known = np.asarray(query_genres), np.asarray(genres)
    shares = np.zeros(len(queries))
    for start in range(0, len(queries), _ROWS_AT_ONCE):
        block = slice(start, start + _ROWS_AT_ONCE)
        top = np.argpartition(-(queries[block] @ vectors.T), k - 1, axis=1)[:, :k]
        shares[block] = (known[top] == asked[block, None]).mean(axis=1)
    return shares


def measure_methods(
    examples: Sequence[Example],
    methods: Sequence[str] = tuple(METHODS),
    *,
    k: int = K,
    seed: int = 0,
    on_step: OnStep = silent,
) -> list[Rate]:
    """Fit each method on the train side and measure it with the test side's texts as queries.

    Raises
    ------
    CorpusError
        When one of the two sides is empty.
    TrainingError
        When a method can't be fitted.
    """
    on_step("dividing the books", 0.0)
    split = frozen_split(examples)
    train, test = [examples[at] for at in split.train], [examples[at] for at in split.test]
    if not train or not test:
        raise CorpusError(
            f"{len(examples)} texts are too few to measure on: no book in five is set aside. Choose a larger file."
        )
    genres, asked = [example.genres[0] for example in train], [example.genres[0] for example in test]
    chance = float(np.mean([genres.count(genre) / len(genres) for genre in asked]))
    rates = []
    for number, method in enumerate(methods):
        report = part_of(on_step, number / len(methods), 1 / len(methods), method)
        started = time.perf_counter()
        fitted: Embeddings = METHODS[method](train, seed=seed, on_step=part_of(report, 0.0, 0.7))
        report("vectors of the texts that ask", 0.7)
        queries = fitted.embed_many([example.text for example in test])
        report("looking for the nearest", 0.9)
        shares = same_genre_at(queries, asked, fitted.vectors, genres, k)
        mean, error = float(shares.mean()), float(1.96 * shares.std() / len(shares) ** 0.5)
        rates.append(
            Rate(
                method,
                mean,
                max(0.0, mean - error),
                min(1.0, mean + error),
                chance,
                len(test),
                len(train),
                min(k, len(train)),
                time.perf_counter() - started,
            )
        )
    return rates
