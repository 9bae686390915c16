"""The gate's arithmetic, on arrays whose answer is known."""

import json
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.core.model import NO_GENRE, GenreScore, Prediction
from classifier.core.thresholds import NEVER, Thresholds
from training.core import gate, paired
from training.core.books import Example
from training.core.calibration import calibration_error
from training.core.gate import (
    Check,
    GateReport,
    GenreHits,
    check_calibration,
    check_corrections,
    check_genres,
    check_inputs,
    check_latency,
    check_no_worse,
    check_overlap,
    check_size,
    genre_hits,
    measure,
    milliseconds,
)
from training.core.metrics import evaluate_scores
from training.core.paired import Interval, answers_of, compare, draws, figures, on_all
from training.core.seen import FairTexts, Seen, fair_texts
from training.core.split import book_key, is_frozen_for_test, text_key

SLUGS = ("cooking", "fantasy", "history", "poetry")


def said(*slugs, score=0.9, abstained="", thresholds=None):
    """Return a prediction that names these genres in order, the first with ``score``."""
    scores = tuple(GenreScore(slug, score / (at + 1)) for at, slug in enumerate(slugs))
    return Prediction(scores, 10, 10, abstained, thresholds)


def example(*genres, text="a text", **fields):
    return Example(text, genres, **fields)


def answers(pairs, *, known=SLUGS, thresholds=None):
    """Return the answers of pairs (prediction, genres)."""
    examples = [example(*genres) for _, genres in pairs]
    return answers_of([each for each, _ in pairs], examples, SLUGS, known=known, thresholds=thresholds)


def right_and_wrong(*flags):
    """Return answers to texts of fantasy that name it first where the flag is true, and cooking alone elsewhere."""
    return answers([(said("fantasy") if flag else said("cooking"), ("fantasy",)) for flag in flags])


def chance_answers(seed, n_texts):
    """Return answers to ``n_texts`` random texts with the scores they were made of."""
    chance = np.random.default_rng(seed)
    pairs, scores = [], np.zeros((n_texts, len(SLUGS)))
    for row in range(n_texts):
        genres = tuple(chance.permutation(SLUGS)[: chance.integers(1, 4)])
        row_scores = chance.random(len(SLUGS))
        if chance.random() < 0.2:
            pairs.append((said(*SLUGS[:2], abstained=NO_GENRE), genres))
            continue
        scores[row] = row_scores
        ranked = sorted(zip(-row_scores, SLUGS, strict=True))
        pairs.append((Prediction(tuple(GenreScore(slug, -minus) for minus, slug in ranked), 9, 9), genres))
    return answers(pairs), scores


# What a version said, as arrays


def test_the_first_genre_must_be_the_primary_one_and_an_abstention_is_wrong():
    found = answers([
        (said("fantasy", "poetry"), ("fantasy", "poetry")),
        (said("poetry", "fantasy"), ("fantasy", "poetry")),
        (said("fantasy", abstained=NO_GENRE), ("fantasy",)),
        (said(abstained="no-words"), ("fantasy",)),
    ])  # fmt: skip
    assert found.right.tolist() == [True, False, False, False]
    assert found.first[:, 1].tolist() == [True, True, False, False]
    assert found.fits.tolist() == [True, True, True, False]
    assert np.isnan(found.score).tolist() == [False, False, False, True]
    assert found.primary.tolist() == [1, 1, 1, 1]


def test_a_hit_stands_among_the_first_three():
    found = answers([(said("cooking", "history", "poetry", "fantasy"), ("fantasy",))])
    assert found.first.tolist() == [[True, False, True, True]]


def test_genres_are_chosen_by_the_models_own_thresholds():
    own = Thresholds("f1", dict.fromkeys(SLUGS, NEVER) | {"poetry": 0.4})
    found = answers([(said("fantasy", "poetry", thresholds=own), ("fantasy",))], thresholds=own)
    assert found.chosen.tolist() == [[False, False, False, True]]


