"""Turn whatever a person pastes or uploads into text a model can read.

``clean`` keeps the text readable (line breaks stay), ``one_line`` folds it for line-based files,
``tokens`` gives the words, ``content_words`` those the model sees. Training and serving both go through these functions.
"""

import html
import re
import string
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from classifier.core.errors import EmptyText, NotText, Said, TextTooLong, TextTooShort

MAX_BYTES = 1_000_000
# How files begin that are no text, whatever their name: docs of each format, or the table of file(1).
_FILE_KINDS = {
    b"\x89PNG\r\n\x1a\n": Said("a PNG picture"),
    b"\xff\xd8\xff": Said("a JPEG picture"),
    b"PK\x03\x04": Said("a ZIP archive"),
    b"%PDF-": Said("a PDF document"),
    b"{\\rtf": Said("an RTF document"),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": Said("an old Word document"),
    b"\x1f\x8b": Said("a gzip archive"),
    b"7z\xbc\xaf\x27\x1c": Said("a 7z archive"),
    b"Rar!\x1a\x07": Said("a RAR archive"),
}
# Joins two words into one token; no word holds it.
JOINT = "_"
MIN_WORDS = 5
# Why a text is not even shown to the model: what programs are told for each refusal of ``check_text`` but TextTooLong.
UNREADABLE = {EmptyText: "no-words", TextTooShort: "too-short", NotText: "not-prose"}

# U+00AD soft hyphen, U+200B zero width space, U+2060 word joiner, U+FEFF byte order mark: invisible inside words.
# The joiners U+200C and U+200D stay: Persian, Indic scripts and emoji need them.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_LINE_BREAK = re.compile("\r\n|[\r\u0085\u2028\u2029\v\f]")
_MANY_LINE_BREAKS = re.compile("\n{3,}")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LABEL = re.compile("__label__", re.IGNORECASE)
# html.unescape's own idea of what may be an entity (CPython, Lib/html/__init__.py, _charref).
_ENTITY = re.compile(r"&(?=#[0-9]+|#[xX][0-9a-fA-F]+|[^\t\n\f <&#;]{1,32})")
# Combining accents that NFC leaves alone (lower-case U+0130 is an i and U+0307) belong to their word.
_LETTERS = r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*"
WORD = re.compile(rf"{_LETTERS}(?:['’]{_LETTERS})*")
# The same for lower-case ASCII, in two thirds of the time.
_PLAIN_WORD = re.compile("[a-z0-9]+(?:'[a-z0-9]+)*")
_LETTER_BYTES = string.ascii_letters.encode()
# What str.split takes for a blank.
_BLANKS = b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f "
# English words that any book may use whatever its genre. With few labelled texts they drown the words that
# tell: leaving them out made five-fold accuracy on the starter corpus clearly better (docs/adr/0004).
STOP_WORDS = frozenset(
    """
    a an the this that these those each every either neither both all any some such same other another few many more
    most much no nor not only own several enough
    about above across after against along among around as at before behind below beneath beside between beyond by
    despite down during except for from in inside into like near of off on onto out outside over past per since through
    throughout to toward towards under until up upon via with within without
    and but or if because while though although unless whether than then so yet when where why how what which who whom
    whose whatever whoever
    i me my mine myself we us our ours ourselves you your yours yourself he him his himself she her hers herself it its
    itself they them their theirs themselves one ones someone anyone everyone something anything everything nothing
    am is are was were be been being have has had having do does did doing will would shall should can could may might
    must cannot don't doesn't didn't isn't aren't wasn't won't can't it's i'm that's there's
    again also always even ever here there just never now often once perhaps quite rather still too very well almost
    already soon two three four five six seven eight nine ten first second third last next
    """.split()
)
# Entities may be escaped twice by careless exports; deeper than that somebody is playing.
_UNESCAPE_PASSES = 3


