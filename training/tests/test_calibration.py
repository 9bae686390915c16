"""Calibration: fitted where it may be, honest figures, and scores that stay probabilities."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.core.calibrate import Calibration, log_odds
from classifier.core.errors import ModelDamaged
from classifier.core.model import GenreModel, GenreScore, Prediction
from conftest import make_examples
from training.core import calibration as calibration_module
from training.core.baselines import known_slugs
from training.core.calibration import (
    across_sources,
    calibration_error,
    error_across_sources,
    expected_error_by_chance,
    fit_scores,
    held_scores,
    out_of_fold,
)
from training.core.fit import FitParameters
from training.core.held import Held, join
from training.core.vectors import teach

SLUGS = ("a", "b", "c")
QUICK = FitParameters(epoch=20, dim=8)


def flat_scores(n=600, seed=0):
    """Return underconfident scores of three genres: a longer text's are flatter, as fastText's are."""
    generator = np.random.default_rng(seed)
    primary = generator.integers(0, 3, n)
    n_words = generator.integers(10, 400, n).astype(float)
    logits = generator.normal(0, 1, (n, 3))
    logits[np.arange(n), primary] += 2
    flat = logits * 3 / np.sqrt(n_words)[:, None]
    raw = np.exp(flat) / np.exp(flat).sum(axis=1, keepdims=True)
    return raw, n_words, np.eye(3, dtype=bool)[primary], primary


def first_scores(calibration, raw, n_words, primary):
    applied = [
        calibration.apply(list(zip(SLUGS, row, strict=True)), int(n)) for row, n in zip(raw, n_words, strict=True)
    ]
    best = [max(pairs, key=lambda pair: pair[1]) for pairs in applied]
    return np.array([score for _, score in best]), np.array(
        [slug == SLUGS[p] for (slug, _), p in zip(best, primary, strict=True)]
    )


def test_flat_scores_become_honest_on_texts_it_was_not_fitted_on():
    calibration = fit_scores(Held(*flat_scores(), SLUGS))
    raw, n_words, _, primary = flat_scores(seed=1)
    before = calibration_error(raw.max(axis=1), raw.argmax(axis=1) == primary)
    after = calibration_error(*first_scores(calibration, raw, n_words, primary))
    assert before > 0.2
    assert after < 0.07
    assert calibration.power == pytest.approx(0.5, abs=0.15)


def test_calibration_error_has_its_hand_worked_value():
    # Two bins of two: mean scores .2 and .9, shares right 0 and .5; gaps .2 and .4, half the texts each.
    scores, correct = np.array([0.1, 0.3, 0.8, 1.0]), np.array([False, False, True, False])
    assert calibration_error(scores, correct, n_bins=2) == pytest.approx(0.3)
    assert calibration_error(np.array([]), np.array([], dtype=bool)) == 0.0


@pytest.mark.functional
def test_chance_alone_shows_an_error_that_shrinks_with_the_number_of_texts():
    generator = np.random.default_rng(3)
    small, large = (expected_error_by_chance(generator.random(n), n_draws=200) for n in (50, 5000))
    assert small > 0.1 > 0.03 > large


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.integers(0, 10**6))
def test_calibrated_scores_are_probabilities(raw, n_words):
    calibration = Calibration(1.5, 0.4, {"a": (0.7, -1.0), "b": (0.05, 900.0)})
    scores = [score for _, score in calibration.apply(list(zip(SLUGS, raw, strict=True)), n_words)]
    assert len(scores) == 3
    assert all(0 <= score <= 1 for score in scores)


def test_no_scores_stay_no_scores():
    assert Calibration(1.0, 0.0, {}).apply([], 10) == []


def test_it_survives_json_and_refuses_what_is_no_calibration():
    calibration = Calibration(1.5, 0.4, {"a": (0.7, -1.0)})
    assert Calibration.from_json(json.loads(json.dumps(calibration.as_json()))) == calibration
    assert Calibration.from_json(None) is None
    for broken in ({}, {"scale": "x", "power": 0, "platt": {}}, {"scale": float("nan"), "power": 0, "platt": {}}, [1]):
        with pytest.raises(ModelDamaged, match="calibration"):
            Calibration.from_json(broken)


def test_log_odds_are_finite_at_the_ends():
    assert -20 < log_odds(0.0) < log_odds(0.5) == 0.0 < log_odds(1.0) < 20


@pytest.mark.functional
def test_a_model_is_calibrated_out_of_fold_and_keeps_it_when_saved(model, fit_here, tmp_path):
    calibration = fit_scores(out_of_fold(make_examples(20), QUICK))
    assert set(calibration.platt) == {"fantasy", "cooking", "business-economics"}
    calibrated = GenreModel(model._engine, model.meta)
    calibrated.calibrate(calibration)
    calibrated.save(tmp_path / "m", canaries=["the dragon and the wizard"])
    loaded = GenreModel.load(tmp_path / "m")
    assert loaded.calibration == calibration
    text = "the dragon and the wizard in the market"
    assert loaded.predict(text) == calibrated.predict(text)
    assert loaded.predict(text, calibrated=False) == model.predict(text)


def test_each_held_text_has_its_scores_before_and_after_calibration(monkeypatch):
    examples = make_examples(20)
    fake = SimpleNamespace(loss="softmax", predict=lambda text, calibrated: Prediction(known[text], 8, 8))
    known = {example.text: (GenreScore(example.genres[0], 0.75), GenreScore("cooking", 0.25)) for example in examples}
    known[examples[7].text] = ()
    monkeypatch.setattr(calibration_module, "fit", lambda train, parameters, **options: fake)
    held = out_of_fold(examples, QUICK)
    assert held.slugs == ("business-economics", "cooking", "fantasy")
    assert (held.raw.shape, held.truth.shape, held.n_words.tolist()) == ((59, 3), (59, 3), [8] * 59)
    assert held.truth[np.arange(59), held.primary].all()
    assert (held.raw[held.primary != 1].max(axis=1) == 0.75).all()
    fantasy = held.slugs.index("fantasy")
    assert held.raw[held.primary == fantasy] == pytest.approx(np.array([[0, 0.25, 0.75]] * 19))
    # The length step squares the odds of 3 to 1; no genre has a curve of its own.
    calibrated = held.calibrated(Calibration(2.0, 0.0, {}))
    assert calibrated[held.primary == fantasy][0] == pytest.approx([0, 0.1, 0.9], abs=1e-6)


def test_texts_the_vectors_learned_from_are_not_used():
    examples = make_examples(20)
    assert out_of_fold(examples, QUICK, vectors=teach(examples)) is None


def test_too_few_texts_are_not_fitted(examples):
    assert out_of_fold(examples[:2], QUICK) is None
    assert out_of_fold(examples[::2], QUICK) is None


def test_an_ova_score_is_sharpened_by_its_log_odds():
    twice = Calibration(2.0, 0.0, {}, "ova")
    # Log-odds of log 3 and 0, doubled: shares of 9 and 1.
    assert dict(twice.apply([("a", 0.75), ("b", 0.5)], 5)) == pytest.approx({"a": 0.9, "b": 0.1}, abs=1e-6)
    assert Calibration.from_json(twice.as_json()) == twice


def test_joined_scores_keep_their_collections_apart():
    one = Held(*flat_scores(10), SLUGS)
    both = join([join([one, one]), one])
    assert both.sources.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert both.raw.shape == (30, 3)


@pytest.mark.functional
def test_no_collection_decides_a_genre_by_its_own_mix_alone():
    raw, n_words, truth, primary = flat_scores(2000)
    common = np.flatnonzero(truth[:, 0])
    # A second collection, of genre a alone.
    other = Held(raw[common], n_words[common], truth[common], primary[common], SLUGS)
    first = Held(raw, n_words, truth, primary, SLUGS)
    apart = fit_scores(join([first, other])).platt["b"]
    as_one = fit_scores(replace(join([first, other]), sources=np.zeros(0, dtype=int))).platt["b"]
    alone = fit_scores(first).platt["b"]
    # Seen as one, the texts without b lower its intercept; apart, its own collection's curve counts.
    assert as_one[1] < alone[1]
    assert apart != as_one


def starter_like(n, source):
    return [replace(example, source=source) for example in make_examples(n)]


def test_clear_starter_texts_tell_nothing_about_texts_from_elsewhere(monkeypatch):
    starter = starter_like(5, "starter.csv")
    across = Held(*flat_scores(60), known_slugs(starter))
    vectors = replace(teach(starter), across=across)
    assert held_scores(starter, QUICK, starter="starter.csv", vectors=vectors) is across
    other_loss = replace(QUICK, loss="ova")
    monkeypatch.setattr(calibration_module, "out_of_fold", lambda examples, *rest, **options: examples)
    assert held_scores(starter, other_loss, starter="starter.csv", vectors=vectors) == starter
    assert held_scores(starter, QUICK, starter="starter.csv", vectors=replace(vectors, across=None)) == starter


def test_a_few_corrections_beside_the_starter_texts_count_as_one_source_more(monkeypatch):
    starter, own = starter_like(5, "starter.csv"), starter_like(4, "feedback")
    across, held = Held(*flat_scores(60), known_slugs(starter)), Held(*flat_scores(55), known_slugs(starter))
    asked = {}

    def scored(examples, parameters, **options):
        asked.update(options, examples=examples)
        return held

    monkeypatch.setattr(calibration_module, "out_of_fold", scored)
    vectors = replace(teach(starter), across=across)
    found = held_scores([*starter, *own], QUICK, starter="starter.csv", vectors=vectors)
    assert len(found.raw) == 115
    assert (asked["examples"], asked["background"]) == (own, starter)


@pytest.mark.functional
def test_each_source_is_scored_by_models_that_never_saw_it(fit_here):
    sources = {"one": make_examples(30)[:45], "two": make_examples(30)[45:]}
    held = across_sources(sources, make_examples(8), n_texts=20)
    assert held.sources.tolist().count(0) == held.sources.tolist().count(1) == 20
    assert held.slugs == ("business-economics", "cooking", "fantasy")
    assert across_sources({"one": sources["one"]}, make_examples(8)) is None


@pytest.mark.functional
def test_the_error_elsewhere_is_measured_on_collections_the_calibration_has_not_seen():
    held = join([Held(*flat_scores(seed=seed), SLUGS) for seed in range(3)])
    error = error_across_sources(held)
    assert error["before"] > 0.2
    assert error["after"] < 0.08
