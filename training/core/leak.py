"""What a careless split of a dataset would leak from training into testing, and what that does to the figures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.core.errors import CorpusError
from training.core.split import TEST_SHARE, Indices

# The ways to split, the most careless first.
BY_ROW = "rows, as they stand"
BY_BOOK = "merged books"
BY_GROUP = "merged books, near copies kept together"


@dataclass(frozen=True)
class SplitLeak:
    """What one way to split leaks, over several seeds.

    Attributes
    ----------
    way : str
        ``BY_ROW``, ``BY_BOOK`` or ``BY_GROUP``.
    n_units : int
        How many things are dealt to the two sides.
    known : tuple of float
        For each seed: the share of test rows whose book, or a near copy of it, is in train; in [0, 1].
    right : tuple of float
        For each seed: the share of test rows for which a look-up is right, that finds the row's book or near copy in
        train and repeats its genre, and else says the most frequent genre; in [0, 1].
    """

    way: str
    n_units: int
    known: tuple[float, ...]
    right: tuple[float, ...]


def measure_leak(
    rows: pd.DataFrame, groups: Indices, *, seeds: Sequence[int] = range(10), test_share: float = TEST_SHARE
) -> list[SplitLeak]:
    """Split a file's rows at random in three ways and count what training would know of the test side.

    The look-up learns nothing of language. Whatever it gets above the most frequent genre is accuracy that a model
    would be credited with for having seen the book.

    Parameters
    ----------
    rows : DataFrame
        From ``table.read_rows``. Only rows that name a genre and belong to a book are dealt out, copies among them:
        those that somebody would use who takes the file as it stands.
    groups : ndarray of shape (n_books,)
        From ``split.group_books`` of the corpus's examples: books that nearly repeat each other share a number.
    seeds : sequence of int, default=range(10)
        One random split each.
    test_share : float, default=0.2
        Of the units (rows, books, groups); at least one, and one stays in train.

    Returns
    -------
    list of SplitLeak
        ``BY_ROW``, ``BY_BOOK``, ``BY_GROUP``. The last one's ``known`` is 0.

    Raises
    ------
    CorpusError
        When there are fewer than two groups: nothing could be split.

    References
    ----------
    Kaufman, Rosset, Perlich, Stitelman, "Leakage in data mining", ACM TKDD 6 (2012). Elangovan, He, Verspoor,
    "Memorization vs. generalization: quantifying data leakage in NLP performance evaluation", EACL 2021.
    """
    used = rows[(rows["book"] >= 0) & (rows["slugs"].map(len) > 0)]
    books = used["book"].to_numpy(dtype=np.intp)
    tied = np.unique(groups[books], return_inverse=True)[1]
    if not len(tied) or tied.max() < 1:
        raise CorpusError("The leak of a split needs at least two different books with a genre.")
    labels = _Labels(list(used["slugs"]))
    ways = {BY_ROW: np.arange(len(used)), BY_BOOK: np.unique(books, return_inverse=True)[1], BY_GROUP: tied}
    return [_leak(way, units, tied, labels, seeds, test_share) for way, units in ways.items()]


def leak_table(leaks: Sequence[SplitLeak]) -> pd.DataFrame:
    """Return the means over the seeds, a row for each way to split.

    Returns
    -------
    DataFrame
        way, units (dealt out); known, lowest, highest: the mean and the ends of ``SplitLeak.known``; right: the mean of
        ``SplitLeak.right``. All but units in [0, 1].
    """
    return pd.DataFrame(
        [
            {
                "way": leak.way,
                "units": leak.n_units,
                "known": float(np.mean(leak.known)),
                "lowest": min(leak.known),
                "highest": max(leak.known),
                "right": float(np.mean(leak.right)),
            }
            for leak in leaks
        ]
    )


class _Labels:
    """The genres of rows as arrays: ``first`` of shape (n_rows,), ``has`` of shape (n_rows, n_genres)."""

    def __init__(self, slugs: Sequence[tuple[str, ...]]) -> None:
        at = {slug: position for position, slug in enumerate(dict.fromkeys(slug for found in slugs for slug in found))}
        self.first = np.array([at[found[0]] for found in slugs], dtype=np.intp)
        self.has = np.zeros((len(slugs), len(at)), dtype=bool)
        for row, found in enumerate(slugs):
            self.has[row, [at[slug] for slug in found]] = True


def _leak(
    way: str, units: Indices, tied: Indices, labels: _Labels, seeds: Sequence[int], test_share: float
) -> SplitLeak:
    n_units = int(units.max()) + 1
    n_test = min(n_units - 1, max(1, round(test_share * n_units)))
    known, right = [], []
    for seed in seeds:
        tested = np.zeros(n_units, dtype=bool)
        tested[np.random.default_rng(seed).permutation(n_units)[:n_test]] = True
        share_known, share_right = _one_split(tested[units], tied, labels)
        known.append(share_known)
        right.append(share_right)
    return SplitLeak(way, n_units, tuple(known), tuple(right))


def _one_split(is_test: NDArray[np.bool_], tied: Indices, labels: _Labels) -> tuple[float, float]:
    """Return the share of test rows that train knows, and the share for which the look-up is right."""
    n_genres = labels.has.shape[1]
    cells = tied[~is_test] * n_genres + labels.first[~is_test]
    counts = np.bincount(cells, minlength=(int(tied.max()) + 1) * n_genres).reshape(-1, n_genres)
    commonest = int(counts.sum(axis=0).argmax())
    mine = counts[tied[is_test]]
    is_known = mine.any(axis=1)
    said = np.where(is_known, mine.argmax(axis=1), commonest)
    return float(is_known.mean()), float(labels.has[is_test][np.arange(len(said)), said].mean())


def genre_shift(rows: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Count each genre in a file's rows as they stand, and in its merged books.

    Parameters
    ----------
    rows, table : DataFrame
        From ``table.read_rows`` and ``table.books_table``.

    Returns
    -------
    DataFrame
        slug, rows, books, row_share (of the rows that name a genre), book_share (of the books), both in [0, 1]; the
        most frequent among rows first.
    """
    named = rows.loc[rows["slugs"].map(len) > 0, "slugs"]
    by_row = Counter(slug for slugs in named for slug in slugs)
    by_book = Counter(slug for slugs in table["slugs"] for slug in slugs)
    slugs = sorted(set(by_row) | set(by_book), key=lambda slug: (-by_row[slug], slug))
    frame = pd.DataFrame(
        {"slug": slugs, "rows": [by_row[slug] for slug in slugs], "books": [by_book[slug] for slug in slugs]}
    )
    frame["row_share"] = frame["rows"] / max(1, len(named))
    frame["book_share"] = frame["books"] / max(1, len(table))
    return frame


