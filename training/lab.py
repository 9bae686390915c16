"""The lab's trainings: start them, watch them, stop them, keep one as a candidate.

A run is a folder ``BATCH/NNN`` below ``GENRE_LAB_DIR``. The runs that were started together are a batch, which one
worker (``training.lab_worker``) works off in order, so that the folder is the queue:

    20261123T101500000000/
        worker.json     pid of the worker, and when that process began
        log             what it said
        001/
            job.json        what to train on (with hashes), and how
            progress.json   how far it is
            model/          the model folder, like every other
            result.json     its figures: the run is done
            failed.json     or why there are none
            stopped.json    or that a person stopped it

A database is needed only to keep a run.
"""

import json
import os
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from classifier.core.errors import ModelError, TrainingError
from classifier.core.files import write_json
from classifier.core.model import GenreModel
from training.core.naming import distinct
from training.lab_job import Job

if TYPE_CHECKING:
    from classifier.models import ModelVersion

ROOT = Path(__file__).resolve().parent.parent
QUEUED, RUNNING, DONE, FAILED, STOPPED = "queued", "running", "done", "failed", "stopped"
ACTIVE = (QUEUED, RUNNING)
JOB, PROGRESS, RESULT, WHY, STOP, WORKER, LOG = (
    "job.json",
    "progress.json",
    "result.json",
    "failed.json",
    "stopped.json",
    "worker.json",
    "log",
)
MODEL = "model"
COMMAND = (sys.executable, "-m", "training.lab_worker")
# Of a run, on the test side.
METRICS = ("accuracy", "f1_subj_avg", "precision_at_1", "recall_at_3")
# What tells that a run has ended.
ENDS = (RESULT, WHY, STOP)
# Workers this process started; asked now and then, so that those that ended do not stay as zombies.
_workers: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Run:
    """A run and how it stands.

    ``share`` lies in [0, 1]; ``average_loss`` is that of learning, None before fastText has told it; ``result`` holds
    the figures of a run that is done; ``why`` tells why one failed. ``began`` is a time in seconds since 1970.
    ``name`` is what people call it: short, and that of no other run.
    """

    id: str
    folder: Path
    job: Job
    when: str
    state: str
    share: float = 0.0
    phase: str = ""
    average_loss: float | None = None
    began: float | None = None
    result: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    name: str = ""

    @property
    def model(self) -> Path:
        """Where the model is when the run is done."""
        return self.folder / MODEL

    @property
    def elapsed(self) -> float:
        """Seconds since it began, 0 before."""
        return max(0.0, time.time() - self.began) if self.began else 0.0


def lab_dir() -> Path:
    """Return where the runs are kept."""
    return Path(settings.GENRE_LAB_DIR)


def start(jobs: Sequence[Job]) -> list[str]:
    """Queue the jobs, start a worker that does one after the other, and return their run ids.

    The worker outlives this process.
    """
    batch = lab_dir() / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    when = datetime.now(UTC).isoformat(timespec="seconds")
    ids = []
    for number, job in enumerate(jobs, start=1):
        folder = batch / f"{number:03}"
        write_json(folder / JOB, job.as_json() | {"when": when})
        ids.append(f"{batch.name}/{folder.name}")
    if ids:
        _start_worker(batch)
    return ids


