import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.core.errors import CorpusError, OverlapError
from conftest import make_examples
from training.core.books import Example
from training.core.split import (
    Overlap,
    book_key,
    find_overlap,
    frozen_split,
    group_books,
    is_frozen_for_test,
    near_pairs,
    refuse_overlap,
    stratified_folds,
    text_key,
)

SLUGS = ("business-economics", "cooking", "fantasy")


def words(seed, count=60):
    picker = random.Random(seed)
    return ["".join(picker.choices("abcdefghijklmnop", k=7)) for _ in range(count)]


def unlike(number, genre="fantasy", **fields):
    """Return an example that has no shingle in common with another's."""
    return Example(" ".join(words(number)), (genre,), **({"title": f"Title {number}", "author": "A"} | fields))


def near(example, **fields):
    """Return the example with one word in the middle changed."""
    changed = example.text.split()
    changed[len(changed) // 2] = "otherword"
    return replace(example, text=" ".join(changed), **fields)


def sides(examples):
    split = frozen_split(examples)
    return [examples[at] for at in split.train], [examples[at] for at in split.test]


@pytest.fixture(scope="module")
def frozen():
    """An example whose own key puts it on the test side."""
    return next(example for example in map(unlike, range(1000)) if is_frozen_for_test(example))


@pytest.fixture(scope="module")
def thawed():
    """Twenty examples that stay on the train side when nothing ties them to a frozen one."""
    return [example for example in map(unlike, range(2000, 2100)) if not is_frozen_for_test(example)][:20]


def test_the_keys_ignore_what_a_reader_does_not_see():
    assert text_key("A Dragon,\r\nawake!") == text_key("a dragon awake")
    assert text_key("a dragon awake") != text_key("a dragon asleep")
    assert book_key(Example("", (), "The Ember", "I. Nvented")) == book_key(
        Example("x", (), "the  EMBER!", "i nvented")
    )
    assert book_key(Example("", (), "Ember", "One")) != book_key(Example("", (), "Ember", "Two"))
    assert book_key(Example("", (), "Ember One", "")) != book_key(Example("", (), "Ember", "One"))


def test_an_example_without_title_has_no_book_key():
    assert book_key(Example("text", (), "", "Somebody")) == book_key(Example("text", (), "…")) == ""


def test_about_one_book_in_five_is_frozen():
    share = np.mean([is_frozen_for_test(Example("", (), f"Title {number}")) for number in range(2000)])
    # Three standard deviations of a binomial share: 3 * sqrt(0.2 * 0.8 / 2000) = 0.027.
    assert abs(share - 0.2) < 0.027


def test_which_book_is_frozen_never_changes():
    # Recorded when the test was written: another salt, share or key would thaw the test sides ever used.
    frozen = [number for number in range(40) if is_frozen_for_test(Example("", (), f"Title {number}", "Somebody"))]
    assert frozen == [0, 3, 4, 6, 8, 9, 10, 13, 15, 19, 24, 25]
    texts = [number for number in range(40) if is_frozen_for_test(Example(f"text number {number}", ()))]
    assert texts == [0, 4, 13, 16, 30, 33, 35]


@pytest.mark.parametrize(
    "tie",
    [
        lambda example: replace(example, text=" ".join(words("other"))),
        lambda example: replace(example, title="Another", author="Else"),
        lambda example: near(example, title="Another", author="Else"),
        lambda example: replace(example, text=" ".join(example.text.split()[:30]), title="Another"),
        lambda example: replace(example, text=example.text.upper().replace(" ", ",\n"), title="", author=""),
    ],
    ids=["same book", "same text", "near copy", "cut copy", "same words"],
)
def test_what_is_tied_to_a_frozen_book_is_tested_too(frozen, thawed, tie):
    train, test = sides([*thawed, tie(frozen), frozen])
    assert test == [tie(frozen), frozen]
    assert train == thawed


def test_ties_reach_through_a_chain_of_books(frozen, thawed):
    # The copy has the frozen book's title; the second has the copy's text and no title in common.
    copy = replace(frozen, text=" ".join(words("chain")))
    second = replace(copy, title="Far away", author="Else")
    _, test = sides([*thawed, second, copy, frozen])
    assert test == [second, copy, frozen]


def test_no_pair_is_divided():
    examples = []
    for number in range(60):
        example = unlike(number)
        examples += [
            example,
            [near(example, title=""), replace(example, title=f"x{number}"), unlike(-number, title=example.title)][
                number % 3
            ],
        ]
    groups = group_books(examples)
    split = frozen_split(examples)
    assert len(set(groups)) == 60
    assert not set(groups[split.train]) & set(groups[split.test])
    assert len(split.train) and len(split.test)
    assert sorted([*split.train, *split.test]) == list(range(120))


def test_near_copies_are_kept_together_however_many_there_are():
    base = words("base", 100)
    copies = []
    for number in range(60):
        changed = list(base)
        changed[number] = f"changed{number}"
        copies.append(Example(" ".join(changed), ("fantasy",), title=f"Copy {number}"))
    assert len(set(group_books(copies))) == 1


def test_the_digest_names_the_test_side_whatever_the_order():
    examples = list(map(unlike, range(40)))
    digest = frozen_split(examples).digest
    assert frozen_split(examples[::-1]).digest == digest
    extra = next(example for example in map(unlike, range(3000, 4000)) if not is_frozen_for_test(example))
    assert frozen_split([*examples, extra]).digest == digest
    frozen = next(example for example in map(unlike, range(3000, 4000)) if is_frozen_for_test(example))
    assert frozen_split([*examples, frozen]).digest != digest


@pytest.mark.functional
@settings(max_examples=25)
@given(st.lists(st.integers(0, 11), min_size=1, max_size=12), st.lists(st.integers(0, 11), max_size=12), st.randoms())
def test_adding_data_never_moves_a_book_from_test_to_train(first, more, shuffler):
    pool = [unlike(number) for number in range(8)]
    pool += [
        near(pool[0], title="N0"),
        replace(pool[1], title="N1"),
        unlike(99, title="Title 2"),
        near(pool[3], title="Title 4"),
    ]
    before = [pool[at] for at in first]
    after = before + [pool[at] for at in more]
    shuffler.shuffle(after)
    tested_before, tested_after = sides(before)[1], sides(after)[1]
    assert all(example in tested_after for example in tested_before)
    assert not set(sides(after)[0]) & set(tested_before)


def test_no_data_is_no_split():
    split = frozen_split([])
    assert (len(split.train), len(split.test)) == (0, 0)
    assert len(group_books([])) == 0


def test_near_pairs_are_texts_with_half_of_their_shingles_in_common():
    base = words(1, 40)
    # One word changed in the middle breaks 5 of 36 shingles: 31 common of 41, 0.76. Seven words, five apart or more,
    # break 35 of 36: nothing is left.
    one = [*base[:20], "changed", *base[21:]]
    many = [word if at % 5 else "changed" for at, word in enumerate(base)]
    left, right = near_pairs([" ".join(base), " ".join(one), " ".join(many)])
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(0, 1)]


