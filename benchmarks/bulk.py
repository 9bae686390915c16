"""``make bench-bulk``: what ``predict_corpus`` makes a second and core, beside a bare loop of ``model.predict``.

A catalogue of the starter corpus's texts, each with a number of its own, is predicted by the command itself with one job
and with one for each core, and by the loop in between, in turn: the machine's mood hits all of them. The command's time is
the whole of it from reading the file to the manifest; with several jobs also what starting the processes takes.
"""

import csv
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.report import QUICK, publish
from classifier.core.genres import canonical_genres
from classifier.core.model import GenreModel
from training.bulk.places import Place
from training.bulk.pools import here_or_processes
from training.bulk.rows import Columns, find_sources
from training.bulk.run import predict_catalogue
from training.bulk.shards import Job, meta_digest
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.fit import FitParameters, fit

N_TEXTS = 2_000 if QUICK else 15_000
ROUNDS = 1 if QUICK else 3
SHARD_ROWS = 500 if QUICK else 2_500
CORES = os.cpu_count() or 1


def main() -> None:
    """Measure and publish."""
    examples = read_corpus(STARTER_FILE, canonical_genres()).examples
    texts = [f"{examples[at % len(examples)].text} {at}" for at in range(N_TEXTS)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = fit(examples, FitParameters(epoch=5)).save(Path(scratch) / "model")
        model = GenreModel.load(folder)
        catalogue = Path(scratch) / "books.csv"
        with catalogue.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["id", "text"], *enumerate(texts)])
        methods = {"bare loop of model.predict": 1, "predict_corpus --jobs 1": 1}
        if CORES > 1:
            methods[f"predict_corpus --jobs {CORES}"] = CORES
        rates: dict[str, list[float]] = {name: [] for name in methods}
        for _ in range(ROUNDS):
            for name, jobs in methods.items():
                seconds = bare(model, texts) if name.startswith("bare") else bulk(folder, model, catalogue, jobs)
                rates[name].append(N_TEXTS / seconds / jobs)
        size = sum(path.stat().st_size for path in (Path(scratch) / "out").glob("part-*"))
        n_bytes = catalogue.stat().st_size
    rows = [
        {
            "method": name,
            "texts_per_second_per_core": statistics.median(found),
            "min": min(found),
            "max": max(found),
            "of_bare": statistics.median(found) / statistics.median(rates["bare loop of model.predict"]),
        }
        for name, found in rates.items()
    ]
    publish(
        "bulk",
        rows,
        texts=N_TEXTS,
        rounds=ROUNDS,
        cores=CORES,
        words_per_text=round(statistics.mean(len(text.split()) for text in texts)),
        input_bytes_per_text=round(n_bytes / N_TEXTS),
        csv_bytes_per_answer=round(size / N_TEXTS),
    )


def bare(model: GenreModel, texts: list[str]) -> float:
    """Return the seconds of a loop that keeps no answer."""
    began = time.perf_counter()
    for text in texts:
        model.predict(text)
    return time.perf_counter() - began


def bulk(folder: Path, model: GenreModel, catalogue: Path, jobs: int) -> float:
    """Return the seconds of a whole run into an empty folder."""
    out = folder.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    job = Job(str(out), str(folder), 1, str(model.meta["model_sha256"]), meta_digest(model.meta), "csv")
    columns = Columns()
    began = time.perf_counter()
    sources = find_sources(Place.at(str(catalogue)), columns)
    predict_catalogue(sources, job, here_or_processes(jobs), columns=columns, most_rows=SHARD_ROWS)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
