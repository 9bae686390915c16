"""The starter corpus beside a small dataset: it helps with the genres at hand and tells nothing of the test side."""

from dataclasses import replace

import pytest

from conftest import make_examples
from training.core.background import background_for
from training.core.books import Example
from training.core.fit import FEW_EXAMPLES, FitParameters, fit
from training.core.split import frozen_split, text_key
from training.core.vectors import teach


@pytest.fixture(scope="module")
def starter():
    return make_examples(12)


SMALL = [
    Example("An old sorceress walks the frozen road to warn a king who will not listen.", ("fantasy",)),
    Example("How a bakery won its customers back with an honest price and a new oven.", ("cooking",)),
]


def test_only_texts_of_the_genres_at_hand_are_taken_with_these_genres_alone(starter):
    mixed = [replace(text, genres=(*text.genres, "poetry")) for text in starter]
    taken = background_for(SMALL, mixed)
    assert {text.genres for text in taken} == {("fantasy",), ("cooking",)}


def test_a_text_whose_primary_genre_is_another_is_left_out(starter):
    mixed = [replace(text, genres=("poetry", "fantasy")) for text in starter]
    assert background_for(SMALL, mixed) == []


def test_its_own_test_side_stays_unseen(starter):
    frozen = {starter[at].text for at in frozen_split(starter).test}
    assert frozen
    assert not frozen & {text.text for text in background_for(SMALL, starter)}


def test_a_text_that_is_measured_is_not_learned_from(starter):
    before = background_for(SMALL, starter)
    after = background_for(SMALL, starter, beside=[replace(before[0], source="feedback", title="")])
    assert len(before) - len(after) >= 1
    assert text_key(before[0].text) not in {text_key(text.text) for text in after}


def test_data_that_is_large_enough_is_left_alone(starter):
    assert background_for(SMALL * (FEW_EXAMPLES // 2), starter) == []


@pytest.mark.functional
def test_a_model_learns_from_its_background_too_and_says_how_many(starter):
    model = fit(SMALL, FitParameters(epoch=40, repeat=3), vectors=teach(starter), background=starter)
    assert (model.meta["n_train"], model.meta["n_background"]) == (2, len(starter))
    assert model.slugs == ("business-economics", "cooking", "fantasy")
