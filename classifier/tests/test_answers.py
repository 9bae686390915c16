"""A result has one shape, whether a program asks for it or a person copies it."""

import json

import pytest

from classifier.answers import answer_of, as_json, as_text
from classifier.api import SuggestOut
from classifier.predictions import Shown, predict_text
from classifier.tests.programs import SUGGEST, TEXT

SHOWN = Shown(
    uid="0", number=3, version_id=1, source="page", genres=[("fantasy", 0.91), ("cooking", 0.2)], abstained="",
    n_words=9, text_hash="x", n_chosen=1,
)  # fmt: skip


@pytest.mark.usefixtures("own_limits")
def test_what_a_person_copies_is_what_the_api_answers(api):
    told = api.post(SUGGEST, {"text": TEXT}).json()
    copied = json.loads(as_json(answer_of(predict_text(TEXT, source="page"))))
    assert SuggestOut(**copied).model_dump(include=set(copied)) == copied
    # Pages round to four digits.
    told["results"] = [each | {"score": round(each["score"], 4)} for each in told["results"]][: len(copied["results"])]
    assert copied == {name: told[name] for name in copied} | {"prediction_id": None}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, ["Fantasy: 91% (very likely)", "Not sure enough:", "Cooking: 20% (possibly)"]),
        ({"n_chosen": 0}, ["Fantasy: 91% (very likely)", "Cooking: 20% (possibly)"]),
        (
            {"n_chosen": 0, "abstained": "no-genre"},
            ["Not sure enough of any genre. The closest:", "Fantasy: 91% (very likely)", "Cooking: 20% (possibly)"],
        ),
    ],
)
def test_as_text_it_says_what_is_sure_and_who_said_it(db, changes, lines):
    shown = Shown(**vars(SHOWN) | changes)
    assert as_text(answer_of(shown)).splitlines() == [*lines, "Genre Detector, model version 3"]


def test_a_model_that_is_bad_on_purpose_says_so_in_a_copy(db):
    answer = answer_of(Shown(**vars(SHOWN) | {"sabotage": "swap-genres 0.5"}))
    assert answer["model"]["sabotage"] == "swap-genres 0.5"
    assert "made bad on purpose (swap-genres 0.5)" in as_text(answer)
