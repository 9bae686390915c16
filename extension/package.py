"""Pack the extension: the same files give the same bytes, wherever and whenever they are packed."""

import sys
import zipfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "src"
TARGET = SOURCE.parents[1] / "var" / "extension" / "genre-detector.zip"
# The first day that a zip file can name.
_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX, _READABLE = 3, 0o100644 << 16


def pack(target: Path) -> Path:
    """Write the extension's files into the zip file ``target``, and return it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # Stored: what a compressor writes differs between versions of zlib.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in files():
            entry = zipfile.ZipInfo(path.relative_to(SOURCE).as_posix(), _DATE)
            entry.create_system, entry.external_attr = _UNIX, _READABLE
            archive.writestr(entry, path.read_bytes())
    return target


def files() -> list[Path]:
    """Return the extension's files, in an order of their names alone; those of editors and systems stay out."""
    found = (path for path in SOURCE.rglob("*") if path.is_file() and not path.name.startswith("."))
    return sorted(found, key=lambda path: path.relative_to(SOURCE).as_posix())


if __name__ == "__main__":
    sys.stdout.write(f"{pack(TARGET)}\n")
