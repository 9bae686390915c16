"""A request is one line, lines belong together by the request's id, and none says what a visitor wrote or where."""

import io
import json
import logging

import pytest
import structlog
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.models import Correction, SharedResult
from genre_site.logs import Line, logging_settings, traceback_of

HOME = reverse("classifier:text-classify")
TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."


@pytest.fixture
def logged():
    """Return a function that gives every line logged so far, as dicts: as with LOG_LEVEL=DEBUG, and what Django warns of too."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line("json"))
    loggers = [logging.getLogger(name) for name in ("", "django", "django.request", "axes")]
    levels = [logger.level for logger in loggers]
    for logger, level in zip(loggers, ("DEBUG", "INFO", "DEBUG", "DEBUG"), strict=True):
        logger.setLevel(level)
    loggers[0].addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def requests(logged):
    """Return a function that gives the lines of requests."""
    return lambda: [line for line in logged() if line["logger"] == "genre_site.request"]


@pytest.fixture
def crash(monkeypatch, client):
    """Return a function that makes the next texts crash with an error."""
    client.raise_request_exception = False

    def plant(error):
        def crash(text, **facts):
            raise error from ValueError(text)

        monkeypatch.setattr("classifier.views.predict_text", crash)

    return plant


@pytest.mark.django_db
def test_a_request_is_one_line_with_what_it_asked_how_it_ended_and_which_model_answered(client, champion, requests):
    response = client.post(f"{HOME}?from=a-friend", {"text": TEXT})
    (line,) = requests()
    assert 0 < line.pop("ms") < 10_000
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "genre_site.request",
        "event": "request",
        "method": "POST",
        "route": "classifier:text-classify",
        "status": 200,
        "request_id": response["X-Request-ID"],
        "model": champion.number,
    }


@pytest.mark.django_db
def test_nothing_of_one_request_is_on_the_line_of_the_next(client, champion, requests):
    client.post(HOME, {"text": TEXT})
    client.get(HOME)
    first, second = requests()
    assert "model" not in second
    assert first["request_id"] != second["request_id"]
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.django_db
def test_what_a_view_binds_is_on_the_line(client, champion, requests, monkeypatch):
    def bind(text, **facts):
        structlog.contextvars.bind_contextvars(key_id=7)
        raise OSError("planned")

    monkeypatch.setattr("classifier.views.predict_text", bind)
    client.raise_request_exception = False
    client.post(HOME, {"text": TEXT})
    assert [line["key_id"] for line in requests()] == [7]


def test_who_is_signed_in_is_named_by_number_alone(admin_client, client, admin_user, requests):
    admin_client.get(reverse("classifier:privacy-read"))
    Client().get(reverse("classifier:privacy-read"))
    named, nameless = requests()
    assert named["user"] == admin_user.pk
    assert "user" not in nameless
    assert admin_user.username not in json.dumps(named)


def test_who_sends_no_session_costs_no_query(client, db, requests, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/no-such-page")
    assert len(requests()) == 1


def test_a_database_that_fails_does_not_take_the_line_with_it(admin_client, requests, monkeypatch):
    def fail(*args, **kwargs):
        raise DatabaseError

    # The redirect asks not who it is.
    monkeypatch.setattr("django.contrib.auth.middleware.get_user", fail)
    assert admin_client.get("/favicon.ico").status_code == 302
    assert [line["status"] for line in requests()] == [302]


@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.django_db
def test_a_receipt_link_is_logged_as_the_place_alone(client, logged, requests, method):
    correction = Correction.objects.create(text=TEXT, text_hash="x", source="page", verdict="unsure", chosen=[])
    # As it stands, cut short of its slash, and mistyped.
    for ending in ("/", "", "/?utm=mail", "x/y"):
        getattr(client, method)(f"/corrections/{correction.receipt}{ending}")
    assert correction.receipt not in json.dumps(logged())
    assert requests()[0]["route"] == "feedback:correction-read"
    assert requests()[-1]["path"] == "/corrections/…"


@pytest.mark.parametrize("name", ["token", "secret"])
@pytest.mark.django_db
def test_the_links_of_a_shared_result_are_logged_as_the_place_alone(client, logged, requests, name):
    share = SharedResult.objects.create(text=TEXT, expires_at=timezone.now())
    secret, before = getattr(share, name), "shared" if name == "token" else "corrections/share"
    for ending in ("/", "", "x/y"):
        client.get(f"/{before}/{secret}{ending}")
    assert secret not in json.dumps(logged())
    assert requests()[0]["route"] == ("shared:result-read" if name == "token" else "feedback:share-manage")


@pytest.mark.parametrize(
    ("path", "logged_as"),
    [
        ("/wp-login.php", "/wp-login.php"),
        ("/admin.old/x/y", "/admin.old/…"),
        ("/A%20Secret/x", "/…"),
        ("/abcdefghijklmnopqrstuvwxyz", "/…"),
        ("/wp-login.php%0A", "/…"),
    ],
)
@pytest.mark.django_db
def test_of_an_address_where_nothing_is_the_beginning_is_logged(client, requests, path, logged_as):
    client.get(path)
    assert requests()[0]["path"] == logged_as


@pytest.mark.functional
def test_no_text_no_form_value_no_cookie_and_no_query_is_ever_logged(client, champion, crash, logged, settings):
    secret = "Sesamoiditis"
    form = {"text": f"{secret} {TEXT}", "note": secret, "token": secret, "genres": secret, "password": secret}
    client.cookies["a-cookie"] = secret
    strict = Client(enforce_csrf_checks=True)
    for address in (HOME, "/corrections/", "/corrections/audit/", "/admin/login/", f"/{secret}", "/monitor/"):
        for sender in (client, strict):
            sender.get(f"{address}?q={secret}")
            sender.post(f"{address}?q={secret}", form, headers={"Referer": f"https://{secret}", "Origin": "null"})
    client.post(HOME, {"file": SimpleUploadedFile(f"{secret}.txt", secret.encode())})
    client.get("/", headers={"Host": f"{secret}.example"})
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1
    client.post(HOME, form)
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
    for error in (ValueError(secret), KeyError(secret), OperationalError(f"it failed\nDETAIL: {secret}")):
        crash(error)
        assert client.post(HOME, form).status_code == 500
    lines = json.dumps(logged())
    assert secret.lower() not in lines.lower()
    assert {"Internal Server Error", "Forbidden", "Bad Request"} <= {line["event"] for line in logged()}


def test_a_crash_is_logged_with_its_place_and_the_id_that_the_visitor_sees(client, champion, crash, logged):
    crash(RuntimeError("planned"))
    response = client.post(HOME, {"text": TEXT})
    error, request = (line for line in logged() if line["level"] == "error")
    assert (error["logger"], error["event"], error["route"]) == (
        "django.request",
        "Internal Server Error",
        "classifier:text-classify",
    )
    assert "in classify" in error["exception"]
    assert error["exception"].endswith("RuntimeError")
    assert error["request_id"] == request["request_id"] == response["X-Request-ID"]
    assert request["status"] == 500


def test_a_refused_form_is_logged_with_the_reason_and_without_who_sent_it(db, logged):
    strict = Client(enforce_csrf_checks=True)
    strict.post(HOME, {"text": TEXT})
    strict.post(HOME, {"text": TEXT}, headers={"Origin": "https://evil.example"})
    refused = [line for line in logged() if line["logger"] == "django.security.csrf"]
    assert [line["reason"] for line in refused] == ["CSRF cookie not set.", "Origin checking failed"]


def test_the_message_of_an_error_stays_only_where_its_kind_quotes_no_value():
    assert traceback_of(OSError(28, "No space left on device")).endswith("OSError: [Errno 28] No space left on device")
    assert traceback_of(ValueError("a text")).endswith("ValueError")
    # PostgreSQL's second line shows the row.
    assert traceback_of(OperationalError("server closed\nDETAIL: a text")).endswith("OperationalError: server closed")


def test_causes_of_an_error_come_first():
    try:
        try:
            raise KeyError("a text")
        except KeyError as error:
            raise TypeError("another text") from error
    except TypeError as error:
        said = traceback_of(error)
    assert said.index("KeyError") < said.index("Then:") < said.index("TypeError")
    assert "a text" not in said.replace('raise KeyError("a text")', "")


@pytest.mark.parametrize(
    ("trusted", "given", "taken"),
    [
        (0, "abcdefgh-1234", False),
        (1, "abcdefgh-1234", True),
        (1, "short", False),
        (1, "x" * 65, False),
        (1, "a b c d e f g h", False),
        (1, "abcdefgh\n1234", False),
    ],
)
@pytest.mark.django_db
def test_the_id_of_a_request_is_a_proxys_only_where_proxies_are_trusted(client, settings, trusted, given, taken):
    settings.GENRE_TRUSTED_PROXIES = trusted
    response = client.get("/no-such-page", headers={"X-Request-ID": given})
    assert (response["X-Request-ID"] == given) is taken
    assert len(response["X-Request-ID"]) == 32 or taken


def test_lines_of_gunicorn_are_without_the_address():
    say = Line("json").format
    for message, args in (
        ("Error handling request %s %s", ("GET", "/corrections/abc?q=a-text")),
        ("Invalid request from ip=1.2.3.4: Invalid HTTP request line: 'GET /?q=a-text'", ()),
    ):
        line = json.loads(say(logging.LogRecord("gunicorn.error", logging.ERROR, "", 0, message, args, None)))
        assert line["event"] in ("Error handling request", "Invalid request")
    started = logging.LogRecord("gunicorn.error", logging.INFO, "", 0, "Listening at: %s", ("x:80",), None)
    assert json.loads(say(started))["event"] == "Listening at: x:80"


def test_a_line_for_people_names_the_same_and_shows_no_local_values():
    try:
        value = "a text"
        raise ValueError(value)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("ours", logging.ERROR, "", 0, "It %s", ("broke",), info)
    said = Line("console").format(record)
    assert "It broke" in said
    assert "test_logs.py" in said
    assert "a text" not in said.replace('value = "a text"', "")


def test_one_formatter_serves_every_logger():
    settings = logging_settings(rendered_as="json", level="DEBUG")
    assert list(settings["handlers"]) == ["console"]
    assert settings["root"]["handlers"] == ["console"]
    assert not any(logger.get("handlers") for logger in settings["loggers"].values())
    # At DEBUG Django would log SQL with its values.
    assert settings["loggers"]["django"]["level"] == "INFO"
