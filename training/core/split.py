"""Divide books into a train and a test side so that no book, and no near copy of one, sits on both.

Three kinds of sameness tie two examples together: the same title and author, the same words, or
nearly the same words. Tied examples form a group, and a group is never divided.
"""

import hashlib
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import HashingVectorizer

from classifier.core.errors import CorpusError, OverlapError
from classifier.core.text import tokens
from training.core.books import Example

# The share of books frozen for testing, by the hash of their key. Changing it, or the salt, thaws
# every test side ever used: old models would be tested on what they were trained on.
TEST_SHARE = 0.2
_SALT = "genre-detector-split-1"
# The share of the training side that word vectors never see.
VALIDATION_SHARE = 0.1
_VALIDATION_SALT = "genre-detector-validation-1"
# Two texts are near copies when half of their five-word shingles are common, or when nine tenths of the shorter
# one's stand in the longer one (a cut blurb). Broder, "On the resemblance and containment of documents", 1997.
SHINGLE_WORDS = 5
NEAR_RESEMBLANCE = 0.5
NEAR_CONTAINMENT = 0.9
MIN_SHINGLES = 10
# A shingle in more texts than this is a phrase of the trade ("new york times bestselling author of"), or the mark
# of a large family of copies.
_COMMON_SHINGLE = 50
_ORDERS = 2**32
# Odd, so that each multiplies the columns into another order; four orders, so that a copy finds a copy beside it in one of them.
_MULTIPLIERS = (1, 2_654_435_761, 2_246_822_519, 3_266_489_917)
_ROWS_AT_ONCE = 2000

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Overlap:
    """How many of ``n_test`` examples are tied to a training example, and how (first reason that fits).

    ``n_rows`` and ``n_overlapping_rows`` count the rows of the test file that hold them.
    """

    n_test: int
    same_text: int
    same_book: int
    near_text: int
    n_rows: int
    n_overlapping_rows: int

    @property
    def n_overlapping(self) -> int:
        """Test examples tied to training in any way."""
        return self.same_text + self.same_book + self.near_text


@dataclass(frozen=True)
class Split:
    """Positions of the train and the test side, and a hash that names the test side."""

    train: Indices
    test: Indices
    digest: str


def text_key(text: str) -> str:
    """Return a key that is equal for texts with the same words in the same order."""
    return _words_key(tokens(text))


def _words_key(words: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]


def book_key(example: Example) -> str:
    """Return the key of the example's title and author, or '' when it has no title."""
    title, author = (" ".join(tokens(part)) for part in (example.title, example.author))
    return hashlib.sha256(f"{title}\x1f{author}".encode()).hexdigest()[:16] if title else ""


def is_frozen_for_test(example: Example) -> bool:
    """Return whether the example's own key puts it on the test side, for ever."""
    return _falls_below(example, _SALT, TEST_SHARE)


def is_kept_from_vectors(example: Example) -> bool:
    """Return whether word vectors must not learn from the example, so that scores can be calibrated on it."""
    return _falls_below(example, _VALIDATION_SALT, VALIDATION_SHARE)


def _falls_below(example: Example, salt: str, share: float) -> bool:
    key = book_key(example) or text_key(example.text)
    digest = hashlib.sha256(f"{salt}|{key}".encode()).digest()
    return bool(int.from_bytes(digest[:4], "big") < share * 2**32)


def near_pairs(texts: Sequence[str]) -> tuple[Indices, Indices]:
    """Return the positions (i, j), i < j, of texts that nearly repeat each other.

    Complete for pairs that share a shingle found in at most 50 texts (one sparse matrix product, a
    few seconds for 20,000 blurbs). Of texts that share only more common shingles, neighbours in min-hash order
    are compared, which is enough to link the members of a large family of copies.

    References
    ----------
    Broder, "On the resemblance and containment of documents", SEQUENCES 1997.
    """
    return _near_pairs(_shingle_matrix(texts)[0])


