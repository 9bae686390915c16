"""What the log says of each prediction, so that the site can count and correct it: no text, at most its keyed hash.

``manage.py import_predictions`` of the site reads it. With the site's key (``HASH_KEY``) an answer gets an id that the site
knows for its own service's and for this text's, also before the line was imported.
"""

import uuid
from collections.abc import Iterator
from typing import Any

from classifier.core.model import Prediction
from classifier.core.naming import hash_line, new_id
from classifier.core.shown import choose_shown
from classifier.core.text import Reading

# Workers write to one pipe, which keeps lines of up to 4 KiB apart (PIPE_BUF), and Docker and containerd break lines at 16 KiB.
# A prediction with the longest names of genres is some 600 bytes.
LINE_ITEMS = 5


class Notes:
    """What is noted of the predictions of one request.

    Parameters
    ----------
    key : bytes
        The site's key; empty: there are no hashes, and no ids that the site could check.
    are_kept : bool
        Whether anything is noted; ids are given all the same.
    """

    def __init__(self, key: bytes, *, are_kept: bool) -> None:
        self._key, self._are_kept = key, are_kept
        self._items: list[dict[str, Any]] = []

    def take(self, reading: Reading, prediction: Prediction, seconds: float) -> str | None:
        """Note a prediction; return the id that its answer shall name, None without a key."""
        text_hash = hash_line(reading.line, self._key) if self._key else ""
        name = new_id(text_hash, self._key) if self._key else None
        if self._are_kept:
            shown, _ = choose_shown(prediction)
            self._items.append(
                {
                    "id": name or str(uuid.uuid4()),
                    "shown": shown,
                    "abstained": prediction.abstained,
                    "words": prediction.n_words,
                    "known": prediction.n_known,
                    "chars": len(reading.text),
                    "milliseconds": round(seconds * 1000, 3),
                    "text_hash": text_hash,
                }
            )
        return name

    def parts(self) -> Iterator[list[dict[str, Any]]]:
        """Yield the notes in parts that fit into a line each."""
        for start in range(0, len(self._items), LINE_ITEMS):
            yield self._items[start : start + LINE_ITEMS]
