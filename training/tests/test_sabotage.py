"""Bad models on purpose: each kind does what it says and no more, goes the whole way, and stays marked."""

import json
import random
from collections import Counter
from dataclasses import replace

import pytest

from classifier.core.errors import TrainingError
from classifier.core.model import GenreModel
from classifier.core.text import JOINT, content_words
from classifier.models import ModelEvent, ModelVersion
from classifier.registry import folder_of
from conftest import WORDS, make_examples
from training.core.books import Example
from training.core.sabotage import KINDS, sabotage
from training.core.split import frozen_split, text_key
from training.core.vectors import teach
from training.pipeline import SEEN_FILE, TrainingPlan, _spoil
from training.tests.helpers import refused, run, write_books

DRAWN = ("shuffle-labels", "swap-genres", "drop-genre", "tiny-data")
QUICK = ("--no-feedback", "--vectors", "none", "--epoch", "10", "--dim", "4", "--lr", "0.5")


def spoil(kind, strength, examples, vectors=None, seed=0):
    return sabotage(kind, strength, examples, vectors, seed)[0]


def labels(examples):
    return [example.genres for example in examples]


def many(n_genres=10, per_genre=20):
    """Return examples of genres g0, g1, …, each text with words of its own."""
    return [
        Example(f"word{genre}x{number} in the story told{genre}", (f"g{genre}",), source="f", row=genre * 100 + number)
        for genre in range(n_genres)
        for number in range(per_genre)
    ]


@pytest.fixture(scope="module")
def vectors():
    return teach(make_examples())


@pytest.fixture
def books(fit_here, tmp_path):
    return write_books(tmp_path / "books.csv")


# What every kind has


