"""The ``cortex`` program, for those who have it: every call is a process of it.

It is given a configuration of its own, in a temporary folder, in which telemetry is off. It does not say in which state
replicas are, so that a deployment that can't succeed is noticed by time alone.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cortex.deploy.apis import Api, results
from cortex.deploy.environments import FILE
from cortex.deploy.errors import OperatorError, Unreachable
from cortex.deploy.spec import CORTEX_VERSION, Document, as_text

_SECONDS = 600
_ENVIRONMENT = "deploy"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Cli:
    """The program at ``path``, speaking to the operator at ``address``."""

    def __init__(self, path: str, address: str) -> None:
        self._path, self.place = path, address.rstrip("/")

    def check(self) -> None:
        """Raise when it can't be run, or is of another version."""
        said = self._run(None, "version", "--env", _ENVIRONMENT)
        if CORTEX_VERSION not in said:
            raise OperatorError(f"{self._path} is not Cortex {CORTEX_VERSION}: {_first_line(said)}")

    def deploy(self, documents: Sequence[Document]) -> list[str]:
        """Create or change APIs; return what was done of each."""
        # It exits with 1 when an API was refused, and tells which on standard output.
        return results(self._json(documents, "deploy", "cortex.yaml", "--env", _ENVIRONMENT, "-o", "json", "-y"))

    def list(self) -> Sequence[Api]:
        """Return all APIs."""
        return [Api.read(each) for each in self._json(None, "get", "--env", _ENVIRONMENT, "-o", "json")]

    def find(self, name: str) -> Api | None:
        """Return one API; None when it is not deployed."""
        try:
            (said,) = self._json(None, "get", name, "--env", _ENVIRONMENT, "-o", "json")
        except OperatorError as error:
            if "is not deployed" in str(error):
                return None
            raise
        return Api.read(said)

    def replicas(self, name: str) -> dict[str, int]:
        """Return nothing: it does not tell."""
        return {}

    def refresh(self, name: str) -> str:
        """Start its replicas anew."""
        return str(self._json(None, "refresh", name, "--env", _ENVIRONMENT, "-o", "json").get("message", ""))

    def delete(self, name: str) -> str:
        """Delete it."""
        return str(self._json(None, "delete", name, "--env", _ENVIRONMENT, "--force", "-o", "json").get("message", ""))

    def logs(self, name: str) -> str:
        """Return what it says of the log."""
        return self._run(None, "logs", name, "--env", _ENVIRONMENT, "-y").strip()

    def _json(self, documents: Sequence[Document] | None, *arguments: str) -> Any:
        said = self._run(documents, *arguments)
        try:
            return json.loads(said)
        except ValueError as error:
            raise OperatorError(f"{self._path} refuses: {_first_line(said)}") from error

    def _run(self, documents: Sequence[Document] | None, *arguments: str) -> str:
        """Return what it says; what it says of an error if it says nothing else."""
        with tempfile.TemporaryDirectory(prefix="genre-cortex-") as folder:
            # JSON is YAML.
            environment = {"name": _ENVIRONMENT, "operator_endpoint": self.place}
            Path(folder, FILE).write_text(json.dumps({"telemetry": False, "environments": [environment]}))
            if documents is not None:
                Path(folder, "cortex.yaml").write_text(as_text(documents), encoding="utf-8")
            env = os.environ | {"CORTEX_CLI_CONFIG_DIR": folder, "CORTEX_TELEMETRY_DISABLE": "true"}
            try:
                done = subprocess.run(
                    [self._path, *arguments],
                    cwd=folder,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=_SECONDS,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise Unreachable(f"{self._path} can't be run, or does not end: {error}") from error
        if done.returncode and not done.stdout.strip():
            raise OperatorError(f"{self._path} refuses: {_first_line(done.stderr)}")
        return _COLOURS.sub("", done.stdout)


def _first_line(text: str) -> str:
    lines = _COLOURS.sub("", text).strip().splitlines()
    return lines[0] if lines else "it says nothing."
