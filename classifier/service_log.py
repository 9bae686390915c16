"""Read what the prediction service logged of its predictions (``cortex/noting.py`` writes it). Nothing is stored here."""

import gzip
import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, Any
from uuid import UUID

# Longer than any line of the service; what is beyond is not held in memory.
MAX_LINE = 1 << 20
# A clock may be ahead; a row of next year would wait to be counted until then.
AHEAD = timedelta(minutes=5)
_GZIP = b"\x1f\x8b"
_SHA256 = re.compile("[0-9a-f]{64}")
_SLUG = re.compile("[a-z0-9-]{1,60}")
_MOST_SHOWN = 5
_MOST = 2**31 - 1
# What reading a cut or damaged gzip file raises.
DAMAGED = (EOFError, OSError, zlib.error)


class BadLine(ValueError):
    """Something in a log that can't be read; the message says what, and never quotes it."""


@dataclass(frozen=True)
class Noted:
    """One prediction, as the service noted it."""

    uid: UUID
    at: datetime
    model_sha256: str
    shown: list[tuple[str, float]]
    abstained: str
    n_words: int
    n_known: int
    n_chars: int
    milliseconds: float
    text_hash: str


def open_log(file: IO[bytes]) -> IO[bytes]:
    """Return a stream of lines over a plain or gzip file, found by how it begins."""
    peek = getattr(file, "peek", None)
    is_gzip = peek is not None and peek(2)[:2] == _GZIP
    return gzip.GzipFile(fileobj=file) if is_gzip else file  # type: ignore[return-value]


def lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines; of one that is too long only its beginning, which then can't be read."""
    while line := file.readline(MAX_LINE):
        yield line
        while len(line) == MAX_LINE and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE)


def read_line(line: bytes, *, now: datetime) -> list[Noted | BadLine]:
    """Return the predictions of a line, and what of it can't be read; nothing of a line that tells of none.

    What a log driver writes before the JSON is passed over.
    """
    if not line.strip():
        return []
    try:
        said = json.loads(line[max(0, line.find(b"{")) :])
    except (ValueError, RecursionError):
        return [BadLine("is no JSON")]
    if not isinstance(said, dict) or "predictions" not in said:
        return [] if isinstance(said, dict) else [BadLine("is no JSON object")]
    try:
        at, model, items = _at(said.get("timestamp"), now), said.get("model_sha256"), said["predictions"]
        if not isinstance(model, str) or not _SHA256.fullmatch(model):
            raise BadLine("names no model")
        if not isinstance(items, list):
            raise BadLine("has predictions that are no list")
    except BadLine as error:
        return [error]
    return [_read(item, at, model) for item in items]


def _read(item: Any, at: datetime, model: str) -> Noted | BadLine:
    try:
        return _noted(item, at, model)
    except BadLine as error:
        return error
    except (KeyError, TypeError, ValueError, AttributeError):
        return BadLine("has a prediction in another shape")


def _noted(item: dict[str, Any], at: datetime, model: str) -> Noted:
    abstained, text_hash, milliseconds = item["abstained"], item["text_hash"], float(item["milliseconds"])
    if not isinstance(abstained, str) or len(abstained) > 30 or "\x00" in abstained:
        raise BadLine("has a reason that can't be one")
    if text_hash != "" and not _SHA256.fullmatch(text_hash):
        raise BadLine("has a hash that is none")
    if not 0 <= milliseconds < math.inf:
        raise BadLine("has a time that is none")
    shown = [(slug, float(score)) for slug, score in item["shown"]]
    if len(shown) > _MOST_SHOWN or not all(_SLUG.fullmatch(slug) and 0 <= score <= 1 for slug, score in shown):
        raise BadLine("has genres that can't be shown")
    n_words, n_known, n_chars = (item[name] for name in ("words", "known", "chars"))
    if not all(type(count) is int and 0 <= count <= _MOST for count in (n_words, n_known, n_chars)):
        raise BadLine("has counts that are none")
    uid = UUID(item["id"])
    return Noted(uid, at, model, shown, abstained, n_words, n_known, n_chars, milliseconds, text_hash)


def _at(said: Any, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(said)
    except (TypeError, ValueError) as error:
        raise BadLine("has no time") from error
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at > now + AHEAD:
        raise BadLine("is of the future")
    return at
