"""Word vectors that already know genres, made by a regularised linear teacher.

A linear classifier is the special case of fastText whose hidden space is the genres: started from the
teacher's coefficients, fastText begins where the regularised solution ends, and a small labelled set is
enough to adjust it. A word's vector is its idf times its row of the teacher's coefficients. Pairs of
neighbours that occur often enough are tokens too (``a_b``): "science fiction" is neither science nor fiction.
"""

import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from classifier.core.errors import CorpusError
from classifier.core.files import write_json
from classifier.core.model import sha256_of
from classifier.core.text import JOINT, content_words, joined_pairs
from training.core.books import Example
from training.core.held import Held
from training.core.split import text_key

BOOK_VECTORS = Path(__file__).resolve().parent.parent / "assets" / "book_vectors.npz"
# int8 codes of -127 to 127 over each dimension's own range.
_LEVELS = 127
MIN_DOCUMENTS = 2
# Chosen inside the four files' train side: docs/experiments.md.
TEACHER_C = 0.1


@dataclass(frozen=True)
class WordVectors:
    """One vector a word, shape ``(n_words, n_genres)``, with a standard deviation of 1 over all entries.

    ``genres`` names the dimensions; ``seen`` holds the keys of the texts the teacher learned from (scores of
    those texts say nothing about others); ``across`` holds scores of texts from collections that the scoring
    models had not seen (``training.core.calibration.across_sources``); ``record`` tells what they were made from.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    genres: tuple[str, ...]
    seen: frozenset[str] = frozenset()
    across: Held | None = None
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def dim(self) -> int:
        """Number of dimensions."""
        return int(self.matrix.shape[1])

    @property
    def pairs(self) -> frozenset[str]:
        """The pairs among the words."""
        return frozenset(word for word in self.words if JOINT in word)


def teach(examples: Sequence[Example], *, c: float = TEACHER_C, min_documents: int = MIN_DOCUMENTS) -> WordVectors:
    """Train the linear teacher on the primary genres of ``examples`` and return its word vectors.

    Parameters
    ----------
    examples : sequence of Example
        Of at least two genres. A genre weighs as the square root of its number of examples: between the genres'
        true shares and equal ones.
    c : float, default=0.1
        Inverse strength of the SVC's regularisation.
    min_documents : int, default=2
        Words of fewer texts are left out, and pairs of fewer than one more.

    Raises
    ------
    CorpusError
        When there are fewer than two genres, or no word is frequent enough.
    """
    labels = [example.genres[0] for example in examples]
    if len(set(labels)) < 2:
        raise CorpusError("Word vectors need examples of at least two genres.")
    vectorizer = TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True, min_df=min_documents)
    try:
        weights = vectorizer.fit_transform([example.text for example in examples])
    except ValueError as error:
        raise CorpusError(f"No word stands in {min_documents} of the texts: too few for word vectors.") from error
    names = vectorizer.get_feature_names_out()
    enough = np.diff(weights.tocsc().indptr) >= [min_documents + (JOINT in name) for name in names]
    weight = {genre: (len(labels) / len(set(labels)) / n) ** 0.5 for genre, n in Counter(labels).items()}
    teacher = LinearSVC(C=c, class_weight=weight, random_state=0)
    teacher.fit(normalize(weights[:, enough]), labels)
    genres = tuple(map(str, teacher.classes_))
    coefficients = teacher.coef_ if len(genres) > 2 else np.vstack([-teacher.coef_, teacher.coef_])
    matrix = (coefficients * vectorizer.idf_[enough]).T
    return WordVectors(
        words=list(names[enough]),
        matrix=np.asarray(matrix / matrix.std(), dtype=np.float32),
        genres=genres,
        seen=frozenset(text_key(example.text) for example in examples),
        record={"c": c, "min_documents": min_documents, "n_examples": len(examples)},
    )


def _words_and_pairs(text: str) -> list[str]:
    words = content_words(text)
    return words + joined_pairs(words)


def save_vectors(vectors: WordVectors, path: Path) -> None:
    """Write ``path`` (``.npz``: int8 codes, a scale a dimension, the words; no pickle) and its record beside it.

    Raises
    ------
    OSError
    """
    scales = np.abs(vectors.matrix).max(axis=0) / _LEVELS
    codes = np.round(vectors.matrix / np.where(scales > 0, scales, 1)).astype(np.int8)
    packed = io.BytesIO()
    words = np.frombuffer("\n".join(vectors.words).encode(), dtype=np.uint8)
    genres = np.frombuffer("\n".join(vectors.genres).encode(), dtype=np.uint8)
    seen = np.array(sorted(int(key, 16) for key in vectors.seen), dtype=np.uint64)
    np.savez_compressed(
        packed,
        codes=codes,
        scales=scales.astype(np.float32),
        words=words,
        genres=genres,
        seen=seen,
        **(_pack(vectors.across) if vectors.across else {}),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_bytes(packed.getvalue())
    draft.replace(path)
    record = {**vectors.record, "n_words": len(vectors.words), "dim": vectors.dim, "sha256": sha256_of(path)}
    write_json(path.with_suffix(".json"), record)


def dim_of(path: Path) -> int:
    """Return how many dimensions saved vectors have, as their record says; the vectors are not read.

    Raises
    ------
    CorpusError
        When the record can't be read.
    """
    try:
        return int(json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["dim"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"The record of {path} can't be read ({error!r}). Restore it from the repository.") from error


def load_vectors(path: Path) -> WordVectors:
    """Read what ``save_vectors`` wrote.

    Raises
    ------
    CorpusError
        When the files are missing, damaged or not the ones recorded.
    """
    record_path = path.with_suffix(".json")
    try:
        record = json.loads(record_path.read_text(encoding="utf-8"))
        if record["sha256"] != sha256_of(path):
            raise CorpusError(
                f"{path} does not match the hash in {record_path.name}; restore both, or build them again."
            )
        with np.load(path, allow_pickle=False) as packed:
            words = packed["words"].tobytes().decode().split("\n")
            genres = tuple(packed["genres"].tobytes().decode().split("\n"))
            seen = frozenset(f"{key:016x}" for key in packed["seen"].tolist())
            matrix = packed["codes"].astype(np.float32) * packed["scales"]
            across = _unpack(packed) if "across_raw" in packed else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(
            f"The word vectors {path} can't be read ({error!r}). Build them with `manage.py build_vectors`, "
            "or train with --vectors none."
        ) from error
    return WordVectors(words, matrix, genres, seen, across, record)


def _pack(held: Held) -> dict[str, Any]:
    """Return the arrays of the file: half precision is exact to a thousandth, and no text has 65,536 words here."""
    return {
        "across_raw": held.raw.astype(np.float16),
        "across_n_words": np.minimum(held.n_words, np.iinfo(np.uint16).max).astype(np.uint16),
        "across_truth": held.truth,
        "across_primary": held.primary.astype(np.uint16),
        "across_sources": held.sources.astype(np.uint8),
        "across_slugs": np.array(held.slugs),
        "across_loss": np.array(held.loss),
    }


def _unpack(packed: Any) -> Held:
    return Held(
        packed["across_raw"].astype(np.float64),
        packed["across_n_words"].astype(np.float64),
        packed["across_truth"],
        packed["across_primary"].astype(np.intp),
        tuple(map(str, packed["across_slugs"])),
        str(packed["across_loss"]),
        packed["across_sources"].astype(np.intp),
    )


def write_vec(vectors: WordVectors, path: Path, *, deviation: float) -> None:
    """Write fastText's ``.vec`` text file, the vectors scaled to a standard deviation of ``deviation``."""
    matrix = vectors.matrix * deviation
    with path.open("w", encoding="utf-8") as stream:
        stream.write(f"{len(vectors.words)} {vectors.dim}\n")
        for word, row in zip(vectors.words, matrix, strict=True):
            stream.write(f"{word} {' '.join(f'{value:.4g}' for value in row)}\n")
