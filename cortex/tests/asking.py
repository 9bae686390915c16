"""Requests to the WSGI function, without a server."""

import io
import json

from cortex.service import Service
from cortex.settings import Settings

TEXT = "The wizard and the sorceress cast an old spell on the dragon of the kingdom."


def serve(folder, **settings):
    return Service(Settings(model_uri=str(folder), **settings))


def call(service, method, path, body=b"", *, length=None, **headers):
    """Return status, what the JSON of the answer says, and the headers."""
    status, data, headers = raw(service, method, path, body, length=length, **headers)
    return status, json.loads(data), headers


def raw(service, method, path, body=b"", *, length=None, **headers):
    said = []
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    data = b"".join(service(environ, lambda status, headers: said.append((status, dict(headers)))))
    status, headers = said[0]
    return int(status[:3]), data, headers
