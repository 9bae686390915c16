"""The workflows of the CI only call make targets, those that exist, so that whatever they do can be done at home."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from training.core.sabotage import KINDS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
NAMES = sorted(path.name for path in FOLDER.glob("*.yml"))
# The champion of a model change is trained by the code before it.
BEFORE = " -C var/before"
MATRIX = "${{ matrix.targets }}"


def read(name):
    workflow = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    # YAML 1.1 reads the key `on` as true.
    return workflow | {"on": workflow.get("on", workflow.get(True))}


def commands(workflow):
    """Return every command that a workflow runs, once for each line of its matrix."""
    for job in workflow["jobs"].values():
        lines = job.get("strategy", {}).get("matrix", {}).get("include", [{}])
        for step in job["steps"]:
            for line in lines if "run" in step else ():
                yield step["run"].replace(MATRIX, str(line.get("targets")))


def targets():
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))


def dry_run(**variables):
    """Return what `make model-change` would run, as far as its own lines go."""
    command = ["make", "--dry-run", "--no-print-directory", "model-change"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | variables
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return [
        line.split("manage.py ")[1]
        for line in result.stdout.splitlines()
        if re.search(r"manage\.py (train|gate|drill|ensure_model)\b", line)
    ]


def test_there_is_a_workflow_for_code_and_one_for_models():
    assert NAMES == ["code.yml", "models.yml"]


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_runs_nothing_but_targets_of_the_makefile(name):
    found = list(commands(read(name)))
    assert len(found) >= 2
    for command in found:
        make, *called = command.replace(BEFORE, "").split()
        assert make == "make", command
        assert called, command
        assert set(called) <= targets(), command


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_may_only_read_the_repository(name):
    assert read(name)["permissions"] == {"contents": "read"}


def test_the_code_workflow_runs_on_every_push_and_pull_request_and_leaves_nothing_out():
    workflow = read("code.yml")
    assert workflow["on"] == {"push": None, "pull_request": None}
    called = {target for command in commands(workflow) for target in command.split()[1:]}
    assert called >= {"setup", "check", "test", "functional", "postgres", "bench", "soak", "drill"}


def test_the_model_workflow_offers_every_kind_of_sabotage_by_hand_and_none_by_default():
    inputs = read("models.yml")["on"]["workflow_dispatch"]["inputs"]
    assert inputs["sabotage"]["options"] == ["none", *KINDS]
    assert inputs["sabotage"]["default"] == "none"
    strengths = inputs["strength"]["options"]
    assert strengths[0] == inputs["strength"]["default"] == "default"
    assert all(0 < float(strength) <= 1 for strength in strengths[1:])


def test_the_model_workflow_runs_when_something_changes_that_makes_a_model():
    patterns = read("models.yml")["on"]["push"]["paths"]
    assert [pattern for pattern in patterns if not list(ROOT.glob(pattern))] == []
    assert {"training/assets/**", "training/core/**", "classifier/core/**"} <= set(patterns)


def test_the_champion_that_a_changed_model_is_held_against_comes_from_the_code_before():
    (job,) = read("models.yml")["jobs"].values()
    folders = [
        step["with"].get("path")
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/checkout@") and "with" in step
    ]
    assert folders == ["var/before"]
    assert {"DATABASE_URL", "GENRE_MODEL_DIR"} <= set(job["env"])
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make -C var/before setup", "make model-change"]


def test_a_model_change_trains_asks_the_gate_and_drills_and_makes_no_champion_of_its_own():
    train, gate, drill = dry_run(SABOTAGE="none", STRENGTH="default", AGAINST="champion")
    assert train.split() == ["train"]
    assert gate.startswith("gate newest --metrics-file ") and "--against" not in gate
    assert drill.startswith("drill ") and drill.endswith(" --champion newest")
    assert dry_run() == [train, gate, drill]


def test_a_model_change_may_be_bad_on_purpose():
    train, *_ = dry_run(SABOTAGE="swap-genres", STRENGTH="0.5")
    assert train.split() == ["train", "--sabotage", "swap-genres", "--strength", "0.5"]


def test_a_model_change_may_be_held_against_nobody():
    _, gate, _ = dry_run(AGAINST="none")
    assert gate.split()[-2:] == ["--against", "none"]
