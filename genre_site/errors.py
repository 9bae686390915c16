"""The error pages, each with a way on. HTMX requests get the message alone, to show beside the form."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class ErrorText:
    """What an error page says."""

    title: str | Promise
    message: str | Promise


ERRORS = {
    400: ErrorText(
        _("That request made no sense"), _("The browser sent something this site can't read. Go back and try again.")
    ),
    403: ErrorText(
        _("Not allowed"), _("You don't have the right to see this page. Sign in with an account that does.")
    ),
    404: ErrorText(_("No such page"), _("Nothing is here. The link may be old, or a letter may be missing from it.")),
    413: ErrorText(
        _("That is too much at once"),
        _("The text or file is far larger than this page can read. Send a part of it, such as one chapter."),
    ),
    429: ErrorText(
        _("A little slower, please"),
        _(
            "Too many corrections came from your address. Your text is not lost: go back, wait a minute and send it again."
        ),
    ),
    500: ErrorText(
        _("Something broke here"),
        _("The fault is ours and has been logged. Go back: your text should still be in the box. Then try again."),
    ),
}


def error_page(request: HttpRequest, status: int, text: ErrorText | None = None) -> HttpResponse:
    """Return the page for ``status``, or its message alone when HTMX asks."""
    htmx = bool(getattr(request, "htmx", request.headers.get("HX-Request")))
    template = "errors/error.html#message" if htmx else "errors/error.html"
    return render(request, template, {"status": status, "error": text or ERRORS[status]}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400, or 413 when the body was too large."""
    return error_page(request, 413 if type(exception).__name__ == "RequestDataTooBig" else 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    return error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500."""
    return error_page(request, 500)
