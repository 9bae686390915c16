"""What the log says of predictions, for the site to count and correct: an id, genres and figures, never a text."""

import json
import logging
import select

import pytest

from classifier.core.model import GenreModel
from classifier.core.naming import hash_line, is_id_of
from classifier.core.shown import choose_shown
from classifier.core.text import Reading, one_line
from cortex.logs import Line
from cortex.noting import LINE_ITEMS, Notes
from cortex.service import Service
from cortex.settings import Settings, SettingsError
from cortex.tests.asking import TEXT, call, serve

KEY = bytes(range(32))
UNKNOWN = "xyzzy plugh frotz gnusto rezrov"


@pytest.fixture
def log(caplog):
    """Return the lines so far that hold predictions, as they are written."""
    caplog.set_level(logging.INFO)

    def lines():
        written = [Line().format(record) for record in caplog.records if "predictions" in getattr(record, "fields", {})]
        caplog.clear()
        return written

    return lines


def test_a_line_says_what_was_shown_and_holds_no_text(model_folder, log):
    answer = call(serve(model_folder, hash_key=KEY), "POST", "/", {"text": TEXT, "limit": 1}, x_request_id="r-1")[1]
    [line] = log()
    said = json.loads(line)
    [item] = said["predictions"]
    model = GenreModel.load(model_folder)
    prediction = model.predict(TEXT)
    assert (said["request_id"], said["event"], said["model_sha256"]) == ("r-1", "request", model.meta["model_sha256"])
    assert item.pop("milliseconds") > 0
    assert item == {
        "id": answer["prediction_id"],
        "shown": [list(genre) for genre in choose_shown(prediction)[0]],
        "abstained": "",
        "words": prediction.n_words,
        "known": prediction.n_known,
        "chars": len(TEXT),
        "text_hash": hash_line(one_line(TEXT), KEY),
    }
    assert "wizard" not in line


def test_an_id_proves_whose_it_is_and_of_which_text(model_folder):
    name = call(serve(model_folder, hash_key=KEY), "POST", "/", {"text": TEXT})[1]["prediction_id"]
    text_hash = hash_line(one_line(TEXT), KEY)
    assert is_id_of(name, text_hash, KEY)
    assert not is_id_of(name, hash_line("another text", KEY), KEY)
    assert not is_id_of(name, text_hash, bytes(32))
    assert not is_id_of(name[:-1] + ("0" if name[-1] != "0" else "1"), text_hash, KEY)
    assert not is_id_of("6f2d3c1e-2c0b-4d55-9d6e-0d8c8f1a7b11", text_hash, KEY)


def test_without_a_key_there_is_no_hash_and_no_id_in_the_answer(model_folder, log):
    assert call(serve(model_folder), "POST", "/", {"text": TEXT})[1]["prediction_id"] is None
    [item] = json.loads(log()[0])["predictions"]
    assert (item["text_hash"], len(item["id"])) == ("", 36)


def test_the_lines_can_be_turned_off_and_the_ids_stay(model_folder, log):
    service = serve(model_folder, hash_key=KEY, prediction_log=False)
    assert call(service, "POST", "/", {"text": TEXT})[1]["prediction_id"]
    assert log() == []


def test_a_batch_is_noted_in_lines_that_no_pipe_mixes_and_no_log_driver_cuts(model_folder, log):
    items = [*[UNKNOWN] * LINE_ITEMS, *[TEXT] * LINE_ITEMS, "too short", TEXT]
    answers = call(
        serve(model_folder, hash_key=KEY), "POST", "/", items, x_request_id="r-2", x_cortex_job_id="j" * 128
    )[1]["predictions"]
    lines = [json.loads(line) for line in log()]
    assert [(line["event"], line["request_id"], len(line["predictions"])) for line in lines] == [
        ("predictions", "r-2", LINE_ITEMS),
        ("predictions", "r-2", LINE_ITEMS),
        ("request", "r-2", 1),
    ]
    noted = [item for line in lines for item in line["predictions"]]
    assert [item["id"] for item in noted] == [answer["prediction_id"] for answer in answers if "error" not in answer]
    assert noted[0]["abstained"] == "nothing-known"
    longest = {**noted[-1], "shown": [["x" * 60, 0.1234]] * 5}
    longest_line = {**lines[-1], "request_id": "r" * 128, "cortex_request_id": "c" * 128}
    assert len(json.dumps({**longest_line, "predictions": [longest] * LINE_ITEMS})) < select.PIPE_BUF


def test_what_is_refused_as_a_whole_is_not_noted(model_folder, log):
    tensor = {"name": "text", "datatype": "BYTES", "shape": [2], "data": [TEXT, "too short"]}
    service = serve(model_folder)
    assert call(service, "POST", "/v2/models/genre/infer", {"inputs": [tensor]})[0] == 400
    assert log() == []
    tensor = {**tensor, "shape": [1], "data": [TEXT]}
    assert call(service, "POST", "/v2/models/genre/infer", {"inputs": [tensor]})[0] == 200
    assert len(log()) == 1


def test_ids_are_never_the_same(model):
    notes = Notes(KEY, are_kept=False)
    prediction = model.predict(TEXT)
    names = {notes.take(Reading(TEXT), prediction, 0.0) for _ in range(1000)}
    assert len(names) == 1000
    assert list(notes.parts()) == []


@pytest.mark.parametrize(
    "environ", [{"HASH_KEY": ""}, {"HASH_KEY": "word"}, {"HASH_KEY": "ab" * 31}, {"PREDICTION_LOG": "maybe"}], ids=str
)
def test_settings_that_cannot_be_meant_stop_the_start(environ):
    with pytest.raises(SettingsError, match=next(iter(environ))) as caught:
        Service(Settings.from_environ(environ))
    assert "word" not in str(caught.value)


def test_settings_are_read(model_folder):
    settings = Settings.from_environ({"HASH_KEY": KEY.hex(), "PREDICTION_LOG": "False"})
    assert (settings.hash_key, settings.prediction_log) == (KEY, False)
    assert (Settings.from_environ({}).hash_key, Settings.from_environ({}).prediction_log) == (b"", True)
