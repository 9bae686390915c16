"""Who may ask the HTTP API, for what, and how often."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security import HttpBearer
from structlog.contextvars import bind_contextvars

from classifier.http import bearer_token
from classifier.keys import KeyFacts, find_key
from classifier.models import ApiKey
from classifier.problems import Problem
from classifier.throttle import take
from classifier.visitors import visitor_of

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="genre-detector"'}
Scope = ApiKey.Scope


@dataclass(frozen=True)
class Caller:
    """Who asks: a key, or somebody without one, named by a keyed hash of the address and the day."""

    who: str
    per_minute: int
    key: KeyFacts | None = None

    def take(self, n: int = 1) -> None:
        """Count ``n`` texts or corrections.

        Raises
        ------
        Problem
            When that is more than is left in this minute.
        """
        if wait := take(self.who, n, most=self.per_minute):
            raise Problem(
                "too-many",
                f"{self.per_minute} texts and corrections a minute are answered. Send it again in {wait} s.",
                headers={"Retry-After": str(wait)},
            )


class Needs(HttpBearer):
    """Let in who sends a live key for one of ``scopes``; without a key, whom the operator does (GENRE_API_ANONYMOUS)."""

    def __init__(self, *scopes: str) -> None:
        super().__init__()
        self._scopes = scopes

    def __call__(self, request: HttpRequest) -> Caller:
        """Return who asks.

        Raises
        ------
        Problem
            Without a key where one is needed, or with one that does not open this.
        """
        secret = bearer_token(request)
        return self._without_key(request) if secret is None else self.authenticate(request, secret)

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """Return whose key ``token`` is."""
        key = find_key(token)
        if key is None:
            raise Problem("wrong-key", "The key is unknown, expired or revoked. Ask for another.", headers=CHALLENGE)
        # On the line of the log for this request.
        bind_contextvars(key_id=key.pk)
        if not any(map(key.opens, self._scopes)):
            raise Problem("missing-scope", f"The key {key.prefix}… lacks the scope “{' or '.join(self._scopes)}”.")
        return Caller(f"key:{key.pk}", key.per_minute, key)

    def _without_key(self, request: HttpRequest) -> Caller:
        if not settings.GENRE_API_ANONYMOUS:
            raise Problem(
                "no-key", "Send “Authorization: Bearer KEY”; the site's operator makes keys.", headers=CHALLENGE
            )
        return _visitor(request)


def throttle_address(request: HttpRequest) -> Caller:
    """Let in anybody, as often as one without a key.

    Raises
    ------
    Problem
        When that is too often.
    """
    found = _visitor(request)
    found.take()
    return found


def _visitor(request: HttpRequest) -> Caller:
    return Caller(f"visitor:{visitor_of(request)}", settings.GENRE_API_ANONYMOUS_PER_MINUTE)


def caller(request: HttpRequest) -> Caller:
    """Return who ``Needs`` let in."""
    found: Any = request.auth  # type: ignore[attr-defined]
    assert isinstance(found, Caller)
    return found
