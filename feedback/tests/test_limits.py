from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from classifier.visitors import visitor_address, visitor_of
from feedback.limits import TooManyCorrections
from feedback.models import Correction
from feedback.tests.conftest import DRAGON


@pytest.fixture
def clock(monkeypatch):
    """The time of day, which a test may move."""

    class Clock:
        now = datetime(2031, 5, 17, 12, 0, tzinfo=UTC)

        def forward(self, **span):
            self.now += timedelta(**span)

    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


def test_a_visitor_may_send_so_many_a_minute_and_is_told_when_to_come_back(send, clock, settings):
    settings.GENRE_CORRECTIONS_PER_MINUTE = 3
    for _ in range(3):
        send(visitor="eager")
        clock.forward(seconds=10)
    with pytest.raises(TooManyCorrections) as refused:
        send(visitor="eager")
    assert refused.value.retry_after == 30
    assert Correction.objects.count() == 3


def test_after_the_wait_one_more_is_taken(send, clock, settings):
    settings.GENRE_CORRECTIONS_PER_MINUTE = 1
    send(visitor="eager")
    clock.forward(seconds=59)
    with pytest.raises(TooManyCorrections) as refused:
        send(visitor="eager")
    clock.forward(seconds=refused.value.retry_after)
    assert send(visitor="eager").pk


def test_a_visitor_may_send_so_many_a_day(send, clock, settings):
    settings.GENRE_CORRECTIONS_PER_DAY = 4
    for _ in range(4):
        send(visitor="patient")
        clock.forward(hours=1)
    with pytest.raises(TooManyCorrections) as refused:
        send(visitor="patient")
    assert refused.value.retry_after == 20 * 3600


def test_one_visitor_does_not_use_up_anothers_share(send, settings):
    settings.GENRE_CORRECTIONS_PER_MINUTE = 1
    send(visitor="first")
    assert send(visitor="second").pk


def test_a_limit_of_zero_takes_no_correction(send, settings):
    settings.GENRE_CORRECTIONS_PER_MINUTE = 0
    with pytest.raises(TooManyCorrections) as refused:
        send()
    assert refused.value.retry_after >= 1


def test_sending_the_same_answer_again_counts_once(client, champion, settings):
    settings.GENRE_CORRECTIONS_PER_MINUTE = 1
    token = client.post("/", {"text": DRAGON}).context["token"]
    answers = [client.post("/corrections/", {"token": token, "text": DRAGON, "genres": "fantasy"}) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {302}
    assert len({answer["Location"] for answer in answers}) == 1


def test_the_page_says_when_to_come_back_and_keeps_what_was_entered(client, champion, settings):
    settings.GENRE_CORRECTIONS_PER_MINUTE = 1
    for _ in range(2):
        token = client.post("/", {"text": DRAGON}).context["token"]
        answer = client.post(
            "/corrections/", {"token": token, "text": DRAGON, "genres": "cooking", "note": "my long note"}
        )
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    page = answer.content.decode()
    assert f"again in {answer['Retry-After']} s" in page
    assert "my long note" in page
    assert 'value="cooking" checked' in page
    assert DRAGON in page


@pytest.mark.parametrize(
    ("trusted", "header", "address"),
    [
        (0, None, "203.0.113.9"),
        (0, "198.51.100.1", "203.0.113.9"),
        (1, None, "203.0.113.9"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (2, "198.51.100.1", "203.0.113.9"),
        (1, " , ", "203.0.113.9"),
    ],
)
def test_forwarded_addresses_are_believed_only_as_far_as_proxies_are_trusted(rf, settings, trusted, header, address):
    settings.GENRE_TRUSTED_PROXIES = trusted
    headers = {} if header is None else {"X-Forwarded-For": header}
    assert visitor_address(rf.get("/", REMOTE_ADDR="203.0.113.9", headers=headers)) == address


def test_a_forged_address_does_not_get_round_the_limit(client, champion, settings):
    settings.GENRE_CORRECTIONS_PER_MINUTE = 1
    codes = []
    for number in range(2):
        token = client.post("/", {"text": DRAGON}).context["token"]
        fields = {"token": token, "text": DRAGON, "genres": "fantasy"}
        forged = {"X-Forwarded-For": f"198.51.100.{number}"}
        codes.append(client.post("/corrections/", fields, headers=forged).status_code)
    assert codes == [302, 429]


def test_the_visitors_name_changes_by_day_and_hides_the_address(rf, clock):
    request = rf.get("/", REMOTE_ADDR="203.0.113.9")
    morning = visitor_of(request)
    clock.forward(hours=11)
    evening = visitor_of(request)
    clock.forward(hours=2)
    tomorrow = visitor_of(request)
    assert morning == evening != tomorrow
    assert "203.0.113.9" not in morning
    assert visitor_of(rf.get("/", REMOTE_ADDR="203.0.113.10")) != tomorrow


def test_the_visitors_name_depends_on_the_sites_key(rf, settings):
    request = rf.get("/", REMOTE_ADDR="203.0.113.9")
    before = visitor_of(request)
    settings.SECRET_KEY = "another key, which nobody outside knows"
    assert visitor_of(request) != before