# A text of these alone is folded already, the mark of labels aside; most are, and looking for another is quick.
_UNUSUAL = re.compile("[^\t\n -~]")


def _fold(text: str) -> str:
    if not _UNUSUAL.search(text):
        return _LABEL.sub(" ", text) if "__" in text else text
    text = _LINE_BREAK.sub("\n", _INVISIBLE.sub("", text))
    return _LABEL.sub(" ", unicodedata.normalize("NFC", _CONTROL.sub(" ", text)))


def _unescape(text: str) -> str:
    for _ in range(_UNESCAPE_PASSES):
        if "&" not in text:
            return text
        unescaped = _fold(html.unescape(text))
        if unescaped == text:
            return text
        text = unescaped
    return text if _fold(html.unescape(text)) == text else _fold(_ENTITY.sub("& ", text))


def clean(text: str) -> str:
    r"""Return ``text`` as readable, safe Unicode.

    NFC; HTML entities turned into characters; control characters, lone surrogates and every kind of
    blank turned into spaces; every kind of line break into ``\n``; ``__label__`` (fastText's label
    mark) neutralised; runs of blanks and more than two line breaks folded; ends stripped.

    Parameters
    ----------
    text : str
        Any string, also the empty one.

    Returns
    -------
    str
        Never longer in meaning, often shorter. ``clean(clean(t)) == clean(t)`` for every ``t``.
    """
    lines = "\n".join([" ".join(line.split()) for line in _unescape(_fold(text)).split("\n")])
    return (_MANY_LINE_BREAKS.sub("\n\n", lines) if "\n\n\n" in lines else lines).strip()


def one_line(text: str) -> str:
    """Return ``clean(text)`` on a single line, for files with one text a line."""
    return Reading(text).line


def tokens(text: str) -> list[str]:
    """Return the lower-case words of ``text``.

    Runs of letters and digits, with an apostrophe inside (``don't``); underscores separate, so that
    neither ``__label__`` nor ``</s>`` can be a token.
    """
    return Reading(text).tokens


def split_words(cleaned: str) -> list[str]:
    """Return ``tokens`` of a text that is clean already."""
    lowered = lower(cleaned)
    return _PLAIN_WORD.findall(lowered) if lowered.isascii() else WORD.findall(lowered)


def lower(text: str) -> str:
    """Return ``text`` as its words are compared: in small letters, with one kind of apostrophe."""
    return text.lower().replace("’", "'")


def telling(words: Sequence[str]) -> list[str]:
    """Return those of ``words`` that tell anything about genre: of two letters or more, and no stop words."""
    return [word for word in words if len(word) > 1 and word not in STOP_WORDS]


def content_words(text: str) -> list[str]:
    """Return the words of ``text`` that a model learns from: ``tokens`` of two letters or more, no stop words."""
    return Reading(text).content_words


