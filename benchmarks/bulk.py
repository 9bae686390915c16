"""``make bench-bulk``: what ``predict_corpus`` makes a second, beside a bare loop of fastText and fastText's own program.

A catalogue of the starter corpus's texts, each with a number of its own, is predicted by the command's own code with one
job and with two; by a loop that cleans each text of a list, asks fastText for its best genres and throws them away; by
two such loops side by side, in processes of their own; and by fastText's command line, where a compiler is there to
build it, which gets lines that are cleaned already. All in turn: the machine's mood hits all of them. The command's time is the
whole of it from reading the file to the manifest; of what runs in processes, also what starting them takes. The model's
scores are calibrated, as a served model's are. Last, a catalogue of a million rows is predicted for its memory.
"""

import csv
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.report import QUICK, publish
from classifier.core.calibrate import Calibration
from classifier.core.genres import canonical_genres
from classifier.core.model import MODEL_FILE, GenreModel, to_line
from classifier.core.text import content_words
from genre_site.tests.running import ROOT, peak_memory
from training.bulk.places import Place
from training.bulk.pools import here_or_processes
from training.bulk.rows import Columns, find_sources
from training.bulk.run import MOST_ROWS, predict_catalogue
from training.bulk.shards import Job, meta_digest
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.fit import FitParameters, fit

N_TEXTS = 2_000 if QUICK else 100_000
N_ROWS_FOR_MEMORY = 5_000 if QUICK else 1_000_000
ROUNDS = 1 if QUICK else 3
LIMIT = 5
LOOP, PROGRAM, ONE_JOB = "loop of fastText", "fastText's program, lines cleaned before", "predict_corpus --jobs 1"
TWO_LOOPS, TWO_JOBS = "two loops side by side", "predict_corpus --jobs 2"
SOURCE = "fasttext-community==0.11.9"
BUILD = ROOT / "var" / "bench-bulk"


def main() -> None:
    """Measure and publish."""
    examples = read_corpus(STARTER_FILE, canonical_genres()).examples
    texts = [f"{examples[at % len(examples)].text} {at}" for at in range(N_TEXTS)]
    with tempfile.TemporaryDirectory() as scratch:
        trained = fit(examples, FitParameters(epoch=5))
        trained.calibrate(Calibration(1.0, 0.1, dict.fromkeys(trained.slugs, (1.1, -0.1))))
        folder = trained.save(Path(scratch) / "model")
        model = GenreModel.load(folder)
        catalogue = write_catalogue(Path(scratch) / "books.csv", texts)
        lines = Path(scratch) / "lines"
        lines.write_text("".join(to_line(content_words(text), model.words) for text in texts))
        methods: dict[str, tuple[int, Callable[[], object]]] = {
            LOOP: (1, lambda: loop(model, texts)),
            ONE_JOB: (1, lambda: bulk(folder, catalogue, 1)),
            TWO_LOOPS: (2, lambda: two_loops(folder, catalogue)),
            TWO_JOBS: (2, lambda: bulk(folder, catalogue, 2)),
        }
        program = fasttext_program()
        if program is not None:
            command = [str(program), "predict-prob", str(folder / MODEL_FILE), str(lines), str(LIMIT)]
            methods[PROGRAM] = (1, lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
        rates: dict[str, list[float]] = {name: [] for name in methods}
        for _ in range(ROUNDS):
            for name, (_, call) in methods.items():
                rates[name].append(N_TEXTS / seconds_of(call))
        size = sum(path.stat().st_size for path in (Path(scratch) / "out").glob("part-*"))
        n_bytes = catalogue.stat().st_size
        many = write_catalogue(Path(scratch) / "many.csv", (texts[at % N_TEXTS] for at in range(N_ROWS_FOR_MEMORY)))
        peak = memory(folder, many)
    rate = {name: statistics.median(found) for name, found in rates.items()}
    publish(
        "bulk",
        [
            {
                "method": name,
                "texts_per_second": rate[name],
                "per_process": rate[name] / methods[name][0],
                "min": min(found),
                "max": max(found),
            }
            for name, found in rates.items()
        ],
        ratio_to_loop=round(rate[ONE_JOB] / rate[LOOP], 3),
        ratio_jobs_2=round(rate[TWO_JOBS] / rate[TWO_LOOPS], 3),
        ratio_to_program=round(rate[ONE_JOB] / rate[PROGRAM], 3) if program is not None else None,
        peak_mb=round(peak / 1e6),
        rows_for_memory=N_ROWS_FOR_MEMORY,
        texts=N_TEXTS,
        rounds=ROUNDS,
        words_per_text=round(statistics.mean(len(text.split()) for text in texts)),
        input_bytes_per_text=round(n_bytes / N_TEXTS),
        csv_bytes_per_answer=round(size / N_TEXTS),
    )


def write_catalogue(path: Path, texts: Iterable[str]) -> Path:
    """Write a catalogue of ``texts``, numbered."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "text"], *enumerate(texts)])
    return path


def seconds_of(call: Callable[[], object]) -> float:
    """Return how long a call takes by the clock."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def loop(model: GenreModel, texts: Iterable[str]) -> None:
    """Clean each text and ask fastText for its best genres; keep no answer."""
    predict, known = model.engine.f.predict, model.words
    for text in texts:
        predict(to_line(content_words(text), known), LIMIT, 0.0, "strict")


def two_loops(folder: Path, catalogue: Path) -> None:
    """Run two loops, each over half of the catalogue, in processes of their own."""
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=half_a_loop, args=(folder, catalogue, half)) for half in (0, 1)]
    for process in both:
        process.start()
    for process in both:
        process.join()
        if process.exitcode:
            raise SystemExit("A loop failed.")


