"""What a model is measured against: the most frequent genre, and TF-IDF with a linear SVC."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from classifier.core.text import tokens
from training.core.background import background_for
from training.core.books import Example
from training.core.fit import FitParameters, fit
from training.core.vectors import WordVectors

Matrix = NDArray[np.float64]


class Method(Protocol):
    """Train on ``train`` and score ``test``: returns shape ``(n_test, n_genres)``, in [0, 1]."""

    def __call__(self, train: Sequence[Example], test: Sequence[Example], slugs: Sequence[str], seed: int) -> Matrix:
        """Return the scores of every genre of ``slugs`` for every test example."""
        ...


def label_matrix(examples: Sequence[Example], slugs: Sequence[str]) -> NDArray[np.bool_]:
    """Return which of ``slugs`` each example has, shape ``(n_examples, n_genres)``."""
    column = {slug: at for at, slug in enumerate(slugs)}
    truth = np.zeros((len(examples), len(slugs)), dtype=bool)
    for at, example in enumerate(examples):
        truth[at, [column[slug] for slug in example.genres]] = True
    return truth


def known_slugs(*sides: Sequence[Example]) -> tuple[str, ...]:
    """Return every slug the examples carry, sorted."""
    return tuple(sorted({slug for side in sides for example in side for slug in example.genres}))


def primary_columns(examples: Sequence[Example], slugs: Sequence[str]) -> NDArray[np.intp]:
    """Return the column of each example's primary genre, shape ``(n_examples,)``."""
    return np.array([slugs.index(example.genres[0]) for example in examples], dtype=np.intp)


def majority(train: Sequence[Example], test: Sequence[Example], slugs: Sequence[str], seed: int) -> Matrix:
    """Score every text with the share of training texts that have each genre."""
    shares = label_matrix(train, slugs).mean(axis=0)
    return np.tile(shares, (len(test), 1))


def linear_svc(train: Sequence[Example], test: Sequence[Example], slugs: Sequence[str], seed: int) -> Matrix:
    """TF-IDF of words and word pairs, one linear SVC a genre; margins squeezed into (0, 1) at 0.5.

    The standard baseline of text classification: Joachims, "Text categorization with support vector
    machines", ECML 1998; sublinear term frequency as in scikit-learn's own text examples.
    """
    truth = label_matrix(train, slugs)
    varied = np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0))
    scores = np.tile(truth.all(axis=0).astype(float), (len(test), 1))
    if not len(varied):
        return scores
    pipeline = make_pipeline(
        TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True, min_df=min(2, len(train))),
        OneVsRestClassifier(LinearSVC(random_state=seed)),
    )
    texts = [example.text for example in train]
    try:
        pipeline.fit(texts, truth[:, varied])
    except ValueError:
        # No word stands in two texts (few texts, or a script without blanks).
        pipeline.set_params(tfidfvectorizer__min_df=1).fit(texts, truth[:, varied])
    margins = pipeline.decision_function([example.text for example in test])
    scores[:, varied] = expit(np.asarray(margins).reshape(len(test), len(varied)))
    return scores


def _words_and_pairs(text: str) -> list[str]:
    words = tokens(text)
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def fasttext_method(
    parameters: FitParameters | None, vectors: WordVectors | None = None, starter: Sequence[Example] = ()
) -> Method:
    """Return the method that trains fastText with ``parameters`` (None: recommended), from ``vectors`` if given.

    Beside a small training set it learns from ``starter`` too (``background_for``).
    """

    def method(train: Sequence[Example], test: Sequence[Example], slugs: Sequence[str], seed: int) -> Matrix:
        background = background_for(train, starter, beside=test) if vectors and starter else []
        model = fit(train, parameters, vectors=vectors, background=background)
        return model_scores(model.predict_many, [example.text for example in test], slugs)

    return method


def model_scores(predict_many: Callable[[list[str]], list], texts: list[str], slugs: Sequence[str]) -> Matrix:  # type: ignore[type-arg]
    """Return a model's scores as a matrix; a row of zeros where it abstained, even if it says what came nearest."""
    column = {slug: at for at, slug in enumerate(slugs)}
    scores = np.zeros((len(texts), len(slugs)))
    for at, prediction in enumerate(predict_many(texts)):
        for genre in () if prediction.abstained else prediction.scores:
            if genre.slug in column:
                scores[at, column[genre.slug]] = genre.score
    return scores
