"""Why a model scores a text as it does: what each word adds for each genre.

fastText has one hidden layer without any function on it: the mean of the input rows of the text's tokens. A genre's
logit is that mean's dot product with the genre's output row, so it is exactly the sum of what each token adds, its own
dot product divided by the number of tokens. The end-of-line token, which every text has, is one of them.

References
----------
Joulin, Grave, Bojanowski, Mikolov, "Bag of tricks for efficient text classification", 2016, :arxiv:`1607.01759`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import fasttext
import numpy as np
from numpy.typing import NDArray

from classifier.core.errors import ModelError
from classifier.core.model import GenreModel, known_pairs
from classifier.core.text import Reading

END_OF_LINE = "</s>"
# With hierarchical softmax an output row is a fork of a tree, no genre.
HIERARCHICAL = "hs"
# The place of what is no word of the text: the end of the line.
NOWHERE = -1
# fastText's hashes: of a token (fnv-1a over signed bytes) and of a run of tokens (src/dictionary.cc).
_FNV_START, _FNV_FACTOR, _RUN_FACTOR = 2_166_136_261, 16_777_619, 116_049_371

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """What each token of a text adds to each genre's logit.

    Attributes
    ----------
    tokens : tuple of tuple of str, length n_tokens
        The words of each token the model knows, in the order of the line: one word, the two of a joined pair, those of
        an n-gram, or ``END_OF_LINE`` alone.
    slugs : tuple of str, length n_genres
    parts : ndarray of shape (n_tokens, n_genres)
        Each column sums to the genre's logit.
    places : tuple of tuple of int, length n_tokens
        Where the words of each token stand among the content words of the text, counted from 0; ``NOWHERE`` for the
        end of the line.
    direction : ndarray of shape (dim,)
        Where the words of the text point together: the mean of their input rows, without the end of the line.
    """

    tokens: tuple[tuple[str, ...], ...]
    slugs: tuple[str, ...]
    parts: Matrix
    places: tuple[tuple[int, ...], ...] = ()
    direction: Matrix = field(default_factory=lambda: np.zeros(0))

    @property
    def logits(self) -> Matrix:
        """The logit of each genre, shape ``(n_genres,)``; softmax or sigmoid of them are the raw scores."""
        return np.asarray(self.parts.sum(axis=0))

    def contributions(
        self, slug: str, *, share_pairs: bool = True, against_others: bool = False
    ) -> list[tuple[str, float]]:
        """Return what each word adds to the genre's logit, the largest first, each word once.

        Parameters
        ----------
        slug : str
            A genre of the model.
        share_pairs : bool, default=True
            Give what a token of several words adds to those in equal parts; False keeps it as one, its words
            joined by a blank.
        against_others : bool, default=False
            Leave out what a word adds to all genres alike. A softmax score depends on these differences alone.

        Returns
        -------
        list of (str, float)
            They sum to the logit (less the mean of all logits with ``against_others``). Equal ones in
            alphabetical order.
        """
        values = self.parts[:, self.slugs.index(slug)]
        if against_others:
            values = values - self.parts.mean(axis=1)
        sums: defaultdict[str, float] = defaultdict(float)
        for words, value in zip(self.tokens, values.tolist(), strict=True):
            if len(words) == 1:
                sums[words[0]] += value
            elif share_pairs:
                for word in words:
                    sums[word] += value / len(words)
            else:
                sums[" ".join(words)] += value
        return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))

    def by_place(self, n_words: int, slugs: Sequence[str], *, against_others: bool = False) -> Matrix:
        """Return what each content word adds to ``slugs`` in its place, shape ``(n_words + 1, len(slugs))``.

        Words of a token share what it adds in equal parts. The last row is what no word adds, so that each column
        sums to the genre's logit (less the mean of all logits with ``against_others``).
        """
        parts = self.parts[:, [self.slugs.index(slug) for slug in slugs]]
        if against_others:
            parts = parts - self.parts.mean(axis=1, keepdims=True)
        sums = np.zeros((n_words + 1, len(slugs)))
        sizes = np.fromiter(map(len, self.places), dtype=np.intp, count=len(self.places))
        at = np.fromiter((place for places in self.places for place in places), dtype=np.intp, count=int(sizes.sum()))
        np.add.at(sums, at, np.repeat(parts / sizes[:, None], sizes, axis=0))
        return sums


def explain(model: GenreModel, text: str | Reading) -> Explanation:
    """Return what each word of ``text`` adds to each genre.

    Parameters
    ----------
    model : GenreModel
        Of any loss but hierarchical softmax.
    text : str or Reading
        Any string. One without a known word has the end-of-line token alone.

    Returns
    -------
    Explanation
        Of the scores before calibration, which keeps the order of a genre's scores among texts of a length.

    Raises
    ------
    ModelError
        When the model's words can't be told apart: hierarchical softmax, or a quantised model.
    """
    engine = model.engine
    if model.loss == HIERARCHICAL:
        raise ModelError("A model with hierarchical softmax (loss hs) can't say what each word adds. Train with ova.")
    if engine.is_quantized():
        raise ModelError("A quantised model can't say what each word adds. Use the model that it was made from.")
    found = list(_rows(model, Reading.of(text).content_words))
    inner = _input_rows(engine, [row for _, _, row in found])
    outer = np.asarray(engine.get_output_matrix(), dtype=float)
    parts = inner @ outer.T / max(1, len(found))
    tokens, places = tuple(words for words, _, _ in found), tuple(places for _, places, _ in found)
    is_word = np.fromiter((places != (NOWHERE,) for places in places), dtype=bool, count=len(places))
    direction = inner[is_word].mean(axis=0) if is_word.any() else np.zeros(inner.shape[1])
    return Explanation(tokens, model.row_slugs, parts, places, direction)


def _rows(model: GenreModel, content: Sequence[str]) -> Iterator[tuple[tuple[str, ...], tuple[int, ...], int]]:
    """Yield the words, their places and the input row of each token that fastText has for a text's content words."""
    engine, row_of, known = model.engine, model.engine.f.getWordId, model.words
    pairs = known_pairs(content, known)
    for at, word in enumerate(content):
        if word in known:
            yield (word,), (at,), row_of(word)
    for at, pair in pairs:
        yield tuple(content[at : at + 2]), (at, at + 1), row_of(pair)
    if END_OF_LINE in known:
        yield (END_OF_LINE,), (NOWHERE,), row_of(END_OF_LINE)
    arguments = engine.f.getArgs()
    if arguments.wordNgrams < 2:
        return
    # Runs of the line's tokens (``to_line``), of unknown ones too.
    tokens = [*content, *(pair for _, pair in pairs), END_OF_LINE]
    places = [*((at,) for at in range(len(content))), *((at, at + 1) for at, _ in pairs), (NOWHERE,)]
    hashes = list(map(_hash, tokens))
    for start, value in enumerate(hashes):
        for end in range(start + 1, min(start + arguments.wordNgrams, len(tokens))):
            value = (value * _RUN_FACTOR + hashes[end]) % 2**64
            run = slice(start, end + 1)
            yield tuple(tokens[run]), tuple(chain(*places[run])), len(known) + value % arguments.bucket


def _input_rows(engine: Any, rows: Sequence[int]) -> Matrix:
    """Return rows of the input matrix, shape ``(len(rows), dim)``.

    One vector of fastText's is filled again and again: ``get_input_vector`` makes a new one for each, which took half
    of the time of an explanation. A copy of the whole matrix would double what a model takes of memory.
    """
    vector = fasttext.FastText.fasttext.Vector(engine.get_dimension())
    seen, found = np.asarray(vector), np.empty((len(rows), engine.get_dimension()))
    read = engine.f.getInputVector
    for at, row in enumerate(rows):
        read(vector, row)
        found[at] = seen
    return found


def _hash(token: str) -> int:
    """Return fastText's hash of a token, widened as it widens it: a 32-bit number with a sign, modulo 2 ** 64."""
    value = _FNV_START
    for byte in token.encode():
        # A byte above 127 is negative there, which sets all upper bits.
        value = (value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * _FNV_FACTOR % 2**32
    return value if value < 2**31 else value + 2**64 - 2**32
