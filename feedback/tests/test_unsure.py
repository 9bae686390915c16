"""A text that got no genre, only the closest ones, is corrected like any other."""

from feedback.models import Correction
from feedback.tests.browser import form_of
from feedback.tests.conftest import DRAGON

SEND = "/corrections/"


def test_a_text_without_sure_genre_is_corrected_and_keeps_what_was_shown(client, unsure_champion):
    fields = form_of(client.post("/", {"text": DRAGON}), SEND)
    receipt = client.post(SEND, fields | {"genres": ["fantasy"]}, follow=True)
    correction = Correction.objects.get()
    assert (correction.chosen, correction.text) == (["fantasy"], DRAGON)
    assert correction.shown[0][0] == "fantasy"
    assert "The model had shown" in receipt.content.decode()


def test_after_a_mistake_the_closest_genres_are_still_marked_as_unsure(client, unsure_champion):
    fields = form_of(client.post("/", {"text": DRAGON}), SEND)
    page = client.post(SEND, fields).content.decode()
    for words in ("Nothing is ticked yet", "No sure answer", "The closest genres"):
        assert words in page
    assert not Correction.objects.exists()
