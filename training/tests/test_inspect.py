"""What the lab shows of a model is what scikit-learn and pencil and paper say."""

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, precision_score, recall_score
from sklearn.metrics.pairwise import cosine_similarity

from classifier.core.errors import CorpusError, ModelDamaged, ModelError
from classifier.core.model import GenreModel, GenreScore, Prediction
from conftest import thresholds_meta
from training.core import inspect
from training.core.books import Example
from training.core.calibration import calibration_error
from training.core.inspect import NO_ANSWER, measure
from training.core.seen import Seen, read_seen


def said(abstained="", **scores):
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])
    return Prediction(tuple(GenreScore(slug, score) for slug, score in ranked), 10, 8, abstained)


def book(number, *genres):
    return Example(f"text {number}", genres, title=f"Book {number}")


TEXTS = [book(0, "a"), book(1, "a", "b"), book(2, "b"), book(3, "b"), book(4, "c")]
ANSWERS = [
    said(a=0.9, b=0.2),
    said(b=0.6, a=0.5),
    said(a=0.8, b=0.3),
    said("no-genre", b=0.3, a=0.2),
    said("not-english"),
]


@pytest.fixture
def measured():
    return measure(ANSWERS, TEXTS, ("a", "b"))


@pytest.fixture(scope="module")
def many():
    """200 texts of three genres with scores by chance."""
    generator = np.random.default_rng(3)
    answers = [said(**dict(zip("abc", generator.random(3).tolist(), strict=True))) for _ in range(200)]
    return measure(answers, [book(at, "abc"[at % 3]) for at in range(200)], ("a", "b", "c"))


def test_scores_are_kept_where_no_genre_reached_its_threshold(measured):
    assert measured.slugs == ("a", "b", "c")
    assert measured.scores.tolist() == [[0.9, 0.2, 0], [0.5, 0.6, 0], [0.8, 0.3, 0], [0.2, 0.3, 0], [0, 0, 0]]
    assert measured.answered.tolist() == [True, True, True, False, False]
    assert measured.primary.tolist() == [0, 0, 1, 1, 2]


def test_without_texts_nothing_is_measured():
    with pytest.raises(CorpusError, match="no text to measure on"):
        measure([], [], ("a",))


def test_the_confusion_table_counts_first_genres_and_no_answers(measured):
    table = inspect.confusion(measured)
    assert list(table.index) == ["a", "b", "c"]
    assert list(table.columns) == ["a", "b", "c", NO_ANSWER]
    assert table.to_numpy().tolist() == [[1, 1, 0, 0], [1, 0, 0, 1], [0, 0, 0, 1]]


def test_a_curve_is_that_of_scikit_learn(many):
    curve, average = inspect.precision_recall(many, "b")
    truth, scores = many.truth[:, 1], many.scores[:, 1]
    precision, recall, _ = precision_recall_curve(truth, scores)
    assert len(curve) <= inspect.N_POINTS
    # Of the thresholds that find every text the highest, which is the most precise.
    assert (curve.iloc[0].recall, curve.iloc[0].precision) == (1, precision[recall == 1].max())
    assert curve.recall.is_unique
    assert {*curve.recall} <= {*recall}
    assert curve.recall.is_monotonic_decreasing
    assert average == average_precision_score(truth, scores)


def test_a_genre_that_no_text_has_has_no_curve(measured):
    empty = measure(ANSWERS[:1], TEXTS[:1], ("a", "b"))
    curve, average = inspect.precision_recall(empty, "b")
    assert curve.empty
    assert np.isnan(average)


def test_the_bins_of_the_calibration_plot_add_up_to_the_calibration_error(many):
    scores, correct = inspect.first_scores(many)
    bins = inspect.reliability(scores, correct)
    assert bins.texts.sum() == len(scores)
    assert bins.score.is_monotonic_increasing
    error = ((bins.score - bins.right).abs() * bins.texts).sum() / len(scores)
    assert error == pytest.approx(calibration_error(scores, correct))


def test_the_calibration_plot_of_few_texts_has_few_bins(measured):
    scores, correct = inspect.first_scores(measured)
    assert scores.tolist() == [0.9, 0.6, 0.8, 0.3]
    assert correct.tolist() == [True, True, False, True]
    assert inspect.reliability(scores, correct, n_bins=2).to_numpy() == pytest.approx(
        np.array([[0.45, 1, 2], [0.85, 0.5, 2]])
    )
    assert inspect.reliability(np.array([]), np.array([], dtype=bool)).empty


def test_the_worst_mistake_is_the_surest_one(measured):
    table = inspect.worst_mistakes(measured, {"a": "Art"})
    assert table.to_dict("records") == [
        {"score": 0.8, "said": "Art", "genres": "b", "title": "Book 2", "text": "text 2"}
    ]


