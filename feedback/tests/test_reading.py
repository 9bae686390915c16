"""What the corrections say all together, for the lab."""

from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import User

from classifier.models import ModelVersion, Prediction
from feedback.actions import review, set_genres, withdraw
from feedback.models import AuditAnswer, ReviewEvent
from feedback.reading import (
    NONE_FITS,
    Agreement,
    agreement_by_version,
    corrections_by_day,
    disagreements,
    second_looks,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    """A version that somebody may have asked; it has no files."""
    return ModelVersion.objects.create(
        number=7, folder="m", sha256="0", meta={"sabotage": {"kind": "swap-genres", "strength": 0.5}}
    )


@pytest.fixture
def shown(version):
    """Return a function that stores a prediction of fantasy."""

    def show(**fields):
        values = {"source": "page", "shown": [["fantasy", 0.8]], "n_words": 9, "milliseconds": 1.0, "text_hash": "0"}
        return Prediction.objects.create(version=version, **values | fields)

    return show


@pytest.fixture
def ada():
    return User.objects.create_user("ada")


@pytest.fixture
def bert():
    return User.objects.create_user("bert")


def test_without_anything_every_figure_is_empty():
    assert (corrections_by_day(), agreement_by_version(), disagreements()) == ([], [], {})
    assert second_looks().n_reviewed == 0


def test_corrections_are_counted_by_day_and_by_where_they_stand(make_correction):
    monday, tuesday = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 3, 23, tzinfo=UTC)
    for at, status in ((monday, "pending"), (monday, "approved"), (monday, "approved"), (tuesday, "rejected")):
        make_correction(created_at=at, status=status)
    assert corrections_by_day() == [
        (date(2026, 3, 2), "approved", 2),
        (date(2026, 3, 2), "pending", 1),
        (date(2026, 3, 3), "rejected", 1),
    ]


def test_a_disagreement_goes_from_the_first_genre_shown_to_each_one_chosen(make_correction):
    shown = [["fantasy", 0.8], ["romance", 0.1]]
    make_correction(genres=("romance", "history"), shown=shown)
    make_correction(genres=("romance",), shown=shown)
    make_correction(genres=("fantasy", "romance"), shown=shown)
    make_correction(verdict="none", shown=shown)
    assert disagreements() == {("fantasy", "romance"): 2, ("fantasy", "history"): 1, ("fantasy", NONE_FITS): 1}


@pytest.mark.parametrize(
    "fields",
    [
        {"verdict": "unsure"},
        {"status": "withdrawn"},
        {"status": "rejected"},
        {"source": "example"},
        {"shown": []},
    ],
)
def test_corrections_that_say_nothing_of_an_answer_are_no_disagreement(make_correction, fields):
    make_correction(genres=("romance",), **{"verdict": "genres", "shown": [["fantasy", 0.8]]} | fields)
    assert not disagreements()


def test_a_text_that_got_no_answer_is_no_disagreement(make_correction, shown, version):
    guess = shown(abstained="no-genre")
    make_correction(genres=("history",), shown=guess.shown, prediction_uid=guess.uid, version=version)
    assert not disagreements()
    assert agreement_by_version() == []


def test_a_version_is_agreed_with_by_corrections_that_keep_its_first_genre_and_by_answers(
    make_correction, shown, version
):
    for genres in (("fantasy", "romance"), ("history",), ("romance",), ()):
        asked = shown()
        make_correction(genres=genres, shown=asked.shown, prediction_uid=asked.uid, version=version)
    for said in ("yes", "yes", "no", "unsure"):
        AuditAnswer.objects.create(
            prediction_uid=(asked := shown()).uid,
            version=version,
            genre="fantasy",
            score=0.8,
            share=0.05,
            answer=said,
            predicted_at=asked.at,
        )
    assert agreement_by_version() == [
        Agreement(7, "swap-genres 0.5", n_corrections=3, n_right=1, n_answers=3, n_yes=2),
    ]


def test_one_reviewer_changing_their_own_mind_is_no_second_look(make_correction, ada):
    one = make_correction(genres=("fantasy",))
    for status in ("approved", "rejected"):
        review(corrections=[one.pk], status=status, by=ada)
    looks = second_looks()
    assert (looks.n_reviewed, looks.n_by_several, looks.n_changed, looks.pairs) == (1, 0, 0, {})


def test_a_decision_that_another_reviewer_turns_round_is_changed(make_correction, ada, bert):
    one, two = make_correction(genres=("fantasy",)), make_correction(genres=("fantasy",))
    review(corrections=[one.pk, two.pk], status="approved", by=ada)
    review(corrections=[one.pk], status="rejected", by=bert)
    set_genres(corrections=[two.pk], slugs=["romance"], by=bert)
    looks = second_looks()
    assert (looks.n_reviewed, looks.n_by_several, looks.n_changed, looks.n_kept) == (2, 2, 2, 0)
    assert looks.pairs == {("ada", "bert", False): 2}


def test_genres_that_another_reviewer_approves_are_kept(make_correction, ada, bert):
    one = make_correction(genres=("fantasy",))
    set_genres(corrections=[one.pk], slugs=["romance"], by=ada)
    review(corrections=[one.pk], status="approved", by=bert)
    looks = second_looks()
    assert (looks.n_changed, looks.n_kept, looks.pairs) == (0, 1, {("ada", "bert", True): 1})


def test_a_correction_that_was_kept_once_and_changed_once_is_changed(make_correction, ada, bert):
    one = make_correction(genres=("fantasy",))
    set_genres(corrections=[one.pk], slugs=["romance"], by=ada)
    review(corrections=[one.pk], status="approved", by=bert)
    review(corrections=[one.pk], status="rejected", by=ada)
    looks = second_looks()
    assert (looks.n_by_several, looks.n_changed, looks.n_kept) == (1, 1, 0)


def test_answering_a_request_for_another_look_is_no_disagreement(make_correction, ada, bert):
    one = make_correction(genres=("fantasy",))
    for status, by in (("approved", ada), ("pending", ada), ("rejected", bert)):
        review(corrections=[one.pk], status=status, by=by)
    looks = second_looks()
    assert (looks.n_by_several, looks.n_changed, looks.n_kept) == (1, 0, 0)


def test_what_visitors_do_to_their_own_corrections_is_no_review(make_correction):
    withdraw(correction=make_correction(genres=("fantasy",)))
    assert ReviewEvent.objects.count() == 1
    assert second_looks().n_reviewed == 0
