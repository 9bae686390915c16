"""The registry of models: register a trained folder, promote a version, load the champion."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, transaction
from django.db.models import Max
from django.utils import timezone

from classifier.alerts import Finding, close_alerts, raise_alert
from classifier.core.errors import GenreError, ModelDamaged, ModelError, ModelMissing
from classifier.core.model import META_FILE, MODEL_FILE, GenreModel, read_meta
from classifier.core.neighbours import NEIGHBOURS_FILE, Neighbours
from classifier.models import ModelEvent, ModelVersion

logger = logging.getLogger(__name__)
State, Action = ModelVersion.State, ModelEvent.Action
CHAMPION, CHALLENGER = State.CHAMPION.value, State.CHALLENGER.value
NEWEST = "newest"
NOBODY = "No model answers yet. Run `manage.py ensure_model`, or train one and promote it."
# A worker asks the database which version is champion, and looks at its files, at most this often.
RECHECK_SECONDS = 1.0
# After a refusal the files are read again when they change, and at least this often.
RETRY_SECONDS = 60.0

Signature = tuple[int, ...]
# What a process has seen of a role that no version has.
NOTHING: tuple[int, Signature] = (0, ())


@dataclass(frozen=True)
class ActiveModel:
    """A model in memory, the number and row id of its version, and a challenger's share of the traffic.

    ``neighbours`` are the passages that lie beside it, if there are any.
    """

    number: int
    version_id: int
    model: GenreModel
    share: float = 0.0
    neighbours: Neighbours | None = None


class NoChampion(ModelError):
    """No version has been promoted yet."""


class ChampionChanged(ModelError):
    """Another version became champion while it was decided who should be."""


@transaction.atomic
def register(folder: Path, *, by: str, reason: str = "") -> ModelVersion:
    """Record a finished model folder as the next candidate.

    Raises
    ------
    ModelMissing, ModelDamaged
        When the folder is no model.
    """
    meta = read_meta(folder)
    last = ModelVersion.objects.aggregate(last=Max("number"))["last"] or 0
    version = ModelVersion.objects.create(
        number=last + 1, folder=folder.name, sha256=str(meta.get("model_sha256", "")), meta=meta
    )
    ModelEvent.objects.create(version=version, action=Action.REGISTER, to_state=version.state, by=by, reason=reason)
    return version


def promote(
    number: int,
    *,
    by: str,
    reason: str = "",
    gate: dict[str, Any] | None = None,
    forced: bool = False,
    action: str = Action.PROMOTE,
    replaces: int | None = None,
    at: datetime | None = None,
) -> ModelVersion:
    """Make version ``number`` the champion and retire the one before, in one transaction.

    Promoting the champion again changes nothing. Workers follow within ``RECHECK_SECONDS``. ``gate`` is what the
    gate found, ``forced`` tells that it was overruled; both are kept in the history. ``replaces`` is the number of
    the champion against whom it was decided, 0 for none; by default whoever it is. ``at`` is when it happened
    (default: now), here and below.

    Raises
    ------
    ModelMissing
        When there is no such version, or its folder is gone.
    ModelDamaged
        When its files don't match their hash.
    ChampionChanged
        When another than ``replaces`` has become champion meanwhile.
    """
    version = get_version(number)
    load_version(version)
    with transaction.atomic():
        before = _find_locked(CHAMPION)
        if replaces is not None and replaces != (before.number if before else 0):
            raise ChampionChanged(
                f"{before or 'No version'} has become champion meanwhile, so nothing was changed. Look again, and repeat."
            )
        if before is not None and before.pk != version.pk:
            word = "is brought back" if action == Action.ROLL_BACK else "takes over"
            left = Action.ROLL_BACK if action == Action.ROLL_BACK else Action.RETIRE
            _move(before, State.RETIRED, left, by=by, reason=f"version {number} {word}", at=at)
        version.refresh_from_db()
        if version.state != State.CHAMPION:
            _move(version, State.CHAMPION, action, by=by, reason=reason, gate=gate, forced=forced, at=at)
    return version


def roll_back(*, by: str, reason: str = "", to: int | None = None, at: datetime | None = None) -> ModelVersion:
    """Bring back version ``to``, or the last champion before this one that was neither rolled back nor bad on purpose.

    Raises
    ------
    NoChampion, ModelMissing, ModelDamaged, ChampionChanged
        When there is nothing to return to, ``to`` was never champion, its files are gone or damaged, or somebody else
        changed the champion in the same moment; the champion stays.
    """
    current = get_version("champion")
    if to is None:
        good = next(_good_champions_before(current), None)
        if good is None:
            raise ModelMissing(
                f"No good version was champion before {current}. `manage.py models` lists those to promote."
            )
        to = good.number
    if to == current.number:
        raise ModelMissing(f"Version {to} is the champion already.")
    if not get_version(to).events.filter(to_state=State.CHAMPION).exists():
        raise ModelMissing(f"Version {to} was never champion, so there is no way back to it. `manage.py promote {to}`.")
    return promote(to, by=by, reason=reason, action=Action.ROLL_BACK, replaces=current.number, at=at)


def last_good_before(
    current: ModelVersion, *, load: Callable[[ModelVersion], GenreModel] | None = None
) -> tuple[ModelVersion, GenreModel] | None:
    """Return the last good champion before ``current`` that can be loaded, and its model; None without one.

    ``load`` loads a version (default: ``load_version``).
    """
    for earlier in _good_champions_before(current):
        try:
            return earlier, (load or load_version)(earlier)
        except GenreError as error:
            logger.error("%s can't be loaded either: %s", earlier, error)
    return None


def _good_champions_before(current: ModelVersion) -> Iterator[ModelVersion]:
    """Yield the champions before ``current``, the latest first; neither those rolled back nor those bad on purpose."""
    passed_over = {current.pk}
    for event in ModelEvent.objects.select_related("version").order_by("-pk"):
        if event.from_state == State.CHAMPION and event.action == Action.ROLL_BACK:
            passed_over.add(event.version_id)
        elif event.to_state == State.CHAMPION and event.version_id not in passed_over:
            passed_over.add(event.version_id)
            if not event.version.sabotage:
                yield event.version


def shadow(number: int, *, share: float, by: str, reason: str = "", at: datetime | None = None) -> ModelVersion:
    """Let version ``number`` read ``share`` of the live traffic beside the champion; nobody sees its answers.

    An earlier challenger is retired. Calling it again for the challenger changes its share.

    Raises
    ------
    ModelMissing, ModelDamaged
        When there is no such version, it is the champion, or its files are no good.
    ValueError
        When ``share`` is not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"The share of the traffic must be above 0 and at most 1, not {share:g}.")
    version = get_version(number)
    load_version(version)
    with transaction.atomic():
        before = _find_locked(CHALLENGER)
        if before is not None and before.pk != version.pk:
            _move(before, State.RETIRED, Action.RETIRE, by=by, reason=f"version {number} is the challenger", at=at)
        version.refresh_from_db()
        if version.state == State.CHAMPION:
            raise ModelMissing(f"{version} is the champion; it can't be its own challenger.")
        version.shadow_share = share
        version.save(update_fields=["shadow_share"])
        words = f"reads {share:.0%} of the traffic"
        _move(version, State.CHALLENGER, Action.SHADOW, by=by, reason=f"{words}; {reason}" if reason else words, at=at)
    return version