@pytest.mark.functional
@settings(max_examples=8)
@given(st.integers(0, 1000), st.integers(1, 40))
def test_figures_on_all_texts_are_those_that_evaluate_shows(seed, n_texts):
    found, scores = chance_answers(seed, n_texts)
    shown = evaluate_scores(found.truth, scores, found.primary, threshold=0.3)
    mine = on_all(found)
    assert mine["accuracy"] == pytest.approx(shown["accuracy"], abs=1e-4)
    assert mine["f1"] == pytest.approx(shown["f1_subj_avg"], abs=1e-4)


@pytest.mark.functional
@settings(max_examples=8)
@given(st.integers(0, 1000), st.integers(2, 30))
def test_figures_of_a_draw_are_those_of_the_texts_it_holds(seed, n_texts):
    found, scores = chance_answers(seed, n_texts)
    weights = next(draws(n_texts, n_draws=2, seed=seed))
    for row in range(2):
        drawn = np.repeat(np.arange(n_texts), weights[row].astype(int))
        shown = evaluate_scores(found.truth[drawn], scores[drawn], found.primary[drawn], threshold=0.3)
        mine = figures(found, weights[[row]])
        assert mine.accuracy[0] == pytest.approx(shown["accuracy"], abs=1e-4)
        assert mine.f1[0] == pytest.approx(shown["f1_subj_avg"], abs=1e-4)


@pytest.mark.functional
@given(st.integers(0, 1000), st.integers(1, 6))
def test_the_calibration_error_of_a_draw_is_the_usual_one_where_the_bins_come_out_even(seed, tens):
    chance = np.random.default_rng(seed)
    scores, fits = chance.random(10 * tens), chance.random(10 * tens) < 0.5
    found = replace(right_and_wrong(*fits), score=scores, fits=fits)
    even = figures(found, np.ones((1, len(scores)))).calibration[0]
    assert even == pytest.approx(calibration_error(scores, fits))
    # Every text twice is the same as once.
    assert figures(found, np.full((1, len(scores)), 2.0)).calibration[0] == pytest.approx(even)


def test_texts_without_any_score_do_not_count_in_the_calibration():
    scored = [(said("fantasy", score=0.8), ("fantasy",))] * 10
    both = answers([*scored, *[(said(abstained="no-words"), ("fantasy",))] * 10])
    assert on_all(both)["calibration"] == pytest.approx(0.2)
    assert figures(both, np.ones((1, 20))).calibration[0] == pytest.approx(0.2)
    silent = answers([(said(abstained="no-words"), ("fantasy",))])
    assert figures(silent, np.ones((1, 1))).calibration[0] == 0


# Resampling


def test_every_draw_holds_as_many_texts_as_there_are(monkeypatch):
    monkeypatch.setattr(paired, "_AT_ONCE", 70)
    blocks = list(draws(20, n_draws=10))
    assert [len(block) for block in blocks] == [3, 3, 3, 1]
    assert {float(total) for block in blocks for total in block.sum(axis=1)} == {20.0}
    again = np.concatenate(list(draws(20, n_draws=10)))
    assert (np.concatenate(blocks) == again).all()
    assert len({tuple(row) for row in again}) == 10


def test_two_versions_that_say_the_same_do_not_differ():
    found, _ = chance_answers(3, 60)
    assert set(compare(found, found).values()) == {Interval(0.0, 0.0)}


def test_the_interval_of_a_paired_difference_is_narrow_where_the_versions_err_on_the_same_texts():
    # Ten of 100 texts were lost: the interval is about 0.10 ± 2.6 sqrt(0.1 * 0.9 / 100).
    opponent = right_and_wrong(*[True] * 60, *[False] * 40)
    candidate = right_and_wrong(*[True] * 50, *[False] * 50)
    found = compare(candidate, opponent)["accuracy"]
    assert found.low == pytest.approx(-0.18, abs=0.015)
    assert found.high == pytest.approx(-0.03, abs=0.015)
    turned = compare(opponent, candidate)["accuracy"]
    assert (turned.low, turned.high) == (pytest.approx(-found.high), pytest.approx(-found.low))