def _near_pairs(shingles: csr_matrix) -> tuple[Indices, Indices]:
    frequency = np.bincount(shingles.indices, minlength=shingles.shape[1])
    common = csr_matrix(shingles[:, np.flatnonzero(frequency > _COMMON_SHINGLE)])
    rare = csr_matrix(shingles[:, np.flatnonzero((frequency > 1) & (frequency <= _COMMON_SHINGLE))])
    pairs = [*_sharing(rare, np.diff(shingles.indptr), np.diff(common.indptr)), *_neighbours(shingles, common)]
    if not pairs:
        return np.array([], dtype=np.intp), np.array([], dtype=np.intp)
    candidates = np.unique(np.concatenate([np.stack(pair, axis=1) for pair in pairs]), axis=0)
    kept = candidates[_are_near(shingles, candidates)]
    return kept[:, 0], kept[:, 1]


def _shingle_matrix(texts: Sequence[str]) -> tuple[csr_matrix, list[str]]:
    """Return which text holds which shingle, and the key of each text.

    The matrix has the shape ``(n_texts, n_shingles)``, with a column only where a shingle is held. Both in one go:
    most of the time is that of finding the words.
    """
    keys = []

    def shingles(text: str) -> list[str]:
        words = tokens(text)
        keys.append(_words_key(words))
        return [" ".join(words[at : at + SHINGLE_WORDS]) for at in range(len(words) - SHINGLE_WORDS + 1)]

    vectorizer = HashingVectorizer(
        analyzer=shingles, n_features=2**22, binary=True, norm=None, alternate_sign=False, dtype=np.float32
    )
    hashed = csr_matrix(vectorizer.transform(texts))
    hashes, columns = np.unique(hashed.indices, return_inverse=True)
    return csr_matrix((hashed.data, columns, hashed.indptr), shape=(len(texts), len(hashes))), keys


