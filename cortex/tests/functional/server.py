"""The service under the real gunicorn, started as docs/service.md says."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from cortex.settings import NAMES
from genre_site.tests.running import ROOT, eventually

COMMAND = [Path(sys.executable).with_name("gunicorn"), "--config", "cortex/gunicorn_config.py"]


class Running:
    """A server: its address, its process and what it logged."""

    def __init__(self, address, process, log):
        self.address, self.process, self._log = address, process, log

    @property
    def log(self):
        return self._log.read_text()

    def get(self, path, **headers):
        """Return status and text."""
        return self._ask(urllib.request.Request(self.address + path, headers=headers))

    def post(self, body, path="/", **headers):
        """Send JSON; return status and text."""
        data = json.dumps(body).encode()
        return self._ask(urllib.request.Request(self.address + path, data, headers=headers))

    def _ask(self, request):
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def running(folder, model_uri, **settings):
    """Serve a model until the block ends; nothing of it is left behind."""
    port, log = free_port(), folder / "service.log"
    env = {name: value for name, value in os.environ.items() if name not in NAMES}
    env |= {"MODEL_URI": str(model_uri), "CORTEX_PORT": str(port), "DRAIN_SECONDS": "0", **settings}
    with log.open("w") as file:
        process = subprocess.Popen(COMMAND, cwd=ROOT, env=env, stdout=file, stderr=file)
    server = Running(f"http://127.0.0.1:{port}", process, log)
    try:
        assert eventually(lambda: server.get("/live")[0] == 200), log.read_text()
        yield server
    finally:
        process.terminate()
        try:
            code = process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert code == 0, log.read_text()
