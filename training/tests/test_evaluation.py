import json
from dataclasses import replace

import numpy as np
import pytest

from classifier.core.errors import CorpusError
from classifier.core.model import NO_GENRE, GenreModel, GenreScore, Prediction
from conftest import make_examples, thresholds_meta
from training.core import evaluation as evaluation_module
from training.core.baselines import known_slugs, label_matrix, linear_svc, majority, model_scores
from training.core.books import Example
from training.core.evaluation import (
    FASTTEXT,
    MAJORITY,
    SVC,
    TITLES,
    compare,
    cross_validate,
    evaluate_model,
)
from training.core.fit import FitParameters
from training.core.metrics import NAMES
from training.core.split import group_books

SLUGS = ("business-economics", "cooking", "fantasy")
QUICK = FitParameters(epoch=40, lr=1.0, dim=8, seed=2)


@pytest.fixture(scope="module")
def halves():
    """Train and test examples of the small corpus."""
    examples = make_examples()
    return examples[::2], examples[1::2]


def test_slugs_are_those_of_all_sides_sorted():
    assert known_slugs([Example("", ("b", "a"))], [Example("", ("c",)), Example("", ("a",))]) == ("a", "b", "c")
    assert known_slugs() == ()


def test_the_label_matrix_has_a_row_a_text_and_a_column_a_genre():
    matrix = label_matrix([Example("", ("c", "a")), Example("", ("b",))], ("a", "b", "c"))
    assert matrix.tolist() == [[True, False, True], [False, True, False]]


def test_the_majority_baseline_scores_the_share_of_each_genre():
    train = [Example("", ("a",)), Example("", ("a", "b")), Example("", ("a",)), Example("", ("c",))]
    assert majority(train, [Example("", ("c",))] * 2, ("a", "b", "c"), 0).tolist() == [[0.75, 0.25, 0.25]] * 2


def test_the_linear_baseline_learns_the_small_corpus(halves):
    train, test = halves
    scores = linear_svc(train, test, SLUGS, 0)
    assert scores.shape == (len(test), 3)
    assert ((scores > 0) & (scores < 1)).all()
    best = [SLUGS[at] for at in scores.argmax(axis=1)]
    assert np.mean([slug == example.genres[0] for slug, example in zip(best, test, strict=True)]) > 0.9


def test_the_linear_baseline_takes_genres_that_every_or_no_text_has():
    train = [Example("dragon wizard spell", ("a", "all")), Example("butter oven dough", ("b", "all"))] * 2
    scores = linear_svc(train, [Example("dragon", ("a",))], ("a", "all", "b", "none"), 0)
    assert scores[0, 1] == 1.0
    assert scores[0, 3] == 0.0
    assert scores[0, 0] > scores[0, 2]


def test_the_linear_baseline_takes_texts_that_share_no_word():
    train = [Example("dragon wizard", ("a",)), Example("butter oven", ("b",))]
    scores = linear_svc(train, [Example("wizard", ("a",)), Example("oven", ("b",))], ("a", "b"), 0)
    assert scores[0, 0] > scores[0, 1]
    assert scores[1, 0] < scores[1, 1]


def test_a_models_scores_stand_in_the_right_columns_and_zero_where_it_abstained():
    predictions = [
        Prediction((GenreScore("b", 0.7), GenreScore("unknown", 0.2), GenreScore("a", 0.1)), 3, 3),
        Prediction((), 0, 0, "no-words"),
        Prediction((GenreScore("b", 0.2), GenreScore("a", 0.1)), 3, 3, NO_GENRE),
    ]
    scores = model_scores(lambda texts: predictions, ["one", "two", "three"], ("a", "b", "c"))
    assert scores.tolist() == [[0.1, 0.7, 0.0], [0.0] * 3, [0.0] * 3]


@pytest.mark.functional
def test_three_methods_are_measured_on_the_same_texts(halves):
    train, test = halves
    steps = []
    result = compare(train, test, QUICK, on_step=lambda what, share: steps.append((what, share)))
    assert set(result.scores) == {FASTTEXT, SVC, MAJORITY} == set(TITLES)
    assert all(list(scores) == list(NAMES) for scores in result.scores.values())
    assert (result.n_examples, result.n_genres, result.n_folds) == (len(test), 3, 0)
    # Each genre is a third of both sides; the majority baseline answers the first one always.
    assert result.scores[MAJORITY]["accuracy"] == round(1 / 3, 4)
    assert result.scores[FASTTEXT]["accuracy"] > 0.8
    assert result.scores[SVC]["accuracy"] > 0.8
    assert [row["support"] for row in result.genres] == [6, 6, 6]
    assert [share for _, share in steps] == sorted(share for _, share in steps)
    assert steps[-1] == ("metrics", 1.0)
    assert json.loads(json.dumps(result.as_json()))["methods"] == result.scores