def test_mistakes_are_listed_surest_first(many):
    table = inspect.worst_mistakes(many, {}, limit=5)
    assert len(table) == 5
    assert table.score.is_monotonic_decreasing
    wrong = many.scores.max(axis=1)[~many.truth[np.arange(200), many.scores.argmax(axis=1)]]
    assert table.score[0] == wrong.max()


def test_a_threshold_trades_precision_for_recall(measured):
    found = inspect.effect(measured.truth, measured.scores, 0.5)
    # Chosen: a of the first three texts and b of the second; all but one of these four are right, of six to find.
    assert (found.precision, found.recall, found.f1) == (0.75, 0.5, 0.6)
    assert found.without_genre == 0.4
    assert inspect.effect(measured.truth, measured.scores, 0.95) == inspect.Effect(0.95, 0, 0, 0, 1)


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_the_effect_of_a_threshold_is_what_scikit_learn_measures(many, threshold):
    found = inspect.effect(many.truth, many.scores, threshold)
    chosen = many.scores >= threshold
    assert found.precision == pytest.approx(precision_score(many.truth, chosen, average="micro", zero_division=0))
    assert found.recall == pytest.approx(recall_score(many.truth, chosen, average="micro", zero_division=0))


def test_a_sweep_has_a_row_for_each_threshold(many):
    table = inspect.sweep(many.truth[:, :1], many.scores[:, :1], (0.2, 0.5, 1.0))
    assert table.threshold.tolist() == [0.2, 0.5, 1.0]
    assert table.precision.isna().tolist() == [False, False, True]
    assert table.recall.is_monotonic_decreasing
    assert table.without_genre.is_monotonic_increasing


def test_two_models_are_compared_text_by_text(model, examples):
    never = GenreModel(model.engine, {**model.meta, **thresholds_meta()})
    compared = inspect.compare_models(model, never, examples[:6])
    assert compared.figures[0]["accuracy"] == 1
    assert compared.figures[1]["accuracy"] == 0
    assert compared.intervals["accuracy"].low == 1
    [row] = inspect.winners(*compared.answers).to_dict("records")
    assert row == {
        "genre": "fantasy", "texts": 6, "both": 0, "only_first": 6, "only_second": 0, "neither": 0, "lead": 6
    }  # fmt: skip
    table = inspect.disputed(compared, {"fantasy": "Fantasy"})
    assert set(table.genres) == {"Fantasy"}
    assert set(table.right) == {"first"}
    assert set(table.second_said) == {NO_ANSWER}
    assert table.first_said[0].startswith("Fantasy ")


def test_a_model_has_nothing_over_itself(model, examples):
    compared = inspect.compare_models(model, model, examples[::6])
    table = inspect.winners(*compared.answers)
    assert table.lead.tolist() == [0, 0, 0]
    assert (table[["both", "only_first", "only_second", "neither"]].sum(axis=1) == table.texts).all()
    assert inspect.disputed(compared, {}).empty
    assert (compared.intervals["f1"].low, compared.intervals["f1"].high) == (0, 0)


def test_near_words_are_those_of_greatest_cosine(model):
    words, directions = inspect.word_directions(model)
    assert "</s>" not in words
    near = inspect.nearest_words(words, directions, "dragon", limit=3)
    matrix = np.array([model.engine.get_word_vector(word) for word in words])
    cosines = cosine_similarity(matrix[[words.index("dragon")]], matrix)[0]
    assert near.cosine.tolist() == pytest.approx(sorted(cosines)[::-1][1:4], abs=1e-5)
    assert "dragon" not in set(near.word)
    assert inspect.nearest_words(words, directions, "unheard-of").empty


def test_genres_are_as_near_as_their_output_rows(model):
    table = inspect.genre_similarity(model)
    assert list(table.index) == list(table.columns) == list(model.slugs)
    labels = [label.removeprefix("__label__") for label in model.engine.get_labels()]
    expected = cosine_similarity(model.engine.get_output_matrix())
    at = [labels.index(slug) for slug in model.slugs]
    assert table.to_numpy() == pytest.approx(expected[np.ix_(at, at)], abs=1e-5)


def test_a_tree_of_genres_has_no_rows_to_compare(model):
    with pytest.raises(ModelError, match="row for each genre"):
        inspect.genre_similarity(GenreModel(model.engine, {"parameters": {"loss": "hs"}}))


def test_what_a_model_was_trained_on_is_read_from_its_folder(tmp_path):
    (tmp_path / "seen.json").write_text(json.dumps({"texts": ["1"], "books": ["2"]}))
    assert read_seen(tmp_path) == Seen(frozenset({"1"}), frozenset({"2"}))
    (tmp_path / "seen.json").write_text("[]")
    with pytest.raises(ModelDamaged, match="what this model was trained on"):
        read_seen(tmp_path)
