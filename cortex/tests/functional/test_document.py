"""docs/service.md is true: its requests work word for word, its tables are complete."""

import hashlib
import json
import os
import re
import subprocess

from cortex.service import ROUTES
from cortex.settings import NAMES
from cortex.tests.functional.server import running
from genre_site.tests.running import ROOT

DOCUMENT = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```sh\n(.*?)```", DOCUMENT, flags=re.DOTALL)


def sh(script, **variables):
    return subprocess.run(
        ["sh", "-eu", "-c", script], env=os.environ | variables, capture_output=True, text=True, check=True
    ).stdout


def test_its_token_and_its_requests_work_word_for_word(tmp_path, model_folder):
    (make_token,) = (command for command in COMMANDS if command.startswith("TOKEN="))
    token, hashed = sh(make_token + 'printf "%s\\n" "$TOKEN" "$TOKEN_SHA256"').split()
    assert hashlib.sha256(token.encode()).hexdigest() == hashed
    asked = [command for command in COMMANDS if command.startswith("curl")]
    with running(tmp_path, model_folder, TOKEN_SHA256=hashed) as server:
        one, many, v2, figures = (sh(command, ADDRESS=server.address, TOKEN=token) for command in asked)
    (shown,) = re.findall(r"```json\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    assert json.loads(shown).keys() == json.loads(one).keys()
    assert json.loads(one)["results"][0]["slug"] == "fantasy"
    assert [("error" in each) for each in json.loads(many)["predictions"]] == [False, True]
    assert json.loads(v2)["outputs"][0]["data"] == ["fantasy"]
    for name in re.findall(r"`(genre_service_\w+)`", DOCUMENT):
        # A counter with labels is absent until there is something to count.
        assert name in figures or name == "genre_service_abstained_total"
    exposed = {
        re.sub("_(bucket|count|sum|created)$", "", name) for name in re.findall(r"^genre_\w+", figures, re.MULTILINE)
    }
    assert exposed <= set(re.findall(r"`(genre_service_\w+)`", DOCUMENT))


def test_its_tables_have_every_setting_and_every_address():
    settings = re.findall(r"^\| `([A-Z0-9_]+)` \|", DOCUMENT, flags=re.MULTILINE)
    assert sorted(settings) == sorted(NAMES)
    rows = re.findall(r"^\| (`(?:GET|POST) .*?) \| (yes|no) \|", DOCUMENT, flags=re.MULTILINE)
    documented = {
        (method, path, is_open == "no")
        for cell, is_open in rows
        for method, path in re.findall(r"`(GET|POST) (\S+)`", cell)
    }
    assert documented == {(route.method, path, route.is_open) for path, route in ROUTES.items()}
