"""Data that people upload to the lab: kept beside its runs, which can so be made again."""

import hashlib
from pathlib import Path

from classifier.core.errors import CorpusError
from training.lab import lab_dir

UPLOADS = "data"


def keep_upload(name: str, content: bytes) -> Path:
    """Return where an upload is kept: below ``GENRE_LAB_DIR``, by its content, under its own name.

    Raises
    ------
    CorpusError
        When it can't be written.
    """
    # A browser sends what it likes as a name.
    own = Path(name).name.strip(".") or "upload"
    path = lab_dir() / UPLOADS / hashlib.sha256(content).hexdigest() / own
    draft = path.with_name(f".{own}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        raise CorpusError(f"The upload can't be kept in {path.parent}: {error}") from error
    return path.resolve()
