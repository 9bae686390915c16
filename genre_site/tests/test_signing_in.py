"""Signing in: guesses are locked out by name and address, sessions change their key, leaving takes a POST."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

LOGIN, LOGOUT, ADMIN = (reverse(f"admin:{name}") for name in ("login", "logout", "index"))
RIGHT = "a long pass phrase"


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada", password=RIGHT, is_staff=True)


def sign_in(client, password=RIGHT, *, name="ada", **headers):
    form = {"username": name, "password": password, "next": ADMIN}
    return client.post(LOGIN, form, headers={name.replace("_", "-"): value for name, value in headers.items()})


def fail(client, times, **options):
    return [sign_in(client, "wrong", **options).status_code for _ in range(times)]


def test_after_so_many_failures_even_the_right_password_is_refused_in_words(client, ada, settings):
    settings.AXES_FAILURE_LIMIT = 3
    assert fail(client, 3) == [200, 200, 429]
    response = sign_in(client)
    assert (response.status_code, response["Retry-After"]) == (429, "900")
    assert "Wait 15 minutes" in response.content.decode()
    assert client.get(ADMIN).status_code == 302


@pytest.mark.functional
def test_a_name_that_does_not_exist_is_locked_in_the_same_words(client, ada):
    assert fail(client, 5) == fail(client, 5, name="nobody") == [200, 200, 200, 200, 429]


def test_it_is_over_after_the_time_and_trying_meanwhile_does_not_lengthen_it(client, ada):
    fail(client, 5)
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(minutes=14))
    assert sign_in(client).status_code == 429
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(minutes=1))
    assert sign_in(client).status_code == 302


def test_neither_another_address_nor_another_name_is_locked_with_it(client, ada):
    User.objects.create_user("ben", password=RIGHT, is_staff=True)
    fail(client, 5)
    assert sign_in(client, name="ben").status_code == 302
    assert sign_in(Client(REMOTE_ADDR="203.0.113.9")).status_code == 302


def test_another_browser_or_a_forged_address_does_not_get_round_it(client, ada):
    assert [
        sign_in(client, "wrong", user_agent=f"browser {number}", x_forwarded_for=f"198.51.100.{number}").status_code
        for number in range(5)
    ][-1] == 429
    assert sign_in(client, user_agent="another", x_forwarded_for="198.51.100.77").status_code == 429


@pytest.mark.parametrize(
    ("said", "kept"), [("6.6.6.6, 198.51.100.1", "198.51.100.1"), ("unknown", None), ("1.2.3.4:56", None)]
)
def test_behind_a_trusted_proxy_its_word_for_the_address_counts(client, ada, settings, said, kept):
    settings.GENRE_TRUSTED_PROXIES = 1
    assert fail(client, 5, x_forwarded_for=said)[-1] == 429
    assert AccessAttempt.objects.get().ip_address == kept
    assert sign_in(client, x_forwarded_for="198.51.100.2").status_code == 302


@pytest.mark.functional
def test_a_success_forgets_the_failures_before_it(client, ada):
    for _ in range(2):
        assert fail(client, 4)[-1] == 200
        assert sign_in(client).status_code == 302
    assert not AccessAttempt.objects.exists()


def test_what_is_kept_of_a_failure_is_not_the_password_and_of_a_success_nothing(client, ada):
    sign_in(client, "nearly my pass phrase")
    assert "nearly" not in str(AccessAttempt.objects.values())
    sign_in(client)
    assert not AccessLog.objects.exists()


def test_the_key_of_the_session_changes_when_somebody_signs_in(client, ada):
    session = client.session
    session["was here"] = True
    session.save()
    client.cookies["sessionid"] = before = session.session_key
    assert sign_in(client).status_code == 302
    assert client.cookies["sessionid"].value != before
    assert client.get(ADMIN).status_code == 200
    client.cookies["sessionid"] = before
    assert client.get(ADMIN).status_code == 302


def test_leaving_takes_a_post_and_ends_the_session(client, ada):
    sign_in(client)
    key = client.cookies["sessionid"].value
    assert client.get(LOGOUT).status_code == 405
    assert client.get(ADMIN).status_code == 200
    assert client.post(LOGOUT).status_code == 200
    client.cookies["sessionid"] = key
    assert client.get(ADMIN).status_code == 302


def test_signing_in_leads_nowhere_but_to_this_site(client, ada):
    form = {"username": "ada", "password": RIGHT, "next": "https://evil.example/"}
    assert client.post(LOGIN, form)["Location"] == ADMIN
