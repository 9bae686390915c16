"""What the documentation of the API shows works, word for word."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.keys import create_key
from classifier.problems import PROBLEMS
from classifier.tests.programs import TEXT
from feedback.models import Correction

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api"
PAGE = (DOCS / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(sh|python)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
genre_client = type("Module", (), runpy.run_path(str(DOCS / "genre_client.py")))


@pytest.fixture
def served(transactional_db, live_server, champion, own_limits):
    """The address of a running site, and a key."""
    return live_server.url, create_key("docs", ["predict", "feedback"], by="tests")[1]


def test_the_table_of_errors_is_whole():
    rows = re.findall(r"^\| ([\d, ]+) \| (.*) \|$", PAGE, re.MULTILINE)
    told = {name for _, names in rows for name in re.findall(r"`([a-z-]+)`", names) if name in PROBLEMS}
    assert told == set(PROBLEMS)
    for statuses, names in rows:
        for name in set(re.findall(r"`([a-z-]+)`", names)) & set(PROBLEMS):
            assert str(PROBLEMS[name][0]) in statuses


@pytest.mark.functional
def test_every_example_works_as_it_stands(served):
    address, key = served
    assert [language for language, _ in EXAMPLES] == ["sh", "sh", "python"]
    for language, code in EXAMPLES:
        variables = {"ADDRESS": address, "KEY": key}
        if language == "sh":
            command = ["/bin/sh", "-c", code]
        else:
            command = [
                sys.executable,
                "-c",
                "".join(f"{name} = {value!r}\n" for name, value in variables.items()) + code,
            ]
        done = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | variables | {"PYTHONPATH": str(DOCS)}, check=True
        )
        assert "fantasy" in done.stdout.lower(), done
    assert Correction.objects.get().chosen == ["fantasy"]


@pytest.mark.functional
def test_the_client_asks_corrects_and_takes_back(served):
    client = genre_client.Client(*served)
    assert client.genres()["fantasy"] == "Fantasy"
    suggestion = client.suggest(TEXT, limit=1)
    assert [result.slug for result in suggestion.results] == ["fantasy"]
    correction = client.correct(TEXT, ["cooking"], prediction_id=suggestion.prediction_id)
    assert client.correction(correction.receipt).status == "pending"
    client.delete_correction(correction.receipt)
    assert client.correction(correction.receipt).status == "withdrawn"


@pytest.mark.functional
def test_the_client_sends_any_number_of_texts(served):
    texts = [TEXT] * (genre_client.MOST_TEXTS + 1)
    found = genre_client.Client(*served).suggest_many(texts, ids=[str(at) for at in range(len(texts))])
    assert [each.document_id for each in found] == [str(at) for at in range(len(texts))]


@pytest.mark.functional
def test_the_client_raises_what_the_service_says(served):
    with pytest.raises(genre_client.ApiError, match="A key is needed") as caught:
        genre_client.Client(served[0]).genres()
    assert (caught.value.status, caught.value.type) == (401, "urn:genre-detector:problem:no-key")
