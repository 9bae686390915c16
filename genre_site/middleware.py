"""Middleware of the site."""

import logging
import random
import re
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseServerError, UnreadablePostError
from django.middleware.locale import LocaleMiddleware
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.log import log_response
from structlog.contextvars import bind_contextvars, clear_contextvars

from classifier.problems import CONTENT_TYPE, Problem
from genre_site.errors import error_page
from genre_site.logs import place
from genre_site.probes import healthz, readyz

GetResponse = Callable[[HttpRequest], HttpResponse]
PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {"/healthz": healthz, "/readyz": readyz}
request_logger = logging.getLogger("genre_site.request")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# What no page here uses. Names that Chromium does not know would be errors in its console.
_NO_FEATURES = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "hid",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "screen-wake-lock",
        "serial",
        "usb",
        "xr-spatial-tracking",
    )
)


def answer_probes(get_response: GetResponse) -> GetResponse:
    """Answer ``/healthz`` and ``/readyz`` by whatever name the server is asked, and without HTTPS."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return PROBES.get(request.path_info, get_response)(request)

    return middleware


def log_requests(get_response: GetResponse) -> GetResponse:
    """Log one line for each request and name the request in the response.

    What code binds meanwhile with ``structlog.contextvars.bind_contextvars`` (the model that answered, the key of an API
    call) is on that line and on every other that is logged before the response is there.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        request_id = _request_id(request)
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        response = get_response(request)
        response.headers["X-Request-ID"] = request_id
        level = logging.ERROR if response.status_code >= 500 else logging.INFO
        if request_logger.isEnabledFor(level):
            fields = {"method": request.method, **place(request), "status": response.status_code}
            fields["ms"] = round((time.perf_counter() - start) * 1000, 2)
            if (user := _signed_in(request)) is not None:
                fields["user"] = user
            request_logger.log(level, "request", extra={"fields": fields})
        clear_contextvars()
        return response

    return middleware


def _request_id(request: HttpRequest) -> str:
    """Return the id that a trusted proxy gave the request, or a new one."""
    given = request.META.get("HTTP_X_REQUEST_ID", "") if settings.GENRE_TRUSTED_PROXIES else ""
    # It is no secret, and the system's own randomness costs a call of the system.
    return given if _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"


def _signed_in(request: HttpRequest) -> int | None:
    """Return the key of the user. Who sends no session cookie costs no query."""
    session, user = getattr(request, "session", None), getattr(request, "user", None)
    if session is None or user is None or session.session_key is None:
        return None
    try:
        return user.pk
    except DatabaseError:
        return None


def refuse_browser_features(get_response: GetResponse) -> GetResponse:
    """Tell the browser that no page, nor anything in it, may use camera, microphone, place and the like."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers["Permissions-Policy"] = _NO_FEATURES
        return response

    return middleware


# What Django and ninja answer without asking the API.
_PROBLEMS = {
    400: Problem("bad-request", "The request can't be read. See the documentation at /api/v1/docs."),
    403: Problem("not-allowed", "See the documentation at /api/v1/docs."),
    404: Problem("not-found", "Nothing is here. See the documentation at /api/v1/docs."),
    405: Problem("method-not-allowed", "The header Allow tells which methods there are."),
    413: Problem("too-large", "Send fewer or shorter texts."),
    500: Problem("broken", "The fault is ours and has been logged. Send it again later."),
}
_API = "/api/"
_PAGES_OF_API = {"/api/v1/docs"}


def answer_programs(get_response: GetResponse) -> GetResponse:
    """Answer the API here: sessions, cookies, forms and the policy for pages are not for programs and cost them time.

    Its documentation is a page and goes the way of pages. Whatever goes wrong is a problem, never an error page. What is
    said to programs is English, whatever the site speaks to people.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(_API) or request.path_info in _PAGES_OF_API:
            return get_response(request)
        with translation.override("en", deactivate=True):
            response = _answer(request)
        response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        return response

    return middleware


def _answer(request: HttpRequest) -> HttpResponse:
    if is_too_large(request, settings.GENRE_MAX_BODY_BYTES):
        return _PROBLEMS[413].response()
    try:
        request.get_host()
        match = request.resolver_match = resolve(request.path_info)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    except (Resolver404, Http404):
        return _PROBLEMS[404].response()
    except RequestDataTooBig:
        return _PROBLEMS[413].response()
    except (SuspiciousOperation, UnreadablePostError):
        return _PROBLEMS[400].response()
    except Exception:  # noqa: BLE001  (the last resort, as Django has it)
        # Django's own way to tell of it, with the traceback that the log may hold.
        log_response(
            "Internal Server Error", response=HttpResponseServerError(), request=request, exception=sys.exc_info()[1]
        )
        return _PROBLEMS[500].response()
    known = _PROBLEMS.get(response.status_code)
    if known is None or response.headers.get("Content-Type") == CONTENT_TYPE:
        return response
    problem = known.response()
    if allowed := response.headers.get("Allow"):
        problem["Allow"] = allowed
    return problem


def choose_language(get_response: GetResponse) -> GetResponse:
    """Speak the visitor's language, by the cookie or else the browser's wish, as Django's own middleware does.

    That one leaves the language to its thread, where the next request may need none, as those of programs, or end before
    it has one.
    """
    chosen = LocaleMiddleware(get_response)

    def middleware(request: HttpRequest) -> HttpResponse:
        with translation.override(settings.LANGUAGE_CODE, deactivate=True):
            return chosen(request)

    return middleware


def is_too_large(request: HttpRequest, most: int) -> bool:
    """Return whether a body is announced as larger than ``most`` bytes."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return length.isdigit() and int(length) > most


def refuse_large_bodies(get_response: GetResponse) -> GetResponse:
    """Answer 413 to a form that is announced as too large, before reading it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        is_refused = is_too_large(request, settings.GENRE_MAX_FORM_BYTES)
        return error_page(request, 413) if is_refused else get_response(request)

    return middleware
