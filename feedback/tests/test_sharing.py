"""A person shares a result: told before, shown as it was said, deleted for good; and nobody else can do any of it."""

import io
import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classifier.models import Genre
from classifier.predictions import predict_text
from classifier.registry import promote
from feedback.actions import ActionRefused
from feedback.limits import TooManyLinks
from feedback.models import SharedResult
from feedback.sharing import share_result
from feedback.tests.browser import form_of
from feedback.tests.conftest import DRAGON

CREATE = reverse("feedback:share-create")
HTMX = {"HX-Request": "true", "HX-Target": "share"}


@pytest.fixture
def share(champion):
    """Return a function that shares a result of a text."""

    def share(text=DRAGON, visitor="v"):
        return share_result(shown=predict_text(text, source="page"), text=text, visitor=visitor)

    return share


def link(row):
    return reverse("shared:result-read", args=[row.token])


def own_link(row):
    return reverse("feedback:share-manage", args=[row.secret])


def body(response):
    return response.content.decode()


def dumped():
    out = io.StringIO()
    call_command("dumpdata", "--exclude=classifier.modelversion", stdout=out)
    return out.getvalue()


def test_the_form_says_what_it_stores_and_until_when_before_it_does(client, champion, settings):
    settings.GENRE_SHARE_DAYS = 12
    page = client.post("/", {"text": DRAGON})
    assert "stores your text here" in body(page)
    assert f"until {timezone.now() + timedelta(days=12):%-d %B %Y}" in body(page)
    assert not SharedResult.objects.exists()
    assert DRAGON not in dumped()


def test_a_shared_result_is_stored_and_its_own_page_shows_both_links(client, champion):
    page = client.post("/", {"text": DRAGON})
    answer = client.post(CREATE, form_of(page, CREATE))
    row = SharedResult.objects.get()
    assert (row.text, row.version, row.answer["results"][0]["slug"]) == (DRAGON, champion, "fantasy")
    assert answer["Location"] == own_link(row)
    assert all(address in body(client.get(own_link(row))) for address in (link(row), own_link(row)))
    assert len(row.token) == len(row.secret) == 22
    assert row.token != row.secret


def test_htmx_gets_the_links_alone(client, champion):
    page = client.post("/", {"text": DRAGON})
    answer = body(client.post(CREATE, form_of(page, CREATE), headers=HTMX))
    row = SharedResult.objects.get()
    assert (link(row) in answer, own_link(row) in answer, "<html" in answer) == (True, True, False)


def test_whoever_has_the_link_sees_text_and_genres_and_no_way_to_delete_or_correct_them(share):
    row = share()
    response = Client().get(link(row))
    page = body(response)
    assert (DRAGON in page, "Fantasy" in page, f"model version {row.version.number}" in page) == (True, True, True)
    assert row.secret not in page
    assert str(row.prediction_uid) not in page
    assert re.findall(r"<form[^>]*action=\"([^\"]*)\"", page) == ["/language/"]
    assert (response["X-Robots-Tag"], response["Referrer-Policy"]) == ("noindex, nofollow", "no-referrer")
    assert "no-store" in response["Cache-Control"]
    assert '<meta name="robots" content="noindex, nofollow">' in page
    assert not response.cookies


def test_it_goes_on_saying_what_was_said_then(client, share, make_version):
    row = share()
    before = client.get(link(row)).context["lines"]
    Genre.objects.filter(slug="fantasy").update(name="Marvels")
    promote(make_version().number, by="tests")
    after = client.get(link(row)).context["lines"]
    assert [(line.name, line.score) for line in after] == [(line.name, line.score) for line in before]
    assert after[0].name == "Fantasy"


def test_markup_in_a_shared_text_stays_text(client, share):
    page = body(client.get(link(share(f"<script>alert(1)</script> {DRAGON}"))))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_its_author_deletes_it_by_the_other_link_and_the_text_is_gone(client, share):
    row = share()
    assert client.post(link(row)).status_code == 405
    assert client.post(reverse("feedback:share-manage", args=[row.token])).status_code == 404
    for _ in range(2):
        assert client.post(own_link(row))["Location"] == own_link(row)
    assert "Deleted." in body(client.get(own_link(row)))
    gone = client.get(link(row))
    assert (gone.status_code, "no longer shared" in body(gone)) == (410, True)
    assert "wizard" not in dumped()


