"""``GenreModel``: one fastText model and its ``meta.json``, with every trap of fastText kept inside.

A model is a folder with ``model.bin`` (fastText's own format) and ``meta.json`` (genres, parameters,
hashes, scores). It is loaded only when the hash of ``model.bin`` is the recorded one: fastText hangs,
crashes or answers with noise on damaged files. No pickle anywhere.
"""

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, NamedTuple

import fasttext

from classifier.core.calibrate import Calibration
from classifier.core.errors import ModelDamaged, ModelError, ModelMissing
from classifier.core.language import ENGLISH, why_not_english
from classifier.core.text import Reading, content_words, joined_pairs
from classifier.core.thresholds import Thresholds

MODEL_FILE = "model.bin"
META_FILE = "meta.json"
LABEL = "__label__"
NO_GENRE = "no-genre"
# fastText holds the GIL while it predicts: 500 texts of 100 words are about 25 ms, so other threads get their turn.
BATCH = 500
# A sound model loads in well under a second; fastText spins for ever on some cut files.
VERIFY_SECONDS = 60
COPY_BYTES = 1 << 20
# float32 scores of two processes on one machine are equal; the margin is for another machine's rounding.
CANARY_TOLERANCE = 1e-4


class GenreScore(NamedTuple):
    """A genre's slug and its score in [0, 1]; more is better."""

    slug: str
    score: float


# A named tuple's own constructor takes three times as long, and a prediction makes one for each genre.
_genre_score = partial(tuple.__new__, GenreScore)
_SCORE = itemgetter(1)


@dataclass(frozen=True)
class Prediction:
    """What a model says of one text.

    Attributes
    ----------
    scores : tuple of GenreScore, length n_genres
        Every genre of the model, best first; equal scores in the order of their slugs. Empty when
        the model abstained, but for ``"no-genre"``: then they tell which genres came nearest.
        Calibrated scores are probabilities that the genre applies, each for itself; raw ones share 1
        among the genres (softmax) or stand for themselves (``ova``).
    n_words : int
        Content words in the text (stop words are not counted).
    n_known : int
        Words of them that training saw.
    abstained : str
        '' or why there is no answer: ``"no-words"``, ``"nothing-known"``, from a model of English
        books ``"not-english"`` or ``"not-prose"``, and from a model with thresholds ``"no-genre"``: no
        genre reaches its own.
    thresholds : Thresholds or None
        Those the scores were held against; None from a model without them, and for raw scores.
    """

    scores: tuple[GenreScore, ...]
    n_words: int
    n_known: int
    abstained: str = ""
    thresholds: Thresholds | None = field(default=None, repr=False)

    @property
    def chosen(self) -> tuple[GenreScore, ...]:
        """The genres whose score reaches their own threshold, best first; none where there are no thresholds."""
        if self.thresholds is None or self.abstained:
            return ()
        return tuple(genre for genre in self.scores if self.thresholds.reached(genre.slug, genre.score))

    def top(self, limit: int = 5, threshold: float = 0.0) -> tuple[GenreScore, ...]:
        """Return at most ``limit`` genres with a score of at least ``threshold``, best first."""
        best = self.scores[:limit]
        # Best first: where the last is good enough all are.
        if not best or best[-1].score >= threshold:
            return best
        return tuple(genre for genre in best if genre.score >= threshold)


def to_line(words: Sequence[str], known: Set[str] = frozenset()) -> str:
    """Return the line fastText reads for a text, in training and in serving alike.

    Its content words; then each pair of neighbours that is ``known`` as one token (``a_b``); one blank between,
    and a final newline: with it ``predict`` sees the end-of-line token that training saw; without it the
    scores are others.
    """
    return " ".join([*words, *(pair for _, pair in known_pairs(words, known))]) + "\n"


