"""What the site logs: a line for each request, and the lines of every other logger, all through one formatter.

Our code logs with the standard library; structlog keeps what belongs to a request (``contextvars``) and renders.
No line holds what a visitor wrote or an address that is a secret. The formatter therefore leaves out the addresses that
Django and gunicorn put into their messages, and the messages of most exceptions, which may quote a value.
"""

import http
import logging
import re
import sys
import time
import traceback
from typing import Any

import structlog

FORMATS = ("json", "console")
# Whoever knows a receipt may read the text of its correction.
_RECEIPT = re.compile(r"(/(?:corrections|corrections/share|shared)/)[A-Za-z0-9_-]{20,}")
# The beginning of a path nobody serves, as probes ask for it; too short to be a receipt.
_PLAIN_SEGMENT = re.compile(r"/[a-z0-9.-]{0,20}")
# gunicorn says these with the address, or the line of the request that it could not read.
_GUNICORN_ADDRESSES = ("Error handling request", "Invalid request")


class Line(logging.Formatter):
    """A record as a line of JSON, or as one for people.

    structlog's own ``ProcessorFormatter`` takes more, and `django-structlog`, which logs twice a request and writes the
    path, five times as much: about 80, 130 and 420 µs of processor time a request beside an empty view's 20.
    """

    def __init__(self, rendered_as: str) -> None:
        super().__init__()
        if rendered_as == "json":
            self._render: Any = structlog.processors.JSONRenderer()
        else:
            # Its default shows the local values of a traceback.
            plain = structlog.dev.plain_traceback
            self._render = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            **_said(record),
            **structlog.contextvars.get_contextvars(),
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = traceback_of(record.exc_info[1])
        return str(self._render(None, "", line))


def _said(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a record says, without addresses."""
    if fields := getattr(record, "fields", None):
        return {"event": record.msg, **fields}
    request = getattr(record, "request", None)
    if hasattr(request, "resolver_match"):
        return _said_of_request(record, request)
    said = record.getMessage()
    if record.name.startswith("gunicorn"):
        said = next((head for head in _GUNICORN_ADDRESSES if said.startswith(head)), said)
    return {"event": _RECEIPT.sub(r"\1…", said)}


def _said_of_request(record: logging.LogRecord, request: Any) -> dict[str, Any]:
    """Return what Django says of a request that went wrong: its own words hold the path, and Referer or host."""
    line: dict[str, Any] = {"event": http.HTTPStatus(getattr(record, "status_code", 500)).phrase, **place(request)}
    if record.name == "django.security.csrf" and isinstance(record.args, tuple) and record.args:
        line["reason"] = str(record.args[0]).split(" - ")[0]
    elif record.name.startswith("django.security"):
        line["reason"] = record.name.rpartition(".")[2]
    return line


def place(request: Any) -> dict[str, str]:
    """Return the name of what a request asked for; where nothing is, the beginning of its path."""
    if match := request.resolver_match:
        return {"route": match.view_name or match.route}
    path = request.path_info
    first = _PLAIN_SEGMENT.match(path)
    known = first[0] if first and path[first.end() : first.end() + 1] in ("", "/") else "/"
    return {"path": known if known == path else f"{known.rstrip('/')}/…"}


def traceback_of(error: BaseException | None) -> str:
    """Return where an exception and those behind it were raised. A message is kept only if its kind quotes no value."""
    parts: list[str] = []
    while error is not None and len(parts) < 10:
        frames = "".join(traceback.format_tb(error.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{_named(error)}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nThen:\n\n".join(reversed(parts))


def _named(error: BaseException) -> str:
    # Late: settings import this module.
    from django.core.exceptions import ImproperlyConfigured
    from django.db import OperationalError
    from django.template import TemplateDoesNotExist

    from classifier.core.errors import ModelError

    quotes_nothing = (
        AttributeError,
        ImportError,
        ImproperlyConfigured,
        ModelError,
        NameError,
        OperationalError,
        OSError,
    )
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if not isinstance(error, (*quotes_nothing, TemplateDoesNotExist)):
        return name
    # PostgreSQL gives details from the second line on.
    return f"{name}: {str(error).partition(chr(10))[0]}"


def logging_settings(*, rendered_as: str, level: str) -> dict[str, Any]:
    """Return Django's LOGGING, which gunicorn is given too."""
    at_least_info = "INFO" if level == "DEBUG" else level
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "genre_site.logs.Line", "rendered_as": rendered_as}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django's and gunicorn's own handlers go. Below INFO Django logs SQL with its values.
            "django": {"handlers": [], "level": at_least_info},
            "gunicorn.error": {"handlers": [], "propagate": True},
            # 4xx have their line already, and so has every request to `runserver`.
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "level": "CRITICAL"},
            # Three lines for each login that goes well.
            "axes": {"level": "WARNING"},
        },
    }
