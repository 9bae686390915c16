"""``make soak-api``: made-up and hostile requests against the API of the real gunicorn.

It holds when schemathesis finds nothing in its schema to complain of (all checks, all phases, 10,000 cases and more),
when no hostile request gets a 5xx, and when the workers have not grown by more than a fifth and still answer.
"""

import json
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from benchmarks.report import QUICK, publish
from conftest import make_examples
from genre_site.tests.running import Site
from training.core.fit import FitParameters, fit

NAME = "soak-api"
WORKERS, CLIENTS = 2, 4
MOST_EXAMPLES = 20 if QUICK else 800
CASES = 300 if QUICK else 10_000
HOSTILE = 400 if QUICK else 20_000
# Hostile requests before the memory is first measured: what each worker loads once is no growth.
WARM_UP = 100 if QUICK else 1000
GROWTH = 0.2
SECONDS = 30
SLOW_SECONDS = 3.0
PATHS = (
    "/api/v1/models/champion/suggest",
    "/api/v1/models/champion/suggest-batch",
    "/api/v1/models/champion/text-classification",
    "/api/v1/feedback",
)
Body = Callable[[random.Random], bytes]


def _text(rng: random.Random, n: int) -> str:
    return "".join(chr(rng.choice((rng.randrange(32, 127), rng.randrange(0x100, 0x3000)))) for _ in range(n))


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()


# What may come in at an address that expects {"text": …}.
BODIES: dict[str, Body] = {
    "deep lists": lambda rng: b"[" * rng.randrange(1, 200_000),
    "deep objects": lambda rng: b'{"text":' * rng.randrange(1, 50_000),
    "random bytes": lambda rng: rng.randbytes(rng.randrange(0, 5000)),
    "UTF-16": lambda rng: json.dumps({"text": _text(rng, 50)}).encode("utf-16"),
    "Latin-1": lambda rng: '{"text": "é caf\xe9 one two three four"}'.encode("latin-1"),
    "lone surrogates": lambda rng: b'{"text": "one two three four five \\ud8%02x six"}' % rng.randrange(256),
    "NUL and controls": lambda rng: _json(
        {"text": "".join(chr(rng.randrange(32)) for _ in range(200)) + " a b c d e f"}
    ),
    "a line of 10 MB": lambda rng: b'{"text": "' + b"word " * 2_000_000 + b'"}',
    "a text of 900 kB": lambda rng: _json({"text": _text(rng, 20) * 20_000}),
    "huge numbers": lambda rng: b'{"text": "a b c d e f", "limit": ' + b"9" * rng.randrange(1, 10_000) + b"}",
    "NaN": lambda rng: b'{"text": "one two three four five six", "threshold": NaN}',
    "wrong types": lambda rng: _json({"text": rng.choice([None, 3, [], {}, True, [["x"]]]), "genres": {"a": 1}}),
    "same name twice": lambda rng: b'{"text": 1, "text": "one two three four five six"}',
    "random text": lambda rng: _json({"text": _text(rng, rng.randrange(0, 2000)), "genres": [_text(rng, 5)]}),
    "markup": lambda rng: _json({"text": "<script>alert(1)</script> ' OR 1=1 -- " * rng.randrange(1, 50)}),
    "labels": lambda rng: _json({"text": "__label__fantasy " * rng.randrange(1, 200)}),
    "combining": lambda rng: _json({"text": "a" + "\u0301" * rng.randrange(1, 20_000) + " b c d e f"}),
    "batch": lambda rng: _json({"documents": [{"text": _text(rng, 100)}] * rng.randrange(0, 300)}),
    "inputs": lambda rng: _json({"inputs": [_text(rng, 100)] * rng.randrange(0, 300)}),
    "an answer": lambda rng: _json({"text": _text(rng, 100), "none_fits": True, "note": _text(rng, 20) + "\x00"}),
}
# The heavy ones come seldom, or nothing else would be tried.
SELDOM = {"a line of 10 MB": 0.02, "a text of 900 kB": 0.05, "deep lists": 0.3, "combining": 0.3}


