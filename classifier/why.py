"""Why a visitor was shown these genres: the words of the text that spoke for and against each, and what it reads like.

The web process only reads: what a text may read like lies beside the model (``classifier.core.neighbours``).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from classifier.core.errors import ModelError
from classifier.core.explain import END_OF_LINE, Explanation, explain
from classifier.core.highlight import Highlights, excerpts, highlight, pieces
from classifier.core.text import Reading
from classifier.models import Genre
from classifier.predictions import Shown, text_hashes
from classifier.registry import ActiveModel, champion
from classifier.wording import GenreLine, genre_lines, genre_words

# Of the words for a genre, and of those against it.
N_WORDS = 6
# From which share of the heaviest place of a genre a word is marked, weakly to strongly.
LEVELS = (0.06, 0.2, 0.5)
MINUS = "\u2212"


@dataclass(frozen=True)
class WordLine:
    """A word, what it adds to a genre in all its places, and that as a percentage of what the heaviest word adds."""

    word: str
    value: float
    percent: int

    @property
    def signed(self) -> str:
        """The figure with its sign, also where it is rounded to nothing."""
        return signed(self.value)


@dataclass(frozen=True)
class GenreReasons:
    """What spoke for and against one genre; the sums of ``total`` are those of its words, listed or not."""

    number: int
    line: GenreLine
    words_for: list[WordLine]
    words_against: list[WordLine]
    n_others: int
    others: str
    total: str


@dataclass(frozen=True)
class ReadsLike:
    """A passage of the starter corpus, and the names of its genres."""

    title: str
    text: str
    genres: str


@dataclass(frozen=True)
class Why:
    """What the page shows; ``text`` is escaped and marked."""

    reasons: list[GenreReasons]
    text: SafeString
    is_excerpt: bool
    reads_like: list[ReadsLike]


class Unexplained(Exception):
    """Why there is nothing to show, as a sentence for the visitor."""


def why(shown: Shown, text: str) -> Why:
    """Return why ``text`` was given the genres that were shown.

    Raises
    ------
    Unexplained
        When it is another text, another model answers by now, or the model can't tell.
    """
    reading = Reading(text)
    if shown.text_hash not in text_hashes(reading):
        raise Unexplained(_("This is not the text that was read. Show its genres again."))
    try:
        active = champion()
    except ModelError as error:
        raise Unexplained(_("No model answers at the moment. Try again later.")) from error
    lines = genre_lines(shown.genres)
    slugs = [line.slug for line in lines]
    if active.number != shown.number:
        raise Unexplained(_("Another model answers by now. Show the genres again, and it says why."))
    try:
        explanation = explain(active.model, reading)
    except ModelError as error:
        raise Unexplained(
            _("This model is of a kind that can't tell what each word adds, so it can't say why.")
        ) from error
    found = highlight(reading, explanation, slugs, against_others=True)
    told, is_excerpt = mark_text(text, found)
    reasons = [reasons_of(number, line, explanation) for number, line in enumerate(lines, start=1)]
    return Why(reasons, told, is_excerpt, reads_like(active, explanation, reading))


def signed(value: float) -> str:
    """Return a figure with two decimals and its sign."""
    return f"{'+' if value >= 0 else MINUS}{number_format(f'{abs(value):.2f}')}"


def reasons_of(number: int, line: GenreLine, explanation: Explanation) -> GenreReasons:
    """Return what spoke for and against the genre of ``line``, as figures of its logit above the mean of all genres."""
    found = explanation.contributions(line.slug, against_others=True)
    words = [(word, value) for word, value in found if word != END_OF_LINE]
    most = max((abs(value) for _, value in words), default=0.0)

    def listed(pairs: Sequence[tuple[str, float]]) -> list[WordLine]:
        # What would be rounded to nothing is no reason.
        kept = [(word, value) for word, value in pairs[:N_WORDS] if abs(value) >= 0.005]
        return [WordLine(word, value, round(100 * abs(value) / most)) for word, value in kept]

    words_for = listed([pair for pair in words if pair[1] > 0])
    words_against = listed([pair for pair in reversed(words) if pair[1] < 0])
    total = sum(value for _, value in found)
    told = sum(each.value for each in [*words_for, *words_against])
    n_others = len(words) - len(words_for) - len(words_against)
    return GenreReasons(number, line, words_for, words_against, n_others, signed(total - told), signed(total))


def mark_text(text: str, found: Highlights) -> tuple[SafeString, bool]:
    """Return the text, or the parts of it that weigh most, with its words marked; and whether parts are left out.

    A word has a class for each genre it weighs for: ``f13`` speaks strongly (3) for the first, ``n21`` weakly
    against the second. A radio button decides which of them show. Everything of the text is escaped.
    """
    most = np.abs(found.values).max(axis=0, initial=0.0)
    edges = np.outer(LEVELS, np.where(most > 0, most, 1.0)).T.tolist()

    def marks_of(at: int) -> str:
        row = enumerate(zip(found.values[at].tolist(), edges, strict=True), start=1)
        levels = ((number, value, bisect_right(edge, abs(value))) for number, (value, edge) in row)
        return " ".join(f"{'f' if value > 0 else 'n'}{number}{level}" for number, value, level in levels if level)

    kept = excerpts(text, found)
    is_excerpt = len(kept) > 1 or kept[0].end - kept[0].start < len(text)
    parts: list[str] = []
    for excerpt in kept:
        for piece, at in pieces(text, found, excerpt):
            marks = marks_of(at) if at is not None else ""
            # As Django's ``escape`` does it, whose care for lazy strings took half of the time of the page's part.
            parts.append(f'<span class="{marks}">{escape(piece)}</span>' if marks else escape(piece))
        if excerpt.end < len(text):
            parts.append('<span class="gap"> … </span>')
    return SafeString("".join(parts)), is_excerpt


def reads_like(active: ActiveModel, explanation: Explanation, reading: Reading) -> list[ReadsLike]:
    """Return the passages that the text reads like; none where nothing lies beside the model."""
    found = active.neighbours.nearest(explanation.direction, reading) if active.neighbours else []
    if not found:
        return []
    slugs = {slug for alike in found for slug in alike.passage.genres}
    names = dict(Genre.objects.filter(slug__in=slugs).values_list("slug", "name"))
    return [
        ReadsLike(
            title=alike.passage.title,
            text=alike.passage.text,
            genres=", ".join(genre_words(names.get(slug, slug)) for slug in alike.passage.genres),
        )
        for alike in found
    ]
