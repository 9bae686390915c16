"""The starter corpus is what it claims: every genre, varied, original in form, and its examples honest."""

import re
from collections import Counter

import pytest

from classifier.core.genres import canonical_genres
from classifier.core.text import tokens
from classifier.sample_texts import sample_texts
from training.core.books import Example
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.split import is_frozen_for_test, near_pairs


@pytest.fixture(scope="module")
def corpus():
    return read_corpus(STARTER_FILE, canonical_genres())


def test_every_genre_has_at_least_ten_books_of_its_own(corpus):
    primary = Counter(example.genres[0] for example in corpus.examples)
    assert set(primary) == set(canonical_genres().slugs)
    assert min(primary.values()) >= 10


def test_every_row_is_used(corpus):
    assert (corpus.unusable, corpus.unmapped) == ({}, Counter())
    assert corpus.file_format == "kaggle"


def test_about_a_quarter_of_the_books_have_several_genres(corpus):
    several = sum(len(example.genres) > 1 for example in corpus.examples)
    assert 0.2 <= several / len(corpus.examples) <= 0.4


def test_texts_have_40_to_160_words(corpus):
    counts = [len(example.text.split()) for example in corpus.examples]
    assert (min(counts) >= 38, max(counts) <= 165) == (True, True)


@pytest.mark.functional
def test_hardly_any_two_texts_open_alike_and_none_repeats_another(corpus):
    openings = Counter(tuple(tokens(example.text)[:5]) for example in corpus.examples)
    shared = sum(count for count in openings.values() if count > 1)
    assert shared <= 0.02 * len(corpus.examples)
    assert len(near_pairs([example.text for example in corpus.examples])[0]) == 0


def test_no_genre_is_poor_in_words_beside_the_others(corpus):
    vocabulary = {
        slug: len({word for e in corpus.examples if e.genres[0] == slug for word in tokens(e.text)})
        for slug in canonical_genres().slugs
    }
    typical = sorted(vocabulary.values())[len(vocabulary) // 2]
    assert min(vocabulary.values()) >= 0.7 * typical


def test_titles_name_one_book_each(corpus):
    titles = Counter(example.title for example in corpus.examples)
    assert [title for title, count in titles.items() if count > 1 or re.search(r"[\x00-\x1f]", title)] == []


def test_no_example_was_trained_on():
    examples = [
        Example(sample.text, ("x",), title=sample.title, author="Genre Detector starter corpus")
        for sample in sample_texts().values()
    ]
    assert len(examples) == 6
    assert all(is_frozen_for_test(example) for example in examples)