class Hostile:
    """Clients that send ``BODIES`` and worse, and count what comes back."""

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address)
        self._place, self._key = (parts.hostname, parts.port), key
        self.statuses: Counter[int] = Counter()
        self.kinds: Counter[str] = Counter()
        self.bad: list[str] = []
        self._lock = threading.Lock()

    def run(self, n: int, seed: int) -> None:
        """Send ``n`` requests from ``CLIENTS`` threads."""
        share = [n // CLIENTS + (at < n % CLIENTS) for at in range(CLIENTS)]
        threads = [threading.Thread(target=self._client, args=(many, seed + at)) for at, many in enumerate(share)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _client(self, n: int, seed: int) -> None:
        rng = random.Random(seed)
        names = list(BODIES)
        weights = [SELDOM.get(name, 1.0) for name in names]
        for _ in range(n):
            name = rng.choices(names, weights)[0]
            body, slow = BODIES[name](rng), rng.random() < 0.0005
            try:
                status = self._send(rng, body, slow)
            except OSError as error:
                status, name = 0, f"{name}: {type(error).__name__}"
            with self._lock:
                self.kinds[name] += 1
                self.statuses[status] += 1
                # A connection may be closed on who sends on after a 413; a time-out is ours.
                if status >= 500 or "Timeout" in name:
                    self.bad.append(f"{status} {name}")

    def _send(self, rng: random.Random, body: bytes, slow: bool) -> int:
        path = rng.choice(PATHS)
        announced = len(body) if rng.random() < 0.97 else rng.choice([0, -1, len(body) // 2, 10**12])
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._place[0]}:{self._place[1]}\r\nAuthorization: Bearer {self._key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {announced}\r\nConnection: close\r\n\r\n"
        ).encode()
        with socket.create_connection(self._place, timeout=SECONDS) as connection:
            if slow:
                for at in range(0, len(head), 20):
                    connection.sendall(head[at : at + 20])
                    time.sleep(SLOW_SECONDS * 20 / len(head))
                connection.sendall(body)
            else:
                connection.sendall(head + body)
            if announced > len(body):
                # Never sends the rest.
                connection.shutdown(socket.SHUT_WR)
            said = connection.recv(64)
        found = re.match(rb"HTTP/1\.[01] (\d{3})", said)
        return int(found[1]) if found else 0


def megabytes(pid: int) -> float:
    """Return the resident memory of the server and its workers, in MB."""
    server = psutil.Process(pid)
    return sum(process.memory_info().rss for process in (server, *server.children())) / 2**20


def schemathesis(address: str, key: str, folder: Path) -> dict[str, Any]:
    """Run it; return how many cases it tried, and what it complains of."""
    report = folder / "report.json"
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", f"{address}api/v1/openapi.json",
        "--header", f"Authorization: Bearer {key}", "--checks", "all", "--workers", "1",
        "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(MOST_EXAMPLES),
        "--continue-on-failure", "--report", "json", "--report-json-path", str(report), "--no-color",
        "--suppress-health-check", "all", "--no-shrink",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    (folder / "schemathesis.log").write_text(done.stdout + done.stderr)
    return {"exit": done.returncode, "log": done.stdout, "report": json.loads(report.read_text())}


def main() -> int:
    """Run both; print and write what they found."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        model = fit(make_examples(), FitParameters(dim=10, epoch=50, seed=1)).save(root / "model", canaries=["dragon"])
        site = Site(root, [model])
        site.env |= {
            "GENRE_API_ANONYMOUS_PER_MINUTE": "100000000",
            "DEBUG": "false",
        }
        key = site.make_key("predict", "feedback")
        with site.serving(workers=WORKERS) as address:
            made_up = schemathesis(address, key, root)
            hostile = Hostile(address, key)
            hostile.run(WARM_UP, seed=1)
            before = megabytes(site.pid)
            hostile.run(HOSTILE, seed=100)
            after = megabytes(site.pid)
            request = urllib.request.Request(f"{address}api/v1/genres", headers={"Authorization": f"Bearer {key}"})
            answers = urllib.request.urlopen(request, timeout=SECONDS).status == 200
        log = site.log.read_text()
    return _tell(made_up, hostile, before, after, answers, log)


def _tell(made_up: dict[str, Any], hostile: Hostile, before: float, after: float, answers: bool, log: str) -> int:
    report = made_up["report"]
    cases, growth = report["test_cases"], after / before - 1
    faults = [f"schemathesis: {each['title']} ({each['count']}) at {each['operations']}" for each in report["failures"]]
    faults += [f"schemathesis: {each['title']} ({each['count']})" for each in report["errors"]]
    faults += [f"schemathesis tried {cases['generated']} cases, fewer than {CASES}"] * (cases["generated"] < CASES)
    faults += [f"hostile: {each}" for each in hostile.bad]
    faults += [f"memory grew by {growth:.0%}"] * (growth > GROWTH)
    faults += ["the server does not answer afterwards"] * (not answers)
    # No line of the log holds what was sent.
    faults += [f"the server logged: {line[:2000]}" for line in log.splitlines() if "Traceback" in line]
    rows = [
        {
            "what": "schemathesis",
            "requests": cases["generated"],
            "faults": len(report["failures"]) + len(report["errors"]),
        },
        {"what": "hostile", "requests": sum(hostile.statuses.values()), "faults": len(hostile.bad)},
    ]
    publish(
        NAME,
        rows,
        statuses={str(status): n for status, n in sorted(hostile.statuses.items())},
        kinds=dict(hostile.kinds),
        megabytes_before=round(before, 1),
        megabytes_after=round(after, 1),
        growth=round(growth, 4),
        faults=faults[:100],
        holds=not faults,
    )
    if report["failures"] or report["errors"]:
        print("\n".join(line[:300] for line in made_up["log"].splitlines())[-8000:])
    for fault in faults[:100]:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
