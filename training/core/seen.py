"""What a model was trained on, as hashes, and which test texts are therefore fair to compare versions on."""

import json
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier.core.errors import ModelDamaged
from training.core.books import Example
from training.core.split import Indices, book_key, group_books, is_frozen_for_test, text_key

# In a model's folder, beside the model.
SEEN_FILE = "seen.json"


@dataclass(frozen=True)
class Seen:
    """The keys of the texts and books that a model was trained on."""

    texts: frozenset[str] = frozenset()
    books: frozenset[str] = frozenset()

    def has(self, example: Example) -> bool:
        """Return whether the model was trained on the example's text, or on another text of its book."""
        return text_key(example.text) in self.texts or book_key(example) in self.books


def read_seen(folder: Path, *, name: str = "this model") -> Seen:
    """Return what the model in ``folder`` was trained on; ``name`` is what to call it.

    Raises
    ------
    ModelDamaged
        When the record can't be read.
    """
    path = folder / SEEN_FILE
    try:
        seen = json.loads(path.read_text(encoding="utf-8"))
        return Seen(frozenset(seen["texts"]), frozenset(seen["books"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"{path} can't be read, so nobody knows what {name} was trained on: {error!r}.") from error


@dataclass(frozen=True)
class FairTexts:
    """The examples of a test side that no version was trained on, and what became of the others.

    ``n_overlapping`` of the test side were frozen for testing and taught to the candidate all the same;
    ``n_left_out``, these among them, are tied to something that a version was trained on, and ``n_repeated``
    repeat the words of an earlier one.
    """

    examples: list[Example]
    n_test: int
    n_overlapping: int
    n_left_out: int
    n_repeated: int


def fair_texts(
    test: Sequence[Example],
    candidate: Seen,
    opponent: Seen | None,
    *,
    learned: Set[str] = frozenset(),
    groups: Indices | None = None,
) -> FairTexts:
    """Keep the examples that neither version was trained on, nor on a near copy.

    Honest training may know a test text: it may have come to the data, as a copy of what was trained on, only after
    the training. Such a text is left out. An overlap is a text that is frozen by its own key and known to the candidate
    without such an excuse: no copy of it, under another key, is free for training, and a correction is one that
    the candidate learned from.

    Parameters
    ----------
    test : sequence of Example
        A whole test side: tied examples together, as ``frozen_split`` gives it.
    candidate, opponent : Seen
        What the versions were trained on; None for no opponent.
    learned : set of str
        The ``uid`` of each correction that the candidate was trained on.
    groups : ndarray of shape (n_test,), default=None
        Those of ``group_books``, for a caller that has them.
    """
    frozen = [is_frozen_for_test(example) for example in test]
    free = [example for example, is_frozen in zip(test, frozen, strict=True) if not is_frozen]
    excuse = Seen(frozenset(text_key(each.text) for each in free), frozenset(book_key(each) for each in free) - {""})
    n_overlapping = sum(
        is_frozen and candidate.has(example) and not excuse.has(example) and (not example.uid or example.uid in learned)
        for example, is_frozen in zip(test, frozen, strict=True)
    )
    known = np.array(
        [candidate.has(each) or (opponent is not None and opponent.has(each)) for each in test], dtype=bool
    )
    groups = group_books(test) if groups is None else groups
    tied = np.isin(groups, groups[known])
    kept: dict[str, Example] = {}
    for example, is_tied in zip(test, tied, strict=True):
        if not is_tied:
            kept.setdefault(text_key(example.text), example)
    n_left_out = int(tied.sum())
    return FairTexts(
        examples=list(kept.values()),
        n_test=len(test),
        n_overlapping=n_overlapping,
        n_left_out=n_left_out,
        n_repeated=len(test) - n_left_out - len(kept),
    )
