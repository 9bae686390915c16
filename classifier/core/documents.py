"""Read an uploaded file: plain text, EPUB or Word (.docx), told by its content, whatever its name.

A file with more text than is read at once is read from its beginning up to there, and says so: the first chapters tell a
book's genre, and whoever chose a whole book can't easily cut it. (A pasted text that is too long is refused instead, and stays
in its box, where it can be cut.)
"""

from collections.abc import Iterable
from dataclasses import dataclass

from classifier.core import docx, epub
from classifier.core.errors import NotText
from classifier.core.text import MAX_BYTES, decode, size_of
from classifier.core.zipped import Zipped

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# How Word names what it encrypted, in the directory of such a file.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OPEN_DOCUMENT = "mimetype"


@dataclass(frozen=True)
class Document:
    """The text of a file; ``is_cut`` when the file holds more."""

    text: str
    is_cut: bool = False


def read_document(data: bytes, *, max_bytes: int = MAX_BYTES) -> Document:
    """Return the text of a file, at most ``max_bytes`` of UTF-8.

    Raises
    ------
    NotText
        When it is none of the kinds read here, damaged, protected, or unpacks to more than any book. Says which, and what to do.
    """
    if data.startswith(_ZIP):
        return _collected(_pieces(Zipped(data), max_bytes), max_bytes)
    if data.startswith(_OLE) and _ENCRYPTED in data:
        raise NotText("This Word document is protected by a password. Save it without one, and choose it again.")
    return _collected([decode(data)], max_bytes)


def _pieces(archive: Zipped, max_bytes: int) -> Iterable[str]:
    if epub.CONTAINER in archive:
        return epub.chapters(archive)
    if part := docx.main_part(archive):
        return docx.paragraphs(archive, part, most=max_bytes + 1)
    if _OPEN_DOCUMENT in archive:
        raise NotText("This file is an OpenDocument text or the like. Save it as .docx or .txt, and choose it again.")
    raise NotText("This file is a ZIP archive without a book in it. Choose a .txt, .epub or .docx file.")


def _collected(pieces: Iterable[str], max_bytes: int) -> Document:
    """Join the pieces; stop at what is too much, so that no more of a long book is unpacked."""
    kept, left = [], max_bytes
    for piece in pieces:
        size = size_of(piece)
        if size > left:
            kept.append(_first(piece, left))
            return Document("\n\n".join(kept), is_cut=True)
        kept.append(piece)
        left -= size + 2
    return Document("\n\n".join(kept))


def _first(piece: str, max_bytes: int) -> str:
    """Return whole words from the beginning."""
    if max_bytes <= 0:
        return ""
    head = piece.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")
    return head.rsplit(maxsplit=1)[0] if head and not head[-1].isspace() else head
