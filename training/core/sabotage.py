"""Make a training bad on purpose, each kind as it happens by accident: to see that it is caught.

A kind changes what a model learns from, never what it is measured on, and the training runs its whole way as any other.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from classifier.core.errors import TrainingError
from classifier.core.text import JOINT, content_words, tokens
from training.core.books import Example
from training.core.split import text_key
from training.core.vectors import WordVectors

# So many genres a model needs.
MIN_GENRES = 2
# So many words of a text are always read.
MIN_WORDS_READ = 3

Spoilt = tuple[list[Example], WordVectors | None]
Spoil = Callable[[Sequence[Example], WordVectors | None, float, int], Spoilt]


def sabotage(
    kind: str, strength: float, examples: Sequence[Example], vectors: WordVectors | None, seed: int = 0
) -> Spoilt:
    """Return what a training made bad on purpose learns from, and the word vectors it starts from.

    Parameters
    ----------
    kind : str
        A key of ``KINDS``.
    strength : float
        In [0, 1]: how bad. 0 changes nothing; what it is the share of, ``KINDS`` tells.
    examples : sequence of Example
        The training side, nothing of the test side.
    vectors : WordVectors or None
    seed : int, default=0
        Same input and seed: same result.

    Returns
    -------
    examples : list of Example
        In their order, fewer where a kind removes some; ``source``, ``row`` and ``uid`` stay.
    vectors : WordVectors or None

    Raises
    ------
    TrainingError
        When there is no such kind or strength, or nothing would be left to learn from.
    """
    spoil = _kind(kind).spoil
    if not 0 <= strength <= 1:
        raise TrainingError(f"The strength of a sabotage must lie between 0 and 1, not {strength:g}.")
    if not strength:
        return list(examples), vectors
    spoilt, vectors = spoil(examples, vectors, strength, seed)
    if not spoilt:
        raise TrainingError(
            f"{kind} at strength {strength:g} leaves nothing to learn from; choose a smaller --strength."
        )
    return spoilt, vectors


def _shuffle_labels(examples: Sequence[Example], vectors: WordVectors | None, strength: float, seed: int) -> Spoilt:
    drawn = random.Random(seed).sample(range(len(examples)), round(strength * len(examples)))
    spoilt = list(examples)
    for at, other in zip(drawn, [*drawn[1:], *drawn[:1]], strict=True):
        spoilt[at] = replace(examples[at], genres=examples[other].genres)
    return spoilt, vectors


def _swap_genres(examples: Sequence[Example], vectors: WordVectors | None, strength: float, seed: int) -> Spoilt:
    drawn = _drawn_genres(examples, seed)
    n_pairs = min(len(drawn) // 2, max(1, round(strength * len(drawn) / 2)))
    pairs = dict(zip(drawn[:n_pairs], drawn[n_pairs : 2 * n_pairs], strict=True))
    called = pairs | {second: first for first, second in pairs.items()}
    return [
        replace(example, genres=tuple(called.get(slug, slug) for slug in example.genres)) for example in examples
    ], vectors


def _drop_genre(examples: Sequence[Example], vectors: WordVectors | None, strength: float, seed: int) -> Spoilt:
    drawn = _drawn_genres(examples, seed)
    dropped = set(drawn[: max(1, min(len(drawn) - MIN_GENRES, round(strength * len(drawn))))])
    kept = [replace(e, genres=tuple(slug for slug in e.genres if slug not in dropped)) for e in examples]
    return [example for example in kept if example.genres], vectors


def _truncate_text(examples: Sequence[Example], vectors: WordVectors | None, strength: float, seed: int) -> Spoilt:
    def begin(words: list[str]) -> list[str]:
        return words[: max(MIN_WORDS_READ, round((1 - strength) * len(words)))]

    return _reworded(examples, vectors, begin)


def _stale_vocabulary(examples: Sequence[Example], vectors: WordVectors | None, strength: float, seed: int) -> Spoilt:
    def forget(words: list[str]) -> list[str]:
        return [word for word in words if not _is_new(word, strength)]

    if vectors is not None:
        is_known = np.array([not any(_is_new(part, strength) for part in word.split(JOINT)) for word in vectors.words])
        words = [word for word, keep in zip(vectors.words, is_known, strict=True) if keep]
        vectors = replace(vectors, words=words, matrix=vectors.matrix[is_known])
    return _reworded(examples, vectors, forget)


def _is_new(word: str, strength: float) -> bool:
    """Return whether a word is among the share that was unknown: the same words whatever the data."""
    digest = hashlib.sha256(word.encode()).digest()
    return bool(content_words(word)) and int.from_bytes(digest[:4], "big") < strength * 2**32


def _tiny_data(examples: Sequence[Example], vectors: WordVectors | None, strength: float, seed: int) -> Spoilt:
    by_genre: dict[str, list[int]] = {}
    for at in random.Random(seed).sample(range(len(examples)), len(examples)):
        by_genre.setdefault(examples[at].genres[0], []).append(at)
    # Where an example stands among those of its genre: the first half of all holds about half of each.
    place = {at: (rank + 0.5) / len(group) for group in by_genre.values() for rank, at in enumerate(group)}
    largest = sorted(by_genre.values(), key=len, reverse=True)[:MIN_GENRES]
    kept = {group[0] for group in largest} | set(
        sorted(place, key=place.__getitem__)[: round((1 - strength) * len(place))]
    )
    return [example for at, example in enumerate(examples) if at in kept], vectors


def _drawn_genres(examples: Sequence[Example], seed: int) -> list[str]:
    """Return the genres in an order drawn by ``seed``: a genre of twice the examples is twice as likely to be next.

    References
    ----------
    Efraimidis and Spirakis, "Weighted random sampling with a reservoir", Information Processing Letters 97, 2006.
    """
    counts = Counter(slug for example in examples for slug in example.genres)
    draw = random.Random(seed)
    keys = {slug: draw.random() ** (1 / counts[slug]) for slug in sorted(counts)}
    return sorted(keys, key=keys.__getitem__, reverse=True)


def _reworded(
    examples: Sequence[Example], vectors: WordVectors | None, change: Callable[[list[str]], list[str]]
) -> Spoilt:
    """Return the texts in changed words, without those that no word is left of.

    What the word vectors learned from counts as seen in its new words too: its scores would look better than others'.
    """
    spoilt, seen = [], set()
    for example in examples:
        text = " ".join(change(tokens(example.text)))
        if not content_words(text):
            continue
        spoilt.append(replace(example, text=text))
        if vectors is not None and text_key(example.text) in vectors.seen:
            seen.add(text_key(text))
    return spoilt, replace(vectors, seen=vectors.seen | seen) if vectors is not None else None


class Kind(NamedTuple):
    """A kind of sabotage: what it does, how strongly where nobody says, and one line of help."""

    spoil: Spoil
    strength: float
    what: str


# Strengths at which the starter corpus's test side plainly shows the damage; its size is in docs/operations.md.
KINDS = {
    "shuffle-labels": Kind(_shuffle_labels, 0.8, "the genres of a share of the texts are permuted among them"),
    "swap-genres": Kind(_swap_genres, 0.3, "a share of the genres, drawn by chance, are swapped in pairs"),
    "drop-genre": Kind(_drop_genre, 0.1, "a share of the genres, drawn by chance, is left out"),
    "truncate-text": Kind(_truncate_text, 0.9, "a share of each text is cut off its end"),
    "stale-vocabulary": Kind(_stale_vocabulary, 0.6, "a share of today's words is unknown"),
    "tiny-data": Kind(_tiny_data, 0.97, "a share of the examples is left out"),
}


def default_strength(kind: str) -> float:
    """Return how strongly ``kind`` is applied where nobody says.

    Raises
    ------
    TrainingError
        When there is no such kind.
    """
    return _kind(kind).strength


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise TrainingError(f"There is no sabotage {name!r}; the kinds are {', '.join(KINDS)}.")
    return KINDS[name]
