"""Who predicts the shards: this process, processes of this machine, or the workers of a dask scheduler."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol

from classifier.core.errors import GenreError
from training.bulk.places import needed

# How long a scheduler that is named may take to answer.
SCHEDULER_SECONDS = 10
Task = Callable[..., dict[str, Any]]


class WorkersLost(GenreError):
    """Workers died, or none can be reached; what is finished stays."""


class Pool(Protocol):
    """What takes shards and gives their records back."""

    @property
    def window(self) -> int:
        """How many shards may be under way together."""

    def submit(self, task: Task, *arguments: Any) -> Any:
        """Start a task; return its future."""

    def wait(self, futures: set[Any]) -> tuple[set[Any], set[Any]]:
        """Wait until one future at least is done; return those that are and those that are not."""


class Here:
    """The process itself: each task is done when it is submitted."""

    window = 1

    def submit(self, task: Task, *arguments: Any) -> Any:
        """Do the task."""
        future: Future[dict[str, Any]] = Future()
        future.set_result(task(*arguments))
        return future

    def wait(self, futures: set[Any]) -> tuple[set[Any], set[Any]]:
        """Return them all."""
        return futures, set()


class Processes:
    """Processes of this machine."""

    def __init__(self, executor: ProcessPoolExecutor, jobs: int) -> None:
        self._executor, self.window = executor, 2 * jobs

    def submit(self, task: Task, *arguments: Any) -> Any:
        """Give the task to whichever process is free."""
        try:
            return self._executor.submit(task, *arguments)
        except BrokenProcessPool as error:
            raise _lost() from error

    def wait(self, futures: set[Any]) -> tuple[set[Any], set[Any]]:
        """Wait for the first."""
        done, waiting = wait(futures, return_when=FIRST_COMPLETED)
        if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
            raise _lost()
        return done, waiting


class Workers:
    """The workers of a dask scheduler; it gives the shards of a worker that died to another."""

    def __init__(self, client: Any, distributed: Any) -> None:
        self._client, self._distributed = client, distributed

    @property
    def window(self) -> int:
        """Two shards for each thread there is at the moment."""
        return max(4, 2 * int(sum(self._client.nthreads().values())))

    def submit(self, task: Task, *arguments: Any) -> Any:
        """Hand the task to the scheduler. The rows travel with it, so that they outlive a worker."""
        return self._client.submit(task, *arguments, pure=False)

    def wait(self, futures: set[Any]) -> tuple[set[Any], set[Any]]:
        """Wait for the first."""
        found = self._distributed.wait(futures, return_when="FIRST_COMPLETED")
        for future in found.done:
            if isinstance(error := future.exception(), self._distributed.scheduler.KilledWorker):
                raise WorkersLost(f"A shard's workers died again and again: {error}") from error
        return found.done, found.not_done


def _lost() -> WorkersLost:
    return WorkersLost(
        "A process died, perhaps for want of memory. Finished shards are kept: run the same command again, "
        "with fewer --jobs or --shard-rows."
    )


@contextmanager
def here_or_processes(jobs: int) -> Iterator[Pool]:
    """Give the pool of this machine; what has not begun when the block ends by an error is given up."""
    if jobs == 1:
        yield Here()
        return
    # Spawned: a fork would take along the database's connection and the threads that show progress.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin)
    try:
        yield Processes(executor, jobs)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def workers_of(scheduler: str) -> Iterator[Pool]:
    """Give the workers of the scheduler at an address such as ``tcp://host:8786``.

    Raises
    ------
    WorkersLost
        When nobody answers there, or it has no worker.
    """
    distributed = needed("distributed", what="--scheduler")
    try:
        client = distributed.Client(scheduler, timeout=SCHEDULER_SECONDS)
    except (OSError, ValueError) as error:
        raise WorkersLost(f"No dask scheduler answers at {scheduler}: {error}") from error
    with client:
        if not client.nthreads():
            raise WorkersLost(f"The scheduler at {scheduler} has no worker yet: start `dask worker {scheduler}`.")
        yield Workers(client, distributed)


def _begin() -> None:
    """Leave Ctrl-C to the parent, and end with it even when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=[parent], daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
