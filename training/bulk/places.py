"""Where a catalogue lies and where its predictions go: a path of this machine or an address of fsspec (``s3://…``)."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from classifier.core import packages
from classifier.core.errors import CorpusError
from classifier.core.files import replacing_bytes

BLOCK = 1 << 20


def needed(module: str, *, what: str) -> Any:
    """Import a package that only some catalogues need.

    Raises
    ------
    CorpusError
        When it is not installed; says how to install it.
    """
    return packages.needed(module, what=what, requirements="requirements-bulk.txt", error=CorpusError)


@dataclass(frozen=True)
class Place:
    """A file or folder, of this machine or of a remote store."""

    fs: Any
    path: str

    @classmethod
    def at(cls, address: str) -> "Place":
        """Return the place at a path or address.

        Raises
        ------
        CorpusError
            When nothing installed can read such addresses; names what to install.
        """
        try:
            fs, path = fsspec.core.url_to_fs(str(Path(address).expanduser()) if "://" not in address else address)
        except ImportError as error:
            scheme = address.partition("://")[0]
            package = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs"}.get(scheme)
            install = f"pip install {package}" if package else str(error)
            raise CorpusError(f"{scheme}:// addresses need a package that is not installed: {install}") from error
        except ValueError as error:
            raise CorpusError(f"{address!r} is no address known here: {error}") from error
        return cls(fs, path.rstrip("/") or path)

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine's file system."""
        return isinstance(self.fs, LocalFileSystem)

    @property
    def name(self) -> str:
        """Its name without the folders above."""
        return self.path.rpartition("/")[2]

    def __truediv__(self, name: str) -> "Place":
        return Place(self.fs, f"{self.path}/{name}")

    def exists(self) -> bool:
        """Return whether there is a file or folder."""
        return bool(self.fs.exists(self.path))

    def size(self) -> int:
        """Return the size in bytes."""
        return int(self.fs.size(self.path))

    def open(self) -> IO[bytes]:
        """Open for reading."""
        opened: IO[bytes] = self.fs.open(self.path, "rb")
        return opened

    def files(self) -> Iterator["Place"]:
        """Yield the files at or below this place, in the order of their paths."""
        if self.fs.isfile(self.path):
            yield self
            return
        for path in sorted(self.fs.find(self.path)):
            yield Place(self.fs, path)

    def read(self) -> bytes | None:
        """Return the content; None when there is no such file."""
        try:
            return bytes(self.fs.cat_file(self.path))
        except FileNotFoundError:
            return None

    def write(self, data: bytes) -> None:
        """Write the file whole or not at all: beside and renamed here, by one upload in an object store."""
        if self.is_local:
            with replacing_bytes(Path(self.path)) as stream:
                stream.write(data)
        else:
            self.fs.makedirs(self.path.rpartition("/")[0], exist_ok=True)
            self.fs.pipe_file(self.path, data)

    def remove(self) -> None:
        """Remove the file, if there is one."""
        if self.fs.exists(self.path):
            self.fs.rm_file(self.path)

    def sha256(self) -> str:
        """Return the SHA-256 of the file as hex digits."""
        digest = hashlib.sha256()
        with self.open() as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
        return digest.hexdigest()
