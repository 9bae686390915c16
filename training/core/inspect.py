"""Look into a model: where it is right on labelled texts, where it is wrong, and which words and genres are near.

Measured scores have shape ``(n_texts, n_genres)`` and lie in [0, 1]; truth is boolean, of the same shape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve
from sklearn.preprocessing import normalize

from classifier.core.errors import CorpusError, ModelError
from classifier.core.explain import END_OF_LINE, HIERARCHICAL
from classifier.core.model import LABEL, GenreModel, Prediction
from classifier.core.text import JOINT
from training.core.baselines import label_matrix, primary_columns
from training.core.books import Example
from training.core.metrics import Flags, Scores
from training.core.paired import Answers, Interval, answers_of, compare, on_all

NO_ANSWER = "no answer"
N_BINS = 10
# Points of a curve that is drawn; more look the same.
N_POINTS = 200
SWEPT = tuple(round(0.01 * step, 2) for step in range(1, 100))


@dataclass(frozen=True)
class Measured:
    """What a model said of labelled texts.

    Attributes
    ----------
    examples : list of Example, length n_texts
    predictions : list of Prediction, length n_texts
    slugs : tuple of str, length n_genres
        Columns: every genre of the texts and of the model, sorted.
    truth : ndarray of shape (n_texts, n_genres), dtype=bool
    scores : ndarray of shape (n_texts, n_genres)
        Also of a text that reached no threshold; zeros where there are none.
    primary : ndarray of shape (n_texts,), dtype=int
        The column of each text's primary genre.
    """

    examples: list[Example]
    predictions: list[Prediction]
    slugs: tuple[str, ...]
    truth: Flags
    scores: Scores
    primary: NDArray[np.intp]

    @property
    def answered(self) -> Flags:
        """Whether the model answered, shape ``(n_texts,)``."""
        return np.array([not said.abstained for said in self.predictions], dtype=bool)


@dataclass(frozen=True)
class Effect:
    """What one threshold for all genres does: each in [0, 1]. Nothing chosen has precision 0."""

    threshold: float
    precision: float
    recall: float
    f1: float
    without_genre: float


def measure(predictions: Sequence[Prediction], examples: Sequence[Example], known: Sequence[str]) -> Measured:
    """Return the model's ``predictions`` of ``examples`` as arrays; ``known`` are the genres of the model.

    Raises
    ------
    CorpusError
        When there is no example.
    """
    if not examples:
        raise CorpusError(
            "There is no text to measure on. Choose a larger file, or one this model has not learned from."
        )
    slugs = tuple(sorted({*known, *(slug for example in examples for slug in example.genres)}))
    column = {slug: at for at, slug in enumerate(slugs)}
    scores = np.zeros((len(examples), len(slugs)))
    for at, said in enumerate(predictions):
        for genre in said.scores:
            scores[at, column[genre.slug]] = genre.score
    return Measured(
        list(examples),
        list(predictions),
        slugs,
        label_matrix(examples, slugs),
        scores,
        primary_columns(examples, slugs),
    )


def confusion(measured: Measured) -> pd.DataFrame:
    """Return how often each genre was answered with each.

    Returns
    -------
    DataFrame
        A row for each primary genre of the texts, a column for each first genre of the answers and one for
        ``NO_ANSWER``; counts, most frequent genre first in both. Rows sum to the texts of the genre.
    """
    true = [measured.slugs[at] for at in measured.primary]
    said = [each.scores[0].slug if not each.abstained else NO_ANSWER for each in measured.predictions]
    labels = [*measured.slugs, NO_ANSWER]
    table = pd.DataFrame(confusion_matrix(true, said, labels=labels), index=labels, columns=labels)
    by_count = table.sum(axis=1).sort_values(ascending=False, kind="stable").index
    rows = [slug for slug in by_count if table.loc[slug].any()]
    columns = [slug for slug in by_count if slug != NO_ANSWER and (slug in rows or table[slug].any())]
    return table.loc[rows, [*columns, NO_ANSWER]]


def precision_recall(measured: Measured, slug: str) -> tuple[pd.DataFrame, float]:
    """Return a genre's curve and its average precision (scikit-learn's).

    Returns
    -------
    DataFrame
        ``threshold``, ``precision``, ``recall`` in [0, 1], recall falling; at most ``N_POINTS`` rows. Of thresholds
        with the same recall the highest stands, which is the most precise. Empty when no text has the genre.
    float
        Average precision in [0, 1], more is better; nan when no text has the genre.
    """
    at = measured.slugs.index(slug)
    truth, scores = measured.truth[:, at], measured.scores[:, at]
    if not truth.any():
        return pd.DataFrame(columns=["threshold", "precision", "recall"], dtype=float), float("nan")
    precision, recall, thresholds = precision_recall_curve(truth, scores)
    # The curve's last point is one that no threshold gives.
    table = pd.DataFrame({"threshold": thresholds, "precision": precision[:-1], "recall": recall[:-1]})
    table = table.drop_duplicates("recall", keep="last")
    kept = np.unique(np.linspace(0, len(table) - 1, N_POINTS).astype(int))
    return table.iloc[kept].reset_index(drop=True), float(average_precision_score(truth, scores))


def first_scores(measured: Measured) -> tuple[Scores, Flags]:
    """Return the score of the first genre of each text that has one, and whether the text has that genre."""
    heads = [
        (said.scores[0].score, said.scores[0].slug in example.genres)
        for said, example in zip(measured.predictions, measured.examples, strict=True)
        if said.scores
    ]
    return np.array([score for score, _ in heads], dtype=float), np.array([fits for _, fits in heads], dtype=bool)


def reliability(scores: Scores, correct: Flags, *, n_bins: int = N_BINS) -> pd.DataFrame:
    """Return bins of equal mass: what the scores promised, and what came true.

    Parameters
    ----------
    scores : ndarray of shape (n_texts,)
        The score of the genre shown first.
    correct : ndarray of shape (n_texts,), dtype=bool
        Whether that genre is right.
    n_bins : int, default=10
        Fewer where there are fewer texts.

    Returns
    -------
    DataFrame
        ``score`` (mean), ``right`` (share) in [0, 1] and ``texts``, a row a bin, rising. The mean of ``|score - right|``
        weighted by ``texts`` is ``training.core.calibration.calibration_error``. Empty for no texts.

    References
    ----------
    Niculescu-Mizil and Caruana, "Predicting good probabilities with supervised learning", ICML 2005; the bins are
    those of Nguyen and O'Connor, EMNLP 2015.
    """
    if not len(scores):
        return pd.DataFrame(columns=["score", "right", "texts"], dtype=float)
    order = np.argsort(scores, kind="stable")
    rows = [(scores[at].mean(), correct[at].mean(), len(at)) for at in np.array_split(order, min(n_bins, len(scores)))]
    return pd.DataFrame(rows, columns=["score", "right", "texts"])


def worst_mistakes(measured: Measured, names: Mapping[str, str], *, limit: int = 200) -> pd.DataFrame:
    """Return the answers whose first genre the text does not have, the surest first; equal scores in the texts' order.

    ``names`` tells what to call a genre, by slug; a slug that is not in it stands for itself.

    Returns
    -------
    DataFrame
        ``score``, ``said``, ``genres``, ``title``, ``text``; at most ``limit`` rows.
    """
    rows = [
        (said.scores[0].score, *_called(names, [said.scores[0].slug], example.genres), example.title, example.text)
        for said, example in zip(measured.predictions, measured.examples, strict=True)
        if not said.abstained and said.scores[0].slug not in example.genres
    ]
    table = pd.DataFrame(rows, columns=["score", "said", "genres", "title", "text"])
    return table.sort_values("score", ascending=False, kind="stable").head(limit).reset_index(drop=True)


def effect(truth: Flags, scores: Scores, threshold: float) -> Effect:
    """Return what choosing every genre from ``threshold`` on does.

    Parameters
    ----------
    truth, scores : ndarray of shape (n_texts, n_genres)
        One column, to look at one genre alone.
    threshold : float
        In (0, 1].

    Returns
    -------
    Effect
        Precision, recall and F1 over all (text, genre) pairs together; ``without_genre`` is the share of texts for
        which no genre of the columns is chosen.
    """
    chosen = (scores >= threshold) & (scores > 0)
    n_hits, n_chosen, n_true = int((truth & chosen).sum()), int(chosen.sum()), int(truth.sum())
    return Effect(
        threshold=threshold,
        precision=n_hits / n_chosen if n_chosen else 0.0,
        recall=n_hits / n_true if n_true else 0.0,
        f1=2 * n_hits / (n_chosen + n_true) if n_chosen + n_true else 0.0,
        without_genre=float((~chosen.any(axis=1)).mean()) if len(chosen) else 0.0,
    )


def sweep(truth: Flags, scores: Scores, thresholds: Sequence[float] = SWEPT) -> pd.DataFrame:
    """Return ``effect`` of each threshold, a row each; precision is nan where nothing is chosen."""
    table = pd.DataFrame([effect(truth, scores, threshold) for threshold in thresholds])
    return table.assign(precision=table["precision"].where(table["without_genre"] < 1))


@dataclass(frozen=True)
class Compared:
    """Two models on the same texts: what each said, their figures, and the interval of first minus second."""

    first: Measured
    second: Measured
    answers: tuple[Answers, Answers]
    figures: tuple[dict[str, float], dict[str, float]]
    intervals: dict[str, Interval]


def compare_models(first: GenreModel, second: GenreModel, examples: Sequence[Example]) -> Compared:
    """Hold two models against each other on the same texts, each with its own thresholds.

    Raises
    ------
    CorpusError
        When there is no example.
    """
    texts = [example.text for example in examples]
    known = tuple(sorted({*first.slugs, *second.slugs}))
    measured = [measure(model.predict_many(texts), examples, known) for model in (first, second)]
    ours, theirs = (
        answers_of(each.predictions, examples, each.slugs, known=model.slugs, thresholds=model.thresholds)
        for each, model in zip(measured, (first, second), strict=True)
    )
    return Compared(measured[0], measured[1], (ours, theirs), (on_all(ours), on_all(theirs)), compare(ours, theirs))


def winners(ours: Answers, theirs: Answers) -> pd.DataFrame:
    """Return who is right where, by primary genre.

    Returns
    -------
    DataFrame
        ``genre``, ``texts``, ``both``, ``only_first``, ``only_second``, ``neither``, and ``lead`` (``only_first`` less
        ``only_second``); most frequent genre first. The four counts sum to ``texts``.
    """
    frame = pd.DataFrame(
        {
            "genre": [ours.slugs[at] for at in ours.primary],
            "texts": 1,
            "both": ours.right & theirs.right,
            "only_first": ours.right & ~theirs.right,
            "only_second": theirs.right & ~ours.right,
            "neither": ~ours.right & ~theirs.right,
        }
    )
    table = frame.groupby("genre", sort=True).sum().astype(int)
    table["lead"] = table["only_first"] - table["only_second"]
    return table.sort_values("texts", ascending=False, kind="stable").reset_index()


def disputed(compared: Compared, names: Mapping[str, str]) -> pd.DataFrame:
    """Return the texts where exactly one of two models is right about the primary genre, in the texts' order.

    ``names`` tells what to call a genre, by slug; a slug that is not in it stands for itself.

    Returns
    -------
    DataFrame
        ``right`` (``"first"`` or ``"second"``), ``genres``, ``first_said``, ``second_said``, ``title``, ``text``.
    """
    first, second = compared.first, compared.second
    ours, theirs = compared.answers
    rows = [
        (
            "first" if ours.right[at] else "second",
            *_called(names, first.examples[at].genres),
            _said(first.predictions[at], names),
            _said(second.predictions[at], names),
            first.examples[at].title,
            first.examples[at].text,
        )
        for at in np.flatnonzero(ours.right != theirs.right)
    ]
    return pd.DataFrame(rows, columns=["right", "genres", "first_said", "second_said", "title", "text"])


def _said(prediction: Prediction, names: Mapping[str, str]) -> str:
    if prediction.abstained:
        return NO_ANSWER
    first = prediction.scores[0]
    return f"{names.get(first.slug, first.slug)} {first.score:.0%}"


def _called(names: Mapping[str, str], *genres: Sequence[str]) -> list[str]:
    return [", ".join(names.get(slug, slug) for slug in slugs) for slugs in genres]


def word_directions(model: GenreModel) -> tuple[list[str], NDArray[np.float32]]:
    """Return the model's words and their input rows scaled to length 1, shape ``(n_words, dim)``; pairs as ``a b``.

    Raises
    ------
    ModelError
        When the model is quantised: its rows are gone.
    """
    if model.engine.is_quantized():
        raise ModelError("A quantised model has no word vectors to compare. Use the model that it was made from.")
    words = [word.replace(JOINT, " ") for word in model.engine.get_words() if word != END_OF_LINE]
    rows = [at for at, word in enumerate(model.engine.get_words()) if word != END_OF_LINE]
    return words, np.asarray(normalize(model.engine.get_input_matrix()[rows]), dtype=np.float32)


def nearest_words(words: Sequence[str], directions: NDArray[np.float32], word: str, limit: int = 20) -> pd.DataFrame:
    """Return the words whose input row points most nearly where the word's does.

    Returns
    -------
    DataFrame
        ``word``, ``cosine`` in [-1, 1], the nearest first, without the word itself; empty when it is not known.
    """
    if word not in words:
        return pd.DataFrame({"word": pd.Series(dtype=str), "cosine": pd.Series(dtype=float)})
    at = words.index(word)
    cosines = directions @ directions[at]
    order = [other for other in np.argsort(-cosines, kind="stable")[: limit + 1] if other != at][:limit]
    return pd.DataFrame({"word": [words[other] for other in order], "cosine": cosines[order].astype(float)})


def genre_similarity(model: GenreModel) -> pd.DataFrame:
    """Return the cosine of each two genres' output rows, shape ``(n_genres, n_genres)``, in [-1, 1], sorted by slug.

    High where the same words speak for both, so that the model easily takes one for the other.

    Raises
    ------
    ModelError
        With hierarchical softmax, whose output rows are no genres, and for a quantised model.
    """
    if model.loss == HIERARCHICAL or model.engine.is_quantized():
        raise ModelError("This model has no row for each genre (hierarchical softmax, or quantised). Choose another.")
    slugs = [label.removeprefix(LABEL) for label in model.engine.get_labels()]
    unit = normalize(np.asarray(model.engine.get_output_matrix(), dtype=float))
    table = pd.DataFrame(np.clip(unit @ unit.T, -1, 1), index=slugs, columns=slugs)
    return table.sort_index().sort_index(axis=1)
