"""``make bench-http``: our API beside a minimal FastAPI service and beside Annif's REST service.

All answer the same texts, on this machine, with two workers each, in rounds that alternate; wrk asks over connections
that it keeps. Ours and FastAPI's have the same fastText model, Annif's is trained on the same texts with the same
dimension. Ours checks a key, counts, logs and stores, as in production.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.peers import (
    TERMS,
    WORKERS,
    Asked,
    environment,
    fastapi,
    in_turn,
    json_bodies,
    ratio,
    serving,
    site_with_model,
    starter,
    texts,
)
from benchmarks.report import publish
from classifier.core.model import read_meta
from genre_site.tests.running import ROOT, Site

NAME = "http"
# Annif takes words apart with data of NLTK, which no package of its own brings; this one carries it.
NLTK_DATA = "llama-index-core"
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


def ours(site: Site, stack: ExitStack) -> tuple[str, str]:
    """Start our site; return the address that answers and the header that it wants."""
    site.env |= {"DEBUG": "false", "LOG_LEVEL": "INFO"}
    key = site.make_key("predict")
    address = stack.enter_context(site.serving(workers=WORKERS))
    return f"{address}api/v1/models/champion/suggest", f"Bearer {key}"


def annif(root: Path, fitted: dict[str, Any], stack: ExitStack) -> str:
    """Train Annif on the same texts and start its REST service."""
    root.mkdir()
    examples = starter()
    binaries = environment("annif", ["annif[fasttext]"], extra=[NLTK_DATA])
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


def where(site: Site, key: str, bodies: Path) -> dict[str, float]:
    """Return where the time of a request goes, in microseconds of this thread's processor, without a server around it."""
    code = PARTS.format(bodies=str(bodies), key=key)
    env = site.env | {"GENRE_RECORD_SECONDS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Start all three, ask them in turn, print and write the medians and the ratios."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        root = Path(name)
        plain, form = json_bodies(root / "plain"), root / "form"
        form.write_text("".join(f"text={quote(text)}\n" for text in texts()))
        site, folder = site_with_model(root / "ours")
        url, key = ours(site, stack)
        fitted = read_meta(folder)["parameters"]
        services = {
            "ours": Asked(url, plain, authorization=key),
            "fastapi": Asked(fastapi(root / "fastapi", folder, stack), plain),
            "annif": Asked(annif(root / "annif", fitted, stack), form, "application/x-www-form-urlencoded"),
        }
        parts = where(site, key, plain)
        rows = in_turn(services, root)
    publish(
        NAME,
        rows,
        ratio_to_fastapi=ratio(rows, "ours", "fastapi"),
        ratio_to_annif=ratio(rows, "ours", "annif"),
        microseconds=parts,
        **TERMS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
