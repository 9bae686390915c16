"""Where in a person's own text the words stand that speak for and against a genre.

A model reads a cleaned text: small letters, entities turned into characters, invisible characters gone. Here each word
is found again in the text as it was written, so that the text itself can be shown with what each place adds.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from classifier.core.explain import NOWHERE, Explanation, Matrix
from classifier.core.text import WORD, Reading, lower, telling, tokens

# What is shown of a long text: its windows that weigh most, this many characters in all.
SHOWN_CHARS = 2_400
WINDOW_CHARS = 400
# A window ends behind a sentence, or else behind a word, that ends in its last part.
_LAST_PART = 0.5
_CHUNK = re.compile(r"\S+")
_SENTENCE_END = re.compile(r"""[.!?…]["'”’)\]]*\s|\n""")


class Place(NamedTuple):
    """A slice of a text and the words it holds, in the shape a model reads; mostly one."""

    start: int
    end: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class Highlights:
    """What places of a text add to genres.

    Attributes
    ----------
    places : tuple of Place, length n_places
        In the order of the text, without overlap; those alone whose words the model knows.
    values : ndarray of shape (n_places, n_genres)
    rest : ndarray of shape (n_genres,)
        What no word adds: the end of the line. With the values of a genre it sums to its logit.
    """

    places: tuple[Place, ...]
    values: Matrix
    rest: Matrix


def word_places(text: str | Reading) -> list[Place]:
    """Return where each word of ``tokens(text)`` stands in ``text``, in order, without overlap.

    Words that cleaning changes by more than their case (``caf&eacute;``, a word with a soft hyphen inside) are found
    by the run of characters between blanks they come from, which may hold several words.
    """
    reading = Reading.of(text)
    found = _as_written(reading.text, 0, reading.tokens)
    if found is not None:
        return found
    places: list[Place] = []
    for chunk in _CHUNK.finditer(reading.text):
        words = tokens(chunk[0])
        found = _as_written(chunk[0], chunk.start(), words)
        if found is not None:
            places.extend(found)
        elif words:
            places.append(_trimmed(chunk[0], chunk.start(), words))
    # Cleaning looks at no more than a run between blanks at a time, but for text that plays with entities in entities.
    return places if [word for place in places for word in place.words] == reading.tokens else []


def _as_written(text: str, offset: int, words: Sequence[str]) -> list[Place] | None:
    """Return the places of ``words`` if cleaning changed no more than their case and apostrophes, else None."""
    lowered = lower(text)
    # A letter that becomes two would move all behind it.
    if len(lowered) != len(text):
        return None
    matches = list(WORD.finditer(lowered))
    if [match[0] for match in matches] != words:
        return None
    return [Place(offset + match.start(), offset + match.end(), (match[0],)) for match in matches]


def _trimmed(chunk: str, offset: int, words: Sequence[str]) -> Place:
    """Return the place of a run of characters without the quotes and stops around it."""
    start, end = 0, len(chunk)
    while start < end and not (chunk[start].isalnum() or chunk[start] == "&"):
        start += 1
    while end > start and not (chunk[end - 1].isalnum() or chunk[end - 1] == ";"):
        end -= 1
    if tokens(chunk[start:end]) != list(words):
        start, end = 0, len(chunk)
    return Place(offset + start, offset + end, tuple(words))


def highlight(
    text: str | Reading, explanation: Explanation, slugs: Sequence[str], *, against_others: bool = False
) -> Highlights:
    """Return what each place of ``text`` adds to each genre of ``slugs``.

    Parameters
    ----------
    text : str or Reading
        As it was written.
    explanation : Explanation
        Of this text.
    slugs : sequence of str, length n_genres
        Genres of the model.
    against_others : bool, default=False
        As for ``Explanation.contributions``.

    Returns
    -------
    Highlights
        Values and rest of a genre sum to its logit (less the mean of all with ``against_others``). In a text whose
        words can't be found again there is no place, and all is rest.
    """
    found = word_places(text)
    counts = np.fromiter((len(telling(place.words)) for place in found), dtype=np.intp, count=len(found))
    n_words = (
        int(counts.sum()) if found else 1 + max((at for places in explanation.places for at in places), default=-1)
    )
    by_place = explanation.by_place(n_words, slugs, against_others=against_others)
    if not found:
        return Highlights((), np.zeros((0, len(slugs))), by_place.sum(axis=0))
    # The place of each content word.
    owners = np.repeat(np.arange(len(found)), counts)
    values = np.zeros((len(found), len(slugs)))
    np.add.at(values, owners, by_place[:-1])
    known = {at for places in explanation.places for at in places} - {NOWHERE}
    kept = np.unique(owners[sorted(known)])
    return Highlights(tuple(found[at] for at in kept.tolist()), values[kept], by_place[-1])


@dataclass(frozen=True)
class Excerpt:
    """A slice of a text that is worth showing."""

    start: int
    end: int


def excerpts(text: str, found: Highlights, *, shown: int = SHOWN_CHARS, window: int = WINDOW_CHARS) -> list[Excerpt]:
    """Return the slices of ``text`` that are shown: all of it, or the windows whose words weigh most.

    In the order of the text, without overlap, about ``shown`` characters in all; neighbours are one. A window weighs
    what its words add to the genre that they move most, as a share of what moves that genre in the whole text.
    """
    if len(text) <= shown:
        return [Excerpt(0, len(text))]
    windows = list(_windows(text, window))
    starts = np.array([place.start for place in found.places], dtype=np.intp)
    sizes = np.abs(found.values)
    totals = sizes.sum(axis=0)
    shares = np.vstack([np.zeros(sizes.shape[1]), (sizes / np.where(totals > 0, totals, 1)).cumsum(axis=0)])
    edges = np.searchsorted(starts, [start for start, _ in windows] + [len(text)])
    weights = (shares[edges[1:]] - shares[edges[:-1]]).max(axis=1, initial=0.0)
    heaviest = sorted(np.argsort(-weights, kind="stable")[: max(1, shown // window)].tolist())
    kept: list[Excerpt] = []
    for at in heaviest:
        start, end = windows[at]
        if kept and kept[-1].end == start:
            start = kept.pop().start
        kept.append(Excerpt(start, end))
    return kept


def _windows(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Cut a text into slices of at most ``size`` characters, behind sentences where that is possible."""
    start = 0
    while start < len(text):
        end = start + size
        if end < len(text):
            earliest = start + int(size * (1 - _LAST_PART))
            ends = [match.end() for match in _SENTENCE_END.finditer(text, earliest, end)]
            blank = max(text.rfind(" ", earliest, end), text.rfind("\n", earliest, end)) + 1
            end = ends[-1] if ends else blank or end
        yield start, min(end, len(text))
        start = end


def pieces(text: str, found: Highlights, excerpt: Excerpt) -> Iterator[tuple[str, int | None]]:
    """Yield the excerpt in pieces: a place's slice with the number of its place, what lies between with None.

    Joined they are ``text[excerpt.start : excerpt.end]``; a place that an edge cuts is left as plain text.
    """
    at = excerpt.start
    first = bisect_left(found.places, excerpt.start, key=lambda place: place.start)
    for number, place in enumerate(found.places[first:], start=first):
        if place.end > excerpt.end:
            break
        if place.start > at:
            yield text[at : place.start], None
        yield text[place.start : place.end], number
        at = place.end
    if at < excerpt.end:
        yield text[at : excerpt.end], None
