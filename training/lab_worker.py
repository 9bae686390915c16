"""Work off a batch of the lab's runs, one after the other: ``python -m training.lab_worker FOLDER``."""

import math
import os
import sys
import time
import traceback
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.core.errors import GenreError
from classifier.core.files import write_json
from classifier.core.genres import GenreList
from training.core.vectors import BOOK_VECTORS, WordVectors, load_vectors
from training.lab import ENDS, JOB, METRICS, MODEL, PROGRESS, RESULT, STOP, WHY, read_file
from training.lab_job import Job

if TYPE_CHECKING:
    from training.pipeline import Made

# A page looks every two seconds.
TELL_SECONDS = 0.5


class _Teller:
    """Writes down how far a run is, not more often than anybody looks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told, self._began = 0.0, time.time()
        self._phase, self._share = "", 0.0
        self.loss: float | None = None

    def report(self, phase: str, share: float) -> None:
        """Tell of a phase; a new one is written at once."""
        is_new = phase.partition(",")[0] != self._phase.partition(",")[0]
        self._phase, self._share = phase, share
        if is_new or time.monotonic() - self._told >= TELL_SECONDS:
            self._tell()

    def on_loss(self, loss: float) -> None:
        """Remember the last loss; NaN, which fastText says before the first, is none."""
        if not math.isnan(loss):
            self.loss = loss

    def _tell(self) -> None:
        self._told = time.monotonic()
        said = {"share": self._share, "phase": self._phase, "average_loss": self.loss, "began": self._began}
        write_json(self._folder / PROGRESS, said)


def work_off(batch: Path, genres: GenreList) -> None:
    """Train the runs of a batch that nobody has begun or stopped, in order; one that fails does not end the others."""
    for folder in sorted(path.parent for path in batch.glob(f"*/{JOB}")):
        if any((folder / name).exists() for name in (PROGRESS, *ENDS)):
            continue
        teller = _Teller(folder)
        teller.report("starting", 0.0)
        # Looked for after the run has said that it begins: see ``training.lab.stop``.
        if (folder / STOP).exists():
            continue
        try:
            result = train_run(folder, genres, teller)
        except GenreError as error:
            write_json(folder / WHY, {"why": str(error)})
        except Exception as error:  # noqa: BLE001  (whatever it is, the runs behind it get their turn)
            traceback.print_exc()
            write_json(folder / WHY, {"why": f"{type(error).__name__}: {error}"})
        else:
            write_json(folder / RESULT, result)


def train_run(folder: Path, genres: GenreList, teller: _Teller) -> dict[str, Any]:
    """Make the model of one run, by the function that makes every model, and return its figures on the test side."""
    # Imported late: Django is set up by then.
    from training.pipeline import TrainingPlan, make_model

    job = Job.from_json(read_file(folder / JOB))
    job.refuse_changed()
    began = time.perf_counter()
    plan = TrainingPlan(
        paths=(job.data,),
        use_feedback=False,
        test=job.test,
        file_format=job.file_format,
        # All of them are named, so that a later change of what is recommended changes no run.
        overrides=read_file(folder / JOB)["parameters"],
        vectors=_vectors(job.vectors),
        background=job.background,
    )
    made = make_model(plan, genres, folder=folder / MODEL, report=teller.report, on_loss=teller.on_loss)
    return _figures(made) | {"average_loss": teller.loss, "seconds": round(time.perf_counter() - began, 1)}


def _figures(made: "Made") -> dict[str, Any]:
    from training.core.evaluation import FASTTEXT

    scores = made.evaluation.scores[FASTTEXT]
    return {name: scores[name] for name in METRICS} | {"n_train": made.n_train, "n_test": made.n_test}


@cache
def _vectors(name: str) -> WordVectors | None:
    return None if name == "none" else load_vectors(BOOK_VECTORS)


def _genres() -> GenreList:
    """Return the site's genres, as `manage.py train` would take them."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genre_site.settings")
    django.setup()
    from classifier.genre_table import genres_at_hand

    return genres_at_hand()


if __name__ == "__main__":
    work_off(Path(sys.argv[1]), _genres())
