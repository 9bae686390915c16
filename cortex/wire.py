"""A request and an answer, as WSGI has them: sizes, strict JSON, problems (RFC 9457)."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NoReturn

from classifier.core.text import MAX_BYTES

Environ = dict[str, Any]
# A JSON string may spell every character of a text as six (\u0000).
MAX_BODY = 6 * MAX_BYTES
JSON, PROBLEM = "application/json", "application/problem+json"
# What may be echoed and logged of an id that somebody else chose.
_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_LENGTH = re.compile("[0-9]{1,18}")


@dataclass
class Problem(Exception):
    """An answer that is an error: its status, and a sentence for people."""

    status: int
    title: str
    headers: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer."""
        return {"title": self.title, "status": self.status}


@dataclass(frozen=True)
class Answer:
    """An answer; ``body`` is what JSON holds, or text of another kind."""

    body: Mapping[str, Any] | str
    status: int = 200
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status_line(self) -> str:
        """The status with its phrase."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    def encoded(self) -> bytes:
        """Return the body as bytes. Lone surrogates are escaped, since JSON's output is ASCII."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Request:
    """One request.

    Attributes
    ----------
    id : str
        Of the caller's ``X-Request-ID``, or made up.
    facts : dict
        What else the line in the log shall say.
    """

    def __init__(self, environ: Environ) -> None:
        self._environ = environ
        self.method = str(environ["REQUEST_METHOD"])
        self.path = str(environ.get("PATH_INFO") or "/").rstrip("/") or "/"
        self.id = self.named("X-Request-ID") or uuid.uuid4().hex
        self.facts: dict[str, Any] = {}

    def header(self, name: str) -> str:
        """Return the value of a header, '' when it is absent."""
        return str(self._environ.get("HTTP_" + name.upper().replace("-", "_"), ""))

    def named(self, name: str) -> str:
        """Return the id in a header; '' when there is none that can be echoed."""
        value = self.header(name)
        return value if _ID.fullmatch(value) else ""

    def json(self) -> Any:
        """Return the body.

        Raises
        ------
        Problem
            413 when it is too large, 400 when it is not JSON by the letter (NaN, bytes that are no UTF-8 and nesting
            without end are refused).
        """
        try:
            return json.loads(self._body().decode("utf-8-sig"), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise Problem(400, "The body is not JSON.") from error

    def _body(self) -> bytes:
        length = str(self._environ.get("CONTENT_LENGTH") or "")
        if not length and self.header("Transfer-Encoding").lower() == "chunked":
            # Only its end tells how long it is.
            length = str(len(data := bytes(self._environ["wsgi.input"].read(MAX_BODY + 1))))
        elif not _LENGTH.fullmatch(length := length or "0"):
            raise Problem(400, "Content-Length is not a number.")
        else:
            data = b""
        if int(length) > MAX_BODY:
            raise Problem(413, f"The body may have at most {MAX_BODY:,} bytes.")
        return data or bytes(self._environ["wsgi.input"].read(int(length)))


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
