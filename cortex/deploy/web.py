"""Requests that carry a secret: certificates as the operator of this site says, and never on to another host."""

import ssl
import urllib.request
from typing import Any


def opener(trust: ssl.SSLContext | None) -> urllib.request.OpenerDirector:
    """Return what opens addresses; a redirect is an error, since another host would get the secret."""
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), _NoRedirects())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any, **named: Any) -> None:
        return None
