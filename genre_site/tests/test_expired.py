"""A form whose CSRF token is old or forged does nothing, and what was typed comes back with a token that works."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from classifier.models import Prediction
from feedback.models import AuditAnswer, Correction

HOME = reverse("classifier:text-classify")
CORRECT = reverse("feedback:correction-create")
AUDIT = reverse("feedback:audit-create")
TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
HTMX = {"HX-Request": "true", "HX-Target": "result"}


@pytest.fixture
def strict(db):
    """A browser whose forms need their token."""
    return Client(enforce_csrf_checks=True)


def body(response):
    return response.content.decode()


def token_in(response):
    return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', body(response))[1]


def box(response):
    return re.search(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', body(response), flags=re.DOTALL)[1]


@pytest.mark.parametrize("headers", [{}, HTMX, {"Origin": "https://evil.example"}])
def test_the_page_comes_back_with_the_text_in_its_box_and_nothing_was_read(strict, champion, headers):
    response = strict.post(HOME, {"text": TEXT}, headers=headers)
    assert (response.status_code, box(response)) == (403, TEXT)
    assert "This page was open too long" in body(response)
    assert not Prediction.objects.exists()


def test_sending_it_again_from_that_page_works(strict, champion):
    page = strict.post(HOME, {"text": TEXT, "csrfmiddlewaretoken": "x" * 64})
    again = strict.post(HOME, {"text": box(page), "csrfmiddlewaretoken": token_in(page)})
    assert again.status_code == 200
    assert again.context["lines"][0].slug == "fantasy"


def test_htmx_is_told_to_replace_all_that_the_page_holds(strict):
    response = strict.post(HOME, {"text": TEXT}, headers=HTMX)
    assert (response["HX-Retarget"], response["HX-Reselect"]) == ("#main", "#main")
    assert '<main id="main"' in body(response)
    assert "HX-Retarget" not in strict.post(HOME, {"text": TEXT})


def test_what_is_given_back_is_escaped(strict):
    hostile = "</textarea><script>alert(1)</script> and a text of several words"
    page = body(strict.post(HOME, {"text": hostile}))
    assert "<script>alert" not in page
    assert "&lt;/textarea&gt;&lt;script&gt;alert(1)" in page


def test_the_text_of_a_file_comes_back_too(strict):
    response = strict.post(HOME, {"text": "", "file": SimpleUploadedFile("blurb.txt", TEXT.encode())})
    assert box(response) == TEXT


def test_without_any_cookie_the_visitor_is_told_that_one_is_needed(strict):
    assert "allow cookies" in body(strict.post(HOME, {"text": TEXT}))


def test_a_session_that_has_ended_does_not_matter_to_the_page(strict, champion, admin_user):
    strict.force_login(admin_user)
    page = strict.get(HOME)
    strict.session.flush()
    response = strict.post(HOME, {"text": TEXT, "csrfmiddlewaretoken": token_in(page)})
    assert response.context["lines"][0].slug == "fantasy"


@pytest.fixture
def correction(client, champion):
    """A correction as it is sent, but for its CSRF token."""
    token = client.post(HOME, {"text": TEXT}).context["token"]
    return {
        "token": token,
        "text": TEXT,
        "genres": ["cooking"],
        "note": "<b>for teenagers</b>",
        "proposal": "Solarpunk",
    }


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Target": "correction"}])
def test_a_correction_comes_back_as_it_was_entered_and_is_not_stored(strict, correction, headers):
    response = strict.post(CORRECT, correction, headers=headers)
    assert response.status_code == 403
    assert 'value="cooking" checked' in body(response)
    assert "&lt;b&gt;for teenagers&lt;/b&gt;" in body(response)
    assert 'value="Solarpunk"' in body(response)
    assert "Nothing was stored" in body(response)
    assert ("<html" in body(response)) is not bool(headers)
    assert not Correction.objects.exists()
    again = strict.post(CORRECT, correction | {"csrfmiddlewaretoken": token_in(response)})
    assert again.status_code == 302
    assert Correction.objects.get().chosen == ["cooking"]


def test_a_correction_of_a_forged_prediction_brings_its_text_back_and_no_more(strict, correction):
    response = strict.post(CORRECT, correction | {"token": "forged"})
    assert (response.status_code, box(response)) == (403, TEXT)
    assert "Solarpunk" not in body(response)


def test_an_answer_to_the_audit_is_not_counted(strict, client, champion, settings):
    settings.GENRE_AUDIT_SHARE = 1.0
    token = client.post(HOME, {"text": TEXT}).context["token"]
    for headers in ({}, {"HX-Request": "true", "HX-Target": "audit"}):
        response = strict.post(AUDIT, {"token": token, "answer": "yes"}, headers=headers)
        assert (response.status_code, "was not counted" in body(response)) == (403, True)
        assert ("<html" in body(response)) is not bool(headers)
    assert not AuditAnswer.objects.exists()


def test_other_forms_get_the_error_page(strict):
    response = strict.post("/admin/login/", {"username": "ada", "password": "x"})
    assert response.status_code == 403
    assert "Go back, reload the page" in body(response)


def test_who_asks_why_too_late_gets_the_text_back(strict, champion):
    response = strict.post(reverse("classifier:text-explain"), {"text": TEXT, "token": "x"}, headers=HTMX)
    assert (response.status_code, box(response)) == (403, TEXT)
