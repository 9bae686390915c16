"""Expected values are worked by hand, beside each of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.core.metrics import NAMES, choose, evaluate_scores, f1_at, genre_table, ndcg, top

# Genres A B C; the third text got no answer (the model abstained).
TRUTH = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]], dtype=bool)
SCORES = np.array([[0.9, 0.6, 0.1], [0.2, 0.3, 0.4], [0.0, 0.0, 0.0]])
PRIMARY = np.array([0, 1, 2])
# Chosen at 0.5: text 1 A and B; text 2 the best alone, C; text 3 nothing.
CHOSEN = np.array([[1, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=bool)

EXPECTED = {
    # Best genre is the primary one in text 1 alone (text 2: C instead of B).
    "accuracy": 1 / 3,
    # Precision of the texts 1/2, 1/1, 0; recall 1/1, 1/2, 0; F1 2·1/(1+2), 2·1/(2+1), 0.
    "precision_doc_avg": (1 / 2 + 1 + 0) / 3,
    "recall_doc_avg": (1 + 1 / 2 + 0) / 3,
    "f1_doc_avg": (2 / 3 + 2 / 3 + 0) / 3,
    # Genres: A right; B chosen once, wrongly, and missed once; C right once, missed once.
    "precision_subj_avg": (1 + 0 + 1) / 3,
    "recall_subj_avg": (1 + 0 + 1 / 2) / 3,
    "f1_subj_avg": (1 + 0 + 2 / 3) / 3,
    # 2 right, 1 wrong, 2 missed.
    "precision_microavg": 2 / 3,
    "recall_microavg": 2 / 4,
    "f1_microavg": 2 * 2 / (2 * 2 + 1 + 2),
    # All three genres are among the best five: text 1 2·1/(1+3), text 2 2·2/(2+3), text 3 nothing.
    "f1_at_5": (1 / 2 + 4 / 5 + 0) / 3,
    # Texts 1 and 2 are ranked ideally; text 3 has no answer, which counts as 0.
    "ndcg": (1 + 1 + 0) / 3,
    # The best genre is one of the text's own in texts 1 and 2.
    "precision_at_1": 2 / 3,
    "recall_at_3": (1 + 1 + 0) / 3,
}


def test_every_metric_has_its_value():
    assert evaluate_scores(TRUTH, SCORES, PRIMARY) == {key: round(value, 4) for key, value in EXPECTED.items()}
    assert list(EXPECTED) == list(NAMES)


def test_the_best_genre_is_chosen_and_every_one_that_reaches_the_threshold():
    assert (choose(SCORES) == CHOSEN).all()
    assert choose(np.array([[0.5, 0.4999]])).tolist() == [[True, False]]
    assert choose(SCORES, threshold=0.3).tolist() == [[True, True, False], [False, True, True], [False] * 3]
    assert choose(np.zeros((0, 3))).shape == (0, 3)


def test_with_a_threshold_for_each_genre_only_those_that_reach_theirs_are_chosen():
    own = np.array([0.95, 0.6, 0.4])
    # Text 1: A stays below its own though it is the best, B reaches its own; text 2: C alone; text 3: no answer.
    assert choose(SCORES, threshold=own).tolist() == [[False, True, False], [False, False, True], [False] * 3]
    result = evaluate_scores(TRUTH, SCORES, PRIMARY, threshold=own)
    # 1 right (C of text 2), 1 wrong, 3 missed; the ranking is as it was.
    assert (result["precision_microavg"], result["recall_microavg"]) == (0.5, 0.25)
    assert result["accuracy"] == round(EXPECTED["accuracy"], 4)
    assert genre_table(TRUTH, SCORES, ("a", "b", "c"), threshold=own)[0]["recall"] == 0.5


def test_the_threshold_moves_the_metrics():
    # At 0.3 text 2 gets B and C: precision 1/2, 2/2, 0.
    assert evaluate_scores(TRUTH, SCORES, PRIMARY, threshold=0.3)["precision_doc_avg"] == 0.5
    assert evaluate_scores(TRUTH, SCORES, PRIMARY, threshold=0.3)["recall_doc_avg"] == round(2 / 3, 4)
    assert genre_table(TRUTH, SCORES, ("a", "b", "c"), threshold=0.3)[-1]["recall"] == 1.0


def test_the_best_come_first_equal_ones_in_column_order_and_none_without_score():
    scores = np.array([[0.5, 0.5, 0.5, 0.9], [0.0, 0.2, 0.0, 0.0]])
    assert top(scores, 2).tolist() == [[True, False, False, True], [False, True, False, False]]
    assert top(scores, 9).sum() == 5


def test_f1_of_the_best_k():
    # k=1: A right 2·1/(1+1); C right of two 2·1/(2+1); nothing.
    assert f1_at(TRUTH, SCORES, 1) == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_a_perfect_answer_is_1_in_every_metric():
    result = evaluate_scores(TRUTH, TRUTH.astype(float), np.array([0, 1, 2]))
    assert result == dict.fromkeys(NAMES, 1.0)


def test_a_genre_that_neither_truth_nor_choice_holds_is_left_out_of_the_average_over_genres():
    wider = evaluate_scores(np.pad(TRUTH, ((0, 0), (0, 2))), np.pad(SCORES, ((0, 0), (0, 2))), PRIMARY)
    for name in ("precision", "recall", "f1"):
        assert wider[f"{name}_subj_avg"] == round(EXPECTED[f"{name}_subj_avg"], 4)


@pytest.mark.parametrize("unseen", [0, 1])
def test_a_single_genre_is_measured_as_a_genre_not_as_yes_and_no(unseen):
    truth = np.array([[1], [1]], dtype=bool)
    scores = np.array([[0.9], [0.0]])
    padding = ((0, 0), (0, unseen))
    result = evaluate_scores(np.pad(truth, padding), np.pad(scores, padding), np.array([0, 0]))
    # One of two texts found, none wrongly: precision 1, recall 1/2, F1 2/3.
    assert (result["precision_subj_avg"], result["recall_subj_avg"], result["f1_subj_avg"]) == (1.0, 0.5, 0.6667)
    assert genre_table(truth, scores, ("a",)) == [
        {"genre": "a", "support": 2, "precision": 1.0, "recall": 0.5, "f1": 0.6667}
    ]


def test_the_table_of_genres_is_sorted_by_support_and_leaves_out_what_no_text_has():
    table = genre_table(np.pad(TRUTH, ((0, 0), (0, 1))), np.pad(SCORES, ((0, 0), (0, 1))), ("a", "b", "c", "d"))
    assert table == [
        {"genre": "c", "support": 2, "precision": 1.0, "recall": 0.5, "f1": 0.6667},
        {"genre": "a", "support": 1, "precision": 1.0, "recall": 1.0, "f1": 1.0},
        {"genre": "b", "support": 1, "precision": 0.0, "recall": 0.0, "f1": 0.0},
    ]


@pytest.mark.functional
@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_every_metric_lies_between_0_and_1(n_texts, n_genres, seed):
    random = np.random.default_rng(seed)
    primary = random.integers(0, n_genres, n_texts)
    truth = random.random((n_texts, n_genres)) < 0.4
    truth[np.arange(n_texts), primary] = True
    scores = random.random((n_texts, n_genres)) * random.integers(0, 2, (n_texts, 1))
    result = evaluate_scores(truth, scores, primary)
    assert list(result) == list(NAMES)
    assert all(0 <= value <= 1 for value in result.values())
    assert result["accuracy"] <= result["precision_at_1"]


def test_ndcg_counts_a_text_without_answer_as_wrong():
    truth = np.array([[True, False, False], [True, False, False]])
    scores = np.array([[0.9, 0.05, 0.05], [0.0, 0.0, 0.0]])
    # The first text's only genre stands first: gain 1; the second has no answer: 0.
    assert ndcg(truth, scores) == 0.5
