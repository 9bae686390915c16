"""What was sent from a browser is found there again, in no other, and only as long as the person wants."""

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from feedback.actions import review, withdraw
from feedback.models import Correction, SharedResult
from feedback.sharing import end_shares
from feedback.tests.browser import form_of
from feedback.tests.conftest import DRAGON
from feedback.yours import COOKIE, MOST, Yours

MINE = reverse("feedback:yours-read")
CORRECT, SHARE = reverse("feedback:correction-create"), reverse("feedback:share-create")


def body(response):
    return response.content.decode()


@pytest.fixture
def send(client, champion):
    """Return a function by which this browser sends a correction."""

    def send(text=DRAGON, **headers):
        fields = form_of(client.post("/", {"text": text}), CORRECT)
        client.post(CORRECT, fields | {"genres": ["cooking"]}, headers=headers)
        return Correction.objects.latest("pk")

    return send


def test_reading_a_text_leaves_nothing_in_the_browser(client, champion):
    client.post("/", {"text": DRAGON})
    assert COOKIE not in client.cookies
    page = client.get(MINE)
    assert "remembers nothing" in body(page)
    assert "Forget them" not in body(page)
    assert not page.cookies


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_correction_is_found_again_with_what_became_of_it(client, send, headers, admin_user):
    first, second = send(**headers), send(f"{DRAGON} again", **headers)
    page = body(client.get(MINE))
    assert page.index(second.receipt) < page.index(first.receipt)
    assert (page.count("Waits for a reviewer"), "Cooking" in page, f"{DRAGON} again" in page) == (2, True, True)
    review(corrections=[first.pk], status="approved", by=admin_user)
    withdraw(correction=second)
    page = body(client.get(MINE))
    assert ("Approved" in page, "Withdrawn" in page, f"{DRAGON} again" in page) == (True, True, False)
    assert "after review: Cooking" in page


def test_another_browser_finds_none_of_it(send):
    receipt = send().receipt
    assert receipt not in body(Client().get(MINE))


def test_a_shared_result_is_found_again_and_says_when_it_is_deleted(client, champion):
    client.post(SHARE, form_of(client.post("/", {"text": DRAGON}), SHARE))
    row = SharedResult.objects.get()
    page = body(client.get(MINE))
    assert (row.secret in page, "Can be read" in page, DRAGON in page) == (True, True, True)
    end_shares(shares=[row.pk])
    page = body(client.get(MINE))
    assert (row.secret in page, "Deleted" in page, DRAGON in page) == (True, True, False)


@pytest.mark.functional
def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_pages_and_sites(send, client, settings):
    send()
    cookie = client.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/corrections/")
    assert cookie["max-age"] == settings.GENRE_REMEMBER_DAYS * 24 * 3600
    settings.SESSION_COOKIE_SECURE = True
    send(f"{DRAGON} again")
    assert client.cookies[COOKIE]["secure"]


def test_a_cookie_that_is_not_ours_or_has_another_shape_opens_nothing(client, send):
    receipt = send().receipt
    forged = signing.dumps([[receipt], []], salt="other")
    for value in ("", "x", "a:b:c", forged, signing.dumps({"r": 1}, salt="feedback.yours")):
        client.cookies[COOKIE] = value
        assert "remembers nothing" in body(client.get(MINE))


def test_only_the_newest_are_remembered_and_the_cookie_stays_small():
    yours = Yours()
    for number in range(MOST + 5):
        yours = yours.with_correction(f"{number:022}").with_share(f"{number:022}")
    assert (yours.corrections[-1], len(yours.corrections), len(yours.shares)) == (f"{MOST + 4:022}", MOST, MOST)
    assert yours.with_correction(yours.corrections[0]).corrections[-1] == yours.corrections[0]
    assert len(signing.dumps([yours.corrections, yours.shares])) < 2_000


def test_the_person_makes_the_browser_forget_and_the_corrections_stay(client, send):
    correction = send()
    response = client.post(MINE, form_of(client.get(MINE), ""))
    assert response["Location"] == MINE
    assert "remembers nothing" in body(client.get(MINE))
    assert client.get(reverse("feedback:correction-read", args=[correction.receipt])).status_code == 200


def test_an_operator_may_have_nothing_remembered(client, send, settings):
    settings.GENRE_REMEMBER_DAYS = 0
    send()
    assert COOKIE not in client.cookies
    assert "keep the links" in body(client.get(MINE))


@pytest.mark.functional
def test_the_list_is_for_one_person(client, send, django_assert_max_num_queries):
    for number in range(3):
        send(f"{DRAGON} {number}")
    client.get(MINE)
    with django_assert_max_num_queries(3):
        response = client.get(MINE)
    assert (response["X-Robots-Tag"], "no-store" in response["Cache-Control"]) == ("noindex, nofollow", True)
