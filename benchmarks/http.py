"""``make bench-http``: our API beside a minimal FastAPI service and beside Annif's REST service.

All answer the same texts, on this machine, with two workers each, in rounds that alternate; wrk asks over connections
that it keeps. Ours and FastAPI's have the same fastText model, Annif's is trained on the same texts with the same
dimension. Ours checks a key, counts, logs and stores, as in production.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.report import QUICK, publish
from classifier.core.genres import canonical_genres
from classifier.core.model import MODEL_FILE, read_meta
from genre_site.tests.running import ROOT, Site
from training.core.corpora import STARTER_FILE, read_corpus

NAME = "http"
WORKERS, CONNECTIONS = 2, 16
ROUNDS, SECONDS = (2, 2) if QUICK else (5, 8)
N_TEXTS, N_WORDS = 200, 100
ENVIRONMENTS = ROOT / "var" / "bench-http"
# Annif takes words apart with data of NLTK, which no package of its own brings; this one carries it.
NLTK_DATA = "llama-index-core"
PEERS = {"fastapi": ["fastapi==0.*", "uvicorn[standard]", "fasttext-community==0.11.9"], "annif": ["annif[fasttext]"]}
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
ANNIF = """
[genre]
name=Genre
language=en
backend=fasttext
analyzer=simple
vocab=genre
limit=5
dim={dim}
epoch={epoch}
lr=0.5
loss=softmax
thread=10
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


PARTS = """
import io
import json
import time
from pathlib import Path

from genre_site.wsgi import application
from classifier.core.text import check_text
from classifier.predictions import hash_text
from classifier.registry import champion
from classifier.throttle import take

bodies = [line.encode() for line in Path({bodies!r}).read_text().splitlines()]
texts = [json.loads(body)["text"] for body in bodies]
model = champion().model


def request(body):
    environ = {{
        "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/models/champion/suggest", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1", "HTTP_AUTHORIZATION": {key!r}, "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http", "REMOTE_ADDR": "127.0.0.1",
    }}
    response = application(environ, lambda status, headers: None)
    assert response.status_code == 200, response.content
    response.close()


def best(call, values):
    rounds = []
    for _ in range(7):
        start = time.thread_time()
        for value in values:
            call(value)
        rounds.append((time.thread_time() - start) / len(values) * 1e6)
    return round(min(rounds), 1)


print(json.dumps({{
    "whole request": best(request, bodies),
    "of it: fastText itself": best(lambda text: model.engine.predict(text, k=5), texts),
    "of it: our prediction": best(model.predict, texts),
    "of it: is the text usable": best(check_text, texts),
    "of it: hash of the text": best(hash_text, texts),
    "of it: counting for the limit": best(lambda _: take("bench", 1, most=10**9), texts),
}}))
"""


def starter() -> list[Any]:
    """Return the examples of the starter corpus."""
    return list(read_corpus(STARTER_FILE, canonical_genres()).examples)


def texts() -> list[str]:
    """Return texts of ``N_WORDS`` words out of the starter corpus."""
    words = " ".join(example.text for example in starter()).split()
    return [" ".join(words[at * N_WORDS : (at + 1) * N_WORDS]) for at in range(N_TEXTS)]


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


