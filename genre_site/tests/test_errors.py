"""Every error page is ours, in words, and HTMX gets the message alone."""

import pytest
from django.test import RequestFactory
from django.urls import reverse

from genre_site import errors

HOME = reverse("classifier:text-classify")


@pytest.mark.parametrize("status", sorted(errors.ERRORS))
def test_each_error_page_says_what_to_do(status):
    response = errors.error_page(RequestFactory().get("/"), status)
    assert response.status_code == status
    assert errors.ERRORS[status].title.replace("'", "&#x27;") in response.content.decode()
    assert "To the first page" in response.content.decode()


def test_an_unknown_address_gets_our_404(client, db):
    response = client.get("/no/such/page")
    assert (response.status_code, "No such page" in response.content.decode()) == (404, True)


def test_a_body_that_is_far_too_large_gets_413_before_it_is_read(client, settings):
    settings.GENRE_MAX_FORM_BYTES = 1000
    response = client.post(HOME, {"text": "x" * 2000})
    assert response.status_code == 413
    assert "too much at once" in response.content.decode()


def test_htmx_gets_the_message_of_an_error_alone(client, settings):
    settings.GENRE_MAX_FORM_BYTES = 1000
    response = client.post(HOME, {"text": "x" * 2000}, headers={"HX-Request": "true", "HX-Target": "result"})
    assert response.status_code == 413
    assert "<html" not in response.content.decode()
    assert 'role="alert"' in response.content.decode()


@pytest.mark.django_db
def test_a_crash_shows_our_500(client, monkeypatch, caplog):
    def crash(*args, **kwargs):
        raise RuntimeError("planned")

    monkeypatch.setattr("classifier.views.predict_text", crash)
    client.raise_request_exception = False
    response = client.post(HOME, {"text": "a text of more than five words in all"})
    assert response.status_code == 500
    assert "Something broke here" in response.content.decode()
