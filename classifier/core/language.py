"""Tell English prose from other languages and from what is no prose: lists, tables, code."""

import re
from collections.abc import Iterable, Sequence

from classifier.core.text import STOP_WORDS, clean, split_words

# What "language" in a model's meta.json says of a model trained on English books.
ENGLISH = "en"
# A few quotations and lists stand in any collection of English descriptions.
ENGLISH_SHARE = 0.95

# 98% of 6,000 book descriptions have more; other languages, lists of names and code have less.
ENOUGH_STOP_WORDS = 0.2
# Prose with fewer is a list of keywords at best, whatever its language seems to be.
HARDLY_ANY = 0.1
# Marks that code is full of and prose hardly uses; of 3,000 book descriptions one in a thousand has as many.
_CODE_MARKS = re.compile(r"[{}\[\]<>=_#+*/|\\$^~`;]")
MANY_CODE_MARKS = 0.05
# Shares of fewer words say nothing.
MIN_WORDS = 12


def why_not_english(words: Sequence[str], text: str) -> str:
    """Return why ``text`` is not English prose: ``"not-english"``, ``"not-prose"``, or '' when it is.

    The share of English stop words decides nearly always (a microsecond or two); only where it is low
    py3langid is asked, which costs a hundred times as much. Short texts are believed.

    Parameters
    ----------
    words : sequence of str
        ``tokens(text)``.
    text : str
        Cleaned.
    """
    if len(words) < MIN_WORDS:
        return ""
    if len(_CODE_MARKS.findall(text)) >= MANY_CODE_MARKS * len(text):
        return "not-prose"
    share = sum(word in STOP_WORDS for word in words) / len(words)
    if share >= ENOUGH_STOP_WORDS:
        return ""
    # Imported late: its tables take a second to load, and most processes never need them.
    import py3langid

    if py3langid.classify(text)[0] != "en":
        return "not-english"
    return "not-prose" if share < HARDLY_ANY else ""


def language_of(texts: Iterable[str]) -> str:
    """Return "en" when nearly all texts are English prose, else '': a model of them must not refuse others."""
    reasons = [why_not_english(split_words(cleaned), cleaned) for cleaned in map(clean, texts)]
    return ENGLISH if reasons and reasons.count("") >= ENGLISH_SHARE * len(reasons) else ""
