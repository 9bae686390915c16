"""Tell English prose from other languages and from what is no prose: lists, tables, code."""

from collections.abc import Sequence

from classifier.core.text import STOP_WORDS

# 98% of 6,000 book descriptions have more; other languages, lists of names and code have less.
ENOUGH_STOP_WORDS = 0.2
# Prose with fewer is a list of keywords at best, whatever its language seems to be.
HARDLY_ANY = 0.1
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
    share = sum(word in STOP_WORDS for word in words) / len(words)
    if share >= ENOUGH_STOP_WORDS:
        return ""
    # Imported late: its tables take a second to load, and most processes never need them.
    import py3langid

    if py3langid.classify(text)[0] != "en":
        return "not-english"
    return "not-prose" if share < HARDLY_ANY else ""
