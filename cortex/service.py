"""The prediction service: one WSGI function over ``classifier.core``, without Django.

``POST /`` with ``{"text": …, "limit": 5, "threshold": 0}`` answers the genres, and which of them reach the
model's own thresholds (``chosen``); where none does, ``abstained`` is true with the ``reason`` ``"no-genre"``
and ``results`` are the nearest. ``sabotage`` tells how a model was made bad on purpose, null for an honest one.
A JSON array of texts or such objects is a batch: ``{"predictions": […], "failed": 0}``, in their order.

``docs/service.md`` says how to run it: ``gunicorn --config cortex/gunicorn_config.py``.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from classifier.core.errors import ModelError
from cortex import open_inference as v2
from cortex.access import check_token
from cortex.batches import BatchStore
from cortex.metrics import KIND, Metrics
from cortex.noting import Notes
from cortex.predicting import predict_each, predict_one
from cortex.served import NotReady, ServedModel, describe
from cortex.settings import Settings
from cortex.wire import JSON, PROBLEM, Answer, Environ, Problem, Request

VERSION = "0.1.0"
logger = logging.getLogger(__name__)

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Handler = Callable[["Service", Request], Answer]


def create() -> "Service":
    """Return the service that the environment asks for, with its model loaded if that is to be had.

    A wrong setting is raised. A model that can't be had is not: the service starts, says so at ``/ready`` and tries again.
    """
    service = Service(Settings.from_environ())
    service.start()
    return service


class Service:
    """The WSGI application."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model = ServedModel(settings)
        self._metrics = Metrics()
        self._batches = BatchStore(settings.batch_uri) if settings.batch_uri else None

    def start(self) -> None:
        """Load the model, before the workers fork, and say what an operator must know."""
        if not self._settings.token_sha256:
            logger.warning("TOKEN_SHA256 is not set: whoever reaches this service may use it.")
        try:
            self._model.get()
        except NotReady as error:
            logger.error("Not ready: %s", error)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        began = time.perf_counter()
        request = Request(environ)
        route = ROUTES.get(request.path, _UNKNOWN)
        answer = self._answer(request, route)
        data = answer.encoded()
        seconds = time.perf_counter() - began
        self._metrics.count_request(route.name, answer.status, seconds)
        fields = {"request_id": request.id, "method": request.method, "route": route.name, "status": answer.status}
        fields |= {"milliseconds": round(seconds * 1000, 2), **request.facts}
        logger.log(logging.DEBUG if route.is_open else logging.INFO, "request", extra={"fields": fields})
        headers = {"Content-Type": answer.kind, "Content-Length": str(len(data)), "X-Request-ID": request.id}
        start_response(answer.status_line, [*(headers | dict(answer.headers)).items()])
        return [] if request.method == "HEAD" else [data]

    def _answer(self, request: Request, route: "Route") -> Answer:
        headers = {name: value for name in _ECHOED if (value := request.named(name))}
        try:
            if not route.is_open:
                check_token(request, self._settings.token_sha256)
            answer = route.handler_for(request.method)(self, request)
            return Answer(answer.body, answer.status, answer.kind, {**answer.headers, **headers})
        except Problem as error:
            problem = error
        except NotReady as error:
            problem = Problem(503, f"Not ready: {error}.", {"Retry-After": "5"})
        except ModelError:
            logger.exception("The model failed")
            problem = Problem(503, "The model gives no sound answer.")
        except Exception:
            logger.exception("Something broke")
            problem = Problem(500, "Something broke here; the log has it under this request's X-Request-ID.")
        # The V2 protocol has a shape of its own for errors.
        is_v2 = request.path.startswith("/v2")
        body = {"error": problem.title} if is_v2 else problem.as_json()
        return Answer(body, problem.status, JSON if is_v2 else PROBLEM, {**problem.headers, **headers})

    def predict(self, request: Request) -> Answer:
        """Answer one text, or a batch."""
        body, notes = request.json(), self._notes()
        if not isinstance(body, list):
            answer = predict_one(self._model.get(), body, notes)
            self._count(request, [answer], notes)
            return Answer(answer)
        answers = predict_each(self._model.get(), body, notes)
        if self._batches and (job := request.header("X-Cortex-Job-ID")):
            self._batches.keep(job, body, answers)
        failed = self._count(request, answers, notes)
        return Answer({"predictions": answers, "failed": failed})

    def infer(self, request: Request) -> Answer:
        """Answer an inference request of the V2 protocol."""
        notes = self._notes()
        said, answers = v2.infer(self._model.get(), request.json(), notes)
        self._count(request, answers, notes)
        return Answer(said)

    def _notes(self) -> Notes:
        return Notes(self._settings.hash_key, are_kept=self._settings.prediction_log)

    def _count(self, request: Request, answers: list[dict[str, Any]], notes: Notes) -> int:
        """Count the answers, tell the log, and return how many texts can't be read."""
        self._metrics.count_answers(answers)
        failed = sum("error" in answer for answer in answers)
        request.facts |= {"texts": len(answers), "failed": failed} | {
            key: value for key, name in _LOGGED.items() if (value := request.named(name))
        }
        self._log(request, notes)
        return failed

    def _log(self, request: Request, notes: Notes) -> None:
        """Log what was noted: the last part in the request's own line, those before it in lines of their own."""
        parts = [{"model_sha256": self._sha256(), "predictions": part} for part in notes.parts()]
        for part in parts[:-1]:
            logger.info("predictions", extra={"fields": {"request_id": request.id, **part}})
        for part in parts[-1:]:
            request.facts |= part

    def _sha256(self) -> str:
        return str(self._model.get().meta["model_sha256"])

    def live(self, request: Request) -> Answer:
        """Say that the process answers."""
        return Answer({"live": True})

    def ready(self, request: Request) -> Answer:
        """Say whether requests may be sent here."""
        about = describe(self._model.check_ready())
        return Answer({"ready": True, "genres": len(about["genres"]), "sabotage": about["sabotage"]})

    def model_ready(self, request: Request) -> Answer:
        """Say the same of the model, as the V2 protocol does."""
        self._model.check_ready()
        return Answer({"name": v2.MODEL_NAME, "ready": True})

    def metadata(self, request: Request) -> Answer:
        """Say which model answers, and what it knows."""
        return Answer({"service_version": VERSION, **describe(self._model.get())})

    def server_metadata(self, request: Request) -> Answer:
        """Say what the server is, as the V2 protocol does."""
        return Answer(v2.server_metadata(VERSION))

    def model_metadata(self, request: Request) -> Answer:
        """Say what the model takes and gives, as the V2 protocol does."""
        return Answer(v2.model_metadata(self._model.get()))

    def metrics(self, request: Request) -> Answer:
        """Give Prometheus its figures, also without a model."""
        try:
            model = self._model.get()
        except NotReady:
            model = None
        return Answer(self._metrics.text(model), kind=KIND)

    def job_complete(self, request: Request) -> Answer:
        """Take note that a batch job of Cortex is over, and write what became of it."""
        job = request.facts["job_id"] = request.named("X-Cortex-Job-ID")
        summary = self._batches.finish(job) if self._batches else {"job_id": job or None}
        return Answer({**summary, "complete": True})


