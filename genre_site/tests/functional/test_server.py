"""The real gunicorn, started as `make run` starts it, answers and follows a promotion."""

import json
import re
import time
import urllib.request

from genre_site.tests.running import Site, Visitor

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."


def ask(address):
    """Return the version that answers somebody new."""
    answer = Visitor(address).ask(TEXT)
    assert answer.genres[0][0] == "Fantasy"
    return answer.number


def test_the_real_server_answers_and_follows_a_promotion_without_restart(tmp_path, model_folder):
    site = Site(tmp_path, [model_folder, model_folder])
    with site.serving() as address:
        assert {ask(address) for _ in range(4)} == {1}
        site.run("from classifier.registry import promote\npromote(2, by='test')\n")
        deadline = time.monotonic() + 5
        answers = [ask(address) for _ in range(4)]
        while set(answers) != {2} and time.monotonic() < deadline:
            time.sleep(0.2)
            answers = [ask(address) for _ in range(4)]
        assert set(answers) == {2}


def test_every_line_the_real_server_logs_is_json_and_a_request_is_found_by_its_id(tmp_path, model_folder):
    site = Site(tmp_path, [model_folder])
    site.env |= {"LOG_LEVEL": "INFO", "GENRE_LOG_FORMAT": "json"}
    with site.serving(workers=1) as address:
        assert ask(address) == 1
        with urllib.request.urlopen(f"{address}about/?q=hidden") as response:
            request_id = response.headers["X-Request-ID"]
    text = site.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    asked = [(line["method"], line["route"], line.get("model")) for line in lines if line["event"] == "request"]
    home = "classifier:text-classify"
    assert asked == [("GET", home, None), ("POST", home, 1), ("GET", "classifier:model-about", None)]
    assert [line["route"] for line in lines if line.get("request_id") == request_id] == ["classifier:model-about"]
    assert not re.search("wizard|hidden", text)
