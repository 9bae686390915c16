"""Divide a long text into passages of about even length, each of which a model can read for itself.

A passage ends between two paragraphs where one ends near enough, else between two sentences, else between two words.
A word here is what stands between white space. Texts without white space, such as Chinese, are one passage.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

# A passage is at least about as long as a book's description, which is what models here learn from.
LEAST_WORDS = 200
# So many stand beside each other in a chart, and can still be told apart.
MOST_PASSAGES = 40
# With fewer there is nothing to rise and fall.
FEWEST_PASSAGES = 3
# A passage may be longer or shorter than the mean by about twice this share, to end where a paragraph or a sentence does.
_TOLERANCE = 0.25

_PARAGRAPH_END = re.compile(r"\n\s*\n\s*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+")
_BLANK = re.compile(r"\s+")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Passage:
    """The characters ``start`` to ``end`` (exclusive) of a text, and the words in them. No white space at the ends."""

    start: int
    end: int
    n_words: int


def split_passages(
    text: str, *, least_words: int = LEAST_WORDS, most_passages: int = MOST_PASSAGES
) -> tuple[Passage, ...]:
    """Return the passages of ``text``.

    Parameters
    ----------
    text : str
        Any string.
    least_words : int, default=LEAST_WORDS
        Words of a passage in the mean, at least.
    most_passages : int, default=MOST_PASSAGES
        A longer text has longer passages.

    Returns
    -------
    tuple of Passage
        In the order of the text. They don't overlap, and every word is in one of them, whole. Each has between half and one and a
        half of the mean number of words, give or take one. Empty for a text that is too short for ``FEWEST_PASSAGES``.
    """
    # Most texts are short; counting a blurb's words takes longer than this.
    if len(text) < 2 * least_words * FEWEST_PASSAGES:
        return ()
    edges = [0, *(match.end() for match in _PARAGRAPH_END.finditer(text)), len(text)]
    counts = [len(text[start:end].split()) for start, end in pairwise(edges)]
    # Words before each edge.
    before = [0, *accumulate(counts)]
    n_passages = min(most_passages, before[-1] // least_words)
    if n_passages < FEWEST_PASSAGES:
        return ()
    wanted = [before[-1] * number / n_passages for number in range(1, n_passages)]
    margin = _TOLERANCE * before[-1] / n_passages
    cuts = [(0, 0), *(_cut(text, edges, before, words, margin) for words in wanted), (len(text), before[-1])]
    return tuple(_trimmed(text, start, end, until - since) for (start, since), (end, until) in pairwise(cuts))


def _cut(text: str, edges: Sequence[int], before: Sequence[int], wanted: float, margin: float) -> tuple[int, int]:
    """Return where to cut so that about ``wanted`` words come before, and how many do."""
    at = _nearest(before, wanted)
    if abs(before[at] - wanted) <= margin:
        return edges[at], before[at]
    # In the middle of a long paragraph.
    at = bisect_right(before, wanted) - 1
    start, paragraph = edges[at], text[edges[at] : edges[at + 1]]
    ends = [match.end() for match in _SENTENCE_END.finditer(paragraph)]
    sentences = [0, *ends]
    counts = list(accumulate((len(paragraph[a:b].split()) for a, b in pairwise(sentences)), initial=before[at]))
    near = _nearest(counts, wanted)
    if abs(counts[near] - wanted) <= margin:
        return start + sentences[near], counts[near]
    n_words = round(wanted) - before[at]
    for number, word in enumerate(_WORD.finditer(paragraph)):
        if number == n_words:
            return start + word.start(), before[at] + number
    return edges[at + 1], before[at + 1]


def _nearest(values: Sequence[int], wanted: float) -> int:
    """Return the index of the value nearest to ``wanted``; ``values`` never fall."""
    at = bisect_left(values, wanted)
    return min((index for index in (at - 1, at) if 0 <= index < len(values)), key=lambda i: abs(values[i] - wanted))


def _trimmed(text: str, start: int, end: int, n_words: int) -> Passage:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return Passage(start, start + len(piece.strip()), n_words)


def sample(text: str, *, n_pieces: int, length: int) -> str:
    """Return ``n_pieces`` pieces of about ``length`` characters, evenly spread over ``text``, as one text.

    They begin and end between words. The whole of a text that is no longer than all of them.
    """
    if len(text) <= n_pieces * length:
        return text
    pieces = []
    for number in range(n_pieces):
        at = number * (len(text) - length) // (n_pieces - 1) if n_pieces > 1 else 0
        start = _word_start(text, at) if at else 0
        pieces.append(text[start : _word_start(text, min(start + length, len(text)))].strip())
    return "\n\n".join(piece for piece in pieces if piece)


# No word is longer; a text that has one is cut in its middle.
_LONGEST_WORD = 200


def _word_start(text: str, at: int) -> int:
    blank = _BLANK.search(text, at, at + _LONGEST_WORD)
    return blank.end() if blank else min(at, len(text))