def environment(name: str) -> Path:
    """Return the bin folder of a peer's own environment, made when it is not there."""
    folder = ENVIRONMENTS / name
    if not (folder / "done").exists():
        print(f"installing {name} into {folder.relative_to(ROOT)} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PEERS[name]], check=True)
        if name == "annif":
            subprocess.run([*pip, "--no-deps", NLTK_DATA], check=True)
        (folder / "done").touch()
    return folder / "bin"


def ours(root: Path, stack: ExitStack) -> tuple[Site, str, str]:
    """Train the default model and start our site; return it, the address that answers and the header that it wants."""
    root.mkdir()
    site = Site(root, [], promoted=())
    site.env |= {"DEBUG": "false", "LOG_LEVEL": "INFO"}
    site.run(FIRST_MODEL)
    key = site.make_key("predict")
    address = stack.enter_context(site.serving(workers=WORKERS))
    return site, f"{address}api/v1/models/champion/suggest", f"Bearer {key}"


def fastapi(root: Path, folder: Path, stack: ExitStack) -> str:
    """Start the minimal service around the same model."""
    root.mkdir()
    (root / "service.py").write_text(FASTAPI)
    options = ["--port", "{port}", "--workers", str(WORKERS), "--loop", "uvloop", "--http", "httptools"]
    command = [str(environment("fastapi") / "uvicorn"), "service:app", *options, "--log-level", "warning"]
    return f"{stack.enter_context(serving(command, {'MODEL': str(folder / MODEL_FILE)}, root))}/suggest"


def annif(root: Path, fitted: dict[str, Any], stack: ExitStack) -> str:
    """Train Annif on the same texts and start its REST service."""
    root.mkdir()
    examples = starter()
    binaries = environment("annif")
    (root / "projects.cfg").write_text(ANNIF.format(dim=fitted["dim"], epoch=fitted["epoch"]))
    slugs = sorted({slug for example in examples for slug in example.genres})
    (root / "vocab.tsv").write_text("".join(f"<urn:genre:{slug}>\t{slug}\n" for slug in slugs))
    lines = (f"{' '.join(e.text.split())}\t{' '.join(f'<urn:genre:{slug}>' for slug in e.genres)}\n" for e in examples)
    (root / "train.tsv").write_text("".join(lines))
    (data,) = binaries.parent.glob("lib/*/site-packages/llama_index/core/_static/nltk_cache")
    env = {"NLTK_DATA": str(data)}
    for arguments in (["load-vocab", "--language", "en", "genre", "vocab.tsv"], ["train", "genre", "train.tsv"]):
        subprocess.run(
            [str(binaries / "annif"), *arguments], cwd=root, env=os.environ | env, check=True, stdout=subprocess.DEVNULL
        )
    command = [str(binaries / "python"), "-m", "gunicorn", "annif:create_app()", "--bind", "127.0.0.1:{port}"]
    options = ["--workers", str(WORKERS), "--worker-class", "uvicorn.workers.UvicornWorker"]
    return f"{stack.enter_context(serving([*command, *options], env, root))}/v1/projects/genre/suggest"


def ask(url: str, bodies: Path, kind: str, authorization: str, folder: Path) -> dict[str, float]:
    """Let wrk ask for ``SECONDS``; return requests per second and latencies in milliseconds."""
    script = folder / "wrk.lua"
    # Lua reads a JSON string as its own.
    quoted = {"path": str(bodies), "kind": kind, "authorization": authorization}
    script.write_text(WRK.format(**{name: json.dumps(value) for name, value in quoted.items()}))
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "--latency", "-s", str(script), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = json.loads(said[said.rindex("{") :])
    if found["failed"] or not found["requests"]:
        raise SystemExit(f"{found['failed']} of {found['requests']} requests to {url} failed:\n{said}")
    rates = {"requests_per_s": found["requests"] / found["microseconds"] * 1e6}
    return rates | {f"{name}_ms": found[name] / 1000 for name in ("p50", "p95", "p99")}


def where(site: Site, key: str, bodies: Path) -> dict[str, float]:
    """Return where the time of a request goes, in microseconds of this thread's processor, without a server around it."""
    code = PARTS.format(bodies=str(bodies), key=key)
    env = site.env | {"GENRE_RECORD_SECONDS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Start all three, ask them in turn, print and write the medians and the ratios."""
    if not shutil.which("wrk"):
        raise SystemExit("wrk is needed (Debian: apt-get install wrk)")
    asked = texts()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        root = Path(name)
        plain, form = root / "plain", root / "form"
        plain.write_text("".join(json.dumps({"text": text}) + "\n" for text in asked))
        form.write_text("".join(f"text={quote(text)}\n" for text in asked))
        site, url, key = ours(root / "ours", stack)
        (folder,) = (path.parent for path in site.models.glob(f"*/{MODEL_FILE}"))
        fitted = read_meta(folder)["parameters"]
        services = {
            "ours": (url, plain, "application/json", key),
            "fastapi": (fastapi(root / "fastapi", folder, stack), plain, "application/json", ""),
            "annif": (annif(root / "annif", fitted, stack), form, "application/x-www-form-urlencoded", ""),
        }
        parts = where(site, key, plain)
        rounds: dict[str, list[dict[str, float]]] = {service: [] for service in services}
        for _ in range(ROUNDS):
            for service, (url, bodies, kind, authorization) in services.items():
                rounds[service].append(ask(url, bodies, kind, authorization, root))
    rows = [
        {"service": service} | {name: round(statistics.median(each[name] for each in found), 2) for name in found[0]}
        for service, found in rounds.items()
    ]
    rate = {row["service"]: row["requests_per_s"] for row in rows}
    publish(
        NAME,
        rows,
        ratio_to_fastapi=round(rate["ours"] / rate["fastapi"], 3),
        ratio_to_annif=round(rate["ours"] / rate["annif"], 3),
        microseconds=parts,
        rounds=ROUNDS,
        seconds=SECONDS,
        workers=WORKERS,
        connections=CONNECTIONS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
