"""While the secret key is being changed, what the key of before signed still holds."""

import pytest

from classifier.predictions import BadToken, Shown, hash_text, predict_text
from feedback.actions import Answer, Imported, import_corrections, submit_correction
from feedback.models import Correction
from feedback.tests.conftest import DRAGON


@pytest.fixture
def change_key(settings):
    """Return a function that sets another key; the key of before holds on only when asked to."""

    def change(*, keep):
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if keep else []
        settings.SECRET_KEY = "another-key-of-this-site-" + "9876543210" * 4

    return change


def test_a_page_opened_before_the_change_can_still_be_corrected(champion, change_key):
    token = predict_text(DRAGON, source="page").token()
    change_key(keep=True)
    correction = submit_correction(
        shown=Shown.from_token(token), text=DRAGON, answer=Answer(genres=("fantasy",)), visitor="v"
    )
    assert correction.text_hash == hash_text(DRAGON)


def test_once_the_old_key_is_dropped_the_visitor_is_asked_to_show_the_genres_again(champion, change_key):
    token = predict_text(DRAGON, source="page").token()
    change_key(keep=False)
    with pytest.raises(BadToken, match="Show the genres again"):
        Shown.from_token(token)


def test_a_text_from_before_the_change_is_not_imported_twice(db, change_key):
    rows = [Imported(text=DRAGON, genres=("fantasy",))]
    import_corrections(rows=rows, by="tests")
    change_key(keep=True)
    assert import_corrections(rows=rows, by="tests").changed == 0
    assert Correction.objects.count() == 1
