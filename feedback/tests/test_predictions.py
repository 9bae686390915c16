"""A prediction by a version of one's choice is stored, and counts as nobody's traffic."""

import pytest

from classifier.models import OWN_SOURCES, Prediction
from classifier.predictions import Shown, predict_with
from classifier.registry import load_version, shadow
from feedback.actions import Answer, submit_correction
from feedback.models import Correction

DRAGON = "The dragon and the wizard guard the old kingdom"


@pytest.fixture
def shown(champion, make_version, settings):
    """What a candidate says while a challenger reads everything and every visitor is asked."""
    settings.GENRE_AUDIT_SHARE = 1.0
    shadow(make_version().number, share=1.0, by="tests")
    candidate = make_version()
    return predict_with(candidate, load_version(candidate), DRAGON, source=Prediction.Source.EXPLORE)


def test_the_version_that_was_chosen_answers_and_nobody_reads_along_or_is_asked(shown):
    [row] = Prediction.objects.all()
    assert (row.version.number, row.source, row.asked, row.shadow_of) == (3, "explore", 0.0, None)
    assert row.shown == [list(pair) for pair in shown.genres]
    assert row.n_words == 5
    assert (str(row.uid), shown.number, shown.asked) == (shown.uid, 3, 0.0)


def test_what_was_shown_can_be_corrected_like_any_other(shown):
    again = Shown.from_token(shown.token())
    submit_correction(shown=again, text=DRAGON, answer=Answer(genres=("cooking",)), visitor="lab")
    [correction] = Correction.objects.all()
    assert (correction.source, correction.version.number, correction.status) == ("explore", 3, "pending")


def test_a_source_of_our_own_is_one_of_corrections_too():
    assert {*OWN_SOURCES} <= {*Correction.Source.values}
