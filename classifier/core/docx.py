"""The text of a Word document (.docx): its paragraphs in order, without deleted text, comments, headers and footnotes.

An own reader: python-docx brings lxml, and what does not (docx2txt, mammoth) builds the whole tree with parsers that unfold
whatever entities a stranger declares. What a document is: ECMA-376, part 1, chapter 17.
"""

import posixpath
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, fromstring

from classifier.core.errors import NotText
from classifier.core.zipped import Zipped

RELATIONS = "_rels/.rels"
_DOCUMENT = "/officeDocument"
# Instead of a picture of text for programs that can't draw it: the same text once more.
_FALLBACK = "Fallback"
_BLANKS = ("tab", "br", "cr")
_UNSOUND = (ParseError, DefusedXmlException, ValueError, LookupError)


def main_part(document: Zipped) -> str:
    """Return the name of the member that holds the text; '' when it is no document of Word's."""
    if RELATIONS not in document:
        return ""
    try:
        relations = fromstring(document.read(RELATIONS))
    except _UNSOUND:
        return ""
    for each in relations.iter():
        if each.get("Type", "").endswith(_DOCUMENT):
            name = posixpath.normpath(each.get("Target", "").lstrip("/"))
            return name if name.startswith("word/") and name in document else ""
    return ""


def paragraphs(document: Zipped, part: str, *, most: int) -> list[str]:
    """Return the paragraphs of the member ``part`` that hold anything, up to where they have ``most`` characters or more.

    Raises
    ------
    NotText
        When its XML is not sound, or declares entities.
    """
    target = _Paragraphs(most)
    try:
        # At once, and no tree of it: a parser that is fed piece by piece looks again and again at a name without end.
        DefusedXMLParser(target=target).feed(document.read(part))
    except _Enough:
        pass
    except _UNSOUND as error:
        raise NotText("This Word document is damaged: its text can't be read.") from error
    return target.found


class _Enough(Exception):
    """As much as is wanted was read."""


class _Paragraphs:
    """Collects what a parser reads."""

    def __init__(self, most: int) -> None:
        self.found: list[str] = []
        self._left = most
        self._words: list[str] = []
        self._is_text = False
        # Within how many elements that repeat what was said.
        self._repeats = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self._is_text = name == "t" and not self._repeats
        if name == _FALLBACK:
            self._repeats += 1
        elif name in _BLANKS:
            self._words.append(" ")

    def data(self, data: str) -> None:
        if self._is_text:
            self._words.append(data)

    def end(self, tag: str) -> None:
        name = tag.rpartition("}")[2]
        self._is_text = False
        if name == _FALLBACK:
            self._repeats -= 1
        elif name == "p":
            paragraph = " ".join("".join(self._words).split())
            self._words.clear()
            if paragraph:
                self.found.append(paragraph)
                self._left -= len(paragraph)
                if self._left <= 0:
                    raise _Enough
