"""The starter corpus beside a small dataset: what a few hundred books can't teach, its clear texts do."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.core.books import Example
from training.core.fit import FEW_EXAMPLES
from training.core.split import frozen_split, group_books


def background_for(
    train: Sequence[Example], starter: Sequence[Example], *, beside: Sequence[Example] = ()
) -> list[Example]:
    """Return the texts of the starter corpus's train side that help a small ``train`` learn its own genres.

    Only texts whose primary genre ``train`` has are kept, and no text that is tied to one of ``train`` or of ``beside`` (the test
    side): nothing is learned that is measured. None when ``train`` is large enough by itself.
    """
    if len(train) >= FEW_EXAMPLES:
        return []
    wanted = {slug for example in train for slug in example.genres}
    texts = [starter[at] for at in frozen_split(starter).train]
    groups = group_books([*train, *beside, *texts])
    n_known = len(train) + len(beside)
    untied = ~np.isin(groups[n_known:], groups[:n_known])
    kept = [text for text, is_untied in zip(texts, untied, strict=True) if is_untied]
    return [
        replace(text, genres=tuple(slug for slug in text.genres if slug in wanted))
        for text in kept
        if text.genres[0] in wanted
    ]