@pytest.mark.parametrize(
    ("common", "own", "tied"),
    # Two texts of n words have n - 4 shingles each. With c common words at the start, c - 4 are common and the
    # resemblance is (c - 4) / (2 * (n - 4) - (c - 4)): for n = 40, c = 28: 24/48 = 0.5; c = 27: 23/49 = 0.47.
    [(28, 12, True), (27, 13, False)],
)
def test_half_of_the_shingles_is_where_near_begins(common, own, tied):
    start = words("start", common)
    left, _ = near_pairs([" ".join(start + words("x", own)), " ".join(start + words("y", own))])
    assert bool(len(left)) is tied


def test_a_short_phrase_in_a_longer_text_ties_nothing():
    text = words(1, 60)
    # 13 words are 9 shingles, one fewer than count as a text of its own; 14 are 10.
    assert len(near_pairs([" ".join(text), " ".join(text[:13])])[0]) == 0
    assert len(near_pairs([" ".join(text), " ".join(text[:14])])[0]) == 1


def test_folds_keep_books_whole_and_spread_genres_evenly():
    examples = [unlike(number, SLUGS[number % 3]) for number in range(60)]
    examples += [replace(examples[number], text=" ".join(words(f"second {number}"))) for number in range(0, 60, 4)]
    folds = stratified_folds(examples, SLUGS, n_folds=5, seed=1)
    groups = group_books(examples)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    assert set(folds) == set(range(5))
    for slug in SLUGS:
        # 20 books of each genre in 5 folds.
        books = {(groups[at], folds[at]) for at, example in enumerate(examples) if slug in example.genres}
        counts = [sum(fold == wanted for _, fold in books) for wanted in range(5)]
        assert max(counts) - min(counts) <= 1


def test_folds_follow_the_seed():
    examples = make_examples(10)
    folds = [stratified_folds(examples, SLUGS, n_folds=3, seed=seed).tolist() for seed in (1, 1, 2)]
    assert folds[0] == folds[1]
    assert folds[0] != folds[2]


@pytest.mark.parametrize("examples", [[], [unlike(1)] * 5, [unlike(1), unlike(2)]])
def test_fewer_books_than_folds_are_refused(examples):
    with pytest.raises(CorpusError, match="3 folds need at least 3 different books"):
        stratified_folds(examples, SLUGS, n_folds=3)


def test_overlap_is_counted_by_kind():
    train = [unlike(1), unlike(2), unlike(3), unlike(4, title="", author="")]
    test = [
        replace(train[0], title="Another"),  # same text
        train[3],  # same text, no title
        replace(train[1], text=" ".join(words("new"))),  # same book
        replace(train[1], n_rows=3),  # same text and same book: the text comes first; it stands in three rows
        near(train[2], title="Another"),  # nearly the same text
        unlike(5),
        unlike(6, title="", author=""),
    ]
    overlap = find_overlap(train, test)
    assert overlap == Overlap(n_test=7, same_text=3, same_book=1, near_text=1, n_rows=9, n_overlapping_rows=7)
    assert overlap.n_overlapping == 5


def test_near_copies_within_one_side_are_no_overlap():
    assert (
        find_overlap([unlike(1), near(unlike(1), title="x")], [unlike(2), near(unlike(2), title="y")]).n_overlapping
        == 0
    )
    assert find_overlap([], [unlike(1)]).n_overlapping == find_overlap([unlike(1)], []).n_overlapping == 0


def test_it_refuses_a_train_test_pair_that_overlaps():
    train = [unlike(1), unlike(2)]
    with pytest.raises(OverlapError, match=r"1 of 4 test rows \(25%\) in test\.txt are known from train\.txt"):
        refuse_overlap(train, [unlike(2), unlike(3), unlike(4), unlike(5)], names=("train.txt", "test.txt"))


def test_it_accepts_a_pair_that_does_not_overlap():
    assert refuse_overlap([unlike(1)], [unlike(2)], names=("a", "b")) is None


def test_a_frozen_split_passes_the_overlap_check():
    examples = [unlike(number) for number in range(50)] + [near(unlike(number), title="") for number in range(0, 50, 2)]
    train, test = sides(examples)
    assert train and test
    assert find_overlap(train, test).n_overlapping == 0
