"""Clients that ask a server without pause, and how long its answers took."""

import math
import statistics
import threading
from collections.abc import Iterable
from typing import Any


class Clients:
    """``n`` threads, each of which does ``work`` again and again until the block is left, or ``stop`` is called."""

    def __init__(self, n: int) -> None:
        self._errors: list[BaseException] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(n)]

    def __enter__(self) -> Any:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Let each finish what it does; raise what one of them failed with."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors.pop()

    def _run(self, number: int) -> None:
        try:
            client = self.client(number)
            while not self._stop.is_set():
                self.work(client)
        except BaseException as error:  # noqa: BLE001  (raised where the thread is waited for)
            self._errors.append(error)

    def client(self, number: int) -> Any:
        """Return what one thread works with."""
        raise NotImplementedError

    def work(self, client: Any) -> None:
        """Do one thing; what fails is noted, or the run fails."""
        raise NotImplementedError


def times_of(seconds: Iterable[float]) -> dict[str, float]:
    """Return how long answers took, as their clients see it."""
    times = sorted(1000 * each for each in seconds) or [math.nan]
    return {
        "median_ms": round(statistics.median(times), 1),
        "p95_ms": round(times[int(len(times) * 0.95)], 1),
        "slowest_ms": round(times[-1], 1),
    }
