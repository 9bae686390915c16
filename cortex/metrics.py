"""What Prometheus reads: requests, how long they took, texts, and which model answers. No label holds what a caller wrote.

Under gunicorn the figures are those of all workers together, also of workers that have ended: each writes a file in
``PROMETHEUS_MULTIPROC_DIR`` (``gunicorn_config.py`` makes it), which must be set before this module is loaded.
"""

import os
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from classifier.core.marks import sabotage_of
from classifier.core.model import GenreModel

KIND = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The figures of one service."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        self._requests = Counter(
            "genre_service_requests", "Requests by route and status", ("route", "status"), registry=self._own
        )
        self._seconds = Histogram(
            "genre_service_request_seconds", "Time to an answer", ("route",), buckets=_SECONDS, registry=self._own
        )
        self._texts = Counter("genre_service_texts", "Texts read", registry=self._own)
        self._abstained = Counter(
            "genre_service_abstained", "Texts read without an answer, by reason", ("reason",), registry=self._own
        )
        self._refused = Counter("genre_service_refused", "Texts of a batch that can't be read", registry=self._own)

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_answers(self, answers: list[dict[str, object]]) -> None:
        """Count what was said of texts."""
        refused = sum("error" in answer for answer in answers)
        self._texts.inc(len(answers) - refused)
        self._refused.inc(refused)
        for answer in answers:
            if reason := answer.get("reason"):
                self._abstained.labels(str(reason)).inc()

    def text(self, model: GenreModel | None) -> str:
        """Return all of it in Prometheus' text format."""
        registry = self._own
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        data = generate_latest(registry)
        if model is not None:
            about = CollectorRegistry()
            about.register(_About(model))
            data += generate_latest(about)
        return data.decode()


class _About(Collector):
    """Which model answers. Every worker has the same one, so that it is told by the worker that is asked."""

    def __init__(self, model: GenreModel) -> None:
        self._model = model

    def collect(self) -> Iterator[InfoMetricFamily]:
        about = {"model_sha256": self._model.meta["model_sha256"], "sabotage": sabotage_of(self._model.meta)}
        yield InfoMetricFamily("genre_service_model", "The model that answers", about)
