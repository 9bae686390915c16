"""Passages: in order, without overlap, every word in one of them, of about even length, cut where people would."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.core.model import GenreModel
from classifier.core.passages import FEWEST_PASSAGES, sample, split_passages
from classifier.core.text import Reading

WORDS = st.sampled_from(["a", "the", "dragon", "king.", "Why?", "“No!”", "ß", "日本語", "__label__x", "&amp;"])
BLANKS = st.sampled_from([" ", " ", " ", " ", "\n", "\n\n", "  \n \n\t", "\u2003", "\r\n\r\n"])
TEXTS = st.lists(st.tuples(WORDS, BLANKS), max_size=400).map(lambda pairs: "".join(word + gap for word, gap in pairs))


@given(TEXTS, st.integers(1, 12), st.integers(1, 12))
def test_passages_are_in_order_don_t_overlap_and_hold_every_word(text, least, most):
    passages = split_passages(text, least_words=least, most_passages=most)
    words = text.split()
    if not passages:
        return
    assert all(passage.start < passage.end for passage in passages)
    assert all(one.end <= other.start for one, other in pairwise(passages))
    pieces = [text[passage.start : passage.end] for passage in passages]
    assert [word for piece in pieces for word in piece.split()] == words
    assert [passage.n_words for passage in passages] == [len(piece.split()) for piece in pieces]
    assert [piece.strip() for piece in pieces] == pieces
    assert FEWEST_PASSAGES <= len(passages) <= max(most, FEWEST_PASSAGES)


@given(TEXTS, st.integers(4, 12))
def test_their_lengths_are_about_even(text, least):
    passages = split_passages(text, least_words=least)
    if passages:
        mean = len(text.split()) / len(passages)
        assert all(mean / 2 - 1 <= passage.n_words <= mean * 1.5 + 1 for passage in passages)


@given(TEXTS)
def test_what_is_read_in_parts_reads_as_it_does_in_one(text):
    whole, parted = Reading(text), Reading(text)
    spans = [(passage.start, passage.end) for passage in split_passages(parted.cleaned, least_words=3)]
    if spans:
        parts = parted.parts(spans)
        assert (parted.tokens, parted.content_words, parted.line) == (whole.tokens, whole.content_words, whole.line)
        assert [part.cleaned for part in parts] == [Reading(part.text).cleaned for part in parts]


def sentences(count, seed=1):
    chance = random.Random(seed)
    return [" ".join(chance.choice(["old", "king", "road"]) for _ in range(9)) + " ends." for _ in range(count)]


def test_they_end_where_paragraphs_do():
    paragraphs = [" ".join(sentences(10, seed)) for seed in range(12)]
    text = "\n\n".join(paragraphs)
    pieces = [text[passage.start : passage.end] for passage in split_passages(text, least_words=200)]
    assert pieces == ["\n\n".join(paragraphs[at : at + 2]) for at in range(0, 12, 2)]


def test_in_a_paragraph_without_end_they_end_where_sentences_do():
    text = " ".join(sentences(500))
    passages = split_passages(text)
    assert len(passages) == 25
    assert all(text[passage.start : passage.end].endswith("ends.") for passage in passages)


def test_without_sentences_they_end_where_words_do():
    text = "word " * 10_000
    assert {passage.n_words for passage in split_passages(text)} == {250}


@pytest.mark.parametrize("text", ["", " \n ", "word " * 599, "x" * 100_000])
def test_what_is_too_short_or_has_no_words_has_none(text):
    assert split_passages(text) == ()


@given(TEXTS, st.integers(1, 5), st.integers(1, 40))
def test_a_sample_is_made_of_the_texts_own_words_in_order(text, n_pieces, length):
    words, found = text.split(), sample(text, n_pieces=n_pieces, length=length).split()
    assert set(found) <= set(words)
    assert len("".join(found)) <= max(n_pieces * (length + 20), 1)


def test_a_model_says_the_same_of_a_text_read_in_parts(model: GenreModel):
    text = " ".join(sentences(100)) + " A dragon and a wizard in the castle."
    reading = Reading(text)
    reading.parts([(passage.start, passage.end) for passage in split_passages(reading.cleaned)])
    assert model.predict(reading) == model.predict(text)
