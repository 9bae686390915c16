"""What django-axes asks of the site: from which address somebody signs in, and what the locked-out see."""

import ipaddress
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from classifier.visitors import visitor_address
from genre_site.errors import ErrorText, error_page


def login_address(request: HttpRequest) -> str | None:
    """Return the visitor's address, or None for what is none: PostgreSQL stores nothing else as one."""
    try:
        return str(ipaddress.ip_address(visitor_address(request)))
    except ValueError:
        return None


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    """Answer 429. It does not say whether such a user exists, nor whether the password was right this time."""
    minutes = settings.GENRE_LOGIN_LOCK_MINUTES
    text = ErrorText(
        _("Too many attempts to sign in"),
        _(
            "Signing in under this name from your address is locked. Wait %(minutes)s minutes and try again, or ask "
            "whoever runs this site to unlock it."
        )
        % {"minutes": number_format(f"{minutes:g}")},
    )
    response = error_page(request, 429, text)
    response["Retry-After"] = str(round(minutes * 60))
    return response
