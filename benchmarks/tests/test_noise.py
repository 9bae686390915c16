"""The inputs without a genre are many-sided, distinct and the same each time."""

from collections import Counter

import pytest

from benchmarks.noise import HIGHEST, KINDS, LANGUAGES, LOWEST, PIECES, count_words, noise_inputs


@pytest.fixture(scope="module")
def inputs():
    return noise_inputs()


def test_the_same_seed_gives_the_same_inputs():
    assert noise_inputs(100, seed=3) == noise_inputs(100, seed=3)


def test_another_seed_gives_other_inputs():
    first, second = ({text for _, text in noise_inputs(100, seed=seed)} for seed in (3, 4))
    assert first & second == set()


def test_more_inputs_begin_with_the_fewer(inputs):
    assert inputs[:35] == noise_inputs(35)


def test_the_kinds_are_equally_many(inputs):
    assert Counter(kind for kind, _ in inputs) == dict.fromkeys(KINDS, 200)


def test_a_number_that_five_does_not_divide_is_kept():
    assert [kind for kind, _ in noise_inputs(7)] == [*KINDS, *KINDS[:2]]


def test_no_number_gives_no_input():
    assert noise_inputs(0) == []


def test_words_are_counted_by_hand():
    assert count_words("one two,three;four|five - six.") == 6
    assert count_words("| 1 | -- | 2.50 |") == 2
    assert count_words("今天早上,你好") == 3
    assert count_words("यह उपन्यास") == 2
    assert count_words(" \n") == 0


def test_sizes_are_those_of_a_paste(inputs):
    sizes = [count_words(text) for _, text in inputs]
    assert (min(sizes) >= LOWEST, max(sizes) <= HIGHEST) == (True, True)
    # Whatever the generator itself counts: nothing is empty, one word or a book.
    lengths = [len(text) for _, text in inputs]
    assert (min(lengths) > 25, max(lengths) < 4000) == (True, True)


def test_all_texts_differ(inputs):
    assert len({text for _, text in inputs}) == len(inputs)


def test_no_sentence_stands_twice_in_the_data():
    sentences = [sentence for written in LANGUAGES.values() for sentence in written]
    assert len(set(sentences)) == len(sentences)
    assert min(map(len, LANGUAGES.values())) >= 8


def test_a_text_of_prose_has_two_to_six_sentences_of_one_language_and_none_twice(inputs):
    for kind, text in inputs:
        if kind == "languages":
            counts = {
                language: [text.count(sentence) for sentence in written if sentence in text]
                for language, written in LANGUAGES.items()
            }
            (found,) = filter(None, counts.values())
            assert found in [[1] * n for n in range(2, 7)]


def test_there_are_fifteen_languages_and_more_and_all_are_used(inputs):
    prose = "\n".join(text for kind, text in inputs if kind == "languages")
    used = [name for name, written in LANGUAGES.items() if any(sentence in prose for sentence in written)]
    assert used == list(LANGUAGES)
    assert len(used) >= 15
    assert "english" not in used


def test_code_is_in_more_than_eight_formats_and_has_no_mark_left(inputs):
    sources = [text for kind, text in inputs if kind == "code"]
    assert len(PIECES) >= 8
    assert [text for text in sources if "~" in text] == []
