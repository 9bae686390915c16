"""Write a file whole or not at all."""

import gzip
import io
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO


@contextmanager
def replacing_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary stream that becomes ``path`` only when the block ends without error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as raw:
            yield raw
            raw.flush()
            os.fsync(raw.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Open a UTF-8 text stream that becomes ``path`` only when the block ends without error.

    Line ends are written as given. A name ending in ``.gz`` is compressed, with no time stamp inside,
    so that equal content gives equal bytes.
    """
    with replacing_bytes(path) as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
                yield from _as_text(packed)
        else:
            yield from _as_text(raw)


def _as_text(binary: Any) -> Iterator[TextIO]:
    stream = io.TextIOWrapper(binary, encoding="utf-8", newline="", write_through=True)
    yield stream
    stream.flush()
    stream.detach()


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` to ``path`` as indented JSON, whole or not at all."""
    with replacing(path) as stream:
        stream.write(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
