"""Passages that a text reads like, in a model's own eyes.

Beside a model lies a file with passages and where each points in the model's space (``Explanation.direction``). The
nearest are those with the largest cosine. Training makes the file, of the starter corpus alone; serving reads it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from classifier.core.errors import ModelDamaged, ModelError, ModelMissing
from classifier.core.explain import explain
from classifier.core.files import replacing_bytes
from classifier.core.model import MODEL_FILE, GenreModel
from classifier.core.text import Reading

NEIGHBOURS_FILE = "neighbours.npz"
N_NEAREST = 3
# Below it a passage shares too little to be shown: half of unrelated pairs of the starter corpus lie beneath .1, and
# the nearest passage of a text of it lies at .75 (median).
LEAST_COSINE = 0.4

Directions = NDArray[np.float32]


@dataclass(frozen=True)
class Passage:
    """A short text on one line, the title of its book, and its genres."""

    title: str
    text: str
    genres: tuple[str, ...]


@dataclass(frozen=True)
class Alike:
    """A passage and its cosine to the text that was asked about."""

    passage: Passage
    cosine: float


@dataclass(frozen=True)
class Neighbours:
    """Passages and their directions in the space of one model.

    ``directions`` has shape ``(n_passages, dim)``; rows have length 1, or 0 where the model knows no word.
    """

    model_sha256: str
    passages: tuple[Passage, ...]
    directions: Directions

    def nearest(
        self,
        direction: NDArray[np.floating[Any]],
        text: str | Reading,
        k: int = N_NEAREST,
        *,
        least: float = LEAST_COSINE,
    ) -> list[Alike]:
        """Return at most ``k`` passages nearest to ``direction``, the best first, one of each title.

        Parameters
        ----------
        direction : ndarray of shape (dim,)
            That of ``text``. Nothing is near to zero.
        text : str or Reading
            A passage that stands in it is not one that it reads like.
        k : int, default=3
        least : float, default=LEAST_COSINE
            The smallest cosine.
        """
        length = float(np.linalg.norm(direction))
        if not length or not self.passages:
            return []
        cosines = self.directions @ np.asarray(direction / length, dtype=np.float32)
        near = np.flatnonzero(cosines >= least)
        line, found, titles = Reading.of(text).line, list[Alike](), set[str]()
        for at in near[np.argsort(-cosines[near], kind="stable")].tolist():
            passage, cosine = self.passages[at], float(cosines[at])
            if len(found) == k:
                break
            if passage.title not in titles and passage.text.removesuffix("…") not in line:
                titles.add(passage.title)
                found.append(Alike(passage, min(cosine, 1.0)))
        return found

    def save(self, folder: Path) -> None:
        """Write them beside the model in ``folder``, whole or not at all."""
        packed = json.dumps([asdict(passage) for passage in self.passages], ensure_ascii=False).encode()
        with replacing_bytes(folder / NEIGHBOURS_FILE) as stream:
            np.savez_compressed(
                stream,
                model=np.frombuffer(self.model_sha256.encode(), dtype=np.uint8),
                passages=np.frombuffer(packed, dtype=np.uint8),
                directions=self.directions.astype(np.float16),
            )
        # Who may read the model may read this; a file that becomes another is its owner's alone at first.
        (folder / NEIGHBOURS_FILE).chmod((folder / MODEL_FILE).stat().st_mode & 0o777)

    @classmethod
    def load(cls, folder: Path, model: GenreModel) -> "Neighbours":
        """Return those beside the ``model`` in ``folder``.

        Raises
        ------
        ModelMissing
            When there are none.
        ModelDamaged
            When the file can't be read, or is of another model.
        """
        path = folder / NEIGHBOURS_FILE
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                rows = json.loads(file["passages"].tobytes())
                passages = tuple(Passage(row["title"], row["text"], tuple(row["genres"])) for row in rows)
                directions = np.asarray(file["directions"], dtype=np.float32)
                found = cls(file["model"].tobytes().decode(), passages, directions)
        except FileNotFoundError as error:
            raise ModelMissing(f"{path} is missing. `manage.py build_neighbours` makes it.") from error
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise ModelDamaged(
                f"{path} can't be read: {error!r}. `manage.py build_neighbours` makes it anew."
            ) from error
        if found.model_sha256 != model.meta.get("model_sha256") or directions.shape != (
            len(passages),
            model.engine.get_dimension(),
        ):
            raise ModelDamaged(f"{path} is of another model. `manage.py build_neighbours` makes it anew.")
        return found


def place_neighbours(model: GenreModel, passages: Sequence[Passage], texts: Sequence[str]) -> Neighbours | None:
    """Return ``passages`` with the directions of the ``texts`` they stand in; None for a model that can't tell."""
    directions = np.zeros((len(texts), model.engine.get_dimension()), dtype=np.float32)
    try:
        for at, text in enumerate(texts):
            direction = explain(model, text).direction
            directions[at] = direction / (np.linalg.norm(direction) or 1)
    except ModelError:
        return None
    return Neighbours(str(model.meta["model_sha256"]), tuple(passages), directions)