# Each check


@pytest.mark.parametrize(
    ("interval", "passed"),
    [
        (Interval(-0.1, 0.0), True),
        (Interval(-0.1, 0.02), True),
        (Interval(-0.1, -0.001), False),
        (Interval(-0.1, 0.1), True),
    ],
)
def test_a_figure_is_worse_when_its_whole_interval_lies_below_0(interval, passed):
    check = check_no_worse("accuracy", 0.7, 0.75, interval)
    assert check.passed is passed
    assert check.value == pytest.approx(-0.05)
    assert "0.700 against 0.750; 99% interval of the difference -0.100 to" in check.detail


@pytest.mark.parametrize(
    ("mine", "theirs", "interval", "passed"),
    [
        (0.20, 0.10, Interval(0.05, 0.15), False),
        (0.20, 0.10, Interval(-0.01, 0.21), True),  # may be chance
        (0.14, 0.10, Interval(0.01, 0.07), True),  # too little to matter
        (0.05, 0.10, Interval(-0.08, -0.02), True),
        (gate.CALIBRATION_LIMIT, None, None, True),
        (gate.CALIBRATION_LIMIT + 0.01, None, None, False),
    ],
)
def test_scores_may_not_say_less_than_the_opponents_beyond_chance_and_beyond_what_matters(
    mine, theirs, interval, passed
):
    assert check_calibration(mine, theirs, interval).passed is passed


@pytest.mark.parametrize(
    ("opponent", "candidate", "lost", "won", "has_collapsed"),
    [
        (10, 2, 8, 0, True),  # 1 in 256 by chance
        (16, 8, 8, 0, True),
        (16, 8, 9, 1, False),  # 11 in 1024
        (7, 0, 7, 0, False),  # 1 in 128
        (4, 0, 4, 0, False),
        (20, 11, 9, 0, False),  # more than half are left
        (0, 0, 0, 0, False),
    ],
)
def test_a_genre_collapses_when_half_its_hits_are_gone_and_it_is_not_chance(
    opponent, candidate, lost, won, has_collapsed
):
    kept = opponent - lost
    assert candidate == kept + won, "the case contradicts itself"
    theirs = [True] * opponent + [False] * won
    ours = [True] * kept + [False] * lost + [True] * won
    filler = [False]
    (hits,) = genre_hits(right_and_wrong(*ours, *filler), right_and_wrong(*theirs, *filler))
    assert (hits.genre, hits.opponent, hits.candidate) == ("fantasy", opponent, candidate)
    assert hits.n_texts == len(theirs) + 1
    assert hits.has_collapsed is has_collapsed
    assert check_genres([hits]).passed is not has_collapsed


def test_a_genre_the_candidate_does_not_know_is_lost_even_if_it_was_never_hit():
    pairs = [(said("cooking"), ("fantasy",))]
    lost = genre_hits(answers(pairs, known=("cooking",)), answers(pairs))
    check = check_genres(lost)
    assert not check.passed
    assert check.detail == "fantasy: unknown to it"


def test_a_genre_is_looked_at_when_the_opponent_knows_it_and_a_text_has_it():
    pairs = [(said("cooking"), ("fantasy", "poetry"))]
    found = genre_hits(answers(pairs, known=("cooking",)), answers(pairs, known=("cooking", "fantasy", "history")))
    assert [hits.genre for hits in found] == ["fantasy"]


def test_genres_that_stayed_are_not_named():
    lost = GenreHits("poetry", 12, 10, 1, 0.002, is_known=True)
    check = check_genres([lost, replace(lost, genre="history", candidate=10, p=1.0)])
    assert (check.value, check.detail) == (1, "poetry: 1 of 12 texts, was 10")