def stop_shadow(*, by: str, reason: str = "", at: datetime | None = None) -> ModelVersion | None:
    """Retire the challenger; None when there is none."""
    with transaction.atomic():
        version = _find_locked(CHALLENGER)
        if version is not None:
            _move(version, State.RETIRED, Action.RETIRE, by=by, reason=reason or "shadow stopped", at=at)
    return version


def _move(
    version: ModelVersion,
    state: str,
    action: str,
    *,
    by: str,
    reason: str,
    gate: dict[str, Any] | None = None,
    forced: bool = False,
    at: datetime | None = None,
) -> None:
    ModelEvent.objects.create(
        version=version,
        action=action,
        from_state=version.state,
        to_state=state,
        by=by,
        reason=reason,
        gate=gate,
        forced=forced,
        at=at or timezone.now(),
    )
    version.state = state
    version.save(update_fields=["state"])


def champion_on(moment: datetime) -> ModelVersion | None:
    """Return the version that was champion at ``moment``; None before the first."""
    event = (
        ModelEvent.objects.select_related("version")
        .filter(to_state=State.CHAMPION, at__lte=moment)
        .order_by("-at", "-pk")
        .first()
    )
    return event.version if event else None


def get_version(name: int | str) -> ModelVersion:
    """Return the version called ``name``: a number, ``"champion"``, ``"challenger"`` or ``"newest"``.

    Raises
    ------
    NoChampion, ModelMissing
        When there is none.
    """
    if name in (CHAMPION, CHALLENGER):
        version = _find(str(name))
        if version is not None:
            return version
        if name == CHAMPION:
            raise NoChampion(NOBODY)
        raise ModelMissing("No version is challenger. `manage.py shadow N` makes one.")
    if name == NEWEST:
        version = ModelVersion.objects.order_by("-number").first()
        if version is None:
            raise ModelMissing("There is no version yet. `manage.py train` makes one.")
        return version
    if not str(name).isdecimal():
        raise ModelMissing(
            f"{name!r} is no version: use a number, or one of the words champion, challenger and newest."
        )
    try:
        return ModelVersion.objects.get(number=int(name))
    except ModelVersion.DoesNotExist as error:
        raise ModelMissing(f"There is no version {name}. `manage.py models` lists them.") from error


