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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.core.errors import ModelError
from classifier.core.model import LABEL, GenreModel, to_line
from classifier.core.text import JOINT, content_words

END_OF_LINE = "</s>"
# With hierarchical softmax an output row is a fork of a tree, no genre.
HIERARCHICAL = "hs"
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
    """

    tokens: tuple[tuple[str, ...], ...]
    slugs: tuple[str, ...]
    parts: Matrix

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
            for name in words if share_pairs else (" ".join(words),):
                sums[name] += value / (len(words) if share_pairs else 1)
        return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))


def explain(model: GenreModel, text: str) -> Explanation:
    """Return what each word of ``text`` adds to each genre.

    Parameters
    ----------
    model : GenreModel
        Of any loss but hierarchical softmax.
    text : str
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
    found = list(_rows(model, to_line(content_words(text), model.words).split()))
    inner = np.array([engine.get_input_vector(row) for _, row in found], dtype=float)
    slugs = tuple(label.removeprefix(LABEL) for label in engine.get_labels())
    outer = np.asarray(engine.get_output_matrix(), dtype=float)
    parts = inner.reshape(len(found), outer.shape[1]) @ outer.T / max(1, len(found))
    return Explanation(tuple(words for words, _ in found), slugs, parts)


def _rows(model: GenreModel, line: Sequence[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the words and the input row of each token that the line has for fastText."""
    engine, tokens = model.engine, [*line, END_OF_LINE]
    for token in tokens:
        if (row := engine.get_word_id(token)) >= 0:
            yield tuple(token.split(JOINT)), row
    arguments = engine.f.getArgs()
    hashes = [_hash(token) for token in tokens] if arguments.wordNgrams > 1 else []
    for start, value in enumerate(hashes):
        for end in range(start + 1, min(start + arguments.wordNgrams, len(tokens))):
            value = (value * _RUN_FACTOR + hashes[end]) % 2**64
            yield tuple(tokens[start : end + 1]), len(model.words) + value % arguments.bucket


def _hash(token: str) -> int:
    """Return fastText's hash of a token, widened as it widens it: a 32-bit number with a sign, modulo 2 ** 64."""
    value = _FNV_START
    for byte in token.encode():
        # A byte above 127 is negative there, which sets all upper bits.
        value = (value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * _FNV_FACTOR % 2**32
    return value if value < 2**31 else value + 2**64 - 2**32
