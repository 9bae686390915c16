"""The files a site is deployed with fit the code: container, Compose, systemd, and the environment of each."""

import re
import shutil
import subprocess

import pytest
import yaml
from compose_spec import PyCompose

from genre_site.tests.running import ROOT

DEPLOY = ROOT / "docs" / "deploy"
# What Docker must never be given, whatever the Dockerfile copies.
PRIVATE = {".env", "var", "models", "data", "backups", ".git"}
# A variable of compose.yaml: ${NAME:-default} or ${NAME:?what to do}.
VARIABLE = re.compile(r"\$\{([A-Z_]+):([-?])([^}]*)\}")


@pytest.fixture(scope="module")
def services():
    """The services of compose.yaml, read and checked by the Compose specification."""
    text = VARIABLE.sub(lambda found: found[3] if found[2] == "-" else found[1], (ROOT / "compose.yaml").read_text())
    # Written out, because the library knows no merge keys (<<) of YAML; Compose does.
    merged = yaml.safe_load(text)
    PyCompose.from_yaml(yaml.safe_dump(merged, sort_keys=False))
    return merged["services"]


def test_docker_is_given_what_the_dockerfile_copies_and_nothing_else():
    copied = set(re.findall(r"^COPY (\w\S*) ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
    lines = (ROOT / ".dockerignore").read_text().split("\n")
    given = {line[1:] for line in lines if line.startswith("!")}
    assert copied == given
    assert lines[1] == "*"
    assert given & PRIVATE == set()
    assert all((ROOT / name).exists() for name in given)


def test_the_image_holds_every_app_and_runs_as_nobody_in_particular():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert all(f"COPY {app} {app}\n" in dockerfile for app in ("classifier", "feedback", "training", "genre_site"))
    assert dockerfile.index("USER 10001") > dockerfile.rindex("RUN ")


def test_compose_publishes_the_site_to_this_machine_alone_and_no_database(services):
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert set(published) == {"web"}
    assert "127.0.0.1" in str(published["web"])


def test_every_container_is_read_only_checked_and_started_again(services):
    assert set(services) == {"setup", "web", "db", "redis"}
    assert all(service["read_only"] for service in services.values())
    assert {name for name, service in services.items() if service["restart"] == "unless-stopped"} == {
        "web",
        "db",
        "redis",
    }
    # That of the web is in the Dockerfile, and what ends by itself needs none.
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()
    assert all("test" in services[name]["healthcheck"] for name in ("db", "redis"))


def test_every_secret_of_compose_comes_from_the_documented_settings():
    wanted = {found[1] for found in VARIABLE.finditer((ROOT / "compose.yaml").read_text())}
    documented = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    assert wanted - {"PORT"} <= documented


@pytest.mark.functional
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_understands_the_units(tmp_path):
    for path in DEPLOY.glob("genre-detector*"):
        # The commands are where this checkout is.
        (tmp_path / path.name).write_text(path.read_text().replace("/srv/genre-detector", str(ROOT)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))], capture_output=True, text=True
    )
    # It also tells what is odd about units of the machine's own.
    assert [line for line in done.stderr.splitlines() if "genre-detector" in line] == []


def test_the_documented_commands_to_serve_are_the_same_everywhere():
    served = "gunicorn genre_site.wsgi --config genre_site/gunicorn_config.py"
    for path in (DEPLOY / "genre-detector.service", ROOT / "docs" / "operations.md", ROOT / "Makefile"):
        assert served in path.read_text(), path
    assert served in re.sub(r'[",\[\]]', "", (ROOT / "Dockerfile").read_text())
