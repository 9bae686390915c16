"""Play the drill on a copy: the site's genres, versions and corrections in a scratch database, its champion's folder.

The parent (``rehearse``) makes the copy and follows; the child (``python -m training.rehearsal``) is given the scratch
database by its environment, plays, and writes the result and the report. Nothing of the site is written to. Predictions
and reviewers are not copied: the traffic is replayed, and nobody's account is needed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from classifier.core.errors import TrainingError

ROOT = Path(__file__).resolve().parent.parent
PROGRESS = "progress "


@dataclass(frozen=True)
class Job:
    """What to play. ``strength`` of None means each kind's own; without the gate the drill must fail.

    ``champion`` is the number of the version that plays the good champion, 0 for the one that is.
    """

    kinds: tuple[str, ...]
    requests: int
    retrainings: int
    champion: int = 0
    paths: tuple[str, ...] = ()
    strength: float | None = None
    use_gate: bool = True
    vectors: str = "book"
    report: str = ""


def rehearse(job: Job, *, on_progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Copy the site to a scratch folder, play there, and return the story as plain data.

    Raises
    ------
    NoChampion, ModelMissing, ModelDamaged
        When there is no sound champion to begin with.
    TrainingError
        When the drill could not be played to its end.
    """
    from classifier import registry

    champion = registry.get_version(job.champion or "champion")
    registry.load_version(champion)
    with tempfile.TemporaryDirectory(prefix="genre-drill-") as name:
        scratch = Path(name)
        shutil.copytree(registry.folder_of(champion), scratch / "models" / champion.folder)
        _dump(scratch / "site.json")
        (scratch / "job.json").write_text(json.dumps(asdict(job)), encoding="utf-8")
        _play_in_child(scratch, on_progress)
        result: dict[str, Any] = json.loads((scratch / "drill.json").read_text(encoding="utf-8"))
        return result


def _dump(path: Path) -> None:
    """Write what the story needs as a Django fixture, the people left out."""
    from django.core import serializers

    with path.open("w", encoding="utf-8") as file:
        serializers.serialize("json", _rows(), stream=file)


def _rows() -> Iterator[Any]:
    from classifier.models import Genre, ModelEvent, ModelVersion
    from feedback.models import Correction

    yield from Genre.objects.all()
    yield from ModelVersion.objects.all()
    yield from ModelEvent.objects.order_by("pk")
    for correction in Correction.objects.filter(status=Correction.Status.APPROVED).iterator(chunk_size=1000):
        correction.reviewer_id = None
        correction.note = correction.visitor = ""
        yield correction


def _play_in_child(scratch: Path, on_progress: Callable[[str, float], None]) -> None:
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{scratch / 'db.sqlite3'}",
        "TEST_DATABASE_URL": f"sqlite:///{scratch / 'db.sqlite3'}",
        "GENRE_MODEL_DIR": str(scratch / "models"),
        "LOG_LEVEL": "CRITICAL",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "training.rehearsal", str(scratch)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        said = ""
        try:
            for line in child.stdout:
                if line.startswith(PROGRESS):
                    share, _, what = line.removeprefix(PROGRESS).strip().partition(" ")
                    on_progress(what, float(share))
                elif line.strip():
                    said = line.strip()
        except BaseException:
            child.kill()
            raise
        finally:
            child.stdin.close()
    if child.returncode:
        raise TrainingError(f"The drill stopped: {said or f'exit {child.returncode}'}")


def main(scratch: Path) -> None:
    """Play in the scratch database that the environment names."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    # The copies of the site's settings that a running process may have overridden.
    settings.GENRE_MODEL_DIR = scratch / "models"
    call_command("migrate", verbosity=0)
    from classifier.models import Genre

    Genre.objects.all().delete()
    call_command("loaddata", str(scratch / "site.json"), verbosity=0)
    from classifier.registry import promote
    from training.drill import Rehearsal, plan_of
    from training.drill_report import write_report
    from training.management.commands.train import vectors_of

    job = Job(**json.loads((scratch / "job.json").read_text(encoding="utf-8")))
    if job.champion:
        promote(job.champion, by="drill", reason="plays the good champion")
    rehearsal = Rehearsal(
        plan=plan_of([Path(path) for path in job.paths], vectors=vectors_of(job.vectors)),
        requests=job.requests,
        strength=job.strength,
        use_gate=job.use_gate,
        report=_report,
    )
    story = rehearsal.play(job.kinds, retrainings=job.retrainings)
    if job.report:
        write_report(story, Path(job.report))
    (scratch / "drill.json").write_text(json.dumps(story.as_json()), encoding="utf-8")


def _report(what: str, share: float) -> None:
    sys.stdout.write(f"{PROGRESS}{share:.4f} {what}\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    """End when the parent is gone: it holds the other end of standard input."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genre_site.settings")
    main(Path(sys.argv[1]))