def _sharing(rare: csr_matrix, sizes: Indices, n_common: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Yield pairs that share a rare shingle, unless even all their common ones could not make them near."""
    for start in range(0, rare.shape[0], _ROWS_AT_ONCE):
        shared = (rare[start : start + _ROWS_AT_ONCE] @ rare.T).tocoo()
        i, j = shared.row.astype(np.intp) + start, shared.col.astype(np.intp)
        most = shared.data + np.minimum(n_common[i], n_common[j])
        kept = (i < j) & _near(most, sizes[i], sizes[j])
        yield i[kept], j[kept]


def _neighbours(shingles: csr_matrix, common: csr_matrix) -> Iterator[tuple[Indices, Indices]]:
    """Yield, for each common shingle, texts that stand beside each other in min-hash order."""
    postings = csc_matrix(common)
    holders = [postings.indices[a:b].astype(np.intp) for a, b in pairwise(postings.indptr)]
    if not holders:
        return
    filled = np.flatnonzero(np.diff(shingles.indptr))
    for multiplier in _MULTIPLIERS:
        hashes = shingles.indices.astype(np.int64) * multiplier % _ORDERS
        smallest = np.full(shingles.shape[0], _ORDERS)
        smallest[filled] = np.minimum.reduceat(hashes, shingles.indptr[filled])
        for rows in holders:
            ordered = rows[np.argsort(smallest[rows], kind="stable")]
            yield np.minimum(ordered[:-1], ordered[1:]), np.maximum(ordered[:-1], ordered[1:])


def _are_near(shingles: csr_matrix, pairs: Indices) -> NDArray[np.bool_]:
    sizes = np.diff(shingles.indptr)
    near = np.zeros(len(pairs), dtype=bool)
    for start in range(0, len(pairs), _ROWS_AT_ONCE):
        i, j = pairs[start : start + _ROWS_AT_ONCE].T
        shared = np.asarray(shingles[i].multiply(shingles[j]).sum(axis=1)).ravel()
        near[start : start + _ROWS_AT_ONCE] = _near(shared, sizes[i], sizes[j])
    return near


def _near(shared: NDArray[np.float64], left: Indices, right: Indices) -> NDArray[np.bool_]:
    smaller = np.minimum(left, right)
    alike = shared >= NEAR_RESEMBLANCE * (left + right - shared)
    contained = (smaller >= MIN_SHINGLES) & (shared >= NEAR_CONTAINMENT * smaller)
    return np.asarray((alike | contained) & (shared > 0))


def group_books(examples: Sequence[Example]) -> Indices:
    """Return a group number for each example, shape ``(n_examples,)``; tied examples share one."""
    n_examples = len(examples)
    if not n_examples:
        return np.array([], dtype=np.intp)
    shingles, text_keys = _shingle_matrix([example.text for example in examples])
    links = [_near_pairs(shingles), _link_equal(text_keys), _link_equal([book_key(example) for example in examples])]
    rows = np.concatenate([pair[0] for pair in links])
    columns = np.concatenate([pair[1] for pair in links])
    graph = csr_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n_examples, n_examples))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)


def _link_equal(keys: Sequence[Hashable]) -> tuple[Indices, Indices]:
    first: dict[Hashable, int] = {}
    pairs = [(first.setdefault(key, at), at) for at, key in enumerate(keys) if key]
    linked = np.array([pair for pair in pairs if pair[0] != pair[1]], dtype=np.intp).reshape(-1, 2)
    return linked[:, 0], linked[:, 1]


def frozen_split(examples: Sequence[Example], *, groups: Indices | None = None) -> Split:
    """Divide by the hash of each book's key: about one book in five is frozen for testing.

    A group with one frozen member goes to the test side whole, so that adding data never moves an
    example from test to train. ``groups`` are those of ``group_books``, for a caller that has them.
    """
    groups = group_books(examples) if groups is None else groups
    frozen = np.array([is_frozen_for_test(example) for example in examples], dtype=bool)
    tested = np.isin(groups, groups[frozen])
    keys = sorted(text_key(example.text) for example, is_test in zip(examples, tested, strict=True) if is_test)
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    return Split(np.flatnonzero(~tested), np.flatnonzero(tested), digest)


def stratified_folds(
    examples: Sequence[Example], slugs: Sequence[str], *, n_folds: int = 5, seed: int = 0
) -> NDArray[np.intp]:
    """Return the fold, 0 to ``n_folds - 1``, of each example, shape ``(n_examples,)``.

    Groups are kept whole and their genres (the union of their members') are spread evenly.

    Raises
    ------
    CorpusError
        When there are fewer groups than folds.

    References
    ----------
    Sechidis, Tsoumakas, Vlahavas, "On the stratification of multi-label data", ECML PKDD 2011;
    the implementation is the iterative-stratification package's.
    """
    groups = group_books(examples)
    n_groups = int(groups.max()) + 1 if len(groups) else 0
    if n_groups < n_folds:
        raise CorpusError(f"{n_folds} folds need at least {n_folds} different books; there are {n_groups}.")
    column = {slug: at for at, slug in enumerate(slugs)}
    labels = np.zeros((n_groups, len(column)), dtype=int)
    for group, example in zip(groups, examples, strict=True):
        for slug in example.genres:
            labels[group, column[slug]] = 1
    fold_of_group = np.empty(n_groups, dtype=np.intp)
    folds = MultilabelStratifiedKFold(n_splits=n_folds, shuffle=True, random_state=seed)
    for fold, (_, tested) in enumerate(folds.split(np.zeros((n_groups, 1)), labels)):
        fold_of_group[tested] = fold
    return fold_of_group[groups]


def find_overlap(train: Sequence[Example], test: Sequence[Example]) -> Overlap:
    """Count the test examples that training has seen: same words, same book, or nearly the same words."""
    texts = {text_key(example.text) for example in train}
    books = {book_key(example) for example in train} - {""}
    groups = group_books([*train, *test])
    tied = np.isin(groups[len(train) :], groups[: len(train)])
    same_text = same_book = near_text = n_rows = 0
    for at, example in enumerate(test):
        if text_key(example.text) in texts:
            same_text += 1
        elif book_key(example) in books:
            same_book += 1
        elif tied[at]:
            near_text += 1
        else:
            continue
        n_rows += example.n_rows
    return Overlap(len(test), same_text, same_book, near_text, sum(example.n_rows for example in test), n_rows)


def refuse_overlap(train: Sequence[Example], test: Sequence[Example], *, names: tuple[str, str]) -> None:
    """Raise unless the two sides have nothing in common.

    Raises
    ------
    OverlapError
        With the counts, for people.
    """
    overlap = find_overlap(train, test)
    if overlap.n_overlapping:
        share = overlap.n_overlapping_rows / overlap.n_rows
        raise OverlapError(
            f"{overlap.n_overlapping_rows} of {overlap.n_rows} test rows ({share:.0%}) in {names[1]} are known from "
            f"{names[0]}. Of its {overlap.n_test} different texts {overlap.same_text} have the same text, {overlap.same_book} are the same book, "
            f"{overlap.near_text} nearly repeat a text. Figures from such a pair mean nothing. "
            "Let the product split by book: give all data as --data and leave the test file out."
        )
