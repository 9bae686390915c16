"""Who visits, as far as a cap needs to know."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac


def visitor_address(request: HttpRequest) -> str:
    """Return the visitor's address, believing ``X-Forwarded-For`` only as far as proxies are trusted."""
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    trusted = settings.GENRE_TRUSTED_PROXIES
    if trusted and len(hops) >= trusted:
        return hops[-trusted]
    return str(request.META.get("REMOTE_ADDR", ""))


def visitor_of(request: HttpRequest) -> str:
    """Return a keyed hash that names the visitor for today: enough for a cap, useless to follow a person."""
    value = f"{timezone.now():%Y-%m-%d}|{visitor_address(request)}"
    return salted_hmac("feedback.visitor", value, algorithm="sha256").hexdigest()