def folder_of(version: ModelVersion) -> Path:
    """Return where the version's files are."""
    return Path(settings.GENRE_MODEL_DIR) / version.folder


def load_version(version: ModelVersion) -> GenreModel:
    """Load the version's model; its files must be those that were registered.

    Raises
    ------
    ModelMissing, ModelDamaged
    """
    folder = folder_of(version)
    meta = read_meta(folder)
    if meta.get("model_sha256") != version.sha256:
        raise ModelMissing(f"{folder} holds another model than {version}; restore its files.")
    if meta != version.meta:
        raise ModelDamaged(f"{folder / META_FILE} was changed after {version} was registered; restore it.")
    return GenreModel.load(folder, meta)


class _Follower:
    """The model that this process holds for a role: loaded once, followed when the registry or its files change."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._lock = threading.Lock()
        self._active: ActiveModel | None = None
        # The version and the state of its files when last loaded, or refused.
        self._seen: tuple[int, Signature] | None = None
        self._checked = 0.0
        self._refused_at: float | None = None
        # Why nobody can answer.
        self._error: GenreError | None = None

    def get(self) -> ActiveModel | None:
        """Return the model, or None when the registry names none for the role."""
        with self._lock:
            # Without a champion nobody is answered: then every question looks for one.
            is_wanting = self._active is None and self._role == CHAMPION
            if is_wanting or self._seen is None or time.monotonic() - self._checked > RECHECK_SECONDS:
                try:
                    self._follow()
                except DatabaseError as error:
                    if self._active is None:
                        raise
                    logger.error("The registry can't be read; version %s goes on: %s", self._active.number, error)
                self._checked = time.monotonic()
            return self._active

    def _follow(self) -> None:
        version = _find(self._role)
        if version is None:
            if self._seen != NOTHING:
                _without_failing(close_alerts, [f"{self._role}-files"])
            self._active, self._seen, self._refused_at, self._error = None, NOTHING, None, None
            return
        seen = (version.number, _signature(folder_of(version)))
        is_due = self._refused_at is not None and time.monotonic() - self._refused_at > RETRY_SECONDS
        if seen == self._seen and not is_due:
            if self._error is not None:
                raise self._error.with_traceback(None)
            active = self._active
            if active is not None and active.number == version.number and active.share != version.shadow_share:
                self._active = replace(active, share=version.shadow_share)
            return
        # Before anything can be raised: a model that is refused is not read again with every question.
        self._seen = seen
        try:
            model = load_version(version)
        except GenreError as error:
            self._refuse(version, error)
        else:
            self._active, self._refused_at, self._error = _activate(version, model), None, None
            _without_failing(close_alerts, [f"{self._role}-files"])

    def _refuse(self, version: ModelVersion, error: GenreError) -> None:
        """Go on with the last good model, if there is one, and raise the alarm."""
        self._refused_at = time.monotonic()
        if self._role == CHALLENGER:
            self._active, instead = None, "It reads nothing meanwhile; visitors are not affected."
            way_out = "run `manage.py shadow --stop`"
        else:
            self._active, way_out = self._last_good(version), "run `manage.py rollback`"
            instead = f"Version {self._active.number} answers." if self._active else "No other can answer."
        logger.error("The %s, %s, can't be loaded: %s %s", self._role, version, error, instead)
        finding = Finding(
            key=f"{self._role}-files",
            title=f"The {self._role}, {version}, can't be loaded from its files",
            detail=f"{error} {instead}",
            next_step=f"Restore the folder from a backup, or {way_out}.",
            version=version,
        )
        _without_failing(raise_alert, finding)
        self._error = error if self._role == CHAMPION and self._active is None else None
        if self._error is not None:
            raise self._error

    def _last_good(self, version: ModelVersion) -> ActiveModel | None:
        """Return ``version`` itself while it is in memory, else the last good champion before it that loads."""
        held = self._active
        if held is not None and held.number == version.number:
            return held

        def load(earlier: ModelVersion) -> GenreModel:
            return held.model if held and held.number == earlier.number else load_version(earlier)

        found = last_good_before(version, load=load)
        return _activate(*found) if found else None

    def forget(self) -> None:
        """Drop the model, so that the next question loads it again."""
        with self._lock:
            self._active, self._seen, self._refused_at, self._error = None, None, None, None


def _without_failing(call: Callable[..., Any], *arguments: Any) -> None:
    """Keep alerts from failing a visitor's request when the database can't be written."""
    try:
        call(*arguments)
    except (DatabaseError, ObjectDoesNotExist) as error:
        logger.error("An alert could not be stored: %s", error)


def _find(role: str) -> ModelVersion | None:
    return ModelVersion.objects.filter(state=role).first()


def _find_locked(role: str) -> ModelVersion | None:
    """Find, after every other change of the registry is done; the next one waits until this transaction ends."""
    list(ModelVersion.objects.select_for_update().order_by("pk").values_list("pk"))
    return _find(role)


def _activate(version: ModelVersion, model: GenreModel) -> ActiveModel:
    return ActiveModel(version.number, version.pk, model, version.shadow_share, _neighbours_of(version, model))


def _neighbours_of(version: ModelVersion, model: GenreModel) -> Neighbours | None:
    """Return what lies beside the model. Without it the page lacks a paragraph, so its damage stops nobody."""
    try:
        return Neighbours.load(folder_of(version), model)
    except ModelMissing:
        return None
    except ModelError as error:
        logger.warning("%s answers without passages: %s", version, error)
        return None


def _signature(folder: Path) -> Signature:
    """Return what changes when a file of the model is written, cut, replaced or deleted."""
    try:
        stats = [(folder / name).stat() for name in (MODEL_FILE, META_FILE)]
        # Made after a promotion, mostly.
        if (folder / NEIGHBOURS_FILE).exists():
            stats.append((folder / NEIGHBOURS_FILE).stat())
    except OSError:
        return ()
    return tuple(number for stat in stats for number in (stat.st_mtime_ns, stat.st_size, stat.st_ino))


_champion = _Follower(CHAMPION)
_challenger = _Follower(CHALLENGER)


def champion() -> ActiveModel:
    """Return the champion, following a promotion within ``RECHECK_SECONDS``.

    A champion whose files are missing, cut or changed is refused with an alarm. It goes on answering where it is in
    memory; elsewhere the last good champion before it answers. A change that keeps time, size and inode of a file is
    noticed by the next process only.

    Raises
    ------
    NoChampion
        When no version has been promoted.
    ModelMissing, ModelDamaged
        When neither the champion nor a good one before it can be loaded.
    """
    active = _champion.get()
    if active is None:
        raise NoChampion(NOBODY)
    return active


def challenger() -> ActiveModel | None:
    """Return the challenger and its share of the traffic; None without one, and while its files are no good."""
    return _challenger.get()


def forget_champion() -> None:
    """Drop the loaded models, so that the next question loads them again (tests, long scripts)."""
    _champion.forget()
    _challenger.forget()


def preload() -> None:
    """Load the champion before a server forks; without one the server starts all the same."""
    try:
        champion()
    except (GenreError, DatabaseError) as error:
        logger.warning("No model is loaded: %s", error)
    finally:
        from django.db import connections

        connections.close_all()
