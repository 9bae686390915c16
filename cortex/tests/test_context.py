"""The build context holds what the image needs and nothing else, and is the same bytes each time."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib

import pytest

from cortex import context
from cortex.context import ROOT, files, pack


def test_the_same_files_give_the_same_bytes_whenever_they_are_packed(tmp_path, model_folder):
    first = pack(tmp_path / "1.tar", files(model_folder))
    os.utime(ROOT / "cortex" / "service.py")
    assert pack(tmp_path / "2.tar", dict(reversed(files(model_folder).items()))) == first
    assert pack(tmp_path / "3.tar", files()) != first
    with tarfile.open(tmp_path / "1.tar") as archive:
        entries = archive.getmembers()
    assert [entry.name for entry in entries[1:]] == sorted(entry.name for entry in entries[1:])
    assert {(entry.mtime, entry.uid, entry.gid, entry.uname) for entry in entries} == {(0, 0, 0, "")}


def test_it_holds_the_service_its_core_and_the_model_alone(model_folder):
    names = set(files(model_folder))
    assert {"Dockerfile", "requirements.txt", "model/model.bin", "model/meta.json", "cortex/service.py"} <= names
    assert {name.split("/")[0] for name in names if "/" in name} == {"classifier", "cortex", "model"}
    assert not any("tests" in name or "seen" in name for name in names)
    copied = set(re.findall(r"^COPY (\w\S*) ", (ROOT / "cortex" / "Dockerfile").read_text(), flags=re.MULTILINE))
    assert copied == {"requirements.txt", "classifier", "cortex", "model"}


def test_it_has_every_module_that_the_import_rules_call_the_service():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (ours,) = (each["source_modules"] for each in contracts if each["name"].startswith("the service imports"))
    assert sorted(f"cortex.{name}" for name in context.SERVICE) == sorted(ours)


def test_the_image_does_not_run_as_root():
    dockerfile = (ROOT / "cortex" / "Dockerfile").read_text()
    assert dockerfile.index("USER 10001") > dockerfile.rindex("RUN ")
    assert dockerfile.splitlines()[2].startswith("ARG BASE_IMAGE=")


def test_a_model_that_cannot_be_served_is_not_packed(tmp_path, capsys):
    assert context.main([str(tmp_path)]) == 1
    assert "not a model folder" in capsys.readouterr().err


@pytest.mark.functional
def test_the_service_runs_from_the_context_alone(tmp_path, model_folder):
    pack(tmp_path / "context.tar", files(model_folder))
    with tarfile.open(tmp_path / "context.tar") as archive:
        archive.extractall(tmp_path / "app", filter="data")
    code = "from cortex.service import create; print(create()._model.get().predict('the dragon and the wizard').scores[0].slug)"
    env = {"PATH": os.environ["PATH"], "MODEL_URI": "model", "PYTHONSAFEPATH": ""}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "app", env=env, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "fantasy"
