"""Services that wrk asks in turn for genres of the same texts, on this machine, with as many workers each."""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import QUICK
from classifier.core.genres import canonical_genres
from classifier.core.model import MODEL_FILE
from genre_site.tests.running import ROOT, Site
from training.core.corpora import STARTER_FILE, read_corpus

WORKERS, CONNECTIONS = 2, 16
ROUNDS, SECONDS = (2, 2) if QUICK else (5, 8)
# For the result.
TERMS = {"rounds": ROUNDS, "seconds": SECONDS, "workers": WORKERS, "connections": CONNECTIONS}
N_TEXTS, N_WORDS = 200, 100
ENVIRONMENTS = ROOT / "var" / "bench-http"
FASTAPI_PACKAGES = ["fastapi==0.*", "uvicorn[standard]", "fasttext-community==0.11.9"]
FASTAPI = """
import os

import fasttext
from fastapi import FastAPI
from pydantic import BaseModel

model = fasttext.load_model(os.environ["MODEL"])
app = FastAPI()


class Query(BaseModel):
    text: str
    limit: int = 5


@app.post("/suggest")
async def suggest(query: Query):
    labels, scores = model.predict(query.text.replace("\\n", " "), k=query.limit)
    found = zip(labels, scores)
    return {"results": [{"label": label.removeprefix("__label__"), "score": float(score)} for label, score in found]}
"""
# Sends the bodies in turn.
WRK = """
local bodies = {{}}
for line in io.lines({path}) do bodies[#bodies + 1] = line end
local at = 0
request = function()
  at = at % #bodies + 1
  return wrk.format("POST", nil, nil, bodies[at])
end
wrk.headers["Content-Type"] = {kind}
wrk.headers["Authorization"] = {authorization}
done = function(summary, latency, requests)
  io.write(string.format('\\n{{"requests": %d, "microseconds": %d, "failed": %d, "p50": %f, "p95": %f, "p99": %f}}\\n',
    summary.requests, summary.duration,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
"""


FIRST_MODEL = "from django.core.management import call_command; call_command('ensure_model')"


@dataclass(frozen=True)
class Asked:
    """An address that answers, and what is sent there: one body a line, of which kind, under which authorization."""

    url: str
    bodies: Path
    kind: str = "application/json"
    authorization: str = ""


def starter() -> list[Any]:
    """Return the examples of the starter corpus."""
    return list(read_corpus(STARTER_FILE, canonical_genres()).examples)


def texts() -> list[str]:
    """Return texts of ``N_WORDS`` words out of the starter corpus."""
    words = " ".join(example.text for example in starter()).split()
    return [" ".join(words[at * N_WORDS : (at + 1) * N_WORDS]) for at in range(N_TEXTS)]


def site_with_model(root: Path) -> tuple[Site, Path]:
    """Return a site of its own with the model that a fresh one has, and that model's folder."""
    root.mkdir()
    site = Site(root, [], promoted=())
    site.run(FIRST_MODEL)
    (path,) = site.models.glob(f"*/{MODEL_FILE}")
    return site, path.parent


def json_bodies(path: Path) -> Path:
    """Write a body of JSON for each text, and return the file."""
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts()))
    return path


@contextmanager
def serving(command: list[str], env: dict[str, str], folder: Path) -> Iterator[str]:
    """Start a service; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [part.format(port=port) for part in command]
    with (folder / "service.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=os.environ | env, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 120
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    if server.poll() is not None or time.monotonic() > deadline:
                        raise SystemExit(
                            f"{command[0]} does not answer:\n{(folder / 'service.log').read_text()}"
                        ) from None
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def environment(name: str, packages: Sequence[str], extra: Sequence[str] = ()) -> Path:
    """Return the bin folder of a peer's own environment, made when it is not there; of ``extra`` without what these need."""
    folder = ENVIRONMENTS / name
    if not (folder / "done").exists():
        print(f"installing {name} into {folder.relative_to(ROOT)} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
        for package in extra:
            subprocess.run([*pip, "--no-deps", package], check=True)
        (folder / "done").touch()
    return folder / "bin"


def fastapi(root: Path, model_folder: Path, stack: ExitStack) -> str:
    """Start the minimal service around the same model."""
    root.mkdir()
    (root / "service.py").write_text(FASTAPI)
    options = ["--port", "{port}", "--workers", str(WORKERS), "--loop", "uvloop", "--http", "httptools"]
    command = [
        str(environment("fastapi", FASTAPI_PACKAGES) / "uvicorn"),
        "service:app",
        *options,
        "--log-level",
        "warning",
    ]
    return f"{stack.enter_context(serving(command, {'MODEL': str(model_folder / MODEL_FILE)}, root))}/suggest"


def in_turn(services: Mapping[str, Asked], folder: Path) -> list[dict[str, Any]]:
    """Ask each for ``SECONDS``, ``ROUNDS`` times in turn; return the medians of each, a row for a service."""
    if not shutil.which("wrk"):
        raise SystemExit("wrk is needed (Debian: apt-get install wrk)")
    rounds: dict[str, list[dict[str, float]]] = {service: [] for service in services}
    for _ in range(ROUNDS):
        for service, asked in services.items():
            rounds[service].append(ask(asked, folder))
    return [
        {"service": service} | {name: round(statistics.median(each[name] for each in found), 2) for name in found[0]}
        for service, found in rounds.items()
    ]


def ratio(rows: Sequence[Mapping[str, Any]], service: str, peer: str) -> float:
    """Return the requests per second of a service as a multiple of a peer's."""
    rate = {row["service"]: float(row["requests_per_s"]) for row in rows}
    return round(rate[service] / rate[peer], 3)


def ask(asked: Asked, folder: Path) -> dict[str, float]:
    """Let wrk ask for ``SECONDS``; return requests per second and latencies in milliseconds."""
    script = folder / "wrk.lua"
    # Lua reads a JSON string as its own.
    quoted = {"path": str(asked.bodies), "kind": asked.kind, "authorization": asked.authorization}
    script.write_text(WRK.format(**{name: json.dumps(value) for name, value in quoted.items()}))
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "--latency", "-s", str(script), asked.url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = json.loads(said[said.rindex("{") :])
    if found["failed"] or not found["requests"]:
        raise SystemExit(f"{found['failed']} of {found['requests']} requests to {asked.url} failed:\n{said}")
    rates = {"requests_per_s": found["requests"] / found["microseconds"] * 1e6}
    return rates | {f"{name}_ms": found[name] / 1000 for name in ("p50", "p95", "p99")}
