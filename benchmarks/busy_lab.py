"""A lab in use, in a scratch folder: data files, a database with versions and corrections, models, runs that ended.

Nothing here needs Django to be set up before ``fill_site``.
"""

import csv
import os
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path

from classifier.core.errors import CorpusError
from classifier.core.files import write_json
from classifier.core.genres import canonical_genres
from classifier.core.model import GenreModel
from training.core.books import Example
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.fit import FitParameters, fit, recommended
from training.core.pinned import read_four_files
from training.core.vectors import BOOK_VECTORS, load_vectors
from training.lab import JOB, METRICS, RESULT, Job

# As many as in the Kaggle file's middle text.
WORDS = 170
RUNS = 50


def environment(folder: Path) -> dict[str, str]:
    """Return what a process of this lab must find in its environment."""
    return os.environ | {
        "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
        "SECRET_KEY": "only-for-this-bench-" + "0123456789" * 5,
        "DJANGO_SETTINGS_MODULE": "genre_site.settings",
        "GENRE_MODEL_DIR": str(folder / "models"),
        "GENRE_LAB_DIR": str(folder / "lab"),
        "GENRE_MONITOR_SECONDS": "0",
        "GENRE_HTTPS": "false",
        "DEBUG": "false",
        "ALLOWED_HOSTS": "127.0.0.1",
        "LOG_LEVEL": "CRITICAL",
    }


def synthetic(n_books: int, seed: int = 1) -> Iterator[Example]:
    """Yield made-up books: words drawn from those that the starter corpus has in texts of the same genre."""
    rng = random.Random(seed)
    words = _words()
    genres = sorted(words)
    for number in range(n_books):
        genre = rng.choice(genres)
        both = (genre, rng.choice(genres)) if rng.random() < 0.2 else (genre,)
        text = " ".join(rng.choices(words[genre], k=rng.randint(WORDS // 2, WORDS * 3 // 2)))
        yield Example(text, tuple(dict.fromkeys(both)), f"Book {number}", f"Author {number % (n_books // 5 + 1)}")


@cache
def _words() -> dict[str, list[str]]:
    words = defaultdict(list)
    for example in read_corpus(STARTER_FILE, canonical_genres()).examples:
        words[example.genres[0]] += example.text.split()
    return words


def write_books(path: Path, examples: Iterator[Example]) -> Path:
    """Write examples one by one, so that many need no memory, as a file that the lab reads."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label", "title", "author"])
        rows.writerows([each.text, "|".join(each.genres), each.title, each.author] for each in examples)
    return path


def write_many(path: Path, n_books: int, data: Path) -> str:
    """Write ``n_books`` real books of the files below ``data``, made-up ones where these are too few; say which."""
    try:
        found = [pinned.example for pinned in read_four_files(data, canonical_genres())][:n_books]
    except CorpusError:
        found = []
    made_up = n_books - len(found)
    write_books(path, chain(found, synthetic(made_up)))
    return f"{len(found):,} real books and {made_up:,} made up"


def save_models(folder: Path, n_models: int, *, is_quick: bool) -> list[Path]:
    """Save models as the site's own recipe makes them of the starter corpus; the last two differ."""
    examples = read_corpus(STARTER_FILE, canonical_genres()).examples
    last = [_fit(examples, seed, is_quick=is_quick) for seed in (1, 2)]
    folder.mkdir()
    saved = [
        model.save(
            folder / f"m{n_models - 1 + at}",
            canaries=[example.text for example in examples[:2]],
            # Nothing is left out as seen: the most that a page may have to measure on.
            extra={"seen.json": '{"texts": [], "books": []}'},
        )
        for at, model in enumerate(last)
    ]
    copies = [shutil.copytree(saved[0], folder / f"m{number}") for number in range(1, n_models - 1)]
    return [*copies, *saved]


def _fit(examples: Sequence[Example], seed: int, *, is_quick: bool) -> GenreModel:
    if is_quick:
        return fit(examples, FitParameters(epoch=2, dim=10, seed=seed))
    parameters = replace(recommended(len(examples), with_vectors=True), seed=seed)
    return fit(examples, parameters, vectors=load_vectors(BOOK_VECTORS))


def save_runs(folder: Path) -> None:
    """Leave runs behind as they are when they have ended; without their models, which a page loads when it is asked."""
    for number in range(1, RUNS + 1):
        run = folder / "20261101T101500000000" / f"{number:02}"
        job = Job(STARTER_FILE, FitParameters(epoch=number, lr=number / 100), "none")
        write_json(run / JOB, job.as_json() | {"when": "2026-11-01T10:15:00+00:00"})
        figures = dict.fromkeys(METRICS, 0.4 + number / 1000)
        write_json(run / RESULT, figures | {"n_train": 1300, "n_test": 300, "average_loss": 1.2, "seconds": 9.0})
        write_json(run.parent / "worker.json", {"pid": 1, "started": "long ago"})


def fill_site(folder: Path, *, is_quick: bool) -> dict[str, int]:
    """Make the database with versions, predictions and corrections; return how many. Sets Django up."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from benchmarks.busy_site import N_VERSIONS, fill
    from training.monitor.watch import watch

    folders = save_models(folder / "models", N_VERSIONS, is_quick=is_quick)
    counts = fill(folders, n_predictions=2_000 if is_quick else 100_000, n_corrections=200 if is_quick else 5_000)
    watch()
    return counts
