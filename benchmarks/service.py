"""``make bench-service``: the prediction service (``cortex/``) beside a minimal FastAPI service around the same fastText model.

Both answer the same texts of a hundred words, on this machine, with two workers each, in rounds that alternate; wrk asks over
connections that it keeps. Ours runs as docs/service.md says: it checks and cleans the text, calibrates, counts and logs.
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.peers import (
    TERMS,
    WORKERS,
    Asked,
    fastapi,
    in_turn,
    json_bodies,
    ratio,
    serving,
    site_with_model,
)
from benchmarks.report import publish
from genre_site.tests.running import ROOT

NAME = "service"
GUNICORN = Path(sys.executable).with_name("gunicorn")
CONFIG = ROOT / "cortex" / "gunicorn_config.py"


def ours(root: Path, model_folder: Path, stack: ExitStack) -> str:
    """Start the service; return the address that answers."""
    root.mkdir()
    env = {"MODEL_URI": str(model_folder), "WORKERS": str(WORKERS), "PYTHONPATH": str(ROOT)}
    command = [str(GUNICORN), "--config", str(CONFIG), "--bind", "127.0.0.1:{port}"]
    return f"{stack.enter_context(serving(command, env, root))}/"


def main() -> int:
    """Start both, ask them in turn, print and write the medians and the ratio."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        root = Path(name)
        bodies = json_bodies(root / "bodies")
        _, folder = site_with_model(root / "site")
        services = {
            "ours": Asked(ours(root / "ours", folder, stack), bodies),
            "fastapi": Asked(fastapi(root / "fastapi", folder, stack), bodies),
        }
        rows = in_turn(services, root)
    publish(
        NAME,
        rows,
        ratio_to_fastapi=ratio(rows, "ours", "fastapi"),
        **TERMS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