def half_a_loop(folder: Path, catalogue: Path, half: int) -> None:
    """Read every second text into memory, then loop over them."""
    with catalogue.open(newline="", encoding="utf-8") as file:
        texts = [row["text"] for at, row in enumerate(csv.DictReader(file)) if at % 2 == half]
    loop(GenreModel.load(folder), texts)


def bulk(folder: Path, catalogue: Path, jobs: int) -> None:
    """Do a whole run into an empty folder."""
    out = folder.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    meta = GenreModel.load(folder).meta
    job = Job(str(out), str(folder), 1, str(meta["model_sha256"]), meta_digest(meta), "csv", limit=LIMIT)
    columns = Columns()
    sources = find_sources(Place.at(str(catalogue)), columns)
    most_rows = MOST_ROWS if not QUICK else N_TEXTS // 4
    predict_catalogue(sources, job, here_or_processes(jobs), columns=columns, most_rows=most_rows)


def memory(folder: Path, catalogue: Path) -> int:
    """Return the most bytes that a run with one job, the default, held in memory."""
    process = multiprocessing.get_context("spawn").Process(target=bulk, args=(folder, catalogue, 1))
    process.start()
    peak = peak_memory(process.pid or 0, is_over=lambda: not process.is_alive())
    process.join()
    if process.exitcode:
        raise SystemExit("The run for the memory failed.")
    return peak


def fasttext_program() -> Path | None:
    """Return fastText's own program, built from the source of the package; None where that can't be had or built."""
    program = BUILD / "fasttext"
    if program.exists():
        return program
    BUILD.mkdir(parents=True, exist_ok=True)
    print(f"building fastText's program in {BUILD.relative_to(ROOT)} …", flush=True)
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "-d", str(BUILD)]
    try:
        subprocess.run([*fetch, SOURCE], check=True)
        (archive,) = BUILD.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(BUILD, filter="data")
        sources = [str(path) for path in BUILD.glob("*/src/*.cc")]
        draft = BUILD / "fasttext.draft"
        subprocess.run(["g++", "-O3", "-std=c++17", "-pthread", *sources, "-o", str(draft)], check=True)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"fastText's program is left out: {error}")
        return None
    return draft.rename(program)


if __name__ == "__main__":
    main()
