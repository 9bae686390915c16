from math import log

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from training.core.drift import (
    LEAST_EXPECTED,
    SIGNALS,
    compare,
    correct,
    counts_of,
    p_value,
    pooled,
    stability_index,
)
from training.core.profile import Profile


def profile_of(n=1000, *, genres=("fantasy", "cooking"), score=0.6, n_words=60, n_known=55, abstained=()):
    """A profile of ``n`` answered texts, and of others that were not."""
    profile = Profile()
    for at in range(n):
        profile.add(
            n_words=n_words, n_known=n_known, n_chars=400, abstained="", first=(genres[at % len(genres)], score)
        )
    for reason in abstained:
        profile.add(n_words=n_words, n_known=0, n_chars=400, abstained=reason, first=None)
    return profile


def signals(drifts):
    return {drift.signal for drift in drifts if drift.is_drift}


def test_equal_traffic_is_no_drift_in_any_signal():
    drifts = compare(profile_of(), profile_of())
    assert [drift.signal for drift in drifts] == list(SIGNALS)
    assert all(drift.psi == 0 and drift.p == drift.q == 1 and not drift.is_drift for drift in drifts)


@pytest.mark.parametrize(
    ("signal", "change"),
    [
        ("genres", {"genres": ("fantasy", "cooking", "cooking")}),
        ("confidence", {"score": 0.45}),
        ("unknown", {"n_known": 20}),
        ("words", {"n_words": 30, "n_known": 27}),
        ("abstained", {"abstained": ["no-genre"] * 300}),
        ("language", {"abstained": ["not-english"] * 300}),
    ],
)
def test_a_change_is_found_under_its_own_signal_alone(signal, change):
    assert signals(compare(profile_of(**change), profile_of())) == {signal}


@pytest.mark.functional
def test_a_trifle_that_is_surely_no_chance_is_no_drift():
    [drift] = compare(
        profile_of(50_000, genres=("a", "b")), profile_of(50_000, genres=("a", "b") * 10 + ("a",)), signals=["genres"]
    )
    assert drift.q < 1e-6
    assert drift.psi < 0.01
    assert not drift.is_drift


def test_a_large_difference_among_too_few_texts_is_left_out():
    assert compare(profile_of(150, score=0.1), profile_of()) == []
    assert compare(profile_of(), profile_of(150, score=0.1)) == []


def test_a_model_that_answers_nothing_still_shows_its_abstentions():
    silent = profile_of(0, abstained=["no-genre"] * 500)
    found = compare(silent, profile_of())
    assert "genres" not in {drift.signal for drift in found}
    assert "abstained" in signals(found)


def test_a_larger_bound_asks_for_a_larger_drift():
    changed, before = profile_of(genres=("fantasy", "cooking", "cooking")), profile_of()
    assert signals(compare(changed, before)) == {"genres"}
    assert signals(compare(changed, before, least_psi=0.25)) == set()


def test_the_stability_index_is_the_sum_of_differences_times_log_ratios():
    table = np.array([[30.0, 70.0], [50.0, 50.0]])
    # Half a text is added to each count: shares 30.5 / 101 and so on.
    a, b = 30.5 / 101, 50.5 / 101
    expected = (a - b) * log(a / b) + (b - a) * log((1 - a) / (1 - b))
    assert stability_index(table) == pytest.approx(expected)


def test_p_values_are_scipys():
    table = np.array([[30.0, 50.0, 20.0], [50.0, 30.0, 20.0]])
    assert p_value(table) == stats.chi2_contingency(table).pvalue


def test_small_counts_in_two_categories_are_tested_exactly():
    table = np.array([[4.0, 196.0], [0.0, 4000.0]])
    assert p_value(table) == pytest.approx(stats.fisher_exact([[4, 196], [0, 4000]]).pvalue)


def test_p_values_are_corrected_as_benjamini_and_hochberg_say():
    # By hand: sorted p times 4 / rank, from the largest down never rising.
    assert correct([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert correct([]) == []


def test_what_was_never_seen_before_is_found_although_few_texts_are_expected_of_it():
    recent = profile_of(200, abstained=["nothing-known"] * 60)
    assert signals(compare(recent, profile_of(5000), signals=["abstained"])) == {"abstained"}


def test_bins_are_pooled_with_their_neighbours():
    table = np.array([[1.0, 50.0, 0.0, 49.0, 1.0], [0.0, 60.0, 0.0, 40.0, 2.0]])
    assert pooled(table, is_ordered=True).tolist() == [[51.0, 50.0], [60.0, 42.0]]


def test_rare_genres_are_pooled_with_each_other():
    table = np.array([[1.0, 50.0, 49.0, 2.0, 4.0], [1.0, 60.0, 40.0, 2.0, 3.0]])
    assert sorted(pooled(table, is_ordered=False)[0].tolist()) == [7.0, 49.0, 50.0]


counts = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=12)


@given(counts, st.booleans())
@example([(0, 1), (0, 1)], False)
def test_pooling_loses_no_text_and_leaves_no_rare_category_among_three(pairs, is_ordered):
    table = np.array(pairs, dtype=float).T
    found = pooled(table, is_ordered=is_ordered)
    assert found.sum(axis=1).tolist() == table.sum(axis=1).tolist()
    if found.shape[1] > 2:
        assert stats.contingency.expected_freq(found).min() >= LEAST_EXPECTED
    assert 0 <= p_value(found) <= 1
    assert stability_index(found) >= 0


def test_language_and_abstention_share_no_category():
    profile = profile_of(10, abstained=["no-genre", "not-prose", "no-words"])
    assert counts_of("abstained", profile, profile).sum() == 2 * 11
    assert counts_of("language", profile, profile).sum() == 2 * 13
