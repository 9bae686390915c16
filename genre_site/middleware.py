"""Middleware of the site."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from genre_site.errors import error_page

GetResponse = Callable[[HttpRequest], HttpResponse]


def refuse_large_bodies(get_response: GetResponse) -> GetResponse:
    """Answer 413 to a body that is announced as too large, before reading it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.GENRE_MAX_BODY_BYTES:
            return error_page(request, 413)
        return get_response(request)

    return middleware
