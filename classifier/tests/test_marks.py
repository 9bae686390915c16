"""A model that was made bad on purpose says so wherever visitors meet it; an honest one says nothing."""

import pytest
from django.urls import reverse

from classifier.core.marks import sabotage_of
from classifier.models import Prediction
from classifier.registry import promote

pytestmark = pytest.mark.django_db
TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
HOME, ABOUT = reverse("classifier:text-classify"), reverse("classifier:model-about")
HTMX = {"HX-Request": "true", "HX-Target": "result"}
MARK = {"kind": "swap-genres", "strength": 0.5}


@pytest.fixture
def bad_champion(make_version):
    """A bad model that was forced into service."""
    return promote(make_version(sabotage=MARK).number, by="tests", forced=True, reason="to see it")


def test_the_mark_is_the_kind_and_the_strength():
    assert sabotage_of({"sabotage": MARK}) == "swap-genres 0.5"
    assert sabotage_of({"sabotage": MARK | {"strength": 1.0}}) == "swap-genres 1"
    assert sabotage_of({"sabotage": MARK | {"strength": 0}}) == "swap-genres 0"
    assert sabotage_of({"sabotage": None}) == sabotage_of({}) == ""


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_result_says_that_its_model_was_made_bad_on_purpose(client, bad_champion, headers):
    said = " ".join(client.post(HOME, {"text": TEXT}, headers=headers).content.decode().split())
    assert "model version 1</a>, <strong>made bad on purpose (swap-genres 0.5)</strong>, from" in said


def test_an_answer_without_genres_says_so_too(client, bad_champion):
    said = client.post(HOME, {"text": "xyzzy plugh frotz gnusto rezrov"}).content.decode()
    assert "No answer" in said
    assert "made bad on purpose (swap-genres 0.5)" in said


def test_it_still_says_so_beside_a_mistake_in_the_correction_after_a_good_one_took_over(
    client, bad_champion, make_version
):
    token = client.post(HOME, {"text": TEXT}).context["token"]
    promote(make_version().number, by="tests")
    said = client.post(reverse("feedback:correction-create"), {"token": token, "text": TEXT}).content.decode()
    assert "made bad on purpose (swap-genres 0.5)" in said


def test_the_about_page_says_so(client, bad_champion):
    said = client.get(ABOUT).content.decode()
    assert "This model was made bad on purpose" in said
    assert "swap-genres 0.5" in said


def test_an_honest_model_carries_no_mark(client, champion):
    for response in (client.post(HOME, {"text": TEXT}), client.get(ABOUT)):
        assert "on purpose" not in response.content.decode()


def test_a_stored_prediction_is_told_apart_by_its_version(client, bad_champion):
    client.post(HOME, {"text": TEXT})
    assert str(Prediction.objects.get().version) == "version 1 (bad on purpose: swap-genres 0.5)"
