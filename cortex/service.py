"""The prediction service: one WSGI function over ``classifier.core``, without Django.

``POST /`` with ``{"text": …, "limit": 5, "threshold": 0}`` answers the genres, and which of them reach the
model's own thresholds (``chosen``); where none does, ``abstained`` is true with the ``reason`` ``"no-genre"``
and ``results`` are the nearest. ``sabotage`` tells how a model was made bad on purpose, null for an honest one.
``GET /live`` and ``GET /ready`` answer probes. Run it with
``gunicorn cortex.service:application``; ``MODEL_DIR`` names the model folder.
"""

import json
import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from classifier.core.errors import ModelError, TextError
from classifier.core.marks import sabotage_of
from classifier.core.model import GenreModel
from classifier.core.text import MAX_BYTES, check_text

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
# A JSON string may spell every character of a text as six (\u0000).
MAX_BODY = 6 * MAX_BYTES


class _Problem(Exception):
    """An answer that is not 200: status line and sentence."""


@cache
def model() -> GenreModel:
    """Return the model in ``MODEL_DIR``, loaded once and only when its hash matches."""
    return GenreModel.load(Path(os.environ["MODEL_DIR"]))


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request with JSON."""
    try:
        status, body = "200 OK", _route(environ)
    except _Problem as problem:
        status, body = problem.args[0], {"title": problem.args[1], "status": int(problem.args[0][:3])}
    data = json.dumps(body).encode()
    kind = "application/json" if status == "200 OK" else "application/problem+json"
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(data)))])
    return [data]


def _route(environ: Environ) -> dict[str, Any]:
    route = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO') or '/'}"
    if route == "GET /live":
        return {"live": True}
    if route == "GET /ready":
        try:
            return {"ready": True, "genres": len(model().slugs), "sabotage": sabotage_of(model().meta) or None}
        except (ModelError, KeyError) as error:
            raise _Problem("503 Service Unavailable", f"No model: {error}") from error
    if route == "POST /":
        return _predict(_read(environ))
    raise _Problem("404 Not Found", "POST / predicts; GET /live and GET /ready answer probes.")


def _read(environ: Environ) -> dict[str, Any]:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MAX_BODY:
        raise _Problem("413 Content Too Large", f"The body may have at most {MAX_BODY:,} bytes.")
    try:
        body = json.loads(environ["wsgi.input"].read(int(length)))
    except (ValueError, RecursionError) as error:
        raise _Problem("400 Bad Request", "The body is not JSON.") from error
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        raise _Problem("422 Unprocessable Content", 'The body needs a string "text".')
    return body


def _predict(body: dict[str, Any]) -> dict[str, Any]:
    limit, threshold = body.get("limit", 5), body.get("threshold", 0.0)
    if not isinstance(limit, int) or not 1 <= limit <= 100 or not isinstance(threshold, int | float):
        raise _Problem("422 Unprocessable Content", '"limit" must be 1 to 100 and "threshold" a number.')
    try:
        check_text(body["text"])
    except TextError as error:
        raise _Problem("422 Unprocessable Content", str(error)) from error
    prediction = model().predict(body["text"])
    results = [{"slug": genre.slug, "score": genre.score} for genre in prediction.top(limit, threshold)]
    return {
        "results": results,
        "chosen": [genre.slug for genre in prediction.chosen],
        "abstained": bool(prediction.abstained),
        "reason": prediction.abstained or None,
        "model_sha256": model().meta["model_sha256"],
        "sabotage": sabotage_of(model().meta) or None,
    }
