"""A genre is chosen from its own threshold on; a text that reaches none gets the nearest genres, marked as unsure."""

import json

import pytest
from django.core import signing
from django.urls import reverse

from classifier.core.errors import ModelDamaged
from classifier.core.model import NO_GENRE, GenreModel, GenreScore
from classifier.core.model import Prediction as CorePrediction
from classifier.core.shown import choose_shown
from classifier.core.thresholds import NEVER, Thresholds
from classifier.models import Prediction
from classifier.predictions import Shown
from classifier.registry import promote
from classifier.tests.test_model import FakeEngine
from conftest import copy_model, thresholds_meta

SLUGS = ("a", "b", "c")
TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
HOME = reverse("classifier:text-classify")


def make_model(**genres):
    """Return a model whose raw scores are a .5, b .3, c .2, and these thresholds."""
    engine = FakeEngine((0.5, "__label__a"), (0.3, "__label__b"), (0.2, "__label__c"))
    calibration = {"scale": 1.0, "power": 0.0, "platt": {}}
    return GenreModel(engine, {"calibration": calibration, "thresholds": {"aim": "f1", "genres": genres}})


def ranked(*scores, **genres):
    """Return a prediction of genres g0, g1, … with these scores; ``genres`` are thresholds, others are 1."""
    named = {f"g{at}": 1.0 for at in range(len(scores))} | genres
    pairs = tuple(GenreScore(f"g{at}", score) for at, score in enumerate(scores))
    return CorePrediction(pairs, 9, 9, thresholds=Thresholds("f1", named))


# The core


def test_a_genre_is_chosen_from_its_own_threshold_on_best_first():
    prediction = make_model(a=0.49, b=0.31, c=0.15).predict("any text")
    assert [genre.slug for genre in prediction.chosen] == ["a", "c"]
    assert [genre.slug for genre in prediction.scores] == ["a", "b", "c"]
    assert not prediction.abstained


def test_a_score_that_equals_its_threshold_is_enough():
    assert Thresholds("f1", {"a": 0.5}).reached("a", 0.5)
    assert not Thresholds("f1", {"a": 0.5}).reached("a", 0.4999999)


def test_a_text_whose_genres_all_stay_below_gets_none_but_keeps_its_scores():
    prediction = make_model(a=0.6, b=0.6, c=0.6).predict("any text")
    assert (prediction.abstained, prediction.chosen) == (NO_GENRE, ())
    assert [round(genre.score, 6) for genre in prediction.scores] == [0.5, 0.3, 0.2]


def test_a_genre_that_is_never_chosen_is_not_chosen_with_certainty_either():
    assert not Thresholds("precision=1.0", {"a": NEVER}).reached("a", 1.0)


def test_raw_scores_are_held_against_no_threshold():
    prediction = make_model(a=0.6, b=0.6, c=0.6).predict("any text", calibrated=False)
    assert (prediction.abstained, prediction.thresholds, prediction.chosen) == ("", None, ())


def test_thresholds_count_only_with_the_calibration_they_were_found_on():
    model = make_model(a=0.6, b=0.6, c=0.6)
    model.calibrate(None, model.thresholds)
    assert not model.predict("any text").abstained


def test_a_model_without_thresholds_answers_as_ever_and_chooses_nothing(model):
    prediction = model.predict(TEXT)
    assert (prediction.abstained, prediction.chosen, len(prediction.scores)) == ("", (), 3)


def test_a_text_without_words_abstains_for_that_reason_first():
    assert make_model(a=0.6, b=0.6, c=0.6).predict("").abstained == "no-words"


def test_thresholds_survive_json():
    thresholds = Thresholds("precision=0.8", {"a": 0.25, "b": 1.0, "c": NEVER})
    assert Thresholds.from_json(json.loads(json.dumps(thresholds.as_json())), SLUGS) == thresholds
    assert Thresholds.from_json(None, SLUGS) is None


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [1],
        "f1",
        {"aim": "f1"},
        {"aim": 1, "genres": {"a": 0.5, "b": 0.5, "c": 0.5}},
        {"aim": "f1", "genres": {}},
        {"aim": "f1", "genres": {"a": 0.5, "b": 0.5}},
        {"aim": "f1", "genres": {"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.5}},
        *({"aim": "f1", "genres": {"a": 0.5, "b": 0.5, "c": bad}} for bad in (0, -0.1, 1.1, "0.5", None, True)),
        *({"aim": "f1", "genres": {"a": 0.5, "b": 0.5, "c": bad}} for bad in (float("nan"), float("inf"))),
    ],
    ids=str,
)
def test_what_are_no_thresholds_of_this_model_is_refused(broken):
    with pytest.raises(ModelDamaged, match="thresholds"):
        Thresholds.from_json(broken, SLUGS)


