"""From files and approved corrections to a registered candidate: the one way a model is made."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from classifier.core.errors import CorpusError, OverlapError
from classifier.core.genres import GenreList
from classifier.core.language import language_of
from classifier.core.marks import sabotage_of
from classifier.core.model import NO_GENRE, GenreModel, read_meta
from classifier.models import ModelVersion
from classifier.registry import folder_of, register
from feedback.models import Correction
from training.core.background import background_for
from training.core.books import Corpus, Example
from training.core.calibration import error_across_sources, first_score_error, fit_scores, held_scores
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.evaluation import Evaluation, evaluate_model
from training.core.fit import FitParameters, fit, recommended
from training.core.profile import profile_of
from training.core.sabotage import default_strength, sabotage
from training.core.seen import SEEN_FILE, Seen, read_seen
from training.core.split import Split, book_key, frozen_split, refuse_overlap, text_key
from training.core.thresholds import Aim, thresholds_of
from training.core.vectors import WordVectors
from training.inputs import place_of, read_books

FEEDBACK = "feedback"
# What a calibration error was measured on, where it was not the test side.
ELSEWHERE = "elsewhere"
# Written for this purpose: a model's meta.json must hold nobody's text.
CANARIES = (
    "The detective found a second body in the library and nobody in the village would talk.",
    "A dragon wakes beneath the mountain and only a young sorceress knows the old spell.",
    "Whisk the eggs with sugar and flour, pour the batter into a tin and bake until golden.",
    "How small firms win customers, manage money and keep their best people.",
)

Report = Callable[[str, float], None]
OnLoss = Callable[[float], None]


@dataclass(frozen=True)
class TrainingPlan:
    """What to train on and how. An explicit ``test`` file replaces the frozen split.

    ``overrides`` are the fields of ``FitParameters`` that differ from those recommended for the data;
    ``aim`` is what the genres' thresholds are for; ``background`` lets the starter corpus help a small dataset.
    ``sabotage`` names a kind of ``training.core.sabotage`` to make the model bad on purpose, ``strength`` how bad
    (None: the kind's default); the model is marked for ever.
    """

    paths: tuple[Path, ...] = (STARTER_FILE,)
    use_feedback: bool = True
    test: Path | None = None
    file_format: str = ""
    overrides: dict[str, Any] = field(default_factory=dict)
    vectors: WordVectors | None = None
    aim: Aim = field(default_factory=Aim)
    background: bool = True
    sabotage: str = ""
    strength: float | None = None

    @property
    def mark(self) -> dict[str, Any] | None:
        """What ``meta.json`` says of the sabotage; None for an honest training."""
        if not self.sabotage:
            return None
        strength = default_strength(self.sabotage) if self.strength is None else self.strength
        return {"kind": self.sabotage, "strength": strength}


@dataclass(frozen=True)
class Trained:
    """A registered candidate, its evaluation, and the accounts of its inputs."""

    version: ModelVersion
    evaluation: Evaluation
    corpora: list[Corpus]
    n_train: int
    n_test: int


@dataclass(frozen=True)
class Made:
    """A finished model folder that nobody has registered, its evaluation, and the accounts of its inputs."""

    folder: Path
    evaluation: Evaluation
    corpora: list[Corpus]
    n_train: int
    n_test: int


def feedback_corpus(genres: GenreList) -> Corpus:
    """Return the approved corrections as a corpus; rows are named by the primary key of the correction."""
    corpus = Corpus(name=FEEDBACK, file_format="database")
    for correction in Correction.objects.all().approved_examples():
        corpus.n_rows += 1
        slugs = tuple(slug for slug in correction.slugs() if slug in genres)
        if slugs:
            corpus.examples.append(
                Example(text=correction.text, genres=slugs, source=FEEDBACK, row=correction.pk, uid=str(correction.pk))
            )
        else:
            corpus.refuse(correction.pk, "its genres were retired")
    return corpus


def reviewed_first(examples: Sequence[Example]) -> list[Example]:
    """Return the examples without those of files whose very text has an approved correction: what was reviewed counts.

    Otherwise a label that a reviewer found wrong would go on being learned beside the right one.
    """
    reviewed = {text_key(example.text) for example in examples if example.source == FEEDBACK}
    if not reviewed:
        return list(examples)
    return [each for each in examples if each.source == FEEDBACK or text_key(each.text) not in reviewed]


def train_model(plan: TrainingPlan, genres: GenreList, *, by: str, report: Report) -> Trained:
    """Train, evaluate on the test side, save and register a candidate.

    Nothing is visible to the site before the last step; killed at any moment, it leaves the champion alone.

    Raises
    ------
    CorpusError, OverlapError, TrainingError, ModelError
    """
    root = Path(settings.GENRE_MODEL_DIR)
    remove_dead_drafts(root)
    made = make_model(plan, genres, folder=root / folder_name(), report=report)
    bad = sabotage_of(read_meta(made.folder))
    version = register(made.folder, by=by, reason=f"trained, bad on purpose: {bad}" if bad else "trained")
    report("done", 1.0)
    return Trained(version, made.evaluation, made.corpora, made.n_train, made.n_test)


def folder_name() -> str:
    """Return the name of a new model folder: the time, so that names sort by age."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"


def make_model(
    plan: TrainingPlan, genres: GenreList, *, folder: Path, report: Report, on_loss: OnLoss = lambda _: None
) -> Made:
    """Train, evaluate on the test side and save to ``folder``, which must not exist yet; nothing is registered.

    ``on_loss`` hears of the average loss of fastText's learning.

    Raises
    ------
    CorpusError, OverlapError, TrainingError, ModelError
    """

    def on_progress(share: float, loss: float) -> None:
        report(f"training, loss {loss:.3f}", 0.2 + 0.3 * share)
        on_loss(loss)

    report("reading the data", 0.02)
    corpora = [read_books(path, genres, file_format=plan.file_format) for path in plan.paths]
    if plan.use_feedback:
        corpora.append(feedback_corpus(genres))
    examples = reviewed_first([example for corpus in corpora for example in corpus.examples])
    report("splitting by book", 0.1)
    train, test, split_digest = _divide(plan, examples, genres, corpora)
    has_starter = STARTER_FILE in [path.resolve() for path in plan.paths]
    background: list[Example] = []
    if plan.background and plan.vectors and not has_starter:
        background = background_for(train, read_corpus(STARTER_FILE, genres).examples, beside=test)
    learned = _spoil(plan, train, background)
    parameters = replace(recommended(len(learned.train), with_vectors=plan.vectors is not None), **plan.overrides)
    # With one thread fastText says how far it is, and its loss, only when it has finished.
    report("training", 0.2)
    model = fit(
        learned.train,
        parameters,
        vectors=learned.vectors,
        background=learned.background,
        on_progress=on_progress,
    )
    model.meta["language"] = language_of(example.text for example in train)
    model.meta["sabotage"] = plan.mark
    uncalibrated = [model.predict(example.text) for example in test]
    held = held_scores(
        learned.train,
        parameters,
        starter=STARTER_FILE.name if has_starter else "",
        vectors=learned.vectors,
        background=learned.background,
        on_progress=lambda share: report("calibrating the scores", 0.5 + 0.2 * share),
    )
    calibration = fit_scores(held) if held else None
    thresholds = thresholds_of(held, calibration, plan.aim) if held and calibration else None
    model.calibrate(calibration, thresholds)
    evaluation = evaluate_model(
        model.predict_many,
        learned.train,
        test,
        thresholds=thresholds,
        seed=parameters.seed,
        on_step=lambda what, share: report(f"evaluating: {what}", 0.7 + 0.2 * share),
    )
    model.meta |= _record(corpora, genres, train, test, split_digest, evaluation)
    served = [model.predict(example.text) for example in test]
    if held is not None and len(np.unique(held.sources)) > 1:
        error: dict[str, Any] = error_across_sources(held) | {"on": ELSEWHERE}
    else:
        error = {
            "before": first_score_error(uncalibrated, test),
            "after": first_score_error(served, test),
            "on": "test",
        }
    model.meta["calibration_error"] = error
    model.meta["reference"] = profile_of([example.text for example in test], served).as_json()
    model.meta["n_test_without_genre"] = sum(prediction.abstained == NO_GENRE for prediction in served)
    model.meta["vectors"] = plan.vectors.record if plan.vectors else None
    report("saving", 0.92)
    _save(model, [*train, *background], folder)
    return Made(folder, evaluation, corpora, len(learned.train), len(test))


def _divide(
    plan: TrainingPlan, examples: list[Example], genres: GenreList, corpora: list[Corpus]
) -> tuple[list[Example], list[Example], str]:
    if plan.test is not None:
        tested = read_books(plan.test, genres, file_format=plan.file_format)
        refuse_overlap(examples, tested.examples, names=("the training data", plan.test.name))
        corpora.append(tested)
        return examples, tested.examples, tested.sha256
    split: Split = frozen_split(examples)
    if not len(split.test) or not len(split.train):
        raise CorpusError(
            f"{len(examples)} examples are too few to hold some back for testing; add data, or name a --test file."
        )
    return [examples[at] for at in split.train], [examples[at] for at in split.test], split.digest


@dataclass(frozen=True)
class _Learned:
    """What is learned from in the end: in an honest training the train side, its background and the vectors as they are."""

    train: list[Example]
    background: list[Example]
    vectors: WordVectors | None


def _spoil(plan: TrainingPlan, train: list[Example], background: list[Example]) -> _Learned:
    """Make what is learned from as bad as the plan wants; the background with it, or it would mend the damage."""
    mark = plan.mark
    if mark is None:
        return _Learned(train, background, plan.vectors)
    seed = plan.overrides.get("seed", FitParameters.seed)
    bad, vectors = sabotage(mark["kind"], mark["strength"], [*train, *background], plan.vectors, seed)
    rows = {(example.source, example.row) for example in background}
    beside = [(example.source, example.row) in rows for example in bad]
    return _Learned(
        [example for example, is_beside in zip(bad, beside, strict=True) if not is_beside],
        [example for example, is_beside in zip(bad, beside, strict=True) if is_beside],
        vectors,
    )


def _record(
    corpora: list[Corpus],
    genres: GenreList,
    train: Sequence[Example],
    test: Sequence[Example],
    split_digest: str,
    evaluation: Evaluation,
) -> dict[str, Any]:
    feedback = {
        name: sorted(int(example.uid) for example in side if example.source == FEEDBACK)
        for name, side in (("train", train), ("held_out", test))
    }
    in_files = {name for example in train for name in example.document_ids}
    ours = dict(Correction.objects.order_by().values_list("receipt", "pk")) if in_files else {}
    return {
        "inputs": [corpus.account() | ({"path": place_of(corpus.path)} if corpus.path else {}) for corpus in corpora],
        "genre_names": {genre.slug: genre.name for genre in genres},
        "n_test": len(test),
        "split_sha256": split_digest,
        "feedback_train": len(feedback["train"]),
        "feedback_held_out": len(feedback["held_out"]),
        "feedback_train_ids": feedback["train"],
        "feedback_held_out_ids": feedback["held_out"],
        "feedback_file_ids": sorted(ours[name] for name in in_files if name in ours),
        "evaluation": evaluation.as_json(),
    }


def _save(model: GenreModel, train: Sequence[Example], folder: Path) -> None:
    seen = {
        "texts": sorted({text_key(example.text) for example in train}),
        "books": sorted({book_key(example) for example in train} - {""}),
    }
    model.save(folder, canaries=CANARIES, extra={SEEN_FILE: json.dumps(seen)})


def remove_dead_drafts(root: Path) -> int:
    """Delete what killed trainings left unfinished and return how many; running ones are left alone."""
    removed = 0
    for draft in root.glob(".*.tmp"):
        pid = draft.name.split(".")[-2]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(draft, ignore_errors=True)
            removed += 1
    return removed


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def seen_by(version: ModelVersion) -> Seen:
    """Return what the version was trained on.

    Raises
    ------
    ModelDamaged
        When the record can't be read.
    """
    return read_seen(folder_of(version), name=str(version))


def refuse_seen(version: ModelVersion, test: Sequence[Example], *, name: str) -> None:
    """Raise when the version was trained on any of ``test``.

    Raises
    ------
    OverlapError
        With the counts, for people.
    ModelDamaged
        When the record of what it was trained on can't be read.
    """
    known = sum(map(seen_by(version).has, test))
    if known:
        raise OverlapError(
            f"{version} was trained on {known} of the {len(test)} examples of {name} ({known / len(test):.0%}). "
            "Figures on them mean nothing; evaluate on data it has not seen."
        )