# Cortex's own ids: of an asynchronous request, and of a batch job.
_ECHOED = ("X-Cortex-Request-ID", "X-Cortex-Job-ID")
_LOGGED = {"cortex_request_id": "X-Cortex-Request-ID", "job_id": "X-Cortex-Job-ID"}


@dataclass(frozen=True)
class Route:
    """What an address answers; ``name`` is what metrics and logs call it, since an address may be anything."""

    name: str
    method: str = ""
    handler: Handler | None = None
    is_open: bool = False

    def handler_for(self, method: str) -> Handler:
        """Return what answers, or raise why nothing does."""
        if self.handler is None:
            raise Problem(404, "POST / predicts; GET /live and GET /ready answer probes.")
        if method != self.method and (method, self.method) != ("HEAD", "GET"):
            raise Problem(405, f"Only {self.method} is answered here.", {"Allow": self.method})
        return self.handler


_UNKNOWN = Route("unknown")
_MODEL = f"/v2/models/{v2.MODEL_NAME}"
# Probes are open: what asks them has no token.
ROUTES = {
    "/": Route("predict", "POST", Service.predict),
    "/live": Route("live", "GET", Service.live, is_open=True),
    "/ready": Route("ready", "GET", Service.ready, is_open=True),
    "/metadata": Route("metadata", "GET", Service.metadata),
    "/metrics": Route("metrics", "GET", Service.metrics),
    "/on-job-complete": Route("on-job-complete", "POST", Service.job_complete),
    "/v2": Route("v2", "GET", Service.server_metadata),
    "/v2/health/live": Route("v2-live", "GET", Service.live, is_open=True),
    "/v2/health/ready": Route("v2-ready", "GET", Service.ready, is_open=True),
    _MODEL: Route("v2-model", "GET", Service.model_metadata),
    f"{_MODEL}/ready": Route("v2-model-ready", "GET", Service.model_ready, is_open=True),
    f"{_MODEL}/infer": Route("v2-infer", "POST", Service.infer),
}
