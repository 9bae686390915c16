"""The starter corpus as passages that a text may read like: short, each whole in itself."""

import re
from collections.abc import Sequence

from classifier.core.neighbours import Passage
from classifier.core.text import one_line
from training.core.books import Example

# About three lines of the page.
PASSAGE_CHARS = 240
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)]*(?= )")


def opening(text: str, *, most: int = PASSAGE_CHARS) -> str:
    """Return the first sentences of a text that fit into ``most`` characters.

    Where not even the first fits, or it is very short, the beginning and "…".
    """
    line = one_line(text)
    if len(line) <= most:
        return line
    ends = [match.end() for match in _SENTENCE_END.finditer(line, 0, most + 1)]
    if ends and ends[-1] >= most // 3:
        return line[: ends[-1]]
    return line[: line.rfind(" ", 0, most)].rstrip(" ,;:–—-") + "…"


def passages_of(examples: Sequence[Example]) -> list[Passage]:
    """Return one passage a text, in the order of ``examples``."""
    return [Passage(example.title, opening(example.text), example.genres) for example in examples]
