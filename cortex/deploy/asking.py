"""Requests to what was deployed, with the service's token."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from cortex.deploy.errors import SmokeFailed
from cortex.deploy.web import opener

_SECONDS = 30
# After the replicas are ready the load balancer needs some moments to know of them.
_NOT_YET = (404, 502, 503, 504)


class Asker:
    """Asks the endpoints of APIs.

    Parameters
    ----------
    token : str
        Of the service; '' sends none.
    trust : ssl.SSLContext, optional
    patience : float
        For how many seconds an endpoint may be away.
    sleep, clock : callable
        Of ``time``.
    """

    def __init__(
        self,
        *,
        token: str,
        trust: ssl.SSLContext | None,
        patience: float,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._opener, self._patience, self.sleep, self.clock = opener(trust), patience, sleep, clock

    def ask(self, address: str, body: Any = None) -> Any:
        """Return what the JSON of the answer says; without a body the request is a GET.

        Raises
        ------
        SmokeFailed
        """
        until = self.clock() + self._patience
        while True:
            try:
                return self._once(address, body)
            except _NotYet as error:
                if self.clock() > until:
                    raise SmokeFailed(str(error)) from error
            self.sleep(1)

    def _once(self, address: str, body: Any) -> Any:
        if not address.startswith(("http://", "https://")):
            raise SmokeFailed(f"“{address}” is no address to ask.")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data, self._headers)  # noqa: S310 - http(s), just above
        try:
            with self._opener.open(request, timeout=_SECONDS) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                said = f"{address} answers with status {error.code}"
            if error.code in _NOT_YET:
                raise _NotYet(f"{said}.") from error
            hint = ": is GENRE_CORTEX_TOKEN the one that TOKEN_SHA256 is of?" if error.code == 401 else "."
            raise SmokeFailed(said + hint) from error
        except ValueError as error:
            raise SmokeFailed(f"{address} answers something that is no JSON.") from error
        except (OSError, HTTPException) as error:
            raise _NotYet(f"{address} can't be reached: {getattr(error, 'reason', None) or error}.") from error


class _NotYet(Exception):
    """It may be there in a moment."""
