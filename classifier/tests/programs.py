"""Ask the API as programs do, for the tests of every app that has a part of it."""

import json
from types import SimpleNamespace

from classifier.problems import CONTENT_TYPE, PROBLEMS, TYPE

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
SUGGEST = "/api/v1/models/champion/suggest"


def asker(client, secret=None):
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def post(path, body, **more):
        data = body if isinstance(body, bytes) else json.dumps(body)
        return client.post(path, data, content_type="application/json", headers=headers | more)

    return SimpleNamespace(get=lambda path: client.get(path, headers=headers), post=post)


def problem(response, name, status=None):
    """Check that the response is that problem, and return it."""
    body = response.json()
    assert (response.status_code, response["Content-Type"]) == (status or PROBLEMS[name][0], CONTENT_TYPE), body
    assert (body["type"], body["status"]) == (TYPE + name, response.status_code)
    assert body["detail"]
    return body
