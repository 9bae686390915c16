"""`make audit` never says that nothing is known when it could not look."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NONE_KNOWN = "No known vulnerabilities found"
FOUND = json.dumps({"dependencies": [{"name": "pip", "version": "1", "vulns": []}], "fixes": []})


def run(**variables):
    env = {name: value for name, value in os.environ.items() if name != "AUDIT_OFFLINE"} | {"PIP_VERSION": "26.0"}
    result = subprocess.run([ROOT / ".ci" / "audit"], env=env | variables, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def stand_in(tmp_path):
    """Return a function that makes a pip-audit of known behaviour: shell code for the probe, and for the files."""

    def make(probe, files=""):
        path = tmp_path / "pip-audit"
        path.write_text(f'#!/bin/sh\ncase "$*" in *--disable-pip*) {probe};; *) {files or "exit 9"};; esac\n')
        path.chmod(0o755)
        return str(path)

    return make


# As pip-audit does without a network, and where something else answers in PyPI's place.
UNREACHED = [
    "echo ERROR:pip_audit._cli:Could not connect to the feed >&2; exit 1",
    "echo ERROR:pip_audit._cli:pip: Dependency not found on PyPI >&2; exit 1",
    f"echo {NONE_KNOWN} >&2; exit 0",
]


@pytest.mark.parametrize("probe", UNREACHED)
def test_without_a_network_it_fails_and_says_that_it_could_not_look(stand_in, probe):
    code, said = run(PIP_AUDIT=stand_in(probe))
    assert code == 2
    assert "NOT AUDITED" in said
    assert NONE_KNOWN not in said


@pytest.mark.parametrize("probe", UNREACHED)
def test_with_leave_it_passes_and_says_the_same(stand_in, probe):
    code, said = run(PIP_AUDIT=stand_in(probe), AUDIT_OFFLINE="ok")
    assert (code, "NOT AUDITED" in said, NONE_KNOWN in said) == (0, True, False)


def test_leave_must_be_given_in_so_many_words(stand_in):
    assert run(PIP_AUDIT=stand_in(UNREACHED[0]), AUDIT_OFFLINE="1")[0] == 2


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        (f"echo {NONE_KNOWN} >&2; exit 0", 0, NONE_KNOWN),
        ("echo Found 1 known vulnerability >&2; exit 1", 1, "Found 1"),
        ("echo ERROR: gone: Dependency not found >&2; exit 1", 1, "gone"),
    ],
)
def test_with_a_network_the_verdict_on_the_files_counts_and_no_leave_helps(stand_in, files, code, words):
    audited = run(PIP_AUDIT=stand_in(f"echo '{FOUND}'", files), AUDIT_OFFLINE="ok")
    assert audited[0] == code
    assert words in audited[1]
    assert "NOT AUDITED" not in audited[1]


@pytest.mark.functional
def test_the_real_one_notices_that_it_reaches_nobody():
    code, said = run(HTTPS_PROXY="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9")
    assert (code, "NOT AUDITED" in said, NONE_KNOWN in said) == (2, True, False)
