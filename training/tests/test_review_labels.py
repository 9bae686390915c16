"""The queue of suspected labels: what a reviewer says of a label, and what training makes of it."""

import pytest

from classifier.core.genres import canonical_genres
from classifier.predictions import hash_text
from feedback.actions import ActionRefused, withdraw
from feedback.models import Correction, Suspect
from feedback.review.deciding import Said, answer, undo
from feedback.review.queue import LABELS, next_card
from feedback.tests.conftest import DRAGON
from training.core.books import Example
from training.pipeline import feedback_corpus, reviewed_first


@pytest.fixture
def suspect(db):
    """A text of a file whose label is hard to believe."""
    return Suspect.objects.create(
        key="k",
        source="books.csv",
        row=3,
        text=DRAGON,
        text_hash=hash_text(DRAGON),
        given=["cooking"],
        suggested=[["fantasy", 0.9]],
        score=0.9,
    )


def say(by, *genres, **flags):
    card = next_card(LABELS, by)
    said = Said(genres, **flags)
    return answer(queue=LABELS, card=card.claim.suspect_id, uid=card.claim.uid, said=said, by=by)


def learned():
    """Return what training would learn of the text, which its file calls a cook book."""
    of_file = [Example(DRAGON, ("cooking",), source="books.csv", row=3)]
    examples = reviewed_first([*of_file, *feedback_corpus(canonical_genres()).examples])
    return [example.genres for example in examples]


def test_a_label_called_right_stays(suspect, reviewer):
    say(reviewer, "cooking")
    suspect.refresh_from_db()
    assert (suspect.status, next_card(LABELS, reviewer), learned()) == ("right", None, [("cooking",)])


def test_a_better_label_is_an_approved_correction_which_training_prefers_to_the_file(suspect, reviewer):
    say(reviewer, "fantasy")
    made = Correction.objects.get()
    assert (made.status, made.slugs(), made.chosen, made.reviewer) == ("approved", ("fantasy",), ["cooking"], reviewer)
    assert [(event.by, event.reason) for event in made.events.all()] == [("rita", "label of books.csv, row 3")]
    assert learned() == [("fantasy",)]


def test_undone_the_label_is_what_it_was(suspect, reviewer):
    say(reviewer, "fantasy")
    undo(queue=LABELS, by=reviewer)
    card = next_card(LABELS, reviewer)
    assert (card.undone.genres, learned()) == (["fantasy"], [("cooking",)])
    say(reviewer, "fantasy", "young-adult")
    assert sorted(*learned()) == ["fantasy", "young-adult"]
    assert Correction.objects.count() == 1


def test_the_label_of_a_correction_is_changed_on_that_correction(make_correction, reviewer):
    correction = make_correction(genres=("cooking",), status="approved")
    Suspect.objects.create(key="k", source="feedback", correction=correction, given=["cooking"], score=0.5)
    say(reviewer, "fantasy")
    correction.refresh_from_db()
    assert (correction.slugs(), Correction.objects.count()) == (("fantasy",), 1)


def test_none_of_the_genres_is_no_label(suspect, reviewer):
    with pytest.raises(ActionRefused, match="which genres are right"):
        say(reviewer, none_fits=True)


def test_a_text_that_is_deleted_here_leaves_the_queue(suspect, make_correction, reviewer):
    withdraw(correction=make_correction(DRAGON))
    suspect.refresh_from_db()
    assert (suspect.text, next_card(LABELS, reviewer)) == ("", None)


def test_the_page_shows_the_label_and_what_models_say(suspect, reviewer_client):
    page = reviewer_client.get("/review/labels/").content.decode()
    assert all(words in page for words in (DRAGON, "The label it has", "Cooking", "Fantasy 90%"))
