"""The operator's HTTP API, as Cortex 0.42.1 has it."""

import json
import ssl
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Sequence
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cortex.deploy.apis import Api, results
from cortex.deploy.errors import DeployError, OperatorError, Unreachable
from cortex.deploy.spec import CORTEX_VERSION, Document, as_text
from cortex.deploy.web import opener

_SECONDS = 60
_NOT_DEPLOYED = "resources.api_not_deployed"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Operator:
    """The operator at an address.

    Parameters
    ----------
    address : str
        ``https://…``; plain HTTP only to this machine, because who reads the authorization may use it.
    authorize : callable
        Returns the value of ``X-Cortex-Authorization``, new each time.
    trust : ssl.SSLContext, optional
        Which certificates are believed.

    Raises
    ------
    DeployError
        When the address is none that the authorization may be sent to.
    """

    def __init__(self, address: str, *, authorize: Callable[[], str], trust: ssl.SSLContext | None = None) -> None:
        self.place = address.rstrip("/")
        parts = urlsplit(self.place)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise DeployError("The operator's address must look like https://HOST.")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise DeployError("The operator is asked by HTTPS alone: who reads a request may act in your name.")
        self._authorize = authorize
        self._opener = opener(trust)

    def check(self) -> None:
        """Raise when it does not answer, or is of another version."""
        said = self._ask("GET", "/info")
        version = (said.get("cluster_config") or {}).get("api_version") if isinstance(said, dict) else None
        if version != CORTEX_VERSION:
            raise OperatorError(f"The operator is Cortex {version}; this command speaks to {CORTEX_VERSION}.")

    def deploy(self, documents: Sequence[Document]) -> list[str]:
        """Create or change APIs; return what was done of each."""
        boundary = uuid.uuid4().hex
        head = (
            'Content-Disposition: form-data; name="config"; filename="config"\r\nContent-Type: application/octet-stream'
        )
        body = f"--{boundary}\r\n{head}\r\n\r\n{as_text(documents)}\r\n--{boundary}--\r\n"
        kind = f"multipart/form-data; boundary={boundary}"
        query = {"configFileName": "cortex.yaml", "force": "false"}
        return results(self._ask("POST", "/deploy", query, body.encode(), kind))

    def list(self) -> Sequence[Api]:
        """Return all APIs."""
        return [Api.read(each) for each in self._ask("GET", "/get")]

    def find(self, name: str) -> Api | None:
        """Return one API; None when it is not deployed."""
        try:
            (said,) = self._ask("GET", f"/get/{quote(name)}")
        except OperatorError as error:
            if error.kind == _NOT_DEPLOYED:
                return None
            raise
        return Api.read(said)

    def replicas(self, name: str) -> dict[str, int]:
        """Return how many replicas are in which state."""
        (said,) = self._ask("GET", f"/describe/{quote(name)}")
        counts = (said.get("status") or {}).get("replica_counts") or {}
        return {state: int(number) for state, number in counts.items() if number}

    def refresh(self, name: str) -> str:
        """Start its replicas anew."""
        return str(self._ask("POST", f"/refresh/{quote(name)}", {"force": "false"}, b"").get("message", ""))

    def delete(self, name: str) -> str:
        """Delete it."""
        query = {"apiName": name, "keepCache": "false"}
        return str(self._ask("DELETE", f"/delete/{quote(name)}", query).get("message", ""))

    def logs(self, name: str) -> str:
        """Return the address of its log."""
        return str(self._ask("GET", f"/logs/{quote(name)}").get("log_url", ""))

    def _ask(
        self, method: str, path: str, query: dict[str, str] | None = None, body: bytes | None = None, kind: str = ""
    ) -> Any:
        address = self.place + path + (f"?{urlencode(query)}" if query else "")
        headers = {"CortexAPIVersion": CORTEX_VERSION, "X-Cortex-Authorization": self._authorize()}
        if kind:
            headers["Content-Type"] = kind
        request = urllib.request.Request(address, body, headers, method=method)  # noqa: S310 - http(s), by __init__
        try:
            with self._opener.open(request, timeout=_SECONDS) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error.code, error.read()) from error
        except ValueError as error:
            raise Unreachable(f"{self.place} answers something that is no JSON; is it Cortex's operator?") from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise Unreachable(f"The operator at {self.place} can't be reached: {reason}.") from error


def _refusal(status: int, body: bytes) -> OperatorError:
    try:
        said = json.loads(body)
        return OperatorError(f"The operator refuses: {said['message']}", str(said.get("kind") or ""))
    except (ValueError, KeyError, TypeError):
        return Unreachable(f"The operator answers with status {status}, and not as Cortex's does.")