def _start_worker(batch: Path) -> None:
    with (batch / LOG).open("ab") as log:
        worker = subprocess.Popen(
            [*COMMAND, str(batch.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            # Out of reach of the Ctrl-C that ends the lab.
            start_new_session=True,
        )
    _workers.append(worker)
    write_json(batch / WORKER, {"pid": worker.pid, "started": process_start(worker.pid)})


def process_start(pid: int) -> str:
    """Return when the process ``pid`` began, in the system's own words; '' when it has ended.

    A pid is used again some day; a pid with its start is not.
    """
    _workers[:] = [worker for worker in _workers if worker.poll() is None]
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        # The name, in parentheses, may hold anything; the state is the first field after it, the start the 20th.
        state, *fields = stat.rpartition(")")[2].split()
        return "" if state in "ZX" else fields[18]
    asked = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607  (its place differs among systems)
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = asked.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def _worker_of(batch: Path) -> int | None:
    """Return the pid of the batch's worker; None when it has ended."""
    found = read_file(batch / WORKER)
    is_alive = bool(found) and bool(found["started"]) and process_start(found["pid"]) == found["started"]
    return int(found["pid"]) if is_alive else None


def runs() -> list[Run]:
    """Return every run, the newest batch first and a batch in its order."""
    found = []
    # Beside the batches lie uploads.
    for batch in sorted(lab_dir().glob("[0-9]*/"), reverse=True):
        # Asked before the files are read: a worker that ends in between has written its result by then.
        is_waiting = not (batch / WORKER).exists() or _worker_of(batch) is not None
        found += [_run(folder, is_waiting) for folder in _folders(batch)]
    names = distinct(list(map(_short_name, found)), [run.id for run in found])
    return [replace(run, name=name) for run, name in zip(found, names, strict=True)]


def _short_name(run: Run) -> str:
    """Return the run's place in its batch and when that was started, in UTC; its id where nobody knows when."""
    if not run.when:
        return f"Run {run.id}"
    return f"Run {int(run.folder.name)}, {datetime.fromisoformat(run.when).astimezone(UTC):%-d %b %H:%M:%S}"


def get_run(run_id: str) -> Run:
    """Return the run with this id.

    Raises
    ------
    TrainingError
        When there is none.
    """
    run = next((run for run in runs() if run.id == run_id), None)
    if run is None:
        raise TrainingError(f"There is no run {run_id}; it may have been deleted. Reload the page.")
    return run


def expected_seconds(run: Run, known: Sequence[Run]) -> float | None:
    """Return how long runs like this one took: the median of those done on the same texts and vectors, None without any.

    On one thread fastText tells nothing before its end, so that this is the best there is to know while it learns.
    """
    like = [
        other.result["seconds"]
        for other in known
        if other.state == DONE and (other.job.texts, other.job.vectors) == (run.job.texts, run.job.vectors)
    ]
    return statistics.median(like) if like else None


def _run(folder: Path, has_worker: bool) -> Run:
    job, progress = read_file(folder / JOB), read_file(folder / PROGRESS)
    result, failed = read_file(folder / RESULT), read_file(folder / WHY)
    why = ""
    if result:
        state = DONE
    elif (folder / STOP).exists():
        state = STOPPED
    elif failed:
        state, why = FAILED, failed["why"]
    elif has_worker:
        state = RUNNING if progress else QUEUED
    else:
        state, why = FAILED, _last_words(folder.parent / LOG, progress)
    return Run(
        id=f"{folder.parent.name}/{folder.name}",
        folder=folder,
        job=Job.from_json(job),
        when=job["when"],
        state=state,
        share=progress.get("share", 0.0),
        phase=progress.get("phase", ""),
        average_loss=progress.get("average_loss"),
        began=progress.get("began"),
        result=result,
        why=why,
    )


def _last_words(log: Path, progress: dict[str, Any]) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    where = f"while {progress['phase']}" if progress else "before its turn"
    return f"Its process ended {where}" + (f": {said}" if said else " without a word; the machine may lack memory.")


def read_file(path: Path) -> dict[str, Any]:
    """Return what a file of ours holds; {} when it is not there, or somebody damaged it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def stop(run_id: str) -> None:
    """Stop a run that is queued or running; the others of its batch go on. A run that has ended stays as it is."""
    run = get_run(run_id)
    if run.state not in ACTIVE:
        return
    write_json(run.folder / STOP, {"when": datetime.now(UTC).isoformat(timespec="seconds")})
    # The worker says that it begins before it looks whether to stop: one of us two sees the other.
    if (run.folder / PROGRESS).exists():
        batch = run.folder.parent
        _end_worker(batch)
        if waiting := [folder for folder in _folders(batch) if not any((folder / name).exists() for name in ENDS)]:
            for folder in waiting:
                # The worker may have gone on to the next run in this instant: that one begins anew.
                (folder / PROGRESS).unlink(missing_ok=True)
                shutil.rmtree(folder / MODEL, ignore_errors=True)
            _start_worker(batch)


def stop_all() -> None:
    """Stop every run that is queued or running."""
    # The last first: no worker is started again for those that wait.
    for run in reversed([run for run in runs() if run.state in ACTIVE]):
        stop(run.id)


def _folders(batch: Path) -> list[Path]:
    """Return the runs of a batch, in order."""
    return [path.parent for path in sorted(batch.glob(f"*/{JOB}")) if read_file(path)]


def _end_worker(batch: Path) -> None:
    pid = _worker_of(batch)
    if pid is not None:
        # fastText's own process ends with it, and removes the texts it was given.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while _worker_of(batch) is not None:
            time.sleep(0.01)
    for draft in batch.glob("*/.*.tmp"):
        shutil.rmtree(draft, ignore_errors=True)


def command_of(run: Run) -> str:
    """Return the command that makes the same model: the same data and parameters give the same bytes."""
    job = run.job
    words = ["manage.py", "train", "--data", str(job.data), "--no-feedback", "--vectors", job.vectors]
    words += ["--test", str(job.test)] if job.test else []
    words += ["--format", job.file_format] if job.file_format else []
    words += [] if job.background else ["--no-background"]
    for name, value in asdict(job.parameters).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)


def keep(run_id: str, *, by: str) -> "ModelVersion":
    """Register the model of a run that is done as a candidate, and return its version; the gate still applies.

    The model folder, which the pipeline made, is copied below ``GENRE_MODEL_DIR`` as it is. Keeping a run again
    returns the same version. Needs Django and its database.

    Raises
    ------
    TrainingError
        When the run is not done.
    ModelError
        When its files are not those that training wrote.
    """
    # Imported late: the rest of this module needs Django's settings, and no database.
    from classifier.models import ModelVersion
    from classifier.registry import register

    run = get_run(run_id)
    if run.state != DONE:
        raise TrainingError(f"Run {run_id} is {run.state}; only one that is done can be kept.")
    folder = Path(settings.GENRE_MODEL_DIR) / run_id.replace("/", "-")
    version = ModelVersion.objects.filter(folder=folder.name).first()
    if version is not None:
        return version
    if not folder.exists():
        GenreModel.load(run.model)
        _copy(run.model, folder)
    return register(folder, by=by, reason=f"kept from run {run_id} of the lab")


def _copy(source: Path, folder: Path) -> None:
    """Copy a model folder, whole or not at all."""
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        shutil.copytree(source, draft)
        draft.rename(folder)
    except OSError as error:
        raise ModelError(f"The model can't be copied to {folder}: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def delete(run_id: str) -> None:
    """Stop a run if it still goes on, and delete its folder; a version that was kept from it stays."""
    stop(run_id)
    folder = get_run(run_id).folder
    shutil.rmtree(folder)
    if not any(folder.parent.glob("*/")) and _worker_of(folder.parent) is None:
        shutil.rmtree(folder.parent)
