"""Thresholds: hand-worked values, the operator's aim, genres of few texts, and what can't be reached."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.core.errors import TrainingError
from classifier.core.thresholds import NEVER, Thresholds
from training.core import thresholds as module
from training.core.calibration import fit_scores
from training.core.held import Held
from training.core.thresholds import F1, MIN_CHOSEN, Aim, fit_thresholds, thresholds_of
from training.tables import thresholds_line
from training.tests.test_calibration import flat_scores

# One genre: the five texts that have it score .9 .8 .6 .4 .2, the others .7 .5 .3 .1 .1.
SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1])[:, None]
TRUTH = np.array([1, 1, 0, 1, 0, 1, 0, 1, 0, 0], dtype=bool)[:, None]


@pytest.fixture
def few(monkeypatch):
    """Let a handful of texts do, so that values can be worked by hand."""
    monkeypatch.setattr(module, "MIN_POSITIVES", 1)
    monkeypatch.setattr(module, "MIN_CHOSEN", 2)


def threshold(aim, scores=SCORES, truth=TRUTH):
    return fit_thresholds(scores, truth, ("a",), Aim.parse(aim))["a"]


# The aim


@pytest.mark.parametrize("text", ["f1", "none", "precision=0.8", "precision=1.0", "precision=0.123456789"])
def test_an_aim_is_spelled_as_it_was_given(text):
    assert str(Aim.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "F1", "recall=0.8", "precision", "precision=", "precision=0", "precision=80", "precision=nan", "f1=1"]
)
def test_another_aim_is_refused_with_those_that_are_known(text):
    with pytest.raises(TrainingError, match=r"f1, for precision=P .* or none; not '.*'"):
        Aim.parse(text)


# Values worked by hand


def test_f1_is_greatest_at_its_threshold(few):
    # Chosen from .4: 4 right of 6, 1 missed, F1 8/11; from .6: 3 of 4, F1 6/9; from .2: 5 of 8, F1 10/13.
    assert threshold("f1") == 0.2
    # Without the text at .2, from .4: 4 of 6, none missed, F1 8/10; from .6 3 of 4, F1 6/8.
    kept = SCORES[:, 0] != 0.2
    assert threshold("f1", SCORES[kept], TRUTH[kept]) == 0.4


def test_of_thresholds_with_equal_f1_the_highest_is_taken(few):
    # From .9: 1 of 1, one missed, F1 2/3; from .6: 2 of 4, F1 4/6.
    scores, truth = np.array([[0.9], [0.8], [0.7], [0.6]]), np.array([[1], [0], [0], [1]], dtype=bool)
    assert threshold("f1", scores, truth) == 0.9


def test_the_lowest_threshold_with_the_precision_is_taken_though_a_higher_one_lacks_it(few):
    # Precision from .9 down: 1, 1, 2/3, 3/4, 3/5, 4/6, 4/7, 5/8, 5/10.
    assert threshold("precision=0.75") == 0.6
    assert threshold("precision=0.65") == 0.4
    assert threshold("precision=1.0") == 0.8


def test_a_precision_on_too_few_texts_does_not_count(few, monkeypatch):
    monkeypatch.setattr(module, "MIN_CHOSEN", 3)
    assert threshold("precision=0.75") == 0.6
    assert threshold("precision=1.0") == NEVER


def test_a_genre_whose_precision_can_not_be_reached_is_never_chosen():
    found = fit_thresholds(np.tile(SCORES, (10, 1)), np.tile(~TRUTH, (10, 1)), ("a",), Aim.parse("precision=0.9"))
    assert found == {"a": NEVER}
    assert not Thresholds("precision=0.9", found).reached("a", 1.0)


def test_genres_of_few_texts_share_the_threshold_of_all_pairs(monkeypatch):
    monkeypatch.setattr(module, "MIN_POSITIVES", 5)
    rare = np.array([0.35, 0.25, 0.15, 0, 0, 0, 0, 0, 0, 0])
    scores = np.column_stack([SCORES[:, 0], rare, rare[::-1]])
    truth = np.column_stack([TRUTH[:, 0], rare > 0.3, rare[::-1] > 0.3])
    found = fit_thresholds(scores, truth, ("a", "b", "c"), Aim(F1))
    pooled = threshold("f1", scores.reshape(-1, 1), truth.reshape(-1, 1))
    assert found == {"a": 0.2, "b": pooled, "c": pooled}
    assert pooled != 0.2


def test_no_threshold_is_asked_for():
    assert fit_thresholds(SCORES, TRUTH, ("a",), Aim.parse("none")) == {}


@pytest.mark.functional
def test_thresholds_are_those_of_the_calibrated_scores():
    held = Held(*flat_scores(), ("a", "b", "c"))
    calibration = fit_scores(held)
    found = thresholds_of(held, calibration, Aim(F1))
    assert found == Thresholds("f1", fit_thresholds(held.calibrated(calibration), held.truth, held.slugs, Aim(F1)))
    assert thresholds_of(held, calibration, Aim.parse("none")) is None


def test_where_no_text_has_any_genre_none_is_chosen():
    assert fit_thresholds(SCORES, np.zeros_like(TRUTH), ("a",), Aim(F1)) == {"a": NEVER}
    assert fit_thresholds(np.zeros((0, 1)), np.zeros((0, 1), dtype=bool), ("a",), Aim(F1)) == {"a": NEVER}


def test_a_threshold_lets_no_text_in_that_has_no_score(few):
    assert threshold("f1", np.zeros((3, 1)), np.ones((3, 1), dtype=bool)) == 0.0001


# Properties


def f1_of(chosen, truth):
    return 2 * (chosen & truth).sum() / (chosen.sum() + truth.sum())


@pytest.mark.functional
@given(st.integers(0, 2**32 - 1), st.integers(40, 120))
def test_no_other_score_is_a_better_threshold(seed, n_texts):
    generator = np.random.default_rng(seed)
    scores = generator.integers(1, 10_000, (n_texts, 1)) / 10_000
    truth = generator.random((n_texts, 1)) < scores
    found = threshold("f1", scores, truth)
    assert 0 < found <= 1
    assert found == round(found, 4)
    assert f1_of(scores >= found, truth) == max(f1_of(scores >= other, truth) for other in scores.ravel())
    found = threshold("precision=0.7", scores, truth)
    chosen = scores >= found
    assert found == NEVER or (chosen.sum() >= MIN_CHOSEN and truth[chosen].mean() >= 0.7)


# What `train` says of them


@pytest.mark.parametrize(
    ("genres", "line"),
    [
        ({"a": 0.214, "b": 0.4}, "Thresholds for f1: 0.21 to 0.40; 3 of 20 held-out texts get no genre."),
        ({"a": 0.4, "b": 0.4}, "Thresholds for f1: 0.40; 3 of 20 held-out texts get no genre."),
        (
            {"a": 0.4, "b": NEVER},
            "Thresholds for f1: 0.40; 1 of 2 genres can't reach it and are never chosen; "
            "3 of 20 held-out texts get no genre.",
        ),
        (None, "Thresholds: none, too few texts to find those for f1 on."),
    ],
)
def test_the_range_and_the_texts_without_genre_are_told(genres, line):
    stored = {"aim": "f1", "genres": genres} if genres else None
    assert thresholds_line({"thresholds": stored, "n_test": 20, "n_test_without_genre": 3}, Aim(F1)) == line