def most_merged(rows: pd.DataFrame) -> int:
    """Return the book (its position) whose rows name the most different paths, then the most rows; -1 for none.

    The example that shows what merging does.
    """
    known = rows[rows["book"] >= 0]
    if known.empty:
        return -1
    grouped = known.groupby("book")["paths"]
    ranks = pd.DataFrame({"paths": grouped.agg(lambda paths: len(set().union(*paths))), "rows": grouped.size()})
    return int(ranks.sort_values(["paths", "rows"], ascending=False, kind="stable").index[0])


def near_copies(table: pd.DataFrame, groups: Indices) -> pd.DataFrame:
    """Return the books that share a group with another book: the same book, or nearly the same text.

    Parameters
    ----------
    table : DataFrame
        From ``table.books_table``, ``n_books`` long.
    groups : ndarray of shape (n_books,)
        From ``split.group_books``.

    Returns
    -------
    DataFrame
        group (from 1, the largest first), title, author, genres, words, text.
    """
    sizes = np.bincount(groups) if len(groups) else np.array([], dtype=np.intp)
    shared = table.loc[sizes[groups] > 1, ["title", "author", "genres", "words", "text"]]
    of = groups[shared.index.to_numpy(dtype=np.intp)]
    order = {
        group: position + 1 for position, group in enumerate(sorted(set(of), key=lambda group: (-sizes[group], group)))
    }
    shared.insert(0, "group", [order[group] for group in of])
    return shared.sort_values("group", kind="stable", ignore_index=True)
