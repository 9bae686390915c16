"""A catalogue predicted by real processes: killed and taken up again, spread over workers, in little memory."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from conftest import WORDS
from genre_site.tests.running import ROOT, Site, eventually, is_running, peak_memory

pytestmark = pytest.mark.functional
N_ROWS = 20_000


@pytest.fixture
def site(tmp_path, model_folder):
    return Site(tmp_path / "site", [model_folder])


def write_catalogue(path, n_rows=N_ROWS, words=60):
    vocabulary = [word for words in WORDS.values() for word in words]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        for number in range(n_rows):
            picked = (vocabulary[(number * 7 + at * (number % 5 + 1)) % len(vocabulary)] for at in range(words))
            writer.writerow([f"b{number}", " the ".join(picked)])
    return path


def start(site, *arguments):
    command = [sys.executable, "manage.py", "predict_corpus", *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=site.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def shards_of(folder):
    return list(folder.glob("_records/part-*.json"))


def files_of(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_taken_up_again_gives_the_bytes_of_an_undisturbed_one(jobs, site, tmp_path):
    catalogue = write_catalogue(tmp_path / "books.csv")
    arguments = (catalogue, tmp_path / "out", "--shard-rows", 1000, "--jobs", jobs)
    process = start(site, *arguments)
    assert eventually(lambda: len(shards_of(tmp_path / "out")) >= 3, 60), process.communicate(timeout=5)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    assert not (tmp_path / "out" / "manifest.json").exists()
    # The processes it had started end with it.
    assert eventually(lambda: not any(is_running(child.pid) for child in children))
    kept = len(shards_of(tmp_path / "out"))
    assert 3 <= kept < 20
    assert f"({kept} kept from before)" in finish(start(site, *arguments))
    finish(start(site, catalogue, tmp_path / "undisturbed", "--shard-rows", 1000))
    assert files_of(tmp_path / "out") == files_of(tmp_path / "undisturbed")


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_leaves_the_finished_shards(jobs, site, tmp_path):
    catalogue = write_catalogue(tmp_path / "books.csv")
    process = start(site, catalogue, tmp_path / "out", "--shard-rows", 1000, "--jobs", jobs)
    assert eventually(lambda: len(shards_of(tmp_path / "out")) >= 2, 60)
    # As a terminal does it: every process of the command hears of it.
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, "Finished shards are kept" in err, "Traceback" in err) == (130, True, False), err
    assert len(shards_of(tmp_path / "out")) >= 2


def test_a_process_that_dies_ends_the_run_with_what_to_do(site, tmp_path):
    catalogue = write_catalogue(tmp_path / "books.csv")
    process = start(site, catalogue, tmp_path / "out", "--shard-rows", 1000, "--jobs", 2)
    assert eventually(lambda: len(shards_of(tmp_path / "out")) >= 2, 60)
    victim = next(
        child for child in psutil.Process(process.pid).children() if "spawn_main" in " ".join(child.cmdline())
    )
    victim.kill()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, "run the same command again" in err, "Traceback" in err) == (1, True, False), err


@contextmanager
def cluster(site, tmp_path):
    """A scheduler and two workers with a process each; yield the address and the workers."""
    address_file = tmp_path / "scheduler.json"
    with (tmp_path / "dask.log").open("w") as log:

        def dask(module, *options):
            command = [sys.executable, "-m", f"distributed.cli.{module}", *options]
            return subprocess.Popen(command, cwd=ROOT, env=site.env, stdout=log, stderr=log)

        where = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        running = [dask("dask_scheduler", *where, "--scheduler-file", str(address_file))]
        assert eventually(address_file.exists, 60), (tmp_path / "dask.log").read_text()
        address = json.loads(address_file.read_text())["address"]
        try:
            workers = [
                dask("dask_worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny") for _ in range(2)
            ]
            running += workers
            assert eventually((lambda: (tmp_path / "dask.log").read_text().count("Registered to") >= 2), 60)
            yield address, workers
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(timeout=30)


def test_dask_workers_one_of_which_is_killed_give_the_same_bytes(site, tmp_path):
    catalogue = write_catalogue(tmp_path / "books.csv")
    with cluster(site, tmp_path) as (address, workers):
        process = start(site, catalogue, tmp_path / "out", "--shard-rows", 1000, "--scheduler", address)
        assert eventually(lambda: len(shards_of(tmp_path / "out")) >= 3, 60), process.communicate(timeout=5)
        workers[0].kill()
        assert len(shards_of(tmp_path / "out")) < 20
        assert f"{N_ROWS:,} rows in 20 shards (0 kept" in finish(process)
    finish(start(site, catalogue, tmp_path / "alone", "--shard-rows", 1000))
    assert files_of(tmp_path / "out") == files_of(tmp_path / "alone")


def test_a_scheduler_that_is_not_there_is_named(site, tmp_path):
    catalogue = write_catalogue(tmp_path / "books.csv", 10)
    process = start(site, catalogue, tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    _, err = process.communicate(timeout=90)
    assert (process.returncode, "No dask scheduler answers at tcp://127.0.0.1:9" in err) == (1, True), err


def test_the_memory_does_not_grow_with_the_catalogue(site, tmp_path):
    # Long texts: 60 MB are read soon.
    small = write_catalogue(tmp_path / "small.csv", 600, words=1000)
    large = write_catalogue(tmp_path / "large.csv", 5_600, words=1000)
    assert large.stat().st_size > 60_000_000
    peaks = []
    for catalogue in (small, large):
        process = start(site, catalogue, tmp_path / f"out-{catalogue.stem}")
        peaks.append(peak_memory(process.pid, is_over=lambda: process.poll() is not None))  # noqa: B023
        finish(process)
    assert peaks[1] < peaks[0] + 30_000_000, peaks
