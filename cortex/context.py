"""Pack what the image is built from: the same files give the same bytes, wherever and whenever they are packed.

``python -m cortex.context [MODEL_FOLDER]`` writes ``var/cortex/context.tar`` and prints its SHA-256. With a model folder
the model is baked into the image; without one the image fetches what ``MODEL_URI`` names.
"""

import hashlib
import io
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from classifier.core.errors import ModelError
from classifier.core.model import META_FILE, MODEL_FILE, GenreModel

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "var" / "cortex" / "context.tar"
# What the service imports, and what makes the image of it; nothing else can get into it by mistake.
CORE = ("classifier/__init__.py", "classifier/core/*.py", "classifier/core/*.toml", "cortex/__init__.py")
SERVICE = (
    "access",
    "batches",
    "draining",
    "gunicorn_config",
    "logs",
    "metrics",
    "noting",
    "open_inference",
    "predicting",
    "served",
    "service",
    "settings",
    "store",
    "task",
    "wire",
)
BUILD = {"Dockerfile": "cortex/Dockerfile", "requirements.txt": "cortex/requirements.txt"}
_READABLE, _FOLDER = 0o644, 0o755


def files(model: Path | None = None) -> dict[str, Path]:
    """Return the files of the context: their names in it, and where they are."""
    sources = (*CORE, *(f"cortex/{name}.py" for name in SERVICE))
    found = {path.relative_to(ROOT).as_posix(): path for pattern in sources for path in ROOT.glob(pattern)}
    found |= {name: ROOT / source for name, source in BUILD.items()}
    if model is not None:
        found |= {f"model/{name}": model / name for name in (META_FILE, MODEL_FILE)}
    return found


def pack(target: Path, contents: Mapping[str, Path]) -> str:
    """Write the files into the tar file ``target``, and return its SHA-256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # Not compressed: what a compressor writes differs between its versions.
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        # The Dockerfile copies the folder, also when there is no model in it.
        archive.addfile(_entry("model", _FOLDER, kind=tarfile.DIRTYPE))
        for name in sorted(contents):
            data = contents[name].read_bytes()
            archive.addfile(_entry(name, _READABLE, size=len(data)), io.BytesIO(data))
    return hashlib.sha256(target.read_bytes()).hexdigest()


def _entry(name: str, mode: int, *, size: int = 0, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    # Time, owner and group stay at 0.
    entry.mode, entry.size, entry.type = mode, size, kind
    return entry


def main(arguments: Sequence[str]) -> int:
    """Pack; a model that can't be served is refused here already."""
    model = Path(arguments[0]) if arguments else None
    try:
        if model is not None:
            GenreModel.load(model)
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{TARGET}\nsha256:{pack(TARGET, files(model))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
