"""What reviewers get to see first: the order, and the labels that are hard to believe."""

from dataclasses import replace

import numpy as np
import pytest

from classifier.core.genres import canonical_genres
from conftest import make_examples
from feedback.models import Correction, QueueScore, Suspect
from training.core.label_errors import for_themselves, label_quality, suspicions
from training.core.review_order import disagreement, novelty, review_order, uncertainty
from training.reviewing import place_corrections, search_labels
from training.tests.helpers import as_rows, refused, run


def test_what_the_model_is_unsure_of_and_training_does_not_know_comes_first():
    scores = np.array([[0.9, 0.1], [0.5, 0.5], [0.5, 0.5], [0.0, 0.0]])
    assert uncertainty(scores).tolist() == pytest.approx([0.1, 0.5, 0.5, 1.0])
    fresh = np.array([1.0, 0.4, 0.8, 1.0])
    order = review_order(scores, fresh, n_known=np.array([5, 5]))
    assert order.order.tolist() == [2, 3, 1, 0]
    assert order.score[order.order].tolist() == pytest.approx([1.0, 0.75, 0.5, 0.25])


def test_the_genre_that_training_knows_least_has_the_next_turn():
    scores = np.array([[0.4, 0.1], [0.4, 0.1], [0.4, 0.1], [0.1, 0.9]])
    order = review_order(scores, np.ones(4), n_known=np.array([9, 8]), limit=3)
    assert order.order.tolist() == [3, 0, 1]
    assert order.score[2] == 0


def test_who_contradicts_the_model_is_heard_sooner():
    against = disagreement([["a", "b"], ["a", "b"], []], [["a"], ["b"], []])
    assert against.tolist() == [0, 1, 1]
    order = review_order(np.full((2, 2), 0.5), np.ones(2), against[:2], n_known=np.array([1, 1]))
    assert order.order.tolist() == [1, 0]


def test_a_text_like_a_known_one_is_not_new():
    fresh = novelty(["the old dragon sleeps", "whisk the eggs", ""], ["an old dragon sleeps on gold"])
    assert fresh[0] < 0.6
    assert fresh[1:].tolist() == [1, 1]
    assert novelty(["anything"], []).tolist() == [1]


def test_no_text_is_no_error():
    order = review_order(np.zeros((0, 3)), np.zeros(0), n_known=np.zeros(3, dtype=int))
    assert (len(order.order), len(novelty([], ["x"]))) == (0, 0)


def test_the_least_believed_genre_decides_of_a_label():
    truth = np.array([[True, False], [False, True]])
    scores = np.array([[0.9, 0.2], [0.9, 0.1]])
    # Beliefs: .9 and .8; then .1 and .1.
    assert label_quality(truth, scores).tolist() == pytest.approx([0.8, 0.1])


def test_a_text_of_two_genres_is_not_doubted_because_they_share_the_score():
    truth = np.array([[True, True, False], [True, False, False]])
    scores = np.array([[0.49, 0.49, 0.02], [0.2, 0.2, 0.0]])
    # The second row, of a model that is not sure, shares less than 1: what counts are the shares.
    assert for_themselves(truth, scores) == pytest.approx(np.array([[0.98, 0.98, 0.02], [0.5, 0.5, 0.0]]))


@pytest.mark.functional
def test_label_quality_is_cleanlabs():
    rank = pytest.importorskip("cleanlab.multilabel_classification.rank")
    chance = np.random.default_rng(1)
    scores = chance.random((300, 7))
    truth = chance.random((300, 7)) < 0.3
    # Their average that gives all weight to the least believed.
    least = {"method": "exponential_moving_average", "alpha": 1.0}
    labels = [np.flatnonzero(row).tolist() for row in truth]
    theirs = rank.get_label_quality_scores(labels, scores, aggregator_kwargs=least)
    assert label_quality(truth, scores) == pytest.approx(theirs)


@pytest.mark.functional
def test_planted_label_errors_are_found_first():
    examples = make_examples(20)
    wrong = {3, 25, 44}
    spoilt = [
        replace(each, genres=("cooking" if each.genres[0] != "cooking" else "fantasy",)) if at in wrong else each
        for at, each in enumerate(examples)
    ]
    found = suspicions(spoilt)
    assert set(found.order()[:3].tolist()) == wrong
    assert found.suggested(3)[0][0] == examples[3].genres[0]


def test_the_command_places_what_waits_and_what_comes_later_is_placed_by_the_queue(champion, make_correction):
    known = make_correction("dragon wizard spell", status="approved", genres=("fantasy",))
    sure = make_correction("dragon wizard spell kingdom", genres=("fantasy",), shown=[["fantasy", 0.99]])
    torn = make_correction("dragon butter market", genres=("cooking",), shown=[["fantasy", 0.4]])
    erased = make_correction("")
    placed = place_corrections(champion, canonical_genres())
    assert (placed.n, placed.n_known) == (2, 1)
    assert not QueueScore.objects.filter(correction__in=[known, erased]).exists()
    assert list(Correction.objects.order_by("-queue_score__score").filter(queue_score__isnull=False)) == [torn, sure]
    said = run("review_order", "--show", "1")
    assert "2 waiting corrections are in order" in said
    assert f" {torn.pk} " in said


def test_without_a_model_the_command_names_the_next_step(db):
    code, message = refused("review_order")
    assert (code, "ensure_model" in message) == (1, True)


@pytest.mark.functional
def test_the_search_for_wrong_labels_brings_nothing_up_twice(db, tmp_path):
    from classifier.core.examples import write_examples

    examples = make_examples(20)
    examples[3] = replace(examples[3], genres=("cooking",))
    path = tmp_path / "books.csv"
    with path.open("w", newline="") as stream:
        write_examples(as_rows(examples), stream, "csv")
    first = search_labels([path], canonical_genres(), limit=5)
    top = Suspect.objects.first()
    assert (first.n_texts, first.n_new, top.text, top.given) == (60, first.n_open, examples[3].text, ["cooking"])
    assert top.suggested[0][0] == "fantasy"
    Suspect.objects.filter(pk=top.pk).update(status=Suspect.Status.RIGHT)
    again = search_labels([path], canonical_genres(), limit=5)
    assert (again.n_open, again.n_new) == (first.n_open - 1, 0)
    assert "labels are under suspicion" in run("label_errors", "--data", path, "--limit", "5")
