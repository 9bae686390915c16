"""A random share of visitors is asked "is this right?"; each prediction has one answer at most, and no text is kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.utils import timezone

from classifier.models import Prediction
from classifier.predictions import Shown, predict_text
from classifier.sample_texts import sample_texts
from feedback.actions import ActionRefused, answer_audit
from feedback.models import AuditAnswer, AuditCount, Correction
from feedback.templatetags.audit import why_asked
from feedback.tests.browser import form_of
from feedback.tests.conftest import DRAGON

ASK, THANKS = "/corrections/audit/", "/corrections/audit/thanks/"
HTMX = {"HX-Request": "true", "HX-Target": "audit"}
VISITOR = "a visitor"
MORNING, EVENING = (datetime(2025, 3, 1, hour, tzinfo=UTC) for hour in (8, 20))


@pytest.fixture
def everyone_is_asked(settings):
    settings.GENRE_AUDIT_SHARE = 1.0


@pytest.fixture
def asked(champion, everyone_is_asked):
    """What one visitor was shown who is asked, in the morning."""
    return predict_text(DRAGON, source="page", at=MORNING)


@pytest.fixture
def card(client, champion, everyone_is_asked):
    """The fields of the question on the result page."""
    return form_of(client.post("/", {"text": DRAGON}), ASK)


@pytest.mark.parametrize("answer", ["yes", "no", "unsure"])
def test_an_answer_keeps_what_it_was_about_and_the_chance_of_being_asked(asked, champion, answer):
    row = AuditAnswer.objects.get(pk=answer_audit(shown=asked, answer=answer, visitor=VISITOR, at=EVENING).pk)
    assert (row.answer, row.version, str(row.prediction_uid)) == (answer, champion, asked.uid)
    assert ((row.genre, row.score), row.share) == (asked.genres[0], 1.0)
    assert row.genre == "fantasy"
    assert (row.predicted_at, row.at) == (MORNING, EVENING)


def test_the_share_is_the_one_that_was_drawn_not_the_setting_of_today(asked, settings):
    settings.GENRE_AUDIT_SHARE = 0.2
    assert answer_audit(shown=replace(asked, asked=0.05), answer="yes", visitor=VISITOR).share == 0.05


def test_an_answer_whose_prediction_was_cleared_away_is_dated_by_itself(asked):
    Prediction.objects.all().delete()
    assert answer_audit(shown=asked, answer="yes", visitor=VISITOR, at=EVENING).predicted_at == EVENING


def test_one_visitor_can_not_outvote_the_others(champion, everyone_is_asked, settings):
    settings.GENRE_AUDIT_ANSWERS_PER_DAY = 2
    shown = [predict_text(f"{DRAGON} {at}", source="page") for at in range(4)]
    for one in shown[:2]:
        answer_audit(shown=one, answer="no", visitor=VISITOR)
    with pytest.raises(ActionRefused, match="answered so often today"):
        answer_audit(shown=shown[2], answer="no", visitor=VISITOR)
    # Sent twice, an answer still is what it was; and somebody else is heard.
    assert answer_audit(shown=shown[0], answer="no", visitor=VISITOR).answer == "no"
    answer_audit(shown=shown[3], answer="yes", visitor="somebody else")
    assert AuditAnswer.objects.count() == 3


def test_who_answered_is_forgotten_the_next_day(asked):
    AuditCount.objects.create(visitor="of yesterday", day=timezone.now().date() - timedelta(days=1), n=20)
    answer_audit(shown=asked, answer="yes", visitor=VISITOR)
    assert list(AuditCount.objects.values_list("visitor", "n")) == [(VISITOR, 1)]


def test_a_second_answer_changes_nothing_and_returns_the_first(asked):
    first, second = (
        answer_audit(shown=asked, answer="yes", visitor=VISITOR),
        answer_audit(shown=asked, answer="no", visitor=VISITOR),
    )
    assert (second.pk, second.answer) == (first.pk, "yes")
    assert AuditAnswer.objects.count() == 1


def test_of_two_answers_in_the_same_instant_the_stored_one_is_returned(asked, monkeypatch):
    first = answer_audit(shown=asked, answer="yes", visitor=VISITOR)
    manager = AuditAnswer.objects
    monkeypatch.setattr(manager, "filter", lambda **_: manager.none())
    assert answer_audit(shown=asked, answer="no", visitor=VISITOR) == first
    monkeypatch.undo()
    assert AuditAnswer.objects.get().answer == "yes"


def test_who_was_not_asked_can_not_answer(champion):
    with pytest.raises(ActionRefused, match="Nobody was asked"):
        answer_audit(shown=predict_text(DRAGON, source="page"), answer="yes", visitor=VISITOR)
    assert not AuditAnswer.objects.exists()


@pytest.mark.parametrize("answer", ["", "maybe", "YES", "yes\0"])
def test_an_answer_that_was_not_offered_is_refused(asked, answer):
    with pytest.raises(ActionRefused, match="Yes, No or Not sure"):
        answer_audit(shown=asked, answer=answer, visitor=VISITOR)
    assert not AuditAnswer.objects.exists()


def test_a_visitor_who_is_asked_sees_the_genre_and_why(client, champion, settings, monkeypatch):
    settings.GENRE_AUDIT_SHARE = 0.05
    monkeypatch.setattr("classifier.predictions.random.random", lambda: 0.049)
    page = client.post("/", {"text": DRAGON}).content.decode()
    assert "Is <strong>Fantasy</strong> right for this text?" in page
    assert "We ask this of one text in 20, picked at random." in page
    assert page.index("telling words") < page.index('id="audit"') < page.index('id="correction"')
    assert Prediction.objects.get().asked == 0.05


def test_a_visitor_who_is_not_asked_sees_no_question(client, champion, settings, monkeypatch):
    settings.GENRE_AUDIT_SHARE = 0.05
    monkeypatch.setattr("classifier.predictions.random.random", lambda: 0.051)
    page = client.post("/", {"text": DRAGON}).content.decode()
    assert "Its genres" in page
    assert ASK not in page


def test_our_own_examples_are_never_asked_about(client, champion, everyone_is_asked):
    pages = [client.get("/", {"example": name}).content.decode() for name in sample_texts()]
    # The small model knows no word of some of them.
    assert any("Its genres" in page for page in pages)
    assert not any(ASK in page for page in pages)


def test_a_text_without_sure_genre_is_never_asked_about(client, unsure_champion, everyone_is_asked):
    page = client.post("/", {"text": DRAGON}).content.decode()
    assert "The closest genres" in page
    assert ASK not in page


def test_the_question_does_not_carry_the_text(card):
    assert set(card) == {"csrfmiddlewaretoken", "token"}
    assert DRAGON not in str(card)


@pytest.mark.parametrize("answer", ["yes", "no", "unsure"])
def test_a_plain_answer_leads_to_a_thank_you_that_points_back_to_the_text(client, card, answer):
    response = client.post(ASK, card | {"answer": answer}, follow=True)
    assert response.redirect_chain == [(THANKS, 302)]
    page = response.content.decode()
    assert "your answer is counted" in page
    assert "Back button" in page
    assert AuditAnswer.objects.get().answer == answer


@pytest.mark.parametrize(("answer", "points"), [("yes", False), ("no", True), ("unsure", False)])
def test_the_card_is_replaced_by_thanks_and_a_no_points_to_the_correction(client, card, answer, points):
    part = client.post(ASK, card | {"answer": answer}, headers=HTMX).content.decode()
    assert "your answer is counted" in part
    assert "<html" not in part
    assert "<form" not in part
    assert ('href="#which-genres"' in part) is points
    assert AuditAnswer.objects.get().answer == answer


def test_the_place_a_no_points_to_is_on_the_page(client, champion):
    assert client.post("/", {"text": DRAGON}).content.decode().count('id="which-genres"') == 1


def test_who_has_corrected_already_is_not_told_to(client, champion, everyone_is_asked):
    page = client.post("/", {"text": DRAGON})
    client.post("/corrections/", form_of(page, "/corrections/") | {"genres": ["cooking"]}, headers=HTMX)
    assert Correction.objects.count() == 1
    part = client.post(ASK, form_of(page, ASK) | {"answer": "no"}, headers=HTMX).content.decode()
    assert "your answer is counted" in part
    assert "which-genres" not in part


def test_after_a_mistake_in_the_correction_an_answered_question_is_not_asked_again(client, champion, everyone_is_asked):
    page = client.post("/", {"text": DRAGON})
    correction = form_of(page, "/corrections/")
    assert ASK in client.post("/corrections/", correction).content.decode()
    client.post(ASK, form_of(page, ASK) | {"answer": "yes"})
    again = client.post("/corrections/", correction).content.decode()
    assert "Nothing is ticked yet" in again
    assert "your answer is counted" in again
    assert ASK not in again


def test_answering_twice_on_the_page_is_no_error(client, card):
    for answer in ("no", "yes"):
        response = client.post(ASK, card | {"answer": answer}, headers=HTMX)
        # The thanks are for the answer that counts.
        assert "Name it below" in response.content.decode()
    assert AuditAnswer.objects.get().answer == "no"


def test_a_token_whose_chance_was_edited_is_refused(client, champion):
    shown = predict_text(DRAGON, source="page")
    body, *signature = shown.token().rsplit(":", 2)
    edited, *_ = replace(shown, asked=1.0).token().rsplit(":", 2)
    assert body != edited
    for headers in ({}, HTMX):
        page = client.post(ASK, {"token": ":".join([edited, *signature]), "answer": "yes"}, headers=headers)
        assert (page.status_code, "too old or was changed" in page.content.decode()) == (200, True)
    assert not AuditAnswer.objects.exists()


def test_a_token_that_is_too_old_is_refused(client, asked, monkeypatch):
    token = asked.token()
    monkeypatch.setattr("classifier.predictions.TOKEN_SECONDS", -1)
    page = client.post(ASK, {"token": token, "answer": "yes"}).content.decode()
    assert "too old or was changed" in page
    assert not AuditAnswer.objects.exists()


def test_a_request_without_token_or_answer_is_told_what_is_missing(client, card):
    assert "too old or was changed" in client.post(ASK, {"answer": "yes"}).content.decode()
    assert "Answer with Yes, No or Not sure." in client.post(ASK, card, headers=HTMX).content.decode()
    assert not AuditAnswer.objects.exists()


def test_an_answer_is_posted_and_the_thanks_are_only_read(client, db):
    assert client.get(ASK).status_code == 405
    assert client.get(THANKS).status_code == 200
    assert client.post(THANKS).status_code == 405


def test_the_privacy_page_tells_what_an_answer_keeps(client, db):
    assert "whether the first genre is right" in client.get("/privacy/").content.decode()


def test_a_token_from_before_there_were_audits_was_not_asked(champion):
    fields = {key: value for key, value in vars(predict_text(DRAGON, source="page")).items() if key != "asked"}
    old = signing.dumps(fields, salt="classifier.prediction", compress=True)
    with pytest.raises(ActionRefused):
        answer_audit(shown=Shown.from_token(old), answer="yes", visitor=VISITOR)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "every text"),
        (0.5, "one text in 2, picked at random"),
        (0.3, "30% of texts, picked at random"),
        (0.05, "one text in 20, picked at random"),
        (0.03, "3% of texts, picked at random"),
        (0.0004, "one text in 2,500, picked at random"),
    ],
)
def test_the_share_is_told_as_it_is(share, words):
    assert why_asked(share).startswith(f"We ask this of {words}. Your answer")
