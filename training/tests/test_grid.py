"""What to try is said in a few characters and becomes a list of parameters."""

import math

import pytest

from classifier.core.errors import TrainingError
from training.core.fit import FitParameters, recommended
from training.core.grid import FIELDS, MAX_RUNS, Range, grid, parse_values, random_search, recipes, values_of

BASE = FitParameters(epoch=7, lr=0.2)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("epoch", "5", (5,)),
        ("epoch", " 5 , 10,5 ", (5, 10)),
        ("lr", "0.1..1.0", Range(0.1, 1.0)),
        ("dim", "10 .. 100", Range(10, 100)),
        ("loss", "ova, softmax", ("ova", "softmax")),
        ("lr", "", ()),
        ("lr", " , ", ()),
    ],
)
def test_one_value_several_or_a_range_are_read(name, text, expected):
    assert parse_values(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("epoch", "5.5", "'5.5' is no whole number"),
        ("lr", "fast", "'fast' is no number"),
        ("lr", "nan", "lr must lie between"),
        ("epoch", "0", "epoch must lie between 1 and 10000"),
        ("lr", "1.0..0.1", "from the smaller value to the larger"),
        ("dim", "10..10", "from the smaller value to the larger"),
        ("dim", "10..2000", "dim must lie between"),
        ("loss", "hinge", "loss must be one of"),
        ("loss", "ova..softmax", "loss must be one of"),
    ],
)
def test_what_is_no_value_is_refused_with_the_reason(name, text, said):
    with pytest.raises(TrainingError, match=said):
        parse_values(name, text)


def test_a_range_in_a_grid_grows_by_the_same_factor():
    assert values_of("lr", Range(0.01, 1.0), steps=3) == [0.01, 0.1, 1.0]
    assert values_of("epoch", Range(1, 100), steps=3) == [1, 10, 100]
    assert values_of("epoch", Range(1, 2), steps=5) == [1, 2]
    assert values_of("lr", Range(0.1, 0.4), steps=2) == [0.1, 0.4]


def test_a_range_of_what_is_counted_is_every_whole_number():
    assert values_of("seed", Range(0, 3), steps=2) == [0, 1, 2, 3]
    assert values_of("word_ngrams", Range(1, 3), steps=2) == [1, 2, 3]
    with pytest.raises(TrainingError, match="holds more than"):
        values_of("seed", Range(0, 10**9), steps=2)


def test_a_grid_is_every_combination_and_leaves_the_rest_as_it_was():
    found = grid({"epoch": (5, 10), "lr": Range(0.1, 0.4), "dim": ()}, BASE, steps=2)
    assert [(each.epoch, each.lr) for each in found] == [(5, 0.1), (5, 0.4), (10, 0.1), (10, 0.4)]
    assert {each.dim for each in found} == {BASE.dim}
    assert grid({}, BASE) == [BASE]


def test_a_random_search_stays_inside_repeats_nothing_and_repeats_itself():
    space = {"lr": Range(0.01, 1.0), "epoch": Range(5, 50), "seed": Range(0, 4), "loss": ("ova", "softmax")}
    found = random_search(space, BASE, n=40, seed=3)
    assert found == random_search(space, BASE, n=40, seed=3)
    assert found != random_search(space, BASE, n=40, seed=4)
    assert len(set(found)) == 40
    assert all(0.01 <= each.lr <= 1 and 5 <= each.epoch <= 50 and 0 <= each.seed <= 4 for each in found)
    assert {each.loss for each in found} == {"ova", "softmax"}
    # By its logarithm: about half below the middle of 0.01 and 1, which is 0.1.
    assert 0.3 < sum(math.log10(each.lr) < -1 for each in found) / 40 < 0.7


def test_a_small_space_is_searched_once():
    assert {each.epoch for each in random_search({"epoch": (1, 2, 3)}, BASE, n=10, seed=0)} == {1, 2, 3}


def test_recipes_join_word_vectors_and_parameters_and_vary_no_dim_that_vectors_bring():
    bases = {name: recommended(1000, with_vectors=name == "book") for name in ("book", "none")}
    texts = dict.fromkeys(FIELDS, "") | {"dim": "10, 20", "seed": "0..2"}
    found = recipes(texts, bases)
    assert [recipe.vectors for recipe in found] == ["book"] * 3 + ["none"] * 6
    assert found[0].parameters == bases["book"]
    assert len(recipes(texts, bases, n_random=2)) == 4
    assert len(recipes({}, bases)) == 2


def test_recipes_refuse_none_and_too_many():
    with pytest.raises(TrainingError, match="at least one kind of word vectors"):
        recipes({}, {})
    with pytest.raises(TrainingError, match=f"at most {MAX_RUNS}"):
        recipes({"seed": "0..199", "epoch": "1, 2"}, {"none": BASE})
    with pytest.raises(TrainingError, match="more than 10,000"):
        recipes({"seed": "0..199", "epoch": "1..100", "lr": "0.1..1"}, {"none": BASE}, steps=10)
