"""Hold a candidate against the version that answers, and promote it if it passes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from classifier.core.errors import CorpusError, GenreError, ModelError
from classifier.core.model import MODEL_FILE, GenreModel
from classifier.core.text import tokens
from classifier.genre_table import current_genres
from classifier.models import ModelVersion
from classifier.registry import NoChampion, folder_of, get_version, last_good_before, load_version, promote
from feedback.deleted import learned_by, taken_back
from training.core.baselines import known_slugs
from training.core.books import Example
from training.core.corpora import STARTER_FILE
from training.core.gate import (
    MIN_TEXTS,
    TIMED_TEXTS,
    Check,
    GateReport,
    GenreHits,
    check_corrections,
    check_inputs,
    check_latency,
    check_overlap,
    check_size,
    measure,
    milliseconds,
)
from training.core.paired import answers_of
from training.core.progress import OnStep, silent
from training.core.seen import FairTexts, fair_texts
from training.core.split import frozen_split
from training.inputs import InputFile, find_inputs, read_books
from training.pipeline import feedback_corpus, seen_by


@dataclass(frozen=True)
class Promotion:
    """What became of a wish to promote: without ``is_champion`` the gate blocked it and nothing has changed.

    ``report`` is None when the version was champion already, and when the gate could not measure; ``error`` says then
    why not.
    """

    version: ModelVersion
    is_champion: bool = True
    is_forced: bool = False
    report: GateReport | None = None
    error: str = ""

    @property
    def refusal(self) -> str:
        """What the gate blocked the version for, as a sentence; '' for a champion."""
        if self.is_champion or self.report is None:
            return ""
        return f"The gate blocks {self.version}: {', '.join(self.report.blocked_by)}."


def opponent_of(candidate: ModelVersion) -> tuple[ModelVersion | None, str]:
    """Return the champion to hold the candidate against, and a note; None where no version is or ever was champion.

    In place of a champion that can't be loaded stands the last good one before it, as it does for visitors.

    Raises
    ------
    ModelError
        When no champion can be loaded: anything would pass.
    """
    try:
        champion = get_version("champion")
    except NoChampion:
        return None, "No version answers yet: absolute limits alone."
    if champion == candidate:
        return None, f"{candidate} is the champion itself: absolute limits alone."
    try:
        load_version(champion)
    except ModelError as error:
        found = last_good_before(champion)
        if found is None:
            raise ModelError(
                f"The champion can't be held against it: {error} Restore its files; `manage.py gate {candidate.number} "
                "--against none` measures by absolute limits alone."
            ) from error
        return found[0], f"The champion can't be held against it: {error} In its place: {found[0]}."
    return champion, ""


def gate(
    candidate: ModelVersion,
    opponent: ModelVersion | None,
    *,
    paths: Sequence[Path] = (),
    note: str = "",
    on_step: OnStep | None = None,
) -> GateReport:
    """Measure both versions on the same texts and check what the candidate may not do worse.

    The texts are the frozen test side of ``paths`` and of the approved corrections. Without paths, of the files that
    both versions were made from, as far as they are here unchanged; and of the starter corpus where these are too few.

    Raises
    ------
    ModelError
        When a version can't be loaded, or the record of what it was trained on can't be read.
    CorpusError
        When a file can't be read, or too few texts are left to measure on.
    """
    report = on_step or silent
    report("loading the models", 0.0)
    versions = [candidate] if opponent is None else [candidate, opponent]
    models = [load_version(version) for version in versions]
    report("reading the data", 0.1)
    files, gone, lost = _inputs_of(versions)
    data, n_examples, names = texts_of(versions, [InputFile(path) for path in paths] or files, is_chosen=bool(paths))
    learned = learned_by(candidate)
    n_bytes = (folder_of(candidate) / MODEL_FILE).stat().st_size
    checks = [
        check_overlap(data),
        check_corrections(len(learned), taken_back({candidate.number: learned})[candidate.number]),
        check_inputs(len(files), gone, lost),
        check_size(n_bytes, most=settings.GENRE_GATE_BYTES),
    ]
    notes = [note] if note else []
    genres: list[GenreHits] = []
    if len(data.examples) >= MIN_TEXTS:
        measured, genres = _measure(models, data.examples, report)
        checks[1:1] = measured
    elif all(check.passed for check in checks):
        raise CorpusError(
            f"Only {len(data.examples)} texts are left that the gate may measure on; it needs {MIN_TEXTS}. "
            f"Name more labelled books: manage.py gate {candidate.number} --data PATH"
        )
    else:
        notes.append(f"Only {len(data.examples)} texts are left to measure on, too few: the figures are missing.")
    report("done", 1.0)
    return GateReport(
        candidate=candidate.number,
        opponent=opponent.number if opponent else None,
        sabotage=candidate.sabotage,
        data=names,
        texts={
            "data": n_examples,
            "test": data.n_test,
            "left_out": data.n_left_out,
            "repeated": data.n_repeated,
            "compared": len(data.examples),
            "feedback": sum(bool(example.uid) for example in data.examples),
        },
        checks=tuple(checks),
        genres=tuple(genres),
        notes=tuple(notes),
    )


def _inputs_of(versions: Sequence[ModelVersion]) -> tuple[list[InputFile], list[str], list[str]]:
    """Return the versions' input files that are here, each once, and the names of others: the candidate's, the opponent's."""
    inputs = [find_inputs(version.meta) for version in versions]
    found = dict.fromkeys(file for files, _ in inputs for file in files)
    gone = inputs[0][1]
    return list(found), gone, [name for _, names in inputs[1:] for name in names if name not in gone]