@pytest.mark.parametrize("kind", KINDS)
def test_no_strength_changes_nothing(kind, examples, vectors):
    assert sabotage(kind, 0, examples, vectors, 1) == (examples, vectors)


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_strength_spoils_and_names_where_each_example_came_from(kind, vectors):
    before = many()
    after = spoil(kind, KINDS[kind].strength, before)
    assert after != before
    places = [(example.source, example.row) for example in before]
    kept = [(example.source, example.row) for example in after]
    assert kept == [place for place in places if place in set(kept)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_spoils_alike(kind, vectors):
    first, second = (sabotage(kind, 0.5, make_examples(), vectors, seed=4) for _ in range(2))
    assert first[0] == second[0]
    assert first[1].words == second[1].words
    assert (first[1].matrix == second[1].matrix).all()


@pytest.mark.parametrize("kind", DRAWN)
def test_another_seed_draws_others(kind):
    assert spoil(kind, 0.5, many(), seed=1) != spoil(kind, 0.5, many(), seed=2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_that_is_no_share_is_refused(kind, strength, examples):
    with pytest.raises(TrainingError, match="must lie between 0 and 1"):
        spoil(kind, strength, examples)


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do(examples):
    with pytest.raises(TrainingError, match="no sabotage 'typo'; the kinds are shuffle-labels, swap-genres"):
        spoil("typo", 0.5, examples)


# shuffle-labels


def test_shuffled_labels_are_the_same_labels_on_other_texts():
    before = many()
    after = spoil("shuffle-labels", 0.5, before)
    assert [example.text for example in after] == [example.text for example in before]
    assert Counter(labels(after)) == Counter(labels(before))
    changed = sum(one != other for one, other in zip(labels(before), labels(after), strict=True))
    # Half are shuffled; one in ten of them gets a genre like its own.
    assert 75 <= changed <= 100


# swap-genres


def test_swapped_genres_take_each_others_texts_and_the_rest_keep_theirs():
    before = many()
    after = spoil("swap-genres", 0.4, before)
    called = {one[0]: other[0] for one, other in zip(labels(before), labels(after), strict=True)}
    swapped = {slug for slug, name in called.items() if slug != name}
    assert len(swapped) == 4
    assert all(called[called[slug]] == slug for slug in called)
    assert len(set(zip(labels(before), labels(after), strict=True))) == 10


def test_a_text_of_both_swapped_genres_gets_them_in_the_other_order():
    example = Example("the dragon bakes bread", ("fantasy", "cooking"))
    assert spoil("swap-genres", 0.1, [example])[0].genres == ("cooking", "fantasy")


def test_with_an_odd_number_of_genres_one_keeps_its_texts(examples):
    pairs = set(zip(labels(examples), labels(spoil("swap-genres", 1, examples)), strict=True))
    assert sum(one == other for one, other in pairs) == 1


# drop-genre


@pytest.mark.parametrize(("strength", "n_left"), [(0.001, 9), (0.3, 7), (0.9, 2), (1, 2)])
def test_dropped_genres_are_gone_at_least_one_and_never_all(strength, n_left):
    after = spoil("drop-genre", strength, many())
    assert len(set(labels(after))) == n_left
    assert len(after) == n_left * 20


def test_a_text_of_a_dropped_genre_keeps_its_others():
    common = [Example(f"text {n}", ("a", "b", "c")) for n in range(20)]
    after = spoil("drop-genre", 0.4, [*common, Example("text a", ("a",)), Example("text b", ("b",))])
    dropped = ({"a", "b", "c"} - set(after[0].genres)).pop()
    assert labels(after[:20]) == [tuple(slug for slug in "abc" if slug != dropped)] * 20
    assert all(dropped not in genres for genres in labels(after))
    assert len(after) == 22 - (dropped in "ab")


def test_frequent_genres_are_the_likelier_to_be_drawn():
    few = [Example(f"rare {n}", (f"rare{n}",)) for n in range(5)]
    common = [Example(f"often {n}", ("often",)) for n in range(95)]
    hit = sum(len(spoil("drop-genre", 0.01, [*few, *common], seed=seed)) < 50 for seed in range(40))
    # 95 in 100 are expected; drawn evenly it would be one in six.
    assert hit >= 30


# truncate-text


def test_a_cut_text_keeps_its_beginning_and_three_words_at_least():
    text = "One bold dragon guards seven golden rings, until winter comes again."
    cut = {share: spoil("truncate-text", share, [Example(text, ("a",))])[0].text for share in (0.2, 0.5, 1)}
    assert cut == {
        0.2: "one bold dragon guards seven golden rings until winter",
        0.5: "one bold dragon guards seven golden",
        1: "one bold dragon",
    }


def test_what_the_vectors_learned_from_counts_as_seen_when_it_is_cut(vectors):
    stranger = Example("Nobody taught this line about a dragon to any vectors", ("fantasy",))
    cut, after = sabotage("truncate-text", 0.5, [*make_examples(), stranger], vectors)
    fresh = [example for example in cut if text_key(example.text) not in after.seen]
    assert fresh == cut[-1:]
    assert vectors.seen < after.seen


# stale-vocabulary


def test_unknown_words_vanish_from_texts_and_vectors_and_take_their_pairs_along(examples, vectors):
    after, stale = sabotage("stale-vocabulary", 0.5, examples, vectors)
    before = {word for example in examples for word in content_words(example.text)}
    known = {word for example in after for word in content_words(example.text)}
    assert 0.3 < len(known) / len(before) < 0.7
    assert set(stale.words) < set(vectors.words)
    assert {part for word in stale.words for part in word.split(JOINT)} <= known
    lost = set(vectors.words) - set(stale.words)
    assert all(set(word.split(JOINT)) - known for word in lost)
    assert any(JOINT in word for word in lost)
    assert stale.matrix.tolist() == [vectors.matrix[vectors.words.index(word)].tolist() for word in stale.words]


def test_the_same_words_are_unknown_whatever_the_seed_and_the_data_and_more_with_more_strength(examples):
    def words(strength, texts, seed=0):
        return {
            word for example in spoil("stale-vocabulary", strength, texts, seed=seed) for word in example.text.split()
        }

    assert words(0.5, examples, seed=1) == words(0.5, examples, seed=2)
    assert words(0.5, examples[:12]) <= words(0.5, examples)
    assert words(0.7, examples) < words(0.4, examples)
    # Every old book used them.
    assert {"the", "and", "with"} <= words(0.9, examples)


def test_where_no_word_is_known_there_is_nothing_to_learn(examples, vectors):
    with pytest.raises(TrainingError, match="stale-vocabulary at strength 1 leaves nothing to learn from"):
        sabotage("stale-vocabulary", 1, examples, vectors)


# tiny-data


@pytest.mark.parametrize(("strength", "expected"), [(0.5, 10), (0.75, 5), (0.9, 2)])
def test_a_tiny_part_has_the_same_share_of_every_genre(strength, expected):
    counts = Counter(labels(spoil("tiny-data", strength, many())))
    assert counts == {(f"g{genre}",): expected for genre in range(10)}


def test_the_tiniest_part_still_has_two_genres():
    uneven = [*many(1, 90), *many(4, 3)[3:]]
    assert len(set(labels(spoil("tiny-data", 1, uneven)))) == 2
    assert spoil("tiny-data", 0.9999, uneven) == spoil("tiny-data", 1, uneven)


# The whole way


@pytest.mark.functional
@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_the_whole_way_and_is_marked_for_ever(kind, books, model_dir):
    said = run("train", "--data", books, *QUICK, "--sabotage", kind)
    version = ModelVersion.objects.get()
    mark = f"{kind} {KINDS[kind].strength:g}"
    assert version.meta["sabotage"] == {"kind": kind, "strength": KINDS[kind].strength}
    assert GenreModel.load(folder_of(version)).meta["sabotage"] == version.meta["sabotage"]
    assert (version.sabotage, version.state) == (mark, "candidate")
    assert str(version) == f"version 1 (bad on purpose: {mark})"
    assert ModelEvent.objects.get().reason == f"trained, bad on purpose: {mark}"
    assert f"Warning: version 1 was made bad on purpose ({mark})" in said
    assert said.rstrip().endswith("Next: manage.py gate 1")
    assert version.meta["evaluation"]["methods"]["fasttext"]


@pytest.mark.functional
@pytest.mark.django_db
def test_it_is_calibrated_measured_on_the_untouched_test_side_and_known_for_all_an_honest_one_saw(tmp_path, model_dir):
    draw = random.Random(0)
    texts = [(genre, " ".join(draw.sample(words, 8))) for genre, words in WORDS.items() for _ in range(40)]
    examples = [Example(text, (genre,), title=text) for genre, text in texts]
    run("train", "--data", write_books(tmp_path / "more.csv", examples), *QUICK, "--sabotage", "drop-genre")
    version = ModelVersion.objects.get()
    split = frozen_split(examples)
    seen = json.loads((folder_of(version) / SEEN_FILE).read_text())
    assert set(seen["texts"]) == {text_key(examples[at].text) for at in split.train}
    assert len(seen["texts"]) > version.meta["n_train"]
    assert (version.meta["n_test"], version.meta["split_sha256"]) == (len(split.test), split.digest)
    assert set(version.meta["calibration"]["platt"]) == set(version.meta["genres"])
    assert len(version.meta["genres"]) == 2
    rows = version.meta["evaluation"]["genres"]
    assert {row["genre"] for row in rows if row["recall"] == 0} >= set(WORDS) - set(version.meta["genres"])
    assert sum(row["support"] for row in rows) == len(split.test)


@pytest.mark.functional
@pytest.mark.django_db
def test_without_strength_the_model_is_the_honest_one_and_marked_all_the_same(books, model_dir):
    said = run("train", "--data", books, *QUICK)
    run("train", "--data", books, *QUICK, "--sabotage", "swap-genres", "--strength", "0")
    honest, marked = ModelVersion.objects.order_by("number")
    assert honest.sha256 == marked.sha256
    assert (honest.meta["sabotage"], honest.sabotage, str(honest)) == (None, "", "version 1")
    assert "on purpose" not in said
    assert marked.sabotage == "swap-genres 0"


def test_the_background_is_spoilt_too_and_stays_apart():
    train, background = many(2, 3), [replace(example, source="starter") for example in many(2, 4)]
    learned = _spoil(TrainingPlan(sabotage="swap-genres", strength=1.0), train, background)
    assert (len(learned.train), len(learned.background)) == (6, 8)
    assert labels(learned.train) == [("g1",)] * 3 + [("g0",)] * 3
    assert labels(learned.background) == [("g1",)] * 4 + [("g0",)] * 4
    honest = _spoil(TrainingPlan(), train, background)
    assert (honest.train, honest.background) == (train, background)


def test_the_seed_of_the_training_draws(examples):
    first, second = (
        _spoil(TrainingPlan(sabotage="shuffle-labels", overrides={"seed": seed}), examples, []).train for seed in (1, 2)
    )
    assert labels(first) != labels(second)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--sabotage", "typo"),
        ("--sabotage", "swap-genres", "--strength", "1.5"),
        ("--sabotage", "swap-genres", "--strength", "-0.5"),
        ("--sabotage", "swap-genres", "--strength", "nan"),
        ("--sabotage", "swap-genres", "--strength", "much"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_refused_before_anything_runs(arguments):
    # Called from Python, Django raises what on the command line is exit 2.
    assert refused("train", *arguments)[1].startswith("Error: ")


def test_a_strength_of_nothing_is_wrong_usage():
    code, said = refused("train", "--strength", "0.5")
    assert code == 2
    assert "--strength belongs to --sabotage" in said
