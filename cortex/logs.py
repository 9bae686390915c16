"""One line of JSON for each request and each event, on standard error. None holds a text, an address or a token."""

import json
import logging
import time
import traceback
from typing import Any

# gunicorn says these with the address, or the line of the request that it could not read.
_GUNICORN_ADDRESSES = ("Error handling request", "Invalid request")


class Line(logging.Formatter):
    """A record as a line of JSON; of an exception its type and place, since its words may quote a text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = record.getMessage()
        if record.name.startswith("gunicorn"):
            said = next((head for head in _GUNICORN_ADDRESSES if said.startswith(head)), said)
        line: dict[str, Any] = {
            "timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": said,
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["traceback"] = traceback.format_tb(record.exc_info[2])
        return json.dumps(line)


def config(level: str) -> dict[str, Any]:
    """Return the configuration that sends every logger through it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": Line}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
            # It writes whole addresses; the line of each request is the service's own.
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
    }
