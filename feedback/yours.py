"""What was sent from this browser: receipts in a signed cookie, so that a person finds them again without an account."""

from dataclasses import dataclass, replace

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

COOKIE = "yours"
# The newest of each kind; a browser takes a cookie of 4 KB at most.
MOST = 20
_SALT = "feedback.yours"


@dataclass(frozen=True)
class Yours:
    """Receipts of corrections and secrets of shared results, the newest last."""

    corrections: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()

    def with_correction(self, receipt: str) -> "Yours":
        """Return it with one more correction."""
        return replace(self, corrections=_added(self.corrections, receipt))

    def with_share(self, secret: str) -> "Yours":
        """Return it with one more shared result."""
        return replace(self, shares=_added(self.shares, secret))


def _added(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return (*(each for each in names if each != name), name)[-MOST:]


def yours_of(request: HttpRequest) -> Yours:
    """Return what this browser remembers; nothing where its cookie is missing, changed or too old."""
    try:
        corrections, shares = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_seconds())
    except (signing.BadSignature, ValueError, TypeError):
        return Yours()
    return Yours(tuple(corrections), tuple(shares))


def remember(response: HttpResponse, yours: Yours) -> None:
    """Let the browser remember it, for the addresses below /corrections/ alone; nothing where it should not."""
    if not _seconds():
        return
    value = signing.dumps([yours.corrections, yours.shares], salt=_SALT)
    response.set_cookie(
        COOKIE,
        value,
        max_age=_seconds(),
        path=_path(),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget(response: HttpResponse) -> None:
    """Let the browser forget it all."""
    response.delete_cookie(COOKIE, path=_path(), samesite="Lax")


def _path() -> str:
    return reverse("feedback:correction-create")


def _seconds() -> int:
    return int(settings.GENRE_REMEMBER_DAYS) * 24 * 3600