@pytest.mark.parametrize(
    ("mine", "theirs", "passed"),
    [(0.9, 0.2, True), (1.2, 0.2, False), (1.2, 0.7, True), (4.9, 3.0, True), (5.1, 4.9, False), (4.9, None, True),
     (5.1, None, False)],
)  # fmt: skip
def test_a_slow_model_is_twice_as_slow_and_noticeably_or_slower_than_anybody_wants(mine, theirs, passed):
    assert check_latency(mine, theirs, most=5.0).passed is passed


def test_the_fastest_of_the_rounds_counts_for_words_not_texts(monkeypatch):
    seconds = iter([3, 9, 1, 6, 2, 6])
    now = [0.0]
    asked = []

    monkeypatch.setattr(gate, "TIMED_IN_ALL", 14)

    def model(name):
        def predict_many(texts):
            asked.append((name, len(texts)))
            now[0] += next(seconds)
            return []

        return predict_many

    taken = milliseconds([model("a"), model("b")], ["x"] * 4, 1000, clock=lambda: now[0])
    # 1 s and 6 s for 1,000 words.
    assert taken == [pytest.approx(100), pytest.approx(600)]
    assert asked == [("a", 4), ("b", 4)] * 3


def test_size_is_told_in_megabytes():
    assert check_size(2_000_000, most=2_000_000).passed
    assert check_size(2_000_000, most=2_000_000).value == 2
    assert not check_size(2_000_001, most=2_000_000).passed


def test_corrections_that_were_taken_back_block_and_are_counted():
    assert check_corrections(0, {}).passed
    assert check_corrections(12, {}).passed
    check = check_corrections(12, {"withdrawn": 2, "rejected": 1})
    assert (check.passed, check.value) == (False, 3)
    assert "of the 12 it learned from: 2 withdrawn, 1 rejected" in check.detail


def test_an_input_that_is_gone_blocks_the_candidate_that_learned_from_it():
    check = check_inputs(1, ["books.csv"])
    assert (check.passed, check.value) == (False, 1)
    assert "it learned from books.csv: gone or changed since" in check.detail
    assert check_inputs(2, []).passed


def test_an_input_of_the_opponent_that_is_gone_is_a_warning_alone():
    check = check_inputs(1, [], ["old.csv"])
    assert check.passed
    assert "warning: nothing can be measured on old.csv of the opponent" in check.detail
    assert "warning" not in check_inputs(2, []).detail


def test_without_opponent_a_model_must_beat_the_one_that_always_says_the_same():
    by_name = {check.name: check for check in measure(right_and_wrong(*[True] * 60, *[False] * 40), None)[0]}
    # All texts are of one genre: saying it always is right always.
    assert not by_name["accuracy"].passed
    half = answers([(said(genre, score=1.0), (genre,)) for genre in ("fantasy", "cooking") * 30])
    assert all(check.passed for check in measure(half, None)[0])


@pytest.mark.functional
def test_a_candidate_that_is_worse_in_everything_fails_everything_measured():
    good = answers([(said(genre, score=0.99), (genre,)) for genre in SLUGS * 20])
    other = dict(zip(SLUGS, (*SLUGS[1:], SLUGS[0]), strict=True))
    bad = answers([(said(other[genre], score=0.99), (genre,)) for genre in SLUGS * 20])
    checks, genres = measure(bad, good)
    assert [(check.name, check.passed) for check in checks] == [
        ("accuracy", False), ("f1_subj_avg", False), ("genres", False), ("calibration", False),
    ]  # fmt: skip
    assert [hits.has_collapsed for hits in genres] == [True] * 4
    assert all(check.passed for check in measure(good, bad)[0])


# Which texts are fair


def words(seed, n=30):
    chance = np.random.default_rng(seed)
    return " ".join(f"w{number}" for number in chance.integers(10_000, size=n))


@pytest.fixture
def frozen():
    """Books that are frozen for testing by their own title."""
    return books(is_frozen=True)


@pytest.fixture
def free():
    """Books that are free for training."""
    return books(is_frozen=False)


