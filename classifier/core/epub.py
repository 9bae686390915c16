"""The text of an EPUB: its chapters in reading order, without markup.

An own reader, because the library for it, ebooklib, is under the AGPL and brings lxml. What an EPUB is:
https://www.w3.org/TR/epub-33/. Chapters are no sound XML often enough, and Python 3.11's ``html.parser`` takes a time that grows
with the square of some texts, so tags are found by a regular expression that looks at each character a few times at most.
"""

import html
import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from classifier.core.errors import NotText
from classifier.core.zipped import Zipped

CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
# Fonts are scrambled in books that anybody may read.
_OF_FONTS = {"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"}
_CHAPTERS = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"}
_UNSEEN = {"head", "script", "style", "svg", "math", "template"}
_BLOCKS = set(
    "address article aside blockquote body caption dd div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li "
    "main nav ol p pre section table td th tr ul".split()
)
# A closing slash, a name, and whether it closes itself; or a declaration. Names are bounded, so that none is tried at every length.
_TAG = re.compile(r"<(?:(/?)([a-zA-Z][a-zA-Z0-9:.-]{0,30})([^<>]*)|[!?][^<>]*)>")
_COMMENT, _COMMENT_END = "<!--", "-->"


def chapters(book: Zipped) -> Iterator[str]:
    """Yield the text of each chapter.

    Raises
    ------
    NotText
        When the book is protected (DRM), or its parts are not what the standard says.
    """
    if is_protected(book):
        raise NotText(
            "This e-book is protected (DRM), so that its text can't be read. Choose one without protection, or paste a part of it."
        )
    path = next((name for each in _all(_xml(book, CONTAINER), "rootfile") if (name := each.get("full-path"))), "")
    package, folder = _xml(book, path), posixpath.dirname(path)
    items = {each.get("id"): each for each in _all(package, "item")}
    for reference in _all(package, "itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in _CHAPTERS or "nav" in item.get("properties", "").split():
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", "").partition("#")[0])))
        if name in book:
            yield text_of_html(book.read(name))


def is_protected(book: Zipped) -> bool:
    """Return whether more of the book than its fonts is encrypted."""
    if "META-INF/sinf.xml" in book or "META-INF/license.lcpl" in book:
        return True
    if _ENCRYPTION not in book:
        return False
    methods = [each.get("Algorithm") for each in _all(_xml(book, _ENCRYPTION), "EncryptionMethod")]
    return any(method not in _OF_FONTS for method in methods)


def text_of_html(data: bytes) -> str:
    """Return what a reader sees of a chapter; a blank line between its paragraphs."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    page = _without_comments(data.decode(encoding, "replace"))
    pieces: list[str] = []
    # Within how many elements that nobody sees, and where the text after the last tag begins.
    hidden = at = 0
    for tag in _TAG.finditer(page):
        if not hidden:
            # Line breaks of the source are blanks; a paragraph ends where its element does.
            pieces.append(html.unescape(page[at : tag.start()]).replace("\n", " "))
        at, name = tag.end(), (tag[2] or "").lower()
        if name in _UNSEEN and not (tag[3] or "").endswith("/"):
            hidden = max(0, hidden + (-1 if tag[1] else 1))
        elif name in _BLOCKS:
            # A head that is never closed ends here.
            hidden = 0 if name == "body" else hidden
            pieces.append("\n\n")
        elif name == "br":
            pieces.append(" ")
    if not hidden:
        pieces.append(html.unescape(page[at:]).replace("\n", " "))
    paragraphs = (" ".join(paragraph.split()) for paragraph in "".join(pieces).split("\n\n"))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _without_comments(page: str) -> str:
    kept, at = [], 0
    while (start := page.find(_COMMENT, at)) >= 0:
        kept.append(page[at:start])
        end = page.find(_COMMENT_END, start + len(_COMMENT))
        if end < 0:
            return "".join(kept)
        at = end + len(_COMMENT_END)
    return "".join(kept) + page[at:]


def _xml(book: Zipped, name: str) -> Element:
    try:
        root: Element = fromstring(book.read(name))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise NotText("This e-book is damaged: its table of contents can't be read.") from error
    return root


def _all(root: Element, name: str) -> Iterator[Element]:
    """Yield the elements of a name, whatever their namespace: books use several."""
    return (each for each in root.iter() if isinstance(each.tag, str) and each.tag.rpartition("}")[2] == name)
