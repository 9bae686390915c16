"""The registry of models: register a trained folder, promote a version, load the champion."""

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Max

from classifier.core.errors import GenreError, ModelError, ModelMissing
from classifier.core.model import GenreModel, read_meta
from classifier.models import ModelEvent, ModelVersion

logger = logging.getLogger(__name__)
# A worker asks the database which version is champion at most this often.
RECHECK_SECONDS = 1.0


@dataclass(frozen=True)
class ActiveModel:
    """The model that answers now, and the number and row id of its version."""

    number: int
    version_id: int
    model: GenreModel


class NoChampion(ModelError):
    """No version has been promoted yet."""


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
    ModelEvent.objects.create(version=version, to_state=version.state, by=by, reason=reason)
    return version


def promote(number: int, *, by: str, reason: str = "") -> ModelVersion:
    """Make version ``number`` the champion and retire the one before, in one transaction.

    Promoting the champion again changes nothing. Workers follow within ``RECHECK_SECONDS``.

    Raises
    ------
    ModelMissing
        When there is no such version, or its folder is gone.
    ModelDamaged
        When its files don't match their hash.
    """
    version = get_version(number)
    load_version(version)
    with transaction.atomic():
        champion = ModelVersion.objects.select_for_update().filter(state=ModelVersion.State.CHAMPION).first()
        if champion is not None and champion.pk != version.pk:
            _move(champion, ModelVersion.State.RETIRED, by=by, reason=f"version {number} takes over")
        version.refresh_from_db()
        if version.state != ModelVersion.State.CHAMPION:
            _move(version, ModelVersion.State.CHAMPION, by=by, reason=reason)
    return version


def _move(version: ModelVersion, state: str, *, by: str, reason: str) -> None:
    ModelEvent.objects.create(version=version, from_state=version.state, to_state=state, by=by, reason=reason)
    version.state = state
    version.save(update_fields=["state"])


def get_version(name: int | str) -> ModelVersion:
    """Return the version called ``name``: a number, or ``"champion"``.

    Raises
    ------
    NoChampion, ModelMissing
        When there is none.
    """
    if name == "champion":
        champion = ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION).first()
        if champion is None:
            raise NoChampion("No model answers yet. Run `manage.py ensure_model`, or train one and promote it.")
        return champion
    if not str(name).isdecimal():
        raise ModelMissing(f"{name!r} is no version: use a number or the word champion.")
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
    model = GenreModel.load(folder_of(version))
    if model.meta.get("model_sha256") != version.sha256:
        raise ModelMissing(f"{folder_of(version)} holds another model than {version}; restore its files.")
    return model


class _Champion:
    """The champion of this process: loaded once, followed when another is promoted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: ActiveModel | None = None
        self._checked = 0.0

    def get(self) -> ActiveModel:
        with self._lock:
            if self._active is None or time.monotonic() - self._checked > RECHECK_SECONDS:
                self._follow()
                self._checked = time.monotonic()
            assert self._active is not None
            return self._active

    def _follow(self) -> None:
        try:
            version = get_version("champion")
            if self._active is None or self._active.number != version.number:
                self._active = ActiveModel(version.number, version.pk, load_version(version))
        except (GenreError, DatabaseError) as error:
            if self._active is None:
                raise
            # The last good model goes on answering: a person gets an answer while somebody repairs this.
            logger.error("The champion can't be loaded; version %s goes on: %s", self._active.number, error)

    def forget(self) -> None:
        with self._lock:
            self._active = None


_champion = _Champion()


def champion() -> ActiveModel:
    """Return the champion, following a promotion within ``RECHECK_SECONDS``.

    A champion whose files are damaged is refused while an earlier one is in memory: that one goes on.

    Raises
    ------
    NoChampion
        When no version has been promoted.
    ModelMissing, ModelDamaged
        When the champion can't be loaded and no other is in memory.
    """
    return _champion.get()


def forget_champion() -> None:
    """Drop the loaded champion, so that the next question loads it again (tests, long scripts)."""
    _champion.forget()


def preload() -> None:
    """Load the champion before a server forks; without one the server starts all the same."""
    try:
        champion()
    except (GenreError, DatabaseError) as error:
        logger.warning("No model is loaded: %s", error)
    finally:
        from django.db import connections

        connections.close_all()