def known_pairs(words: Sequence[str], known: Set[str]) -> list[tuple[int, str]]:
    """Return each pair of neighbours that is ``known`` as one token, and the place of its first word."""
    return [(at, pair) for at, pair in enumerate(joined_pairs(words)) if pair in known]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class GenreModel:
    """A trained model, ready to predict. Made by ``load`` (from a folder) or by training.

    Parameters
    ----------
    engine : fasttext model
        A supervised model whose labels are ``__label__<slug>``.
    meta : dict
        What ``meta.json`` holds; ``save`` adds ``model_sha256`` and ``canaries``.
    """

    def __init__(self, engine: Any, meta: dict[str, Any]) -> None:
        self._engine = engine
        self.meta = meta
        self._known = frozenset(engine.get_words())
        self.calibration = Calibration.from_json(meta.get("calibration"))
        # In the order of the output rows; to ask fastText again takes it 0.1 ms.
        self.row_slugs: tuple[str, ...] = tuple(label.removeprefix(LABEL) for label in engine.get_labels())
        self.slugs: tuple[str, ...] = tuple(sorted(self.row_slugs))
        self._labels = tuple((f"{LABEL}{slug}", slug) for slug in self.slugs)
        self.thresholds = Thresholds.from_json(meta.get("thresholds"), self.slugs)

    @property
    def engine(self) -> Any:
        """The fastText model itself, for reading what it learned."""
        return self._engine

    @property
    def words(self) -> frozenset[str]:
        """The words, and pairs of words, that training saw."""
        return self._known

    @property
    def loss(self) -> str:
        """The loss it was trained with, under fastText's name."""
        return str(self.meta.get("parameters", {}).get("loss", "softmax"))

    def calibrate(self, calibration: Calibration | None, thresholds: Thresholds | None = None) -> None:
        """Give the model a calibration and the thresholds of its scores; ``save`` keeps both in ``meta.json``.

        None takes one away. Thresholds mean nothing without the calibration whose scores they were found on.
        """
        self.calibration, self.thresholds = calibration, thresholds
        self.meta = {
            **self.meta,
            "calibration": calibration.as_json() if calibration else None,
            "thresholds": thresholds.as_json() if thresholds else None,
        }

    @classmethod
    def load(cls, folder: Path, meta: dict[str, Any] | None = None) -> "GenreModel":
        """Load the model in ``folder``.

        Parameters
        ----------
        folder : Path
            A model folder.
        meta : dict, default=None
            What its ``meta.json`` says, when the caller has read and checked it already.

        Raises
        ------
        ModelMissing
            When the folder, ``model.bin`` or ``meta.json`` is absent.
        ModelDamaged
            When ``meta.json`` is not JSON or holds no usable calibration or thresholds, ``model.bin`` can't
            be read or its hash differs, or the canary texts recorded at training get other scores.
        """
        if meta is None:
            meta = read_meta(folder)
        path = folder / MODEL_FILE
        if not path.is_file():
            raise ModelMissing(f"{path} is missing.")
        try:
            with _private_copy(path) as (copy, found):
                if found != meta.get("model_sha256"):
                    raise ModelDamaged(
                        f"{path} does not match the hash in {META_FILE}: it was changed or cut after training. "
                        "Restore the file, or promote another version."
                    )
                engine = _load_engine(copy, path)
        except OSError as error:
            raise ModelDamaged(f"{path} can't be read: {error}") from error
        model = cls(engine, meta)
        model._check_canaries()
        return model

    def predict(self, text: str | Reading, *, calibrated: bool = True) -> Prediction:
        """Return the scores of every genre for one text.

        Parameters
        ----------
        text : str or Reading
            Any string; it is cleaned and split into words first, if nobody has done so yet.
        calibrated : bool, default=True
            False gives fastText's own scores, even when the model has a calibration, and no thresholds.

        Returns
        -------
        Prediction
            Abstained when ``text`` has no word, or none that training saw: fastText would answer
            those with the confidence of an empty line. Abstained with scores when no genre reaches its
            threshold.
        """
        reading = Reading.of(text)
        words = reading.content_words
        if not words:
            return Prediction((), 0, 0, "no-words")
        if self.meta.get("language") == ENGLISH and (reason := why_not_english(reading.tokens, reading.cleaned)):
            return Prediction((), len(words), 0, reason)
        n_known = sum(map(self._known.__contains__, words))
        if not n_known:
            return Prediction((), len(words), 0, "nothing-known")
        pairs = self._engine.f.predict(to_line(words, self._known), -1, 0.0, "strict")
        found = {label: score for score, label in pairs}
        # Asked of the raw scores: max(0.0, nan) is 0.0.
        if not math.isfinite(sum(found.values())):
            raise ModelDamaged("The model answers with scores that are no numbers; it must not be served.")
        # fastText adds 1e-5 inside its logarithm, so a score may read 1.00001.
        raw = [
            (slug, 0.0 if (score := found[label]) < 0 else 1.0 if score > 1 else score) for label, slug in self._labels
        ]
        thresholds = None
        if calibrated and self.calibration is not None:
            raw, thresholds = self.calibration.apply(raw, len(words)), self.thresholds
        # Stable, and ``raw`` is in the order of the slugs.
        raw.sort(key=_SCORE, reverse=True)
        scores = tuple(map(_genre_score, raw))
        # The first genre mostly settles it; which others reach theirs is left to ``chosen``.
        is_unsure = thresholds is not None and not any(thresholds.reached(genre.slug, genre.score) for genre in scores)
        return Prediction(scores, len(words), n_known, NO_GENRE if is_unsure else "", thresholds)

    def predict_many(self, texts: Iterable[str]) -> list[Prediction]:
        """Return ``[predict(text) for text in texts]``; for up to about ``BATCH`` texts at a time."""
        return [self.predict(text) for text in texts]

    def save(self, folder: Path, *, canaries: Sequence[str] = (), extra: Mapping[str, str] | None = None) -> Path:
        """Write the model to ``folder``, whole or not at all.

        The files are written beside it under a temporary name, flushed to the disk, loaded again in
        a child process (fastText reports no error on a full disk) and only then renamed.

        Parameters
        ----------
        folder : Path
            Must not exist yet.
        canaries : sequence of str
            Texts whose scores are recorded and compared at every later load.
        extra : mapping of str to str, default=None
            Other files of the folder: name to content.

        Raises
        ------
        ModelError
            When ``folder`` exists, or the written copy does not load or answers differently.
        """
        if folder.exists():
            raise ModelError(f"{folder} exists already; a model folder is never overwritten.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            for name, content in (extra or {}).items():
                (draft / name).write_text(content, encoding="utf-8")
            self._write(draft, canaries)
            _verify_in_child(draft)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        _flush(folder.parent)
        return folder

    def _write(self, draft: Path, canaries: Sequence[str]) -> None:
        path = draft / MODEL_FILE
        self._engine.save_model(str(path))
        self.meta = {**self.meta, "model_sha256": sha256_of(path), "model_bytes": path.stat().st_size}
        self.meta["canaries"] = [[" ".join(content_words(text)), self._canary(text)] for text in canaries]
        text = json.dumps(self.meta, indent=1, ensure_ascii=False, sort_keys=True)
        (draft / META_FILE).write_text(text + "\n", encoding="utf-8")
        for file in draft.iterdir():
            _flush(file)

    def _canary(self, text: str) -> dict[str, float]:
        return {genre.slug: round(genre.score, 6) for genre in self.predict(text).top(3)}

    def _check_canaries(self) -> None:
        for text, expected in self.meta.get("canaries", ()):
            scores = {genre.slug: genre.score for genre in self.predict(text).scores}
            if any(abs(scores.get(slug, -1.0) - score) > CANARY_TOLERANCE for slug, score in expected.items()):
                raise ModelDamaged("The model answers its own canary texts differently than when it was trained.")


def read_meta(folder: Path) -> dict[str, Any]:
    """Return what ``meta.json`` in ``folder`` says.

    Raises
    ------
    ModelMissing, ModelDamaged
    """
    try:
        meta = json.loads((folder / META_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelMissing(f"{folder} holds no {META_FILE}: it is not a model folder.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelDamaged(f"{folder / META_FILE} can't be read: {error}") from error
    if not isinstance(meta, dict):
        raise ModelDamaged(f"{folder / META_FILE} is not a JSON object.")
    return meta


@contextmanager
def _private_copy(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the SHA-256 of a copy that nobody else can change.

    What is hashed is what fastText loads: a file that is cut between the two could hang it for ever.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file, _scratch_file() as (copy, name):
        while block := file.read(COPY_BYTES):
            digest.update(block)
            copy.write(block)
        copy.flush()
        yield name, digest.hexdigest()


@contextmanager
def _scratch_file() -> Iterator[tuple[IO[bytes], str]]:
    """Yield a file that is gone afterwards, and the name to open it by."""
    if hasattr(os, "memfd_create"):
        # Linux: in memory, so that a container needs no writable disk.
        with os.fdopen(os.memfd_create(MODEL_FILE), "wb") as file:
            yield file, f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile() as file:
            yield file, file.name


def _load_engine(name: str, path: Path) -> Any:
    try:
        return fasttext.load_model(name)
    except (ValueError, RuntimeError, MemoryError) as error:
        raise ModelDamaged(f"fastText can't load {path}: {error}") from error


def _verify_in_child(folder: Path) -> None:
    command = [sys.executable, "-m", "classifier.core.verify", str(folder)]
    try:
        result = subprocess.run(command, timeout=VERIFY_SECONDS, capture_output=True, text=True, check=False, cwd=_ROOT)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"The model just written does not load within {VERIFY_SECONDS} s.") from error
    if result.returncode:
        raise ModelError(f"The model just written does not load: {result.stderr.strip() or result.returncode}")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_ROOT = Path(__file__).resolve().parents[2]