def texts_of(
    versions: Sequence[ModelVersion], files: Sequence[InputFile], *, is_chosen: bool
) -> tuple[FairTexts, int, tuple[str, ...]]:
    """Return the texts to compare on, how many examples the data has, and the names of its files.

    ``versions`` are the candidate and, if there is one, the opponent. Unless the files were chosen by somebody, the starter
    corpus is added where they hold too few.
    """
    genres = current_genres()
    candidate, opponent = seen_by(versions[0]), seen_by(versions[1]) if len(versions) > 1 else None
    learned = frozenset(map(str, versions[0].meta.get("feedback_train_ids", ())))
    corrections = feedback_corpus(genres).examples

    def read(files: Sequence[InputFile]) -> tuple[FairTexts, int, tuple[str, ...]]:
        corpora = [read_books(file.path, genres, file_format=file.file_format) for file in files]
        examples = [example for corpus in corpora for example in corpus.examples] + corrections
        test = [examples[at] for at in frozen_split(examples).test]
        fair = fair_texts(test, candidate, opponent, learned=learned)
        return fair, len(examples), tuple(corpus.name for corpus in corpora)

    found = read(files)
    has_starter = STARTER_FILE in [file.path for file in files]
    if len(found[0].examples) < MIN_TEXTS and not is_chosen and not has_starter:
        found = read([*files, InputFile(STARTER_FILE)])
    return found


def _measure(
    models: Sequence[GenreModel], examples: Sequence[Example], report: OnStep
) -> tuple[list[Check], list[GenreHits]]:
    texts = [example.text for example in examples]
    slugs = tuple(sorted({*known_slugs(examples), *(slug for model in models for slug in model.slugs)}))
    answers = []
    for done, model in enumerate(models):
        report("asking the models", 0.3 + 0.2 * done)
        said = model.predict_many(texts)
        answers.append(answers_of(said, examples, slugs, known=model.slugs, thresholds=model.thresholds))
    report("comparing", 0.7)
    checks, genres = measure(answers[0], answers[1] if len(answers) > 1 else None)
    report("timing", 0.9)
    timed = texts[:TIMED_TEXTS]
    taken = milliseconds([model.predict_many for model in models], timed, sum(len(tokens(text)) for text in timed))
    theirs = taken[1] if len(taken) > 1 else None
    return [*checks, check_latency(taken[0], theirs, most=settings.GENRE_GATE_MILLISECONDS)], genres


def promote_gated(
    number: int,
    *,
    by: str,
    reason: str = "",
    force: bool = False,
    is_alone: bool = False,
    paths: Sequence[Path] = (),
    at: datetime | None = None,
    on_step: OnStep | None = None,
) -> Promotion:
    """Run the gate against the champion, and make version ``number`` the champion if it passes or is forced.

    What the gate found is kept in the history with the promotion, and that it was overruled. Blocked, nothing changes.
    Promoting the champion again changes and measures nothing. ``is_alone`` holds the version against nobody, by absolute
    limits: for a site where no champion can be loaded.

    Raises
    ------
    ModelError
        When the version can't be loaded; no force helps.
    ChampionChanged
        When another version became champion while the gate measured; nothing changes.
    GenreError
        When the gate can't measure and is not forced.
    """
    version = get_version(number)
    if version.state == ModelVersion.State.CHAMPION:
        return Promotion(version)
    load_version(version)
    champion = ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION).first()
    report, error = None, ""
    try:
        opponent, note = (None, "Held against nobody: absolute limits alone.") if is_alone else opponent_of(version)
        report = gate(version, opponent, paths=paths, note=note, on_step=on_step)
    except GenreError as refusal:
        if not force:
            raise
        error = str(refusal)
    if report is not None and not report.passed and not force:
        return Promotion(version, is_champion=False, report=report)
    verdict = report.as_json(with_genres=False) if report else {"passed": False, "blocked_by": [], "error": error}
    is_forced = not verdict["passed"]
    version = promote(
        number,
        by=by,
        reason=reason or "it passed the gate",
        gate=verdict,
        forced=is_forced,
        replaces=champion.number if champion else 0,
        at=at,
    )
    return Promotion(version, is_forced=is_forced, report=report, error=error)
