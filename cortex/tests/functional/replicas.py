"""Replicas of a loopback cluster: the real service under gunicorn, told what a container would be."""

import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from cortex.settings import NAMES
from cortex.tests.functional.server import COMMAND, free_port
from genre_site.tests.running import ROOT


class Replica:
    """The service in a process, as a container of it would be."""

    def __init__(self, container, folder, log):
        self.port = free_port()
        env = {"PATH": "/usr/bin:/bin", "MODEL_URI": str(folder), "DRAIN_SECONDS": "0"}
        env |= container["env"] | {"CORTEX_PORT": str(self.port)}
        assert set(container["env"]) <= set(NAMES)
        told = container.get("command")
        # In the image the programs lie in .venv/bin; here beside this Python.
        command = [Path(sys.executable).with_name(Path(told[0]).name), *told[1:]] if told else COMMAND
        with log.open("a") as file:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=file, stderr=file)

    def ask(self, method, path, body=None, headers=()):
        """Return status, headers and body."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, dict(headers), method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, response.headers.get("Content-Type", ""), response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get("Content-Type", ""), error.read()
        except OSError:
            return 503, "text/plain", b"no healthy upstream"

    @property
    def state(self):
        if self.process.poll() is not None:
            return "failed"
        return "ready" if self.ask("GET", "/ready")[0] == 200 else "not_ready"

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