class Reading:
    """A text, and what reading it takes: cleaned and taken apart once, by whoever asks first."""

    # Not cached_property, whose lock costs more than some of these.
    __slots__ = ("_cleaned", "_content_words", "_tokens", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._cleaned: str | None = None
        self._tokens: list[str] | None = None
        self._content_words: list[str] | None = None

    @classmethod
    def of(cls, text: "str | Reading") -> "Reading":
        """Return the reading of ``text``, which may be one already."""
        return text if isinstance(text, Reading) else cls(text)

    @property
    def cleaned(self) -> str:
        """``clean`` of the text."""
        if self._cleaned is None:
            self._cleaned = clean(self.text)
        return self._cleaned

    @property
    def line(self) -> str:
        """``one_line`` of the text."""
        return " ".join(self.cleaned.split())

    @property
    def tokens(self) -> list[str]:
        """``tokens`` of the text."""
        if self._tokens is None:
            self._tokens = split_words(self.cleaned)
        return self._tokens

    @property
    def content_words(self) -> list[str]:
        """``content_words`` of the text."""
        if self._content_words is None:
            self._content_words = telling(self.tokens)
        return self._content_words

    def parts(self, spans: Sequence[tuple[int, int]]) -> "list[Reading]":
        """Return readings of pieces of ``cleaned``, in order, that hold all its words whole.

        They and the whole are taken apart once: the whole's tokens are those of its pieces.
        """
        pieces = []
        for start, end in spans:
            piece = Reading(self.cleaned[start:end])
            # A piece of a clean text between white space is clean.
            piece._cleaned = piece.text
            pieces.append(piece)
        self._tokens = [token for piece in pieces for token in piece.tokens]
        self._content_words = [word for piece in pieces for word in piece.content_words]
        return pieces


def joined_pairs(words: Sequence[str]) -> list[str]:
    """Return each pair of neighbours as one token, ``a_b``."""
    return [f"{first}{JOINT}{second}" for first, second in pairwise(words)]


def size_of(text: str) -> int:
    """Return how many bytes of UTF-8 ``text`` has."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def check_size(text: str, *, max_bytes: int = MAX_BYTES) -> None:
    """Raise ``TextTooLong`` when ``text`` has more bytes of UTF-8; the quick part of ``check_text``."""
    size = size_of(text)
    if size > max_bytes:
        raise TextTooLong(
            "This text has %(size)s bytes; the most that can be read at once is %(limit)s. "
            "Paste a chapter, or the first part of it.",
            size=size,
            limit=max_bytes,
        )


def check_text(text: str | Reading, *, min_words: int = MIN_WORDS, max_bytes: int = MAX_BYTES) -> None:
    """Raise the reason why ``text`` should not be classified, if there is one.

    Raises
    ------
    EmptyText, TextTooShort, TextTooLong, NotText
        Each with a sentence that says what to do next.
    """
    reading = Reading.of(text)
    text = reading.text
    check_size(text, max_bytes=max_bytes)
    if not text.strip():
        raise EmptyText("There is no text yet. Paste a blurb, a chapter or a summary, or choose a file.")
    n_words = len(reading.tokens)
    if not n_words or not _is_mostly_letters(text):
        raise NotText("This does not read like prose: fewer than half of its characters are letters.")
    if n_words < min_words:
        raise TextTooShort(
            "%(n)s word is too short to tell a genre: at least %(least)s are needed, and a paragraph works best.",
            "%(n)s words is too short to tell a genre: at least %(least)s are needed, and a paragraph works best.",
            n=n_words,
            least=min_words,
        )


def _is_mostly_letters(text: str) -> bool:
    """Return whether at least half of what can be seen of ``text`` are letters."""
    if text.isascii():
        # Counted by leaving them out, which is twenty times as fast.
        data = text.encode("ascii")
        visible = data.translate(None, _BLANKS)
        return 2 * (len(visible) - len(visible.translate(None, _LETTER_BYTES))) >= len(visible)
    return 2 * sum(map(str.isalpha, text)) >= sum(map(len, text.split()))


def decode(data: bytes) -> str:
    """Return the text of an uploaded file.

    UTF-8 (with or without a byte order mark), UTF-16 with one, otherwise Windows-1252, the usual
    encoding of older text files.

    Raises
    ------
    NotText
        When the bytes begin as a picture, an archive or a document of a word processor does, or hold NUL or many control
        characters. Says which of these it is, as far as that is known.
    """
    if kind := next((kind for start, kind in _FILE_KINDS.items() if data.startswith(start)), None):
        raise NotText(
            "This file is %(kind)s, not plain text. Save it as a .txt (UTF-8), .epub or .docx file and choose it again.",
            kind=kind,
        )
    has_utf16_mark = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if has_utf16_mark else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text and len(_CONTROL.findall(text)) * 100 <= len(text):
            return text
    raise NotText("This file is not plain text. Save it as a .txt (UTF-8), .epub or .docx file and choose it again.")
