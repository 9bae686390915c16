"""Choices are found by words, and no two are called the same."""

from training.core.books import Example
from training.core.naming import distinct, example_labels, find_examples

BOOKS = [
    Example("Waves at night", ("a",), "Ember", "Ann", row=1),
    Example("Bread at dawn", ("a",), "Ember", "Ben", row=2),
    Example("Bread at dawn, again", ("a",), "Crust", "Ben", row=3),
    Example("No title here", ("a",), row=4),
]


def test_books_are_found_by_every_word_of_title_author_or_text():
    assert find_examples(BOOKS, "") == [0, 1, 2, 3]
    assert find_examples(BOOKS, "EMBER ben") == [1]
    assert find_examples(BOOKS, "bread") == [1, 2]
    assert find_examples(BOOKS, "bread waves") == []


def test_books_of_one_title_are_told_apart_by_author_and_row():
    assert example_labels(BOOKS) == ["Ember (Ann, row 1)", "Ember (Ben, row 2)", "Crust", "No title here"]


def test_labels_whose_marks_are_equal_too_are_numbered():
    assert distinct(["a", "a", "b"], ["x", "x", "y"]) == ["a (x) #1", "a (x) #2", "b"]
    assert distinct([], []) == []
