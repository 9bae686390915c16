"""Write ``.env`` with a secret key of this machine's own, if there is none: ``python -m genre_site.local_key``.

Standard library only: it runs before Django can (Django needs the key to start).
"""

import os
import secrets
import sys
from pathlib import Path

ENV_FILE = Path(__file__).resolve().parent.parent / ".env"


def ensure_key(path: Path = ENV_FILE) -> bool:
    """Add ``SECRET_KEY`` to ``path`` unless it or the environment has one; return whether it was added."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if os.environ.get("SECRET_KEY") or any(line.startswith("SECRET_KEY=") for line in text.splitlines()):
        return False
    if text and not text.endswith("\n"):
        text += "\n"
    draft = path.with_suffix(".tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(f"{text}SECRET_KEY={secrets.token_urlsafe(60)}\n")
    draft.replace(path)
    return True


if __name__ == "__main__":
    if ensure_key():
        sys.stderr.write("Wrote a new SECRET_KEY to .env (this machine's own; never commit it).\n")