def books(*, is_frozen):
    made = (example("fantasy", text=words(number), title=f"Book {number}", author="Test") for number in count())
    kept = (book for book in made if is_frozen_for_test(book) is is_frozen)
    return [next(kept) for _ in range(6)]


def seen(*examples):
    return Seen(
        frozenset(text_key(each.text) for each in examples), frozenset(book_key(each) for each in examples) - {""}
    )


def test_texts_nobody_has_seen_are_all_compared(frozen):
    found = fair_texts(frozen, Seen(), Seen())
    assert found == FairTexts(frozen, n_test=6, n_overlapping=0, n_left_out=0, n_repeated=0)
    assert check_overlap(found).passed


@pytest.mark.parametrize("by", ["text", "book"])
def test_a_frozen_text_that_the_candidate_was_trained_on_is_an_overlap(frozen, by):
    taught = replace(frozen[0], text=words(999)) if by == "book" else replace(frozen[0], title="")
    found = fair_texts(frozen, seen(taught), None)
    assert (found.n_overlapping, found.n_left_out, len(found.examples)) == (1, 1, 5)
    check = check_overlap(found)
    assert (check.passed, check.value) == (False, 1)
    assert "trained on 1 of the 6 texts" in check.detail


def test_what_the_opponent_was_trained_on_is_left_out_and_no_overlap(frozen):
    found = fair_texts(frozen, Seen(), seen(*frozen[:2]))
    assert (found.n_overlapping, found.n_left_out, found.examples) == (0, 2, frozen[2:])


@pytest.mark.parametrize("who", ["candidate", "opponent"])
def test_a_frozen_text_beside_a_near_copy_that_a_version_knows_is_left_out(frozen, free, who):
    near = replace(free[0], text=frozen[0].text + " and three words")
    known = seen(near)
    found = fair_texts([*frozen, near], known if who == "candidate" else Seen(), known if who == "opponent" else None)
    assert (found.n_overlapping, found.n_left_out, found.examples) == (0, 2, frozen[1:])


def test_a_copy_that_came_under_another_title_excuses_the_candidate(frozen, free):
    copy = replace(free[0], text=frozen[0].text)
    found = fair_texts([*frozen, copy], seen(copy), None)
    assert (found.n_overlapping, found.n_left_out, found.examples) == (0, 2, frozen[1:])


def test_a_correction_is_an_overlap_only_if_the_candidate_learned_from_it(free):
    texts = (free[0].text + f" {number}" for number in count())
    text = next(text for text in texts if is_frozen_for_test(example("fantasy", text=text)))
    correction = example("fantasy", text=text, uid="7")
    known = Seen(frozenset({text_key(text)}))
    assert fair_texts([correction], known, None).n_overlapping == 0
    assert fair_texts([correction], known, None, learned={"7"}).n_overlapping == 1
    assert fair_texts([correction], known, None).examples == []


def test_a_text_counts_once(frozen):
    found = fair_texts([*frozen, replace(frozen[0], source="other.csv")], Seen(), None)
    assert (found.examples, found.n_repeated) == (frozen, 1)


# The report


def test_a_report_passes_when_every_check_does_and_is_plain_data():
    fine, bad = Check("size", True, 1.0, "2"), Check("accuracy", False, -0.1, "interval reaches 0", "worse")
    report = GateReport(2, 1, "", ("books.csv",), {"compared": 60}, (fine,))
    assert report.passed
    assert report.blocked_by == ()
    report = replace(report, checks=(fine, bad), genres=(GenreHits("poetry", 12, 10, 1, 0.002, is_known=True),))
    assert not report.passed
    found = json.loads(json.dumps(report.as_json()))
    assert (found["passed"], found["blocked_by"]) == (False, ["accuracy"])
    assert found["checks"][1] == {
        "name": "accuracy", "passed": False, "value": -0.1, "limit": "interval reaches 0", "detail": "worse",
    }  # fmt: skip
    assert found["genres"][0]["genre"] == "poetry"
    assert "genres" not in report.as_json(with_genres=False)
