"""A small client of the Genre Detector API: one file, nothing but Python 3.11.

client = Client("http://127.0.0.1:8000", key="gd_…")
suggestion = client.suggest("The wizard …")
print(suggestion.results[0].name, suggestion.results[0].score)
correction = client.correct("The wizard …", genres=["fantasy"], prediction_id=suggestion.prediction_id)
client.delete_correction(correction.receipt)
"""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MOST_TEXTS = 256


class ApiError(Exception):
    """An error of the service: ``type`` never changes, the message says what to do."""

    def __init__(self, problem: dict[str, Any], retry_after: int | None) -> None:
        super().__init__(f"{problem.get('title')}: {problem.get('detail')}")
        self.type: str = str(problem.get("type", "about:blank"))
        self.status: int = int(problem.get("status", 0))
        self.retry_after = retry_after


@dataclass(frozen=True)
class Result:
    """A genre and its score, a probability from 0 to 1; ``chosen`` when it reaches the genre's own threshold."""

    slug: str
    name: str
    score: float
    chosen: bool


@dataclass(frozen=True)
class Suggestion:
    """What the model says of a text. Abstained, no genre is sure enough and ``reason`` tells why."""

    results: list[Result]
    abstained: bool
    reason: str | None
    prediction_id: str | None
    version: int
    document_id: str | None = None


@dataclass(frozen=True)
class Correction:
    """A correction and how far its review is; the receipt reads and deletes it."""

    receipt: str
    url: str
    status: str
    genres: list[str]
    reviewed_genres: list[str]


class Client:
    """Ask a Genre Detector.

    Parameters
    ----------
    address : str
        Of the site, without a path.
    key : str, default=None
        Of ``manage.py api_key create``; None where the operator lets in everybody.
    timeout : float, default=30
        Seconds.
    """

    def __init__(self, address: str, key: str | None = None, *, timeout: float = 30) -> None:
        self._base = address.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = timeout

    def genres(self) -> dict[str, str]:
        """Return the names of all genres by slug."""
        return {genre["slug"]: genre["name"] for genre in self._send("GET", "/genres")["genres"]}

    def suggest(self, text: str, *, limit: int = 5, threshold: float = 0.0) -> Suggestion:
        """Return the genres of a text.

        Raises
        ------
        ApiError
        """
        body = {"text": text, "limit": limit, "threshold": threshold}
        said = self._send("POST", "/models/champion/suggest", body)
        return _suggestion(said, said["model"]["version"])

    def suggest_many(
        self, texts: Sequence[str], *, ids: Sequence[str] | None = None, limit: int = 5, threshold: float = 0.0
    ) -> list[Suggestion]:
        """Return the genres of each text, in order; any number of texts.

        Raises
        ------
        ApiError
        """
        found = []
        documents = [{"text": text, "document_id": ids[at] if ids else None} for at, text in enumerate(texts)]
        for start in range(0, len(documents), MOST_TEXTS):
            body = {"documents": documents[start : start + MOST_TEXTS], "limit": limit, "threshold": threshold}
            said = self._send("POST", "/models/champion/suggest-batch", body)
            found += [_suggestion(document, said["model"]["version"]) for document in said["documents"]]
        return found

    def correct(
        self,
        text: str,
        genres: Sequence[str] = (),
        *,
        prediction_id: str | None = None,
        none_fits: bool = False,
        not_sure: bool = False,
        note: str = "",
    ) -> Correction:
        """Send what a person says the text is; it is stored with the text. Done once, also when it is sent again.

        Raises
        ------
        ApiError
        """
        body = {
            "text": text,
            "genres": list(genres),
            "prediction_id": prediction_id,
            "none_fits": none_fits,
            "not_sure": not_sure,
            "note": note,
        }
        return _correction(self._send("POST", "/feedback", body, {"Idempotency-Key": str(uuid.uuid4())}))

    def correction(self, receipt: str) -> Correction:
        """Return how far the review of a correction is.

        Raises
        ------
        ApiError
        """
        return _correction(self._send("GET", f"/feedback/{receipt}"))

    def delete_correction(self, receipt: str) -> None:
        """Take a correction back: its text is erased.

        Raises
        ------
        ApiError
        """
        self._send("DELETE", f"/feedback/{receipt}")

    def _send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers | (headers or {}) | ({"Content-Type": "application/json"} if data else {})
        request = urllib.request.Request(self._base + path, data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:  # noqa: S310
                said = response.read()
        except urllib.error.HTTPError as error:
            wait = error.headers.get("Retry-After")
            raise ApiError(_read(error.read(), error.code), int(wait) if wait else None) from error
        return json.loads(said) if said else None


def _suggestion(said: dict[str, Any], version: int) -> Suggestion:
    return Suggestion(
        results=[Result(**result) for result in said["results"]],
        abstained=said["abstained"],
        reason=said["reason"],
        prediction_id=said["prediction_id"],
        version=version,
        document_id=said.get("document_id"),
    )


def _correction(said: dict[str, Any]) -> Correction:
    names = ("receipt", "url", "status", "genres", "reviewed_genres")
    return Correction(**{name: said[name] for name in names})


def _read(body: bytes, status: int) -> dict[str, Any]:
    """Return the problem; something that stands before the service may answer with a page of its own."""
    try:
        return dict(json.loads(body))
    except ValueError:
        return {"title": f"HTTP {status}", "status": status, "detail": "not an answer of the service"}