def test_a_stored_model_brings_its_thresholds_and_is_refused_with_nonsense(model_folder, tmp_path):
    folder = copy_model(model_folder, tmp_path / "sound", **thresholds_meta(fantasy=0.5))
    assert [genre.slug for genre in GenreModel.load(folder).predict(TEXT).chosen] == ["fantasy"]
    folder = copy_model(model_folder, tmp_path / "broken", **thresholds_meta(fantasy=7))
    with pytest.raises(ModelDamaged, match="7 for fantasy"):
        GenreModel.load(folder)


# What is shown


def test_the_chosen_genres_are_shown_first_then_the_nearest():
    genres, n_chosen = choose_shown(ranked(0.6, 0.5, 0.4, 0.05, g1=0.45, g3=0.01))
    assert (genres, n_chosen) == ([("g1", 0.5), ("g3", 0.05), ("g0", 0.6), ("g2", 0.4)], 2)


def test_at_least_three_and_at_most_five_genres_are_shown():
    assert choose_shown(ranked(0.6, 0.01, 0.01, 0.01, g0=0.5))[0] == [("g0", 0.6), ("g1", 0.01), ("g2", 0.01)]
    many = ranked(*[0.5] * 7, **{f"g{at}": 0.4 for at in range(7)})
    assert [len(part) if isinstance(part, list) else part for part in choose_shown(many)] == [5, 5]
    assert len(choose_shown(ranked(*[0.5] * 7))[0]) == 5


def test_a_token_from_before_there_were_thresholds_is_still_read():
    shown = Shown("u", 1, 1, "page", [("fantasy", 0.5)], "", 9, "hash", n_chosen=1)
    assert Shown.from_token(shown.token()) == shown
    fields = signing.loads(shown.token(), salt="classifier.prediction")
    del fields["n_chosen"]
    older = signing.dumps(fields, salt="classifier.prediction", compress=True)
    assert Shown.from_token(older).n_chosen == 0


# The page


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Target": "result"}], ids=["plain", "htmx"])
def test_a_text_without_sure_genre_gets_the_closest_and_can_be_corrected(client, unsure_champion, headers):
    response = client.post(HOME, {"text": TEXT}, headers=headers)
    page = response.content.decode()
    for words in ("No sure answer", "not sure enough of any genre", "The closest genres", "Send the correction"):
        assert words in page
    assert response.context["lines"][0].slug == "fantasy"
    assert "Its genres" not in page
    assert "Correct these genres" not in page
    assert "<title>Fantasy" not in page


def test_why_there_was_no_genre_is_stored_with_what_came_nearest(client, unsure_champion):
    client.post(HOME, {"text": TEXT})
    stored = Prediction.objects.get()
    assert (stored.abstained, stored.shown[0][0], len(stored.shown)) == (NO_GENRE, "fantasy", 3)


def test_genres_that_reach_their_threshold_stand_apart_from_the_others_by_a_heading(client, make_version):
    promote(make_version(**thresholds_meta(fantasy=0.5)).number, by="tests")
    page = client.post(HOME, {"text": TEXT}).content.decode()
    chosen, others = page.split("<h3>Not sure enough</h3>")
    assert '<span class="name">Fantasy</span>' in chosen.split("Its genres")[1]
    assert others.count('<span class="name">') == 2
    assert "threshold of its own" in others


def test_without_thresholds_there_is_one_list(client, champion):
    page = client.post(HOME, {"text": TEXT}).content.decode()
    assert page.count('<ol class="genres') == 1
    assert "Not sure enough" not in page
    assert "threshold of its own" not in page


@pytest.mark.django_db
def test_about_says_how_many_texts_got_no_genre(client, make_version):
    counts = {"n_test": 336, "n_test_without_genre": 13, "evaluation": {"n_examples": 336, "methods": {}}}
    promote(make_version(**thresholds_meta(fantasy=0.5), **counts).number, by="tests")
    page = client.get(reverse("classifier:model-about")).content.decode()
    assert "13 of these 336 texts reach none" in page