def test_a_trained_model_is_measured_beside_baselines_of_its_train_side(model, examples):
    train, test = examples[::2], examples[1::2]
    result = evaluate_model(model.predict_many, train, test)
    assert set(result.scores) == {FASTTEXT, SVC, MAJORITY}
    # It was trained on these texts.
    assert result.scores[FASTTEXT]["accuracy"] == 1.0


def test_a_model_is_measured_by_its_own_thresholds_and_a_text_without_genre_is_wrong(model, examples):
    own = GenreModel(model._engine, {**model.meta, **thresholds_meta(fantasy=0.5, cooking=0.5)})
    result = evaluate_model(own.predict_many, [], examples, thresholds=own.thresholds)
    # Business is never chosen, so its texts get no genre.
    rows = {row["genre"]: (row["precision"], row["recall"]) for row in result.genres}
    assert rows == {"fantasy": (1.0, 1.0), "cooking": (1.0, 1.0), "business-economics": (0.0, 0.0)}
    assert result.scores[FASTTEXT]["accuracy"] == result.scores[FASTTEXT]["ndcg"] == round(2 / 3, 4)


def test_without_a_train_side_the_model_is_measured_alone(model, examples):
    result = evaluate_model(model.predict_many, [], examples)
    assert set(result.scores) == {FASTTEXT}
    assert result.n_genres == 3


def test_texts_of_one_genre_can_be_measured(model, examples):
    result = evaluate_model(model.predict_many, [], [example for example in examples if example.genres == ("fantasy",)])
    assert result.n_genres == 1
    assert result.scores[FASTTEXT]["f1_doc_avg"] == 1.0


def test_a_genre_the_model_does_not_know_counts_against_it(model, examples):
    test = [replace(examples[0], genres=("poetry",)), examples[0]]
    result = evaluate_model(model.predict_many, [], test)
    assert result.scores[FASTTEXT]["accuracy"] == 0.5


@pytest.mark.parametrize("train", [[], make_examples(2)])
def test_an_empty_test_side_is_refused(model, train):
    with pytest.raises(CorpusError, match="test side of this data is empty"):
        evaluate_model(model.predict_many, train, [])
    with pytest.raises(CorpusError, match="test side of this data is empty"):
        compare(train, [], QUICK)


def test_cross_validation_scores_each_text_by_a_model_that_never_saw_its_book(monkeypatch):
    examples = make_examples(6)
    examples += [replace(example, title=f"copy of {example.title}") for example in examples[:6]]
    group_of = dict(zip(map(id, examples), group_books(examples).tolist(), strict=True))
    tested = []

    def spy(train, test, slugs, seed):
        assert not {group_of[id(example)] for example in train} & {group_of[id(example)] for example in test}
        assert len(train) + len(test) == len(examples)
        tested.extend(map(id, test))
        return label_matrix(test, slugs).astype(float)

    monkeypatch.setattr(evaluation_module, "_methods", lambda parameters, vectors, starter: {FASTTEXT: spy})
    result = cross_validate(examples, QUICK, n_folds=3)
    assert sorted(tested) == sorted(map(id, examples))
    assert result.n_folds == 3
    # Every score went back to its own text: the spy answers with the truth.
    assert set(result.scores[FASTTEXT].values()) == {1.0}


@pytest.mark.functional
def test_cross_validation_of_real_methods_is_repeatable(fit_here):
    examples = make_examples(6)
    first, second = (cross_validate(examples, replace(QUICK, epoch=10), n_folds=2) for _ in range(2))
    assert first == second
    assert set(first.scores) == {FASTTEXT, SVC, MAJORITY}
    assert first.n_examples == len(examples)


def test_cross_validation_needs_as_many_books_as_folds():
    with pytest.raises(CorpusError, match="10 folds need"):
        cross_validate(make_examples(3), QUICK, n_folds=10)
