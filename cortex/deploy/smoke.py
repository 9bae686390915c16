"""What was deployed must say of a few texts what the model here says of them, score by score."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifier.core.errors import TextError
from classifier.core.model import GenreModel
from classifier.core.text import check_text
from cortex.deploy.asking import Asker
from cortex.deploy.errors import SmokeFailed
from cortex.deploy.release import Kind
from cortex.noting import Notes
from cortex.predicting import MAX_LIMIT, predict_one
from cortex.served import SMOKE_TEXT

# Other processors round otherwise.
TOLERANCE = 1e-4
_CANARIES = 3
_POLL_SECONDS = 1.0
# What a job of Cortex is while it goes on.
_UNDER_WAY = ("pending", "enqueuing", "running")


@dataclass(frozen=True)
class Expected:
    """What the right model says.

    Attributes
    ----------
    sha256 : str
    answers : sequence of (text, answer)
        Empty when the model's files are not here: then its hash alone is compared.
    """

    sha256: str
    answers: Sequence[tuple[str, Mapping[str, Any]]] = ()

    @classmethod
    def of(cls, model: GenreModel) -> "Expected":
        """Ask the model."""
        texts = [SMOKE_TEXT, *filter(_is_readable, (text for text, _ in model.meta.get("canaries", ())))]
        # The ids that a deployed service gives are its own; the model here gives none.
        notes = Notes(b"", are_kept=False)
        asked = [
            (text, predict_one(model, {"text": text, "limit": MAX_LIMIT}, notes)) for text in texts[: _CANARIES + 1]
        ]
        return cls(str(model.meta["model_sha256"]), asked)


def _is_readable(text: str) -> bool:
    try:
        check_text(text)
    except TextError:
        return False
    return True


def check(kind: Kind, endpoint: str, expected: Expected, asker: Asker, *, until: float) -> str:
    """Ask a version and return what was compared, for people.

    Raises
    ------
    SmokeFailed
    """
    return _CHECKS[kind](endpoint.rstrip("/"), expected, asker, until)


def _realtime(endpoint: str, expected: Expected, asker: Asker, until: float) -> str:
    _compare_hash(endpoint, expected, asker.ask(f"{endpoint}/metadata"))
    for text, wanted in expected.answers:
        _compare(endpoint, wanted, asker.ask(f"{endpoint}/", {"text": text, "limit": MAX_LIMIT}))
    return f"model and the scores of {len(expected.answers)} texts are those of the model here"


def _async(endpoint: str, expected: Expected, asker: Asker, until: float) -> str:
    said = asker.ask(endpoint, {"text": SMOKE_TEXT, "limit": MAX_LIMIT})
    wanted = dict(expected.answers).get(SMOKE_TEXT)
    address = f"{endpoint}/{said.get('id') if isinstance(said, dict) else ''}"
    state = _wait(lambda: asker.ask(address), ("in_queue", "in_progress"), asker, until)
    if state.get("status") != "completed":
        raise SmokeFailed(f"{endpoint} did not answer the text of the test: it is {state.get('status')}.")
    _compare_hash(endpoint, expected, state.get("result"))
    if wanted:
        _compare(endpoint, wanted, state["result"])
    return "model and the scores of a text are those of the model here"


def _batch(endpoint: str, expected: Expected, asker: Asker, until: float) -> str:
    # What it answers goes to a store, if anywhere; that the service started at all says that the model is the one meant.
    job = {"workers": 1, "item_list": {"items": [{"text": SMOKE_TEXT}], "batch_size": 1}}
    said = asker.ask(endpoint, job)
    job_id = str(said.get("job_id", "")) if isinstance(said, dict) else ""

    def state() -> Any:
        told = asker.ask(f"{endpoint}?jobID={job_id}")
        return told.get("job_status") if isinstance(told, dict) else None

    status = str(_wait(state, _UNDER_WAY, asker, until).get("status"))
    if status != "succeeded":
        raise SmokeFailed(f"The job {job_id} of one text ended as “{status}”.")
    return f"the job {job_id} of one text succeeded"


def _task(endpoint: str, expected: Expected, asker: Asker, until: float) -> str:
    return "not tried: a task does nothing until it is told what to read"


_CHECKS: Mapping[Kind, Callable[[str, Expected, Asker, float], str]] = {
    Kind.REALTIME: _realtime,
    Kind.ASYNC: _async,
    Kind.BATCH: _batch,
    Kind.TASK: _task,
}


def _wait(look: Callable[[], Any], going_on: Sequence[str], asker: Asker, until: float) -> Mapping[str, Any]:
    while True:
        found = look()
        if not isinstance(found, dict):
            raise SmokeFailed("The answer to the test can't be read.")
        if found.get("status") not in going_on:
            return found
        if asker.clock() > until:
            raise SmokeFailed(f"The test is not over in time: it is {found.get('status')}.")
        asker.sleep(_POLL_SECONDS)


def _compare_hash(endpoint: str, expected: Expected, said: Any) -> None:
    found = said.get("model_sha256") if isinstance(said, dict) else None
    if found != expected.sha256:
        raise SmokeFailed(
            f"{endpoint} serves another model: {str(found)[:12]}…, not {expected.sha256[:12]}…. Is the image the one of it?"
        )


def _compare(endpoint: str, wanted: Mapping[str, Any], said: Any) -> None:
    if not isinstance(said, dict) or not _same(wanted, said):
        raise SmokeFailed(f"{endpoint} answers otherwise than the model here: {_brief(said)}, not {_brief(wanted)}.")


def _same(wanted: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    """Compare by genre: genres whose scores are nearly equal may change places."""
    keys = ("chosen", "abstained", "reason", "model_sha256", "sabotage")
    ours, theirs = ({genre["slug"]: genre["score"] for genre in each.get("results", ())} for each in (wanted, said))
    is_near = all(math.isclose(theirs.get(slug, -1), score, abs_tol=TOLERANCE) for slug, score in ours.items())
    return is_near and len(ours) == len(theirs) and all(wanted[key] == said.get(key) for key in keys)


def _brief(said: Any) -> str:
    results = said.get("results") if isinstance(said, dict) else None
    return ", ".join(f"{genre['slug']} {genre['score']:.4f}" for genre in results[:3]) if results else str(said)[:80]
