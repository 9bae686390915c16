"""The house keeps its own rules: documented settings and commands, pure cores, a local key."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands

from genre_site.local_key import ensure_key

ROOT = Path(__file__).resolve().parents[2]


def test_every_setting_that_is_read_is_documented():
    source = (ROOT / "genre_site" / "settings.py").read_text()
    read = set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', source))
    documented = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    assert len(read) >= 14
    assert read <= documented


def test_every_command_of_ours_is_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    ours = [name for name, app in get_commands().items() if app in ("classifier", "feedback", "training", "cortex")]
    assert len(ours) >= 9
    assert [name for name in ours if f"`{name}" not in readme] == []


def test_every_make_target_has_its_line_of_help():
    text = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.*)$", text, flags=re.MULTILINE)[1].split())
    helped = set(re.findall(r"^([a-z-]+):.*##", text, flags=re.MULTILINE))
    assert phony == helped


@pytest.mark.functional
@pytest.mark.parametrize("core", ["classifier.core", "training.core"])
def test_a_core_runs_without_django(core):
    modules = [path.stem for path in (ROOT / core.replace(".", "/")).glob("*.py") if path.stem != "__init__"]
    imports = ", ".join(f"{core}.{name}" for name in modules)
    code = f"import sys, {imports}; print([m for m in ('django', 'streamlit') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (len(modules) >= 5, result.stdout.strip()) == (True, "[]")


@pytest.mark.functional
def test_the_web_process_loads_neither_pandas_nor_scikit_learn(tmp_path):
    # structlog brings rich: 16 MB with it, once for all workers.
    code = "import genre_site.wsgi, genre_site.urls, sys; print([m for m in ('pandas', 'sklearn', 'scipy') if m in sys.modules])"
    env = os.environ | {
        "SECRET_KEY": "x" * 60,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "genre_site.settings",
    }
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=env)
    assert result.stdout.strip() == "[]"


def test_the_local_key_is_made_once_and_kept_private(tmp_path, monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    path = tmp_path / ".env"
    path.write_text("DEBUG=true")
    assert ensure_key(path) is True
    first = path.read_text()
    assert ensure_key(path) is False
    assert path.read_text() == first
    assert first.startswith("DEBUG=true\nSECRET_KEY=")
    assert len(first) > 80
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_key_is_needed_in_a_file_when_the_environment_has_one(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "set")
    assert ensure_key(tmp_path / ".env") is False
    assert not (tmp_path / ".env").exists()


@pytest.mark.functional
def test_without_a_key_the_site_refuses_to_start_and_names_the_next_step(tmp_path):
    env = {key: value for key, value in os.environ.items() if key != "SECRET_KEY"}
    env["DJANGO_SETTINGS_MODULE"] = "genre_site.settings"
    # An empty value in the environment wins over any .env file.
    env["SECRET_KEY"] = ""
    result = subprocess.run(
        [sys.executable, "manage.py", "check"], capture_output=True, text=True, check=False, cwd=ROOT, env=env
    )
    assert result.returncode == 1
    assert "make setup" in result.stderr
