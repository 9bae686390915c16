"""Middleware of the site."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from classifier.problems import CONTENT_TYPE, Problem
from genre_site.errors import error_page

GetResponse = Callable[[HttpRequest], HttpResponse]


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


def problems_for_programs(get_response: GetResponse) -> GetResponse:
    """Answer programs with problems where people get error pages."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code < 400 or not request.path.startswith(_API):
            return response
        known = _PROBLEMS.get(response.status_code)
        if known is None or response.headers.get("Content-Type") == CONTENT_TYPE:
            return response
        problem = known.response()
        if allowed := response.headers.get("Allow"):
            problem["Allow"] = allowed
        return problem

    return middleware


def refuse_large_bodies(get_response: GetResponse) -> GetResponse:
    """Answer 413 to a body that is announced as too large, before reading it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.GENRE_MAX_BODY_BYTES:
            return error_page(request, 413)
        return get_response(request)

    return middleware
