"""The words that decided are found again in the text as it was written, and nothing else changes in it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.core.explain import explain
from classifier.core.highlight import Highlights, Place, excerpts, highlight, pieces, word_places
from classifier.core.text import tokens
from classifier.tests.nasty import FRAGMENTS
from conftest import FILLER, WORDS

KNOWN = [word for words in WORDS.values() for word in words]
WRITTEN = st.sampled_from([*KNOWN, *map(str.title, KNOWN), *FILLER, *FRAGMENTS, *FRAGMENTS, *" \n\t.,’'_&;-"])
TEXTS = st.lists(WRITTEN, max_size=25).map("".join) | st.lists(WRITTEN, max_size=25).map(" ".join)


def shown(text, found):
    """Return the whole text as it would be shown: pieces, and what each adds."""
    (excerpt,) = excerpts(text, found, shown=len(text))
    return [(piece, None if at is None else found.values[at]) for piece, at in pieces(text, found, excerpt)]


@given(text=TEXTS)
def test_places_lie_in_the_text_one_behind_the_other(text):
    end = 0
    for place in word_places(text):
        assert end <= place.start < place.end <= len(text)
        assert place.words
        end = place.end


@given(text=TEXTS)
def test_the_words_found_are_those_the_model_reads(text):
    found = [word for place in word_places(text) for word in place.words]
    assert found in (tokens(text), [])


@given(text=TEXTS)
def test_joined_again_the_pieces_are_the_text(model, text):
    found = highlight(text, explain(model, text), model.slugs)
    assert "".join(piece for piece, _ in shown(text, found)) == text


def check_sums(model, text, against_others):
    explanation = explain(model, text)
    found = highlight(text, explanation, model.slugs, against_others=against_others)
    logits = explanation.logits - (explanation.logits.mean() if against_others else 0)
    expected = [logits[explanation.slugs.index(slug)] for slug in model.slugs]
    assert found.values.sum(axis=0) + found.rest == pytest.approx(expected, abs=1e-4)


@given(text=TEXTS, against_others=st.booleans())
def test_what_the_places_add_sums_to_the_logit(model, text, against_others):
    check_sums(model, text, against_others)


@pytest.mark.functional
@settings(max_examples=1000)
@given(text=TEXTS, against_others=st.booleans())
def test_what_the_places_add_sums_to_the_logit_of_a_thousand_texts(model, text, against_others):
    check_sums(model, text, against_others)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("The DRAGON’s “wizard”!", ["The", "DRAGON’s", "wizard"]),
        ("a caf&eacute;, open", ["a", "caf&eacute;", "open"]),
        ("«wiz\u00adard» spell", ["wiz\u00adard", "spell"]),
        ("cafe\u0301 spell", ["cafe\u0301", "spell"]),
        ("oven&nbsp;butter, flour", ["oven&nbsp;butter", "flour"]),
        ("<script>dragon</script>", ["script", "dragon", "script"]),
        ("__label__dragon sword", ["__label__dragon", "sword"]),
    ],
)
def test_a_word_is_found_as_it_was_written(text, written):
    assert [text[place.start : place.end] for place in word_places(text)] == written


def test_a_word_that_stands_twice_is_marked_twice_and_a_stop_word_never(model):
    text = "The dragon, and the Dragon."
    marked = [
        piece for piece, values in shown(text, highlight(text, explain(model, text), ["fantasy"])) if values is not None
    ]
    assert marked == ["dragon", "Dragon"]


def test_of_a_long_text_the_parts_that_weigh_most_are_shown(model):
    dull, telling = "It was a long and old day. " * 200, "The dragon casts an enchanted spell. "
    text = dull + telling + dull
    found = highlight(text, explain(model, text), ["fantasy"])
    kept = excerpts(text, found, shown=600, window=200)
    assert sum(excerpt.end - excerpt.start for excerpt in kept) <= 600
    assert any(telling.strip() in text[excerpt.start : excerpt.end] for excerpt in kept)


@pytest.mark.functional
@given(text=TEXTS.map(lambda text: text * 4), window=st.integers(5, 40))
def test_excerpts_lie_in_the_text_and_their_pieces_are_it(model, text, window):
    found = highlight(text, explain(model, text), model.slugs)
    end = -1
    for excerpt in excerpts(text, found, shown=3 * window, window=window):
        assert end < excerpt.start <= excerpt.end <= len(text)
        assert "".join(piece for piece, _ in pieces(text, found, excerpt)) == text[excerpt.start : excerpt.end]
        end = excerpt.end


def test_a_place_that_an_edge_cuts_is_plain_text():
    places = (Place(0, 30, ("x",)),)
    found = Highlights(places, np.ones((1, 1)), np.zeros(1))
    kept = excerpts("y" * 30, found, shown=10, window=10)
    assert [list(pieces("y" * 30, found, excerpt)) for excerpt in kept] == [[("y" * 10, None)]]
