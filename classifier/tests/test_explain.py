"""What words add to a genre sums to what fastText says."""

import math
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.core.errors import ModelError
from classifier.core.explain import END_OF_LINE, Explanation, explain
from classifier.core.model import LABEL, GenreModel, to_line
from classifier.core.text import content_words, joined_pairs
from conftest import FILLER, WORDS, make_examples

TEXTS = st.lists(
    st.sampled_from([*chain(*WORDS.values()), *FILLER, "unknown", "café", "naïve"]), min_size=1, max_size=30
).map(" ".join)
# Neighbours in the texts of conftest, stop words aside.
PAIRS = frozenset(joined_pairs(content_words(make_examples()[0].text)))
DRAGON = "The dragon and the wizard guard the old kingdom"
# fastText looks a sigmoid up in a table of so many steps for each unit, and adds this inside its logarithm.
TABLE_STEPS, INSIDE_LOG = 32, 1e-5


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def looked_up(logits):
    steps = np.floor((np.clip(logits, -8, 8) + 8) * TABLE_STEPS) / TABLE_STEPS - 8
    return np.where(logits < -8, 0, np.where(logits > 8, 1, 1 / (1 + np.exp(-steps))))


def raw_scores(model, text, slugs):
    scores = {genre.slug: genre.score for genre in model.predict(text, calibrated=False).scores}
    return np.array([scores[slug] for slug in slugs])


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Return a function that trains in this process, with fastText's own arguments."""
    import fasttext

    path = tmp_path_factory.mktemp("lines") / "train.txt"
    texts = [(each.genres[0], to_line(content_words(each.text), PAIRS)) for each in make_examples()]
    path.write_text("".join(f"{LABEL}{genre} {line}" for genre, line in texts))

    def train(loss, **arguments):
        settings = {"dim": 8, "epoch": 20, "lr": 0.5, "thread": 1, "minCount": 1, "verbose": 0, "minn": 0, "maxn": 0}
        engine = fasttext.train_supervised(input=str(path), loss=loss, **settings | arguments)
        return GenreModel(engine, {"parameters": {"loss": loss}})

    return train


@pytest.fixture(scope="module")
def one_against_all(train):
    return train("ova")


@pytest.fixture(scope="module")
def n_grams(train):
    return train("softmax", wordNgrams=3, bucket=1000)


@given(text=TEXTS)
def test_the_softmax_of_the_sums_is_what_the_model_says(model, text):
    explanation = explain(model, text)
    if model.predict(text).scores:
        expected = raw_scores(model, text, explanation.slugs)
        assert softmax(explanation.logits) + INSIDE_LOG == pytest.approx(expected, abs=1e-4)


@given(text=TEXTS)
def test_the_sigmoid_of_the_sums_is_what_a_one_against_all_model_says(one_against_all, text):
    explanation = explain(one_against_all, text)
    if one_against_all.predict(text).scores:
        expected = raw_scores(one_against_all, text, explanation.slugs)
        # A sum that lies on the edge of a step may fall to either side of it.
        below, above = (looked_up(explanation.logits + side) + INSIDE_LOG for side in (-1e-4, 1e-4))
        assert np.all((expected >= below - 1e-4) & (expected <= above + 1e-4))


@given(text=TEXTS)
def test_runs_of_words_are_found_where_fasttext_hashes_them(n_grams, text):
    explanation = explain(n_grams, text)
    if n_grams.predict(text).scores:
        expected = raw_scores(n_grams, text, explanation.slugs)
        assert softmax(explanation.logits) + INSIDE_LOG == pytest.approx(expected, abs=1e-4)


@given(text=TEXTS, share=st.booleans())
def test_what_the_words_add_sums_to_the_logit(one_against_all, text, share):
    explanation = explain(one_against_all, text)
    for slug, logit in zip(explanation.slugs, explanation.logits, strict=True):
        found = explanation.contributions(slug, share_pairs=share)
        assert math.fsum(value for _, value in found) == pytest.approx(logit, abs=1e-4)
        assert len({word for word, _ in found}) == len(found)


def test_a_word_is_an_argument_for_its_genre_and_the_end_of_the_line_is_counted(model):
    explanation = explain(model, DRAGON)
    added = dict(explanation.contributions("fantasy"))
    assert added["dragon"] > 0 > dict(explanation.contributions("cooking"))["dragon"]
    assert (END_OF_LINE,) in explanation.tokens
    assert "guard" not in added


def test_a_pair_is_shared_by_its_words_or_stands_for_itself():
    tokens = (("dark",), ("wizard",), ("dark", "wizard"), ("dark",))
    explanation = Explanation(tokens, ("fantasy", "cooking"), np.array([[1, 0], [2, 4], [6, 0], [0.5, 0.5]]))
    assert explanation.logits.tolist() == [9.5, 4.5]
    assert explanation.contributions("fantasy") == [("wizard", 5.0), ("dark", 4.5)]
    apart = [("dark wizard", 6.0), ("wizard", 2.0), ("dark", 1.5)]
    assert explanation.contributions("fantasy", share_pairs=False) == apart
    against = [("dark wizard", 3.0), ("dark", 0.5), ("wizard", -1.0)]
    assert explanation.contributions("fantasy", share_pairs=False, against_others=True) == against


def test_pairs_that_are_tokens_of_the_model_are_tokens_of_the_text(one_against_all):
    first, second = min(PAIRS).split("_")
    explanation = explain(one_against_all, f"{first} and {second}")
    assert explanation.tokens == ((first,), (second,), (first, second), (END_OF_LINE,))


def test_a_text_without_known_words_has_only_its_end(model):
    assert explain(model, "").tokens == ((END_OF_LINE,),)


def test_a_tree_of_genres_has_no_words_to_show(model, examples):
    tree = GenreModel(model.engine, {"parameters": {"loss": "hs"}})
    with pytest.raises(ModelError, match="hierarchical softmax"):
        explain(tree, DRAGON)
