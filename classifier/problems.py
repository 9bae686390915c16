"""Errors of the HTTP API, as RFC 9457 says them: application/problem+json, each with a type that never changes."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse

CONTENT_TYPE = "application/problem+json"
TYPE = "urn:genre-detector:problem:"
# By type: status and title. The detail says what to do.
PROBLEMS = {
    "bad-request": (400, "The request makes no sense"),
    "invalid-json": (400, "The body is not JSON"),
    "no-key": (401, "A key is needed"),
    "wrong-key": (401, "This key opens nothing"),
    "missing-scope": (403, "The key is not for this"),
    "not-allowed": (403, "Not allowed"),
    "not-found": (404, "Nothing is here"),
    "unknown-model": (404, "This model does not answer"),
    "unknown-prediction": (404, "No such prediction"),
    "unknown-receipt": (404, "No such correction"),
    "method-not-allowed": (405, "Not with this method"),
    "refused": (409, "The correction was refused"),
    "same-key-other-request": (409, "This Idempotency-Key came with another request"),
    "too-large": (413, "Too much at once"),
    "invalid": (422, "Some values can't be used"),
    "too-many": (429, "A little slower, please"),
    "broken": (500, "Something broke here"),
    "no-model": (503, "No model answers"),
}


@dataclass
class Problem(Exception):
    """An answer that is an error."""

    name: str
    detail: str
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def response(self) -> HttpResponse:
        """Return the problem as HTTP says it."""
        status, title = PROBLEMS[self.name]
        body = {"type": TYPE + self.name, "title": title, "status": status, "detail": self.detail} | self.more
        return HttpResponse(json.dumps(body), status=status, content_type=CONTENT_TYPE, headers=self.headers)
