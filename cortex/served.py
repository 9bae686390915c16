"""The model that is served: loaded once, and only when it is the one that was meant and answers soundly."""

import logging
import math
import threading
import time
from typing import Any

from classifier.core.errors import GenreError, ModelDamaged, ModelMissing
from classifier.core.marks import sabotage_of
from classifier.core.model import GenreModel
from cortex import draining
from cortex.settings import Settings
from cortex.store import ModelUnreachable, local_folder

logger = logging.getLogger(__name__)
# A store that was away for a moment is asked again by itself, but not by every probe.
RETRY_SECONDS = 15
SMOKE_TEXT = "The old house at the end of the street kept the secrets of the family, until a stranger came and asked."
# Anybody may read why the service is not ready: no path and no address; the log has those.
_REASONS: dict[type[GenreError], str] = {
    ModelMissing: "there is no model at MODEL_URI",
    ModelDamaged: "the model is damaged, or not the one that was meant",
    ModelUnreachable: "the model can't be fetched",
}


class NotReady(Exception):
    """No model answers; the message says why, for anybody to read."""


class ServedModel:
    """The model of one process, shared by its threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model: GenreModel | None = None
        self._reason, self._retry_at = "the model is being loaded", 0.0
        self._lock = threading.Lock()

    def get(self) -> GenreModel:
        """Return the model, loading it if there is none yet and the last attempt was a while ago.

        Raises
        ------
        NotReady
        """
        if self._model is None and self._lock.acquire(blocking=False):
            try:
                self._load()
            finally:
                self._lock.release()
        if self._model is None:
            raise NotReady(self._reason)
        return self._model

    def check_ready(self) -> GenreModel:
        """Return the model if requests may be sent here.

        Raises
        ------
        NotReady
            Also while the server is ending.
        """
        if draining.has_begun():
            raise NotReady("the server is ending")
        return self.get()

    def _load(self) -> None:
        # Asked again, since another thread may have loaded it while this one came here.
        if self._model is not None or time.monotonic() < self._retry_at:
            return
        try:
            self._model = self._sound_model()
        except GenreError as error:
            self._reason = _REASONS.get(type(error), "the model can't be loaded")
            self._retry_at = time.monotonic() + RETRY_SECONDS
            logger.error("No model: %s", error)
        else:
            logger.info("The model answers.", extra={"fields": {"model_sha256": self._model.meta["model_sha256"]}})

    def _sound_model(self) -> GenreModel:
        if not self._settings.model_uri:
            raise ModelMissing("MODEL_URI is not set; it names the model folder.")
        with local_folder(self._settings.model_uri, sha256=self._settings.model_sha256) as folder:
            model = GenreModel.load(folder)
        if model.meta["model_sha256"] != (self._settings.model_sha256 or model.meta["model_sha256"]):
            raise ModelDamaged("The model is not the one that MODEL_SHA256 names.")
        _smoke(model)
        return model


def _smoke(model: GenreModel) -> None:
    """Ask the model once; scores that can't be are a reason not to serve it. Its canaries were compared at loading."""
    scores = model.predict(SMOKE_TEXT).scores
    if not all(math.isfinite(genre.score) and 0 <= genre.score <= 1 for genre in scores):
        raise ModelDamaged("The model answers with scores that are no probabilities.")


def describe(model: GenreModel) -> dict[str, Any]:
    """Return what there is to know about the model without asking it."""
    meta = model.meta
    return {
        "model_sha256": meta["model_sha256"],
        "sabotage": sabotage_of(meta) or None,
        "genres": list(model.slugs),
        "calibrated": model.calibration is not None,
        "thresholds": model.thresholds is not None,
        "language": meta.get("language"),
        "versions": meta.get("versions", {}),
    }