@pytest.mark.parametrize("address", ["/shared/{}/", "/corrections/share/{}/"])
def test_a_guess_finds_nothing(client, db, address):
    assert client.get(address.format("x" * 22)).status_code == 404


def test_when_its_time_is_over_nobody_sees_it(client, share):
    row = share()
    SharedResult.objects.update(expires_at=timezone.now())
    for address, status in ((link(row), 410), (own_link(row), 200)):
        response = client.get(address)
        assert (response.status_code, DRAGON in body(response)) == (status, False)
    assert "Its time is over" in body(response)


def test_sharing_the_same_result_twice_gives_the_same_link_and_after_deleting_a_new_one(client, champion):
    fields = form_of(client.post("/", {"text": DRAGON}), CREATE)
    first, second = (client.post(CREATE, fields)["Location"] for _ in range(2))
    client.post(first)
    assert first == second != client.post(CREATE, fields)["Location"]
    assert SharedResult.objects.count() == 2


def test_another_text_than_the_one_that_was_read_is_not_published(client, champion):
    fields = form_of(client.post("/", {"text": DRAGON}), CREATE)
    for headers in ({}, HTMX):
        response = client.post(CREATE, fields | {"text": "Buy this and that, quickly and cheaply"}, headers=headers)
        assert (response.status_code, "The text was changed" in body(response)) == (200, True)
    for token in ("", "forged"):
        assert "too old or was changed" in body(client.post(CREATE, fields | {"token": token}))
    assert not SharedResult.objects.exists()


@pytest.mark.functional
def test_a_form_that_expired_stores_nothing_and_offers_the_link_again(champion):
    strict = Client(enforce_csrf_checks=True)
    fields = form_of(Client().post("/", {"text": DRAGON}), CREATE)
    for headers in ({}, HTMX):
        response = strict.post(CREATE, fields, headers=headers)
        assert (response.status_code, "Nothing was stored" in body(response)) == (403, True)
        assert form_of(response, CREATE)["text"] == [DRAGON]
    assert response["HX-Retarget"] == "#share"
    assert not SharedResult.objects.exists()


def test_links_are_limited_by_visitor_and_deleted_ones_count(client, champion, settings):
    settings.GENRE_SHARES_PER_MINUTE = 1
    fields = form_of(client.post("/", {"text": DRAGON}), CREATE)
    client.post(client.post(CREATE, fields)["Location"])
    response = client.post(CREATE, fields)
    assert response.status_code == 429
    assert f"Try again in {response['Retry-After']} s" in body(response)
    assert SharedResult.objects.count() == 1


def test_links_are_limited_by_day(share, settings):
    settings.GENRE_SHARES_PER_DAY = 1
    share()
    with pytest.raises(TooManyLinks):
        share()
    assert share(visitor="another").pk


def test_an_operator_may_switch_links_off(client, share, settings):
    settings.GENRE_SHARE_DAYS = 0
    assert "Share this result" not in body(client.post("/", {"text": DRAGON}))
    with pytest.raises(ActionRefused):
        share()


@pytest.mark.functional
def test_reviewers_remove_a_shared_result_in_the_admin_and_change_nothing_in_it(reviewer_client, share):
    row, other = share(), share(f"{DRAGON} again")
    listed, opened = (
        reverse(f"admin:feedback_sharedresult_{name}", args=args)
        for name, args in (("changelist", []), ("change", [row.pk]))
    )
    page = body(reviewer_client.get(opened))
    assert (DRAGON in page, row.token in page, row.secret in page) == (True, False, False)
    assert reviewer_client.post(opened, {"text": "mine"}).status_code == 403
    reviewer_client.post(listed, {"action": "remove", "_selected_action": [row.pk]})
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.text, row.answer, row.ended_by, row.state) == ("", {}, "rita", "removed")
    assert other.text
    client = Client()
    assert client.get(link(row)).status_code == 410
    assert "Removed by the staff" in body(client.get(own_link(row)))


def test_staff_without_the_right_can_not_remove_one(client, share):
    row = share()
    client.force_login(User.objects.create_user("sam", is_staff=True))
    listed = reverse("admin:feedback_sharedresult_changelist")
    assert client.post(listed, {"action": "remove", "_selected_action": [row.pk]}).status_code == 403
    row.refresh_from_db()
    assert row.text


def test_the_copied_json_of_a_shared_result_is_what_is_stored(client, share):
    row = share()
    assert json.loads(client.get(link(row)).context["as_json"]) == row.answer
