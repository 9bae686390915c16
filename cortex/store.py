"""Where a model folder is: on this machine, or behind an address that fsspec reads, such as ``s3://bucket/models/m7``."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from classifier.core.errors import ModelDamaged, ModelError, ModelMissing
from classifier.core.model import META_FILE, MODEL_FILE, read_meta

# In memory; there also where the root is read-only and nothing is mounted at /tmp.
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only names that tempfile makes up are used in it


class ModelUnreachable(ModelError):
    """A store that does not answer, or for which a package is missing."""


@contextmanager
def local_folder(uri: str, *, sha256: str = "") -> Iterator[Path]:
    """Yield the model folder that ``uri`` names; one that was fetched is removed afterwards.

    Parameters
    ----------
    uri : str
        A path, ``file://`` or any address of fsspec.
    sha256 : str, default=''
        The hash of the wanted model. A folder whose ``meta.json`` tells another is refused before the model is read;
        that ``model.bin`` has the hash of its ``meta.json`` is for ``GenreModel.load`` to see.

    Raises
    ------
    ModelMissing, ModelDamaged, ModelUnreachable
    """
    if "://" not in uri:
        yield _checked(Path(uri), sha256)
    elif uri.startswith("file://"):
        yield _checked(Path(unquote(urlsplit(uri).path)), sha256)
    else:
        with _scratch() as folder:
            _fetch(uri, META_FILE, folder)
            _checked(folder, sha256)
            _fetch(uri, MODEL_FILE, folder)
            yield folder


def _checked(folder: Path, sha256: str) -> Path:
    if sha256 and read_meta(folder).get("model_sha256") != sha256:
        raise ModelDamaged(f"{folder / META_FILE} tells of another model than MODEL_SHA256.")
    return folder


@contextmanager
def _scratch() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="genre-model-")
    except FileNotFoundError:
        # tempfile found no folder that can be written to.
        folder = tempfile.TemporaryDirectory(prefix="genre-model-", dir=SHARED_MEMORY)
    with folder as name:
        yield Path(name)


def _fetch(uri: str, name: str, folder: Path) -> None:
    # Imported late: a model on this machine needs none of it.
    from fsspec.core import url_to_fs

    scheme = uri.partition("://")[0]
    try:
        store, path = url_to_fs(uri.rstrip("/") + "/" + name)
        store.get_file(path, str(folder / name))
    except ImportError as error:
        raise ModelUnreachable(f"{scheme}:// needs a package that is not installed: {error}") from error
    except FileNotFoundError as error:
        raise ModelMissing(f"There is no {name} at MODEL_URI.") from error
    except Exception as error:
        # Its words may hold the address, and with it a password.
        raise ModelUnreachable(f"{name} can't be fetched by {scheme}://: {type(error).__name__}") from error
